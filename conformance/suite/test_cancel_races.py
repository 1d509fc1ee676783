"""Cancels that meet something else: whatever wins, the run ends once, in a legal way."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from conformance.outcomes import Untested
from conformance.states import FINAL
from conformance.suite import fresh_run, requirement
from conformance.suite.expectations import expect, need_run

if TYPE_CHECKING:
    from conformance.client import Client
    from conformance.states.handles import Run
    from conformance.wire.exchange import Exchange


def raced(one: Exchange, other: Exchange) -> None:
    """Two requests that did not overlap were no race."""
    if not one.overlaps(other):
        raise Untested("the two requests did not overlap", gates=False)


def expect_one_end(run: Run, *replies: Exchange, among: set[str]) -> None:
    """No crash, and the run comes to rest in one of the states that the race can lead to."""
    for reply in replies:
        expect(reply.status < 500, "a status below 500", f"status {reply.status}", run.seen, *replies)
    ended = run.settle("cancel")
    status = need_run(ended).get("status")
    expect(status in among, f"one of {', '.join(sorted(among))}", f"status {status}", run.seen, *replies, ended)


@requirement("RUN-CANCEL-026")
@pytest.mark.race
@fresh_run("in_progress")
def test_two_cancels_cancel_once(run: Run, client: Client) -> None:
    """Of two cancels at once at least one is granted, and the run is cancelled once."""
    replies = client.together(run.cancel, run.cancel)

    raced(*replies)
    if not any(reply.succeeded for reply in replies) and need_run(run.retrieve()).get("status") in set(FINAL) - {
        "cancelled"
    }:
        raise Untested("the work was done before the cancels arrived", gates=False)
    expect(any(reply.succeeded for reply in replies), "one cancel granted", "both refused", run.seen, *replies)
    expect_one_end(run, *replies, among={"cancelled"})


@requirement("RUN-CANCEL-027")
@pytest.mark.race
@fresh_run("requires_action")
def test_a_cancel_that_meets_the_outputs_ends_the_run_once(run: Run, client: Client) -> None:
    """Whichever is first, the run is cancelled or goes on, and not both."""
    cancel, submit = client.together(run.cancel, run.submit)

    raced(cancel, submit)
    expect(cancel.succeeded or submit.succeeded, "one of the two granted", "both refused", run.seen, cancel, submit)
    among = {"cancelled", "completed", "incomplete"} if cancel.succeeded else {"completed", "incomplete"}
    expect_one_end(run, cancel, submit, among=among)
