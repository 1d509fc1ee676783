"""What must become of a run in time: that it starts, comes to its limit, expires, and rests once it is cancelled."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from conformance.search.claims import claim
from conformance.states.handles import GRACE, run_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from conformance.search.claims import Claim
    from conformance.search.known import KnownRun

_EXPIRY_ROWS: Final = {"requires_action": "RUN-LIFE-007", "in_progress": "RUN-LIFE-008"}
_ENDING: Final = frozenset({"cancelling", "cancelled"})


def start_claims(run: KnownRun, *, started: bool, budget: float) -> Iterator[Claim]:
    """Judge whether a run left the queue in time."""
    expected = f"another status than queued within {budget:g} s"
    yield claim("RUN-LIFE-002", started, expected, f"status {run.status}", run.created, run.seen)


def rest_claims(run: KnownRun, *, rested: bool, budget: float) -> Iterator[Claim]:
    """Judge whether a run whose cancel was granted came to rest in time."""
    granted = run.cancelled
    if granted and granted.succeeded and run_of(granted).get("status") in _ENDING:
        expected = f"a final state within {budget:g} s"
        yield claim("RUN-CANCEL-006", rested, expected, f"status {run.status}", granted, run.seen)


def limit_claims(run: KnownRun) -> Iterator[Claim]:
    """Judge that a run which spent all that it might did not pass for complete."""
    body = run_of(run.seen)
    limit, usage = body.get("max_completion_tokens"), body.get("usage")
    if type(limit) is not int or run.cancelled or run.status not in {"completed", "incomplete"}:
        return
    spent = usage.get("completion_tokens") if isinstance(usage, dict) else None
    if run.status == "incomplete" or (type(spent) is int and spent == limit):
        actual = f"{run.status} after {spent} of {limit} tokens"
        yield claim("RUN-LIFE-009", run.status == "incomplete", 'status "incomplete"', actual, run.created, run.seen)


def expiry_claims(before: str, run: KnownRun) -> Iterator[Claim]:
    """
    Judge that a run which was not done in time has expired.

    Args:
        before: The state that it was in when it was last seen, before its time was up.
        run: As it is now.
    """
    expires_at = run.handle.body.get("expires_at")
    late = type(expires_at) is int and run.created.ended < expires_at < run.seen.at - GRACE
    if (
        (row := _EXPIRY_ROWS.get(before))
        and not run.cancelled
        and (run.status == "expired" or (late and run.status == before))
    ):
        expected = 'status "expired"'
        yield claim(row, run.status == "expired", expected, f"status {run.status}", run.created, run.seen)
