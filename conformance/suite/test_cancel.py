"""Cancelling a run that can be cancelled: the reply, what follows, and what is free again afterwards."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, get_args

import pytest

from conformance.client import CancelForm
from conformance.outcomes import Untested
from conformance.states import ALL, FINAL
from conformance.states.strangers import Misaddressed, Phantom
from conformance.suite import fresh_run, requirement
from conformance.suite.expectations import (
    expect,
    expect_refused,
    expect_status,
    expect_untouched,
    need,
    need_page,
    need_run,
    need_still_cancelled,
    status_of,
)

if TYPE_CHECKING:
    from conformance.states.handles import Run, Thread
    from conformance.states.stage import Stage
    from conformance.wire.exchange import Exchange

FORMS: tuple[CancelForm, ...] = get_args(CancelForm)
in_progress = fresh_run("in_progress")
#: How often in a row a run is cancelled that cannot be: the first refusal says nothing of the next.
AGAIN = 3


def unless_it_finished_first(run: Run, reply: Exchange) -> None:
    """A refused cancel says nothing about a run that came to rest just before it."""
    if reply.refused:
        status = need_run(run.retrieve()).get("status")
        need(status not in FINAL, f"the run was {status} before the cancel arrived")


def cancelled(run: Run) -> Exchange:
    """Cancel a run, as a set-up: what is no success is other requirements' business."""
    reply = run.cancel()
    need(reply.succeeded, f"the run could not be cancelled: {reply}")
    return reply


@requirement("RUN-CANCEL-001")
@in_progress
def test_a_run_in_progress_is_cancelled(run: Run) -> None:
    """The request is granted with 200, and the run is on its way to rest."""
    reply = run.cancel()

    unless_it_finished_first(run, reply)
    expect_status(reply, 200)
    expect(isinstance(reply.json, dict) and reply.json.get("id"), "the run as the body", reply.json, run.seen, reply)


@requirement("RUN-CANCEL-001")
@fresh_run("requires_action")
def test_a_run_that_went_on_with_its_outputs_is_cancelled(run: Run) -> None:
    """A run that works again, since its function was called, is in progress like any other."""
    need(run.submit().succeeded, "the outputs are refused, which other requirements are about")
    seen = run.until(lambda body: body.get("status") not in {"queued", "requires_action"}, "start", "went on")
    need(status_of(seen) == "in_progress", f"the run was not seen at work again: {seen}")

    reply = run.cancel()

    unless_it_finished_first(run, reply)
    expect_status(reply, 200)


@requirement("RUN-CANCEL-020")
@pytest.mark.parametrize("form", ["json", "bare"])
@in_progress
def test_a_cancel_needs_no_body(run: Run, form: CancelForm) -> None:
    """The two ways in which the official clients send nothing both cancel."""
    reply = run.cancel(form)

    unless_it_finished_first(run, reply)
    expect(reply.succeeded, "a success (2xx)", f"status {reply.status}", run.seen, reply)


@requirement("RUN-CANCEL-032")
@in_progress
def test_a_cancel_may_have_an_empty_object(run: Run) -> None:
    """An empty object says as much as nothing."""
    reply = run.cancel("object")

    unless_it_finished_first(run, reply)
    expect(reply.succeeded, "a success (2xx)", f"status {reply.status}", run.seen, reply)


@requirement("RUN-CANCEL-006")
@pytest.mark.parametrize("form", FORMS)
@in_progress
def test_a_cancelled_run_comes_to_rest(run: Run, form: CancelForm) -> None:
    """It does not stay cancelling for ever, and ends cancelled unless its work was done first."""
    reply = run.cancel(form)
    need(reply.succeeded, f"the run could not be cancelled: {reply}")

    budget = run.waits.budget("cancel")
    try:
        seen = run.settle("cancel")
    except Untested:
        seen = run.retrieve()
        if seen.ended - reply.ended < budget:
            raise  # something else ended the wait

    status = status_of(seen)
    expect(status in FINAL, f"a final state within {budget:g} s", f"status {status}", run.seen, reply, seen)
    need(status not in {"completed", "incomplete"}, f"the work was done before the cancel took effect: {seen}")
    expect(status == "cancelled", "status cancelled", f"status {status}", run.seen, reply, seen)


@requirement("RUN-CANCEL-010")
@in_progress
def test_a_cancel_is_seen_by_the_next_reader(run: Run) -> None:
    """Whoever reads or lists the run next sees it cancelling or cancelled."""
    reply = cancelled(run)

    read, listed = run.retrieve(), run.thread.list()
    run.retrieve()  # the invariants judge whether it is as far as the list shows it

    in_list = [item.get("status") for item in need_page(listed) if item["id"] == run.id]
    for seen, status in ((read, status_of(read)), *((listed, each) for each in in_list if each in ALL)):
        need(status not in {"completed", "incomplete"}, f"the work was done before the cancel took effect: {seen}")
        expect(status in {"cancelling", "cancelled"}, "status cancelling or cancelled", f"status {status}", reply, seen)


