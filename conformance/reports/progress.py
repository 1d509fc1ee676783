"""What is waited for, how long by now, and what is left, in a line."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from conformance.wire.values import cut

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

#: How many waits are named.
_NAMED = 3
#: Characters of a case.
_LONGEST_CASE = 50


class Wait(Protocol):
    """A wait that is under way, as `watch.Waiting` is one."""

    @property
    def name(self) -> str:
        """Its name."""

    @property
    def scope(self) -> str:
        """What waits."""

    @property
    def seconds(self) -> float:
        """For how long by now."""


def progress(waiting: Sequence[Wait], budget: Callable[[str], float], left: int, of: int) -> str:
    """
    The line; empty where nothing is waited for.

    Args:
        waiting: The waits that are under way, the longest first.
        budget: The seconds that a wait of this name may take.
        left: How many cases have not been carried out.
        of: How many there are.
    """
    if not waiting:
        return ""
    named = [f"{each.name} of {_what(each.scope)} {each.seconds:.0f} of {budget(each.name):g} s" for each in waiting]
    more = f", and {len(named) - _NAMED} more" if len(named) > _NAMED else ""
    cases = f"{left} of {of} cases left; " if of else ""
    return f"{cases}waiting for {', '.join(named[:_NAMED])}{more}"


def _what(scope: str) -> str:
    kind, _, rest = scope.partition("/")
    if kind in {"cases", "races", "invariants"}:
        case = cut(rest.partition("/")[2], _LONGEST_CASE)
        return case if case.isprintable() else ascii(case)[1:-1]
    return {"subjects": f"the subject {rest}", "sequences": f"sequence {rest}"}.get(kind, "the session")
