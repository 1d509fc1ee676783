"""Cancelling a run that is not in progress: it is refused, and nothing changes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from conformance.outcomes import Untested
from conformance.states import FINISHED
from conformance.states.handles import CANCEL_FORMS
from conformance.suite import fresh_run, requirement
from conformance.suite.expectations import (
    expect,
    expect_refused,
    expect_status,
    expect_untouched,
    need,
    need_run,
    note,
    status_of,
)
from conformance.wire.exchange import JSON_TYPE

if TYPE_CHECKING:
    from conformance.client import CancelForm
    from conformance.states.handles import Run
    from conformance.states.stage import Stage
    from conformance.wire.exchange import Exchange

finished = fresh_run(*FINISHED)


@requirement("RUN-CANCEL-011")
@finished
def test_cancelling_a_finished_run_changes_nothing(run: Run) -> None:
    """A run that has come to rest stays at rest: right after the cancel, and two seconds later."""
    run.pause("afterlife", since=run.seen)  # what changes by itself has changed by then
    before = run.retrieve()

    replies = [run.cancel(form) for form in CANCEL_FORMS]

    expect_untouched(run, before)
    run.pause("afterlife", since=replies[-1])
    expect_untouched(run, before)


@requirement("RUN-CANCEL-031")
@finished
@pytest.mark.parametrize("form", CANCEL_FORMS)
def test_cancelling_a_finished_run_is_refused(run: Run, form: CancelForm) -> None:
    """There is nothing left to cancel, and the client must learn it."""
    reply = run.cancel(form)

    if reply.status >= 500 and form != run.client.cancel_form:
        need(run.cancel().status >= 500, f"it is the form of the request that crashes the server: {reply}")
    for each in (reply, run.cancel(form), run.cancel(form)):
        expect_refused(each, run.seen, because=f"the run is {run.body['status']}")


@requirement("RUN-CANCEL-012")
@fresh_run("completed")
def test_cancelling_a_completed_run_is_a_bad_request(run: Run) -> None:
    """The status code of the refusal is the one that clients know."""
    reply = run.cancel()

    need(reply.refused, f"the cancel was not refused, which RUN-CANCEL-031 is about: {reply}")
    expect_status(reply, 400)


@requirement("RUN-CANCEL-016")
@fresh_run("failed", "incomplete", "expired")
def test_cancelling_another_finished_run_is_a_bad_request(run: Run) -> None:
    """The status code of the refusal is the one that clients know."""
    reply = run.cancel()

    need(reply.refused, f"the cancel was not refused, which RUN-CANCEL-031 is about: {reply}")
    expect_status(reply, 400)


def judge_by_policy(run: Run, reply: Exchange, stage: Stage) -> None:
    """Refusing is right; where the policy lets a target do either, what it did is noted."""
    done = reply.succeeded and need_run(reply).get("status") not in {"cancelling", "cancelled"}
    need(not done, f"the run was not cancelled, which RUN-CANCEL-003 is about: {reply}")
    if stage.policy == "observed" and reply.status < 500:
        note(f"a run that is {run.body['status']} is {'cancelled' if reply.succeeded else 'not cancelled'}: {reply}")
    expect_refused(
        reply, run.seen, because="as documented for in_progress alone; the real service was seen to accept it"
    )


def unless_it_was_taken_up(run: Run, reply: Exchange) -> None:
    """A cancel that was granted says nothing about the queue if the run had left it by then, as its start shows."""
    for seen in (reply, run.retrieve()) if reply.succeeded else ():
        body = seen.json if seen.succeeded and isinstance(seen.json, dict) else {}
        waiting = body.get("status") in {None, "queued", "cancelling", "cancelled"}
        if not waiting or body.get("started_at") is not None:
            raise Untested(f"the run had left the queue before the cancel arrived: {seen}", gates=False)


@requirement("RUN-CANCEL-017")
@fresh_run("requires_action")
def test_a_run_that_requires_action_is_not_cancelled(run: Run, stage: Stage) -> None:
    """Only runs in progress are documented as cancellable."""
    judge_by_policy(run, run.cancel(), stage)


@requirement("RUN-CANCEL-018")
@fresh_run("queued")
def test_a_queued_run_is_not_cancelled(run: Run, stage: Stage) -> None:
    """Only runs in progress are documented as cancellable."""
    reply = run.cancel()

    unless_it_was_taken_up(run, reply)
    judge_by_policy(run, reply, stage)


@requirement("RUN-CANCEL-019")
@fresh_run("requires_action")
def test_a_refused_cancel_leaves_a_waiting_run_alone(run: Run) -> None:
    """A run whose cancel was refused waits on for its outputs as if nothing had been asked."""
    before = run.retrieve()

    reply = run.cancel()

    if reply.succeeded:
        note("cancels of waiting runs are not refused here")
    expect_untouched(run, before)


@requirement("RUN-CANCEL-019")
@fresh_run("in_progress")
def test_a_cancel_that_cannot_be_read_cancels_nothing(run: Run) -> None:
    """Who refuses the body of a cancel has not cancelled."""
    ids = {"thread_id": run.thread_id, "run_id": run.id}
    reply = run.client.call("cancel_run", **ids, content=b'{"reason": ', content_type=JSON_TYPE)

    if not reply.refused:
        note("the body of a cancel does not matter here")
    after = run.retrieve()
    status = need_run(after).get("status")
    expect(status not in {"cancelling", "cancelled"}, "a run that was not cancelled", f"status {status}", reply, after)


@requirement("RUN-CANCEL-019")
@fresh_run("requires_action")
def test_a_refused_cancel_lets_a_waiting_run_finish(run: Run) -> None:
    """A run whose cancel was refused takes its outputs and finishes."""
    reply = run.cancel()

    if reply.succeeded:
        note("cancels of waiting runs are not refused here")
    submitted = run.submit()
    need(submitted.succeeded, f"the outputs were not accepted: {submitted}")
    ended = run.settle()
    status = status_of(ended)
    need(status not in {"failed", "expired"}, f"the run ended otherwise: {ended}")
    expect(status != "cancelled", "a run that nobody cancelled", f"status {status}", reply, submitted, ended)
