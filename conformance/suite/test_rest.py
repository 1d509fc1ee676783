"""Runs that have come to rest, looked at again two seconds later."""

from __future__ import annotations

from typing import TYPE_CHECKING

from conformance.states import FINAL
from conformance.suite import requirement, shared_run
from conformance.suite.expectations import expect, need_run, shown

if TYPE_CHECKING:
    from conformance.states.handles import Run


@requirement("RUN-LIFE-004")
@shared_run(*FINAL)
def test_a_run_at_rest_stays_at_rest(run: Run) -> None:
    """A run that came to rest does not come back to life behind the client's back."""
    run.pause("afterlife", since=run.seen)

    seen = run.retrieve()
    run.thread.list()  # the invariants judge how the list shows it
    state, status = run.body["status"], need_run(seen).get("status")
    expect(status == state, f"status {state} for good", f"status {shown(status)}", run.seen, seen)
