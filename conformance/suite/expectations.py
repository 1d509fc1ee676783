"""
What a case may say of a reply.

`expect...` judges the requirement of the case. `need...` is for what the case only builds on: where it is missing, the
case is untested, since another requirement owns that failure.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from conformance.outcomes import Noted, Untested, Violated, Violation
from conformance.states.handles import items_of as need_page
from conformance.states.handles import run_of as need_run
from conformance.wire.values import ABSENT, same, shown

if TYPE_CHECKING:
    from collections.abc import Collection

    from conformance.wire.exchange import Exchange

__all__ = [
    "expect",
    "expect_no_crash",
    "expect_refused",
    "expect_same",
    "expect_status",
    "need",
    "need_page",
    "need_run",
    "note",
    "shown",
]


def expect(condition: object, expected: str, actual: object, *exchanges: Exchange) -> None:
    """Something must hold; the exchanges show that it does not, the telling one last."""
    if not condition:
        raise Violated(Violation(expected, actual if isinstance(actual, str) else shown(actual), exchanges))


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
    before: Exchange, after: Exchange, *, fields: Collection[str] | None = None, ignoring: Collection[str] = ()
) -> None:
    """Two replies must show the same run: in the fields that are named, or in all but the ignored ones."""
    was, is_ = need_run(before), need_run(after)
    names = fields if fields is not None else dict.fromkeys((*was, *is_))
    changed = [
        name for name in names if name not in ignoring and not same(was.get(name, ABSENT), is_.get(name, ABSENT))
    ]
    expect(
        not changed,
        ", ".join(f"{name} {shown(was.get(name, ABSENT))}" for name in changed),
        ", ".join(f"{name} {shown(is_.get(name, ABSENT))}" for name in changed),
        before,
        after,
    )


def need(condition: object, reason: str) -> None:
    """What the case builds on."""
    if not condition:
        raise Untested(reason)


def note(finding: str) -> None:
    """End the case with what was found, for a requirement that judges nobody."""
    raise Noted(finding)
