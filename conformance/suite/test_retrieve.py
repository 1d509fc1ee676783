"""Retrieving a run."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING

import pytest

from conformance.dialect import path_to
from conformance.outcomes import Untested
from conformance.states.handles import Run
from conformance.states.stage import SHORT_PROMPT
from conformance.suite import fresh_run, requirement, shared_run
from conformance.suite.expectations import expect, expect_no_crash, expect_same, need, need_page, need_run

if TYPE_CHECKING:
    from conformance.client import Client
    from conformance.states.stage import Stage
    from conformance.wire.exchange import Exchange


@requirement("RUN-GET-001")
def test_a_run_is_found_by_its_id(stage: Stage) -> None:
    """What create returned can be read."""
    run = stage.started(stage.thread())

    _expect_itself(run, _read_in_time(run))


@requirement("RUN-GET-001")
@pytest.mark.long
def test_the_runs_of_a_thread_are_told_apart(stage: Stage) -> None:
    """A read returns the run that was asked for, and not just any of its thread."""
    thread = stage.thread()
    (earlier,) = stage.fill(thread, 1)
    later = stage.started(thread)

    for run in (earlier, later):
        _expect_itself(run, _read_in_time(run))


@requirement("RUN-GET-002")
@shared_run("requires_action")
def test_reading_a_run_changes_nothing(run: Run) -> None:
    """However often a run is read, it stays what it is."""
    replies = [run.retrieve() for _ in range(5)]

    told = {name for reply in replies for name in need_run(reply)} - {"expires_at"}  # RUN-INV-039 is about that
    for reply in replies[1:]:
        expect_same(replies[0], reply, fields=sorted(told))


@requirement("RUN-GET-003")
@pytest.mark.parametrize("door", ["create", "create-thread-and-run"])
def test_a_new_run_can_be_read_at_once(door: str, stage: Stage) -> None:
    """A client polls as soon as it has the id."""
    run = stage.started(stage.thread()) if door == "create" else _with_its_thread(stage)

    reply = run.retrieve()

    if not reply.succeeded:
        run.pause("appear", since=reply)
        need(run.retrieve().succeeded, "it cannot be read later either, which RUN-GET-001 is about")
    expect(reply.succeeded, "the run (2xx)", f"status {reply.status}", run.seen, reply)


@requirement("RUN-GET-004")
@fresh_run("completed")
def test_the_runs_of_a_deleted_thread_are_gone(client: Client, run: Run) -> None:
    """A deleted thread takes its runs with it."""
    deleted = client.call("delete_thread", thread_id=run.thread_id)
    if not deleted.succeeded:
        raise Untested(f"the target does not delete threads: {deleted}", gates=False)

    reply = run.retrieve()

    expect(reply.status == 404, "status 404", f"status {reply.status}", run.seen, deleted, reply)


@requirement("RUN-GET-005")
def test_a_head_request_does_not_crash_the_server(client: Client, some_run: Run) -> None:
    """A proxy that asks for the head of a reply is answered with composure."""
    path = path_to("/threads/{thread_id}/runs/{run_id}", thread_id=some_run.thread_id, run_id=some_run.id)

    reply = client.send("HEAD", path)

    if reply.status != HTTPStatus.NOT_IMPLEMENTED:  # which HTTP has for a method that a server does not know
        expect_no_crash(reply)


def _with_its_thread(stage: Stage) -> Run:
    """A run that was created together with its thread."""
    thread = {"messages": [{"role": "user", "content": SHORT_PROMPT}]}
    reply = stage.create_thread_and_run(thread=thread)
    need(reply.succeeded, f"no run came, which RUN-THREADRUN-001 is about: {reply}")
    return Run(stage.client, stage.means.waits, reply)


def _read_in_time(run: Run) -> Exchange:
    """Read a new run, once more if it is not there at once, which RUN-GET-003 is about."""
    reply = run.retrieve()
    if reply.status != 404:
        return reply
    run.pause("appear", since=run.seen)
    return run.retrieve()


def _expect_itself(run: Run, reply: Exchange) -> None:
    """Expect a success that shows the run itself."""
    if not reply.succeeded:
        there = [each["id"] for each in need_page(run.thread.list())]
        need(run.id in there, "the run does not exist at all, which RUN-CREATE-001 is about")
    expect(reply.succeeded, "the run (2xx)", f"status {reply.status}", run.seen, reply)
    expect(need_run(reply)["id"] == run.id, f"run {run.id}", f"run {need_run(reply)['id']}", run.seen, reply)