@requirement("RUN-CANCEL-022")
@fresh_run("cancelled")
def test_a_cancelled_run_takes_no_outputs(run: Run) -> None:
    """Outputs that come after the cancel are refused, and bring nothing back."""
    before = need_still_cancelled(run)

    reply = run.submit()

    expect_refused(reply, before, because="the run is cancelled")
    expect_untouched(run, before)


@requirement("RUN-CANCEL-023")
@pytest.mark.parametrize("what", ["message", "run"])
def test_a_cancelled_run_unlocks_its_thread(what: str, stage: Stage) -> None:
    """As soon as it is seen cancelled the conversation goes on, and the run rests for good."""
    run = stage.run("cancelled")  # here and not ahead, since a lock may be given back late

    def go_on() -> Exchange:
        return run.thread.add_message("Go on.") if what == "message" else stage.create_run(run.thread)

    reply = go_on()
    if not reply.succeeded:
        run.pause("apart", since=reply)  # what locks the thread may hear of the cancel a moment later
        reply = go_on()

    before = need_still_cancelled(run, since=reply)
    expect(reply.succeeded, f"a new {what} (2xx)", f"status {reply.status}", run.seen, reply, before)


@requirement("RUN-CANCEL-014")
@fresh_run("cancelled")
def test_further_cancels_change_nothing(run: Run) -> None:
    """However often it is asked, a cancelled run stays cancelled, since the same moment."""
    before = need_still_cancelled(run)  # two seconds on, since a moment that moves moves by whole seconds

    for form in FORMS:
        run.cancel(form)

    expect_untouched(run, before, fields=("status", "cancelled_at"))


@requirement("RUN-CANCEL-013")
@fresh_run("cancelled")
def test_a_cancelled_run_is_not_cancelled_again(run: Run) -> None:
    """The second cancel is told that it comes too late, and so is whoever asks again."""
    before = need_still_cancelled(run)

    for _ in range(AGAIN):
        expect_refused(run.cancel(), before, because="the run is already cancelled")


@requirement("RUN-CANCEL-015")
@in_progress
def test_a_run_that_is_being_cancelled_is_not_cancelled_again(run: Run) -> None:
    """The second cancel is told that the first is under way."""
    first = cancelled(run)
    if status_of(first) == "cancelled":
        raise Untested(f"the run is cancelled at once: {first}", gates=False)
    need(status_of(first) == "cancelling", f"the run is not on its way to being cancelled: {first}")

    second = run.cancel()

    with suppress(Untested):
        run.settle("cancel")  # the invariants judge whether it went back to work
    expect_refused(second, first, because="the run is already being cancelled")


@requirement("RUN-CANCEL-035")
@in_progress
def test_a_cancelled_run_says_when_it_was_cancelled(run: Run) -> None:
    """A run that worked for some seconds was not cancelled in the second in which it was created."""
    run.pause("work", since=run.seen)
    if (status := status_of(run.retrieve())) != "in_progress":
        raise Untested(f"the run was {status} too soon for its times to be told apart", gates=False)

    reply = cancelled(run)
    seen = run.settle("cancel")

    need(status_of(seen) == "cancelled", f"the work was done before the cancel took effect: {seen}")
    created_at, cancelled_at = run.body.get("created_at"), need_run(seen).get("cancelled_at")
    if not (isinstance(created_at, int) and isinstance(cancelled_at, int)):
        raise Untested(f"the run does not say when: {seen}")
    # Whole seconds, which two parts of one target may round in two ways, by clocks that are not quite the same.
    least = int(reply.at - run.seen.ended) - 2
    need(least > 0, "the wait named work is too short for the times to be told apart")
    after = cancelled_at - created_at
    expected = f"cancelled_at at least {least} s after created_at"
    expect(after >= least, expected, f"cancelled_at {after} s after created_at", run.seen, reply, seen)


@requirement("RUN-CANCEL-021")
def test_a_run_that_does_not_exist_is_not_found(some_run: Run) -> None:
    """There is nothing to cancel."""
    expect_status(Phantom(some_run.client, some_run.waits, some_run.seen).cancel(), 404)


@requirement("RUN-CANCEL-021")
@in_progress
def test_a_run_of_another_thread_is_not_found(run: Run, other_thread: Thread) -> None:
    """The thread in the path has no such run."""
    reply = Misaddressed(run.client, run.waits, run.seen, other_thread).cancel()

    expect_status(reply, 404)
