"""Where the server's time comes from."""

from __future__ import annotations

import time
from collections import defaultdict
from typing import Protocol

#: The instant at which every scope begins: 2026-01-01T00:00:00Z.
BEGINNING = 1_767_225_600.0
#: What a request takes, in seconds, on a clock that is turned by hand.
TICK = 0.02


class Clock(Protocol):
    """A clock, as a scope sees it."""

    def now(self, scope: str) -> float:
        """The time in Unix seconds."""


class SystemClock:
    """The machine's clock, the same for everybody."""

    def now(self, scope: str) -> float:  # noqa: ARG002  # it is no scope's own
        """The machine's time."""
        return time.time()


class ScopedClock:
    """
    A clock for every scope, each beginning at the same instant and turned by hand.

    A thread lives by the clock of the scope that created it, so that what one scope does never shifts another's times.
    """

    def __init__(self, tick: float = TICK) -> None:
        #: What a request takes, in seconds.
        self.tick = self._tick = tick
        #: Whether streams wait until somebody else turns the clock; by default they turn it themselves.
        self.holds_streams = False
        self._passed: defaultdict[str, float] = defaultdict(float)
        self._reached: defaultdict[str, set[str]] = defaultdict(set)

    def now(self, scope: str) -> float:
        """The scope's own time."""
        return BEGINNING + self._passed[scope]

    def touch(self, scope: str, origin: str) -> None:
        """A request takes a tick of the scope that sent it, and of the scope by whose clock its thread lives."""
        self._reached[scope].add(origin)
        for each in {scope, origin}:
            self._passed[each] += self.tick

    def wait(self, seconds: float, *scopes: str) -> None:
        """Turn the clocks of some scopes, and of all that they have reached so far."""
        for each in {*scopes, *(reached for scope in scopes for reached in self._reached[scope])}:
            self._passed[each] += seconds

    def reset(self) -> None:
        """Set every scope back to its beginning, and what was changed of the clock to how it was."""
        self.tick, self.holds_streams = self._tick, False
        self._passed.clear()
        self._reached.clear()
