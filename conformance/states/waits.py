"""Every wait of the suite: its name, its budget, and how it is polled."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

#: The budget of each wait in seconds, by name. `docs/waits.md` explains them; `--runs-wait=NAME=SECONDS` sets one.
BUDGETS: Mapping[str, float] = {
    "answer": 60.0,  # the whole answer to one request is there
    "appear": 2.0,  # a run that was just created is found
    "start": 30.0,  # a new run leaves the queue
    "action": 60.0,  # a run whose model must call a function asks for it
    "finish": 120.0,  # a run reaches a final state
    "stream": 120.0,  # a stream comes to its end
    "cancel": 60.0,  # a cancelled run comes to rest
    "expiry": 660.0,  # an unattended run expires; only where time can be turned
    "apart": 1.1,  # between two runs whose times should tell which is the later
    "work": 4.0,  # a run works before its cancel, where the times should tell that it did
    "throttled": 60.0,  # a request that was one too many is sent again, as the target asks
    "afterlife": 2.0,  # between a final state and reading it again
    "clean-up": 120.0,  # cancelling and deleting, in the end, what the session made
    "driver": 60.0,  # the driver of a client answers
    "search": 180.0,  # all random sequences of writes together, requests included
}

_FIRST_INTERVAL = 0.1
_LONGEST_INTERVAL = 1.0
#: Digits of a hint beyond which it is none.
_DIGITS = 9
#: Some targets rush through a state in a fraction of a second, and clients that stream see it nevertheless.
_EAGER_INTERVAL = 0.05
_EAGER_FOR = 5.0
#: The waits that end in a state which may be brief.
_EAGER = frozenset({"start"})


#: How many runs never leave the queue, and none does, before a session stops waiting long for it.
_ENOUGH = 3


@dataclass
class Waits:
    """The budgets of one session, and what it learned about the target's queue."""

    budgets: Mapping[str, float]
    #: Whether every wait is given its whole budget, so that a recording does not depend on the order of the cases.
    patient: bool = False
    _stuck: int = 0
    _endless: int = 0
    _moves: bool = False

    def budget(self, name: str) -> float:
        """The budget of a wait, in seconds."""
        return self.budgets.get(name, BUDGETS[name])

    def in_queue(self) -> float:
        """For how long a run may stay in the queue, in seconds; little where none was ever seen to leave it."""
        hopeless = self._stuck >= _ENOUGH and not self._moves and not self.patient
        return min(self.budget("appear"), self.budget("start")) if hopeless else self.budget("start")

    def in_limbo(self) -> float:
        """For how long a run may show no documented status, in seconds; not at all where it never came to one."""
        return 0.0 if self._endless >= _ENOUGH and not self._moves and not self.patient else self.budget("appear")

    def limbo_is_endless(self) -> None:
        """Learn that a run came to no documented status in time."""
        self._endless += 1

    def queue_moves(self) -> None:
        """Learn that a run left the queue."""
        self._moves = True

    def queue_is_stuck(self) -> None:
        """Learn that a run did not leave the queue in time."""
        self._stuck += 1


def next_interval(wait: str, previous: float, passed: float, poll_after_ms: str | None) -> float:
    """
    How long to wait before the next poll, in seconds.

    The target's `openai-poll-after-ms` is honoured; without it polls begin quickly and slow down.

    Args:
        wait: The name of the wait.
        previous: The last interval, 0 before the first.
        passed: Seconds since the wait began.
        poll_after_ms: What the target said.
    """
    if wait in _EAGER and passed < _EAGER_FOR:
        return _EAGER_INTERVAL
    if poll_after_ms and poll_after_ms.isascii() and poll_after_ms.isdigit() and len(poll_after_ms) <= _DIGITS:
        return min(int(poll_after_ms) / 1000, 10.0) or _FIRST_INTERVAL
    return min(previous * 1.5, _LONGEST_INTERVAL) if previous else _FIRST_INTERVAL
