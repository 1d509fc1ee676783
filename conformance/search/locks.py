"""What must follow when a thread is given a run or a message, while a run is active and once all are at rest."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from conformance.search.claims import claim, told
from conformance.states import ACTIVE

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from conformance.search.claims import Claim
    from conformance.search.known import KnownRun, KnownThread
    from conformance.wire.exchange import Exchange

_LOCK_ROWS: Final = {"run": "RUN-LIFE-012", "message": "RUN-LIFE-013"}


def locked_claims(what: str, reply: Exchange, lockers: Sequence[KnownRun]) -> Iterator[Claim]:
    """
    Judge what a thread answered to something new.

    Args:
        what: A `run` or a `message`.
        reply: To its creation.
        lockers: The runs that were active before, read again since; what is still active was so all the time.
    """
    for run in lockers:
        if run.status in ACTIVE and not run.astray and (reply.succeeded or reply.refused):
            expected = f"a refusal (4xx), since run {run.handle.id} is active"
            yield claim(_LOCK_ROWS[what], reply.refused, expected, told(reply), reply, run.seen)


def released_claims(what: str, thread: KnownThread, reply: Exchange, elsewhere: Sequence[KnownRun]) -> Iterator[Claim]:
    """Judge that a thread whose runs are all at rest took something new, also while others have an active run."""
    if elsewhere:
        yield claim("RUN-LIFE-015", True, f"a new {what} (2xx)", told(reply), elsewhere[0].seen, reply)
    if (row := thread.release_row()) and thread.rests:
        yield claim(row, True, f"a new {what} (2xx)", told(reply), reply)


def refused_claims(
    what: str,
    thread: KnownThread,
    reply: Exchange,
    control: Exchange,
    elsewhere: Sequence[KnownRun],
    *,
    plain: bool,
    proven: bool,
) -> Iterator[Claim]:
    """
    Judge that a thread without an active run refused something new.

    Args:
        what: A `run` or a `message`.
        thread: Whose runs were read again since.
        reply: The refusal.
        control: The reply to the same on a fresh thread, which tells what is to blame.
        elsewhere: Runs of other threads that are active still.
        plain: Whether nothing was asked that a target might not have.
        proven: Whether the target ever took such a thing.
    """
    expected = f"a new {what} (2xx)"
    if control.succeeded:
        if (row := thread.release_row()) and thread.rests:
            yield claim(row, False, expected, told(reply), *(run.seen for run in thread.runs[-1:]), reply)
    elif control.refused and plain and elsewhere and proven:
        yield claim("RUN-LIFE-015", False, f"{expected} on another thread", told(reply), elsewhere[0].seen, reply)
    elif control.refused and plain and what == "run" and not elsewhere and not thread.runs:
        yield claim("RUN-CREATE-001", False, "a run (2xx)", told(reply), reply)
