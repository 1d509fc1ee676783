"""What must follow when a run is cancelled, in a state that is known for certain."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from conformance.search.claims import claim, told
from conformance.search.known import status_in
from conformance.states import FINISHED
from conformance.states.handles import run_of
from conformance.wire.values import ABSENT, same, shown

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from conformance.client import CancelForm
    from conformance.search.claims import Claim
    from conformance.search.known import KnownRun
    from conformance.wire.exchange import Exchange

_OK: Final = 200
_BAD_REQUEST: Final = 400
_ENDING: Final = frozenset({"cancelling", "cancelled"})
_WORKING: Final = frozenset({"queued", "in_progress", "requires_action"})
_FINISHED: Final = frozenset(FINISHED)
#: The row about a form that is refused where another one would be granted.
_FORM_ROWS: Final = {"json": "RUN-CANCEL-020", "bare": "RUN-CANCEL-020", "object": "RUN-CANCEL-032"}
_POLICY_ROWS: Final = {"queued": "RUN-CANCEL-018", "requires_action": "RUN-CANCEL-017"}


def cancel_claims(
    run: KnownRun, reply: Exchange, after: Exchange, *, form: CancelForm, usual: bool, policy: str, dated: bool
) -> Iterator[Claim]:
    """
    Judge the reply to a cancel.

    Args:
        run: As it was known before.
        reply: To the cancel.
        after: A read that followed.
        form: That the cancel was sent in.
        usual: Whether the target is known to take that form; otherwise it may be what a server error is about.
        policy: The session's.
        dated: Whether the target was seen to say when a run started.
    """
    if run.astray:
        return
    history = (run.seen, reply, after)
    states = run.when(status_in(after), cancelling=not reply.refused)
    if states == {"in_progress"} and not run.cancelled:
        if usual:
            good = reply.status == _OK and isinstance(reply.json, dict) and reply.json.get("id")
            yield claim("RUN-CANCEL-001", good, "status 200, and the run", told(reply), *history)
        else:
            yield claim(_FORM_ROWS[form], reply.succeeded, "a success (2xx)", told(reply), *history)
    judged = usual or reply.status < 500  # noqa: PLR2004 - the class of the code
    for state, row in _POLICY_ROWS.items():
        if states == {state} or (state == "queued" and dated and _was_queued(run, after)):
            cancelled = reply.succeeded and _shows(reply, _ENDING)
            if judged and (cancelled or not reply.succeeded):
                right = reply.refused or (policy == "observed" and reply.succeeded)
                expected = f"a refusal (4xx), since the run is {state} and only runs in progress are documented"
                yield claim(row, right, expected, told(reply), *history)
    if judged and states:
        yield from _too_late(run, reply, states, *history)
    yield from _effects(run, reply, after)


def _too_late(run: KnownRun, reply: Exchange, states: set[str], *history: Exchange) -> Iterator[Claim]:
    """The cancel of a run that has ended, or was cancelled before."""
    for state, row in (("cancelling", "RUN-CANCEL-015"), ("cancelled", "RUN-CANCEL-013")):
        if states == {state}:
            yield claim(row, reply.refused, f"a refusal (4xx), since the run is {state}", told(reply), *history)
    if not states <= _FINISHED:
        return
    expected = f"a refusal (4xx), since the run is {run.status}"
    yield claim("RUN-CANCEL-031", reply.refused, expected, told(reply), *history)
    if reply.refused:
        row = "RUN-CANCEL-012" if run.status == "completed" else "RUN-CANCEL-016"
        yield claim(row, reply.status == _BAD_REQUEST, "status 400", told(reply), *history)


def _effects(run: KnownRun, reply: Exchange, after: Exchange) -> Iterator[Claim]:
    """What a cancel did, and what it must not have done."""
    before, status = run.status, status_in(after)
    history = (run.seen, reply, after)
    if before in _WORKING and reply.succeeded and not run.cancelled and status in _WORKING | _ENDING:
        yield claim("RUN-CANCEL-010", status in _ENDING, "status cancelling or cancelled", f"status {status}", *history)
    if before in _WORKING and reply.refused and not run.cancelled:
        harmed = status in _ENDING or (before == "requires_action" and status == "failed")
        yield claim("RUN-CANCEL-019", not harmed, "a run that was not cancelled", f"status {status}", *history)
    if before in _FINISHED:
        names = _changed(run.seen, after)
        if not names or run.has_settled() or status in _ENDING:
            yield claim("RUN-CANCEL-011", not names, *_values(run.seen, after, names), *history)
    if before == "cancelled":
        names = [name for name in _changed(run.seen, after) if name in {"status", "cancelled_at"}]
        if not names or run.has_settled():
            yield claim("RUN-CANCEL-014", not names, *_values(run.seen, after, names), *history)


def stray_claims(run: KnownRun, reply: Exchange, after: Exchange) -> Iterator[Claim]:
    """Judge the cancel of a run through a thread that it does not belong to."""
    history = (run.seen, reply)
    yield claim("RUN-CANCEL-021", reply.status == 404, "status 404", told(reply), *history)  # noqa: PLR2004
    if run.astray or reply.status >= 500:  # noqa: PLR2004 - the class of the code
        return
    expected = "a refusal (4xx), since the run belongs to another thread"
    yield claim("RUN-ERR-005", reply.refused, expected, told(reply), *history)
    if reply.refused and run.status in _WORKING and not run.cancelled:
        status = status_in(after)
        yield claim(
            "RUN-ERR-005", status not in _ENDING, "a run that was not cancelled", f"status {status}", *history, after
        )


def _was_queued(run: KnownRun, after: Exchange) -> bool:
    """Whether a run was cancelled from the queue: it was seen there, and never started."""
    never_started = _shows(after, _ENDING) and run_of(after).get("started_at", ABSENT) is None
    return run.status == "queued" and never_started and not run.cancelled


def _shows(reply: Exchange, statuses: Collection[object]) -> bool:
    return isinstance(reply.json, dict) and reply.json.get("status") in statuses


def _changed(before: Exchange, after: Exchange) -> list[str]:
    was, is_ = run_of(before), run_of(after)
    return [name for name in dict.fromkeys((*was, *is_)) if not same(was.get(name, ABSENT), is_.get(name, ABSENT))]


def _values(before: Exchange, after: Exchange, names: list[str]) -> tuple[str, str]:
    was, is_ = (", ".join(f"{n} {shown(run_of(each).get(n, ABSENT))}" for n in names) for each in (before, after))
    return was, is_
