"""Runs that are streamed are runs: they are found, listed, locked and cancelled like any other."""

from __future__ import annotations

from typing import TYPE_CHECKING

from conformance.invariants.heard import Heard
from conformance.states import FINAL
from conformance.states.handles import NOT_FOUND, run_of
from conformance.states.streams import read
from conformance.suite import requirement
from conformance.suite.expectations import (
    expect,
    expect_refused,
    expect_status,
    need,
    need_page,
    need_run,
    shown,
    status_of,
)

if TYPE_CHECKING:
    from conformance.states.interference import Interfered
    from conformance.states.stage import Stage
    from conformance.states.streams import Listened, Told
    from conformance.wire.exchange import Exchange


@requirement("RUN-GET-001")
def test_a_streamed_run_is_found_by_its_id(heard: Listened, stage: Stage) -> None:
    """The id that a stream tells of is the id of a run."""
    reply = read(stage, heard.thread, heard.begun)
    if reply.status == NOT_FOUND:  # how soon a run is found is RUN-GET-003's business
        stage.client.wait_since(heard.stream, stage.means.waits.budget("appear"), "appear")
        reply = read(stage, heard.thread, heard.begun)

    id = heard.begun.value.get("id")
    need(isinstance(id, str) and id, "the stream does not say which run it is about, which RUN-STREAM-006 is about")
    expect(reply.succeeded, "the run (2xx)", f"status {reply.status}", heard.stream, reply)
    expect(need_run(reply)["id"] == id, f"run {id}", f"run {need_run(reply)['id']}", heard.stream, reply)


@requirement("RUN-GET-003")
def test_a_streamed_run_can_be_read_at_once(interfered: Interfered) -> None:
    """Who hears of a run may ask for it."""
    reply = interfered.at_once

    need(interfered.at_work.succeeded, "it cannot be read later either, which RUN-GET-001 is about")
    expect(reply.succeeded, "the run (2xx)", f"status {reply.status}", reply, interfered.at_work)


@requirement("RUN-PAGE-028")
def test_a_streamed_run_is_listed(told: Told) -> None:
    """Who lists the runs of a thread sees all of them, however they were asked for."""
    listed = told.run.thread.list()

    ids = [each["id"] for each in need_page(listed)]
    expect(told.run.id in ids, f"run {told.run.id} among the runs", shown(ids), told.run.seen, listed)


@requirement("RUN-LIFE-017")
def test_a_run_that_is_told_to_work_is_read_so(interfered: Interfered) -> None:
    """What was told in a stream is not taken back by a read, and not for longer than a moment."""
    status = status_of(interfered.at_work)
    need(status not in FINAL, f"it had ended before it was read: {interfered.at_work}")

    expect(status != "queued", "no return to the queue", "status queued", interfered.stream, interfered.at_work)


@requirement("RUN-LIFE-013")
def test_a_run_that_is_streamed_keeps_messages_off_its_thread(interfered: Interfered) -> None:
    """Nobody puts words in between, while somebody listens."""
    _expect_locked_out(interfered, interfered.locked.message)


@requirement("RUN-LIFE-012")
def test_a_run_that_is_streamed_keeps_other_runs_off_its_thread(interfered: Interfered) -> None:
    """One thread, one active run, whether anybody listens or not."""
    _expect_locked_out(interfered, interfered.locked.create)


@requirement("RUN-CANCEL-001")
def test_a_run_that_is_streamed_is_cancelled(interfered: Interfered) -> None:
    """A run in progress can be cancelled while somebody listens."""
    _need_at_work(interfered)
    if interfered.cancel.refused:
        status = status_of(interfered.settled)
        need(status not in FINAL, f"the run was {status} before the cancel arrived")
    expect_status(interfered.cancel, 200)


@requirement("RUN-CANCEL-006")
def test_a_run_that_was_streamed_comes_to_rest_when_it_is_cancelled(interfered: Interfered) -> None:
    """It does not stay cancelling for ever, and ends cancelled unless its work was done first."""
    need(interfered.cancel.succeeded, f"the run could not be cancelled: {interfered.cancel}")

    status = status_of(interfered.settled)
    expect(status in FINAL, "a final state", f"status {status}", interfered.cancel, interfered.settled)
    expect(status == "cancelled", "status cancelled", f"status {status}", interfered.cancel, interfered.settled)


def _need_at_work(interfered: Interfered) -> None:
    status = run_of(interfered.at_work).get("status")
    need(status == "in_progress", f"it was not seen at work, but {status}: {interfered.at_work}")


def _expect_locked_out(interfered: Interfered, reply: Exchange) -> None:
    """Expect a refusal, unless the run came to rest in time."""
    _need_at_work(interfered)
    if reply.succeeded:
        stream, last = interfered.stream, Heard(interfered.stream).of_run[-1]
        ended = Heard(stream).end and stream.at + last.at < reply.ended
        need(not ended, "the run was at rest before the request arrived")
    expect_refused(reply, interfered.at_work, because="since the run that is streamed is active")
