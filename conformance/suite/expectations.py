"""
What a case may say of a reply.

`expect...` judges the requirement of the case. `need...` is for what the case only builds on: where it is missing, the
case is untested, since another requirement owns that failure.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from conformance.outcomes import Noted, Untested, Violated, Violation
from conformance.states import ALL
from conformance.states.handles import calls_of
from conformance.states.handles import run_of as need_run
from conformance.states.lists import items_of as need_page
from conformance.wire.values import ABSENT, members_apart, same, shown

if TYPE_CHECKING:
    from collections.abc import Collection

    from conformance.states.handles import Run
    from conformance.wire.exchange import Exchange

__all__ = [
    "expect",
    "expect_no_crash",
    "expect_refused",
    "expect_same",
    "expect_status",
    "expect_untouched",
    "expect_waiting",
    "need",
    "need_page",
    "need_refused_in_json",
    "need_run",
    "need_still_cancelled",
    "note",
    "shown",
    "status_of",
]


def expect(condition: object, expected: str, actual: object, *exchanges: Exchange) -> None:
    """Something must hold; the exchanges show that it does not, the telling one last."""
    if not condition:
        once = {each.number: each for each in reversed(exchanges)}
        told = actual if isinstance(actual, str) else shown(actual)
        raise Violated(Violation(expected, told, tuple(reversed(once.values()))))


def expect_status(reply: Exchange, *codes: int) -> None:
    """The reply must have one of the status codes."""
    expect(reply.status in codes, f"status {' or '.join(map(str, codes))}", f"status {reply.status}", reply)


def expect_refused(reply: Exchange, *before: Exchange, because: str = "") -> None:
    """The request must be refused with a 4xx; `because` explains in a few words why it must."""
    expected = "a refusal (4xx)" + (f", {because}" if because else "")
    expect(reply.refused, expected, f"status {reply.status}", *before, reply)


def expect_no_crash(reply: Exchange) -> None:
    """The server must keep its composure."""
    expect(reply.status < 500, "a status below 500", f"status {reply.status}", reply)


def expect_same(
    before: Exchange, after: Exchange, *, fields: Collection[str] | None = None, run: Run | None = None
) -> None:
    """
    Two replies must show the same run, in all fields or in those that are named.

    Args:
        before: The first one.
        after: The second one.
        fields: Those that are compared, where not all are.
        run: The run, to be looked at again; if it goes on changing without any doing, or has expired, that says nothing
            about what was done.
    """
    was, is_ = need_run(before), need_run(after)
    changed = _changed(before, after, fields)
    if run and changed:
        need(not is_.get("status") == "expired" != was.get("status"), "the run has expired meanwhile")
        run.pause("apart")
        changing = _changed(after, run.retrieve(), changed)
        need(not changing, f"the run changes without any doing: {', '.join(changing)}")
    expect(not changed, *members_apart(changed, was, is_), before, after)


def expect_waiting(before: Exchange, after: Exchange) -> None:
    """A run must wait for the outputs of the same calls as before; that it puts them in other words is no change."""
    was, is_ = need_run(before), need_run(after)
    need(not is_.get("status") == "expired" != was.get("status"), "the run has expired meanwhile")
    told, telling = (f"status {shown(run.get('status'))}, calls {shown([*calls_of(run)])}" for run in (was, is_))
    expect(told == telling, told, telling, before, after)


def expect_untouched(run: Run, before: Exchange, *, fields: Collection[str] | None = None) -> None:
    """A run must be as it was."""
    expect_same(before, run.retrieve(), fields=fields, run=run)


def _changed(before: Exchange, after: Exchange, fields: Collection[str] | None) -> list[str]:
    was, is_ = need_run(before), need_run(after)
    names = dict.fromkeys((*was, *is_)) if fields is None else fields
    return [name for name in names if not same(was.get(name, ABSENT), is_.get(name, ABSENT))]


def need(condition: object, reason: str) -> None:
    """What the case builds on."""
    if not condition:
        raise Untested(reason)


def need_refused_in_json(reply: Exchange) -> None:
    """What is refused in the words of a stream is refused, and RUN-STREAM-020 is about how."""
    told = {event.name for event in reply.events}
    need("error" not in told, f"it is refused in a stream, which RUN-STREAM-020 is about: {reply}")


def need_still_cancelled(run: Run, *, since: Exchange | None = None) -> Exchange:
    """Read a cancelled run two seconds later; RUN-LIFE-004 is about a run that has left its final state."""
    run.pause("afterlife", since=since or run.seen)
    seen = run.retrieve()
    need(need_run(seen).get("status") == "cancelled", f"the run came back to life, which RUN-LIFE-004 is about: {seen}")
    return seen


def status_of(reply: Exchange) -> str:
    """The status of the run in a reply; one that nobody documented is RUN-SCHEMA-009's business."""
    status = need_run(reply).get("status")
    if not isinstance(status, str) or status not in ALL:
        raise Untested(f"{reply} shows no documented status")
    return status


def note(finding: str) -> None:
    """End the case with what was found, for a requirement that judges nobody."""
    raise Noted(finding)
