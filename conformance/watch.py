"""What is being waited for right now, so that somebody who looks on can be told."""

from __future__ import annotations

import time
from contextlib import contextmanager
from dataclasses import dataclass
from threading import Lock
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

#: Between two polls of one wait no more than so many seconds pass that are not waited.
_BESIDE = 3.0
#: An answer that takes less is not worth a word.
_SOON = 1.0


@dataclass(frozen=True, kw_only=True)
class Waiting:
    """One wait that is under way."""

    #: The name of the wait.
    name: str
    #: What waits: a staged subject or a case.
    scope: str
    #: For how long by now.
    seconds: float


@dataclass
class _Begun:
    name: str
    since: float
    #: When it last gave a sign of itself; in the future while it sleeps.
    until: float


class Watch:
    """Learns from the client what is waited for; time is the wall's, since it is about somebody's patience."""

    def __init__(self) -> None:
        self._waits: dict[str, _Begun] = {}
        self._asked: dict[str, float] = {}
        self._lock = Lock()

    def begin(self, scope: str, name: str, seconds: float) -> None:
        """Learn that a scope waits so many seconds for what is named; polls of one wait follow one another."""
        now = time.monotonic()
        with self._lock:
            before = self._waits.get(scope)
            if before and before.name == name and now - before.until < _BESIDE:
                before.until = now + seconds
            else:
                self._waits[scope] = _Begun(name, now, now + seconds)

    @contextmanager
    def asking(self, scope: str) -> Iterator[None]:
        """Inside, a request of the scope is under way."""
        with self._lock:
            self._asked.setdefault(scope, time.monotonic())
        try:
            yield
        finally:
            with self._lock:
                self._asked.pop(scope, None)

    def end(self, scope: str) -> None:
        """Learn that a scope waits no more."""
        with self._lock:
            self._waits.pop(scope, None)

    def now(self) -> Sequence[Waiting]:
        """What is waited for, the longest first."""
        now = time.monotonic()
        with self._lock:
            asked = dict(self._asked)
            waits = {
                scope: (each.name, now - each.since)
                for scope, each in self._waits.items()
                if scope in asked or now - each.until < _BESIDE
            }
        answers = {scope: ("answer", now - since) for scope, since in asked.items() if now - since > _SOON}
        told = [
            Waiting(name=name, scope=scope, seconds=seconds) for scope, (name, seconds) in {**answers, **waits}.items()
        ]
        return sorted(told, key=lambda each: (-each.seconds, each.scope))
