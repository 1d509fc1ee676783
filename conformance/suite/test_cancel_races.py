"""Cancels that meet something else: whatever wins, the run ends once, in a legal way."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from conformance.outcomes import Untested
from conformance.suite import fresh_run, requirement
from conformance.suite.expectations import expect, expect_no_crash, need, status_of

if TYPE_CHECKING:
    from conformance.client import Client
    from conformance.states.handles import Run
    from conformance.wire.exchange import Exchange


def raced(one: Exchange, other: Exchange) -> None:
    """Two requests that did not overlap were no race."""
    if not one.overlaps(other):
        raise Untested("the two requests did not overlap", gates=False)


def expect_one_end(run: Run, *replies: Exchange, among: set[str]) -> None:
    """The run comes to rest in one of the states that the race can lead to."""
    ended = run.settle("cancel")
    status = status_of(ended)
    expect(status in among, f"one of {', '.join(sorted(among))}", f"status {status}", run.seen, *replies, ended)


@requirement("RUN-CANCEL-026")
@pytest.mark.race
@fresh_run("in_progress")
def test_two_cancels_cancel_once(run: Run, client: Client) -> None:
    """Of two cancels at once at least one is granted, and the run is cancelled once."""
    replies = client.together(run.cancel, run.cancel)

    raced(*replies)
    for reply in replies:
        expect_no_crash(reply)
    if not any(reply.succeeded for reply in replies):
        need(run.cancel().succeeded, "a cancel by itself is refused as well, which other requirements are about")
        expect(None, "one of the two granted", "both refused, and a third one granted", run.seen, *replies)
    after = status_of(run.retrieve())
    need(after in {"cancelling", "cancelled"}, f"the run is {after}, which other requirements are about")
    expect_one_end(run, *replies, among={"cancelled", "completed", "incomplete"})


@requirement("RUN-CANCEL-027")
@pytest.mark.race
@fresh_run("requires_action")
def test_a_cancel_that_meets_the_outputs_ends_the_run_once(run: Run, client: Client) -> None:
    """Whichever is first, the run is cancelled or goes on, and not both."""
    need(run.waits_for_outputs, f"the run does not say what it waits for: {run.seen}")

    cancel, submit = client.together(run.cancel, run.submit)

    raced(cancel, submit)
    for reply in (cancel, submit):
        expect_no_crash(reply)
    expect(cancel.succeeded or submit.succeeded, "one of the two granted", "both refused", run.seen, cancel, submit)
    among = {"cancelled", "completed", "incomplete"} if cancel.succeeded else {"completed", "incomplete"}
    expect_one_end(run, cancel, submit, among=among)
