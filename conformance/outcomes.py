"""What a check can come to, apart from holding."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from conformance.wire.exchange import Exchange


@dataclass(frozen=True)
class Violation:
    """One way in which a requirement was broken, and the exchanges that show it, the telling one last."""

    expected: str
    actual: str
    exchanges: tuple[Exchange, ...]
    #: All that must be sent to see it, in order, where that was searched for.
    sequence: tuple[Exchange, ...] = ()
    #: What a driver of a client was told, and how to have it told again.
    calls: tuple[str, ...] = ()


class Violated(AssertionError):
    """The target broke the requirement of this item. Nothing else in the suite raises an AssertionError."""

    def __init__(self, *violations: Violation) -> None:
        first, more = violations[0], len(violations) - 1
        told = f"expected {first.expected}, got {first.actual}"
        super().__init__(f"{told} (and {more} more)" if more else told)
        self.violations: Sequence[Violation] = violations


class Unstable(Violated):
    """Repetitions of the item disagree: in some of them the target broke the requirement, in others it did not."""

    def __init__(self, times: int, of: int, violations: Sequence[Violation]) -> None:
        super().__init__(*violations)
        self.args = (f"broken {times} of {of} times: {self.args[0]}",)


class Untested(Exception):
    """
    The requirement could not be measured, and why.

    `gates` is False where nobody can be blamed for it: a race that did not happen, a state that a black box cannot
    provoke, a case that a cassette set never recorded.
    """

    def __init__(self, reason: str, *, gates: bool = True) -> None:
        super().__init__(reason)
        self.reason = reason
        self.gates = gates


class NotClaimed(Untested):
    """
    The requirement needs a capability that the target is declared not to have, or may lack without a word.

    `optional` names the capability where it is one of the latter: only what is about it is excused.
    """

    def __init__(self, reason: str, *, optional: str = "") -> None:
        super().__init__(reason, gates=False)
        self.optional = optional


class Noted(Exception):
    """What a check of a MAY or of a policy row found; it ends the item without judging it."""

    def __init__(self, finding: str) -> None:
        super().__init__(finding)
        self.finding = finding


class Fault(Exception):
    """The suite, the network or a set-up broke; the target is not accused, and the message says why in a sentence."""


class Unreachable(Fault):
    """The target did not answer, or not within bounds."""


class Unconnected(Unreachable):
    """There was no connection, so that nothing was sent."""


class BadSettings(Exception):
    """The session cannot be started as it was asked for; the message says why, in a sentence."""


class Unusable(Exception):
    """What a command was given cannot be used; the message says why, in a sentence."""
