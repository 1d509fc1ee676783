"""How a target that is asked too much is asked less: again later, and fewer things at once."""

from __future__ import annotations

import threading
from email.utils import parsedate_to_datetime
from math import inf
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from conformance.wire.exchange import Exchange

_TOO_MANY: Final = 429
_UNAVAILABLE: Final = 503
#: Seconds to wait at least before a request is sent again; twice as many before each further time.
_FIRST: Final = 1.0
#: Digits of a Retry-After beyond which it means never.
_DIGITS: Final = 9
#: How many requests in a row were refused to the end before nothing is sent again.
_ENOUGH: Final = 3
#: How many requests may be under way before it is known how the target takes it.
_NARROW: Final = 4


def is_one_too_many(reply: Exchange) -> bool:
    """Whether a request was refused for now, which says nothing of what was asked."""
    return reply.status == _TOO_MANY or (reply.status == _UNAVAILABLE and _retry_after(reply) is not None)


class Patience:
    """Decides for how long a refused request waits before it is sent again, and learns whether that helps."""

    def __init__(self, budget: float) -> None:
        """Prepare to wait so many seconds for one request."""
        self._budget = budget
        self._in_vain = 0

    def delay(self, reply: Exchange, waited: float) -> float | None:
        """
        For how long to wait before the request is sent again, in seconds; None where it is not.

        Args:
            reply: The refusal.
            waited: For how long the same request has waited already.
        """
        delay = max(_retry_after(reply) or 0.0, waited + _FIRST)  # 1, 2, 4, ...
        if waited + delay <= self._budget and self._in_vain < _ENOUGH:
            return delay
        self._in_vain += 1
        return None

    def helps(self) -> None:
        """Learn that a request was not refused."""
        self._in_vain = 0


class Width:
    """How many requests are under way at once: few at first, more while all goes well, half as many after trouble."""

    def __init__(self, most: int) -> None:
        """Allow at most so many."""
        self._most = most
        self._width = min(_NARROW, most)
        self._under_way = 0
        self._went_well = 0
        self._change = threading.Condition()

    def __enter__(self) -> None:
        """Inside, one more is under way; before, it waits until there is room."""
        with self._change:
            while self._under_way >= self._width:
                self._change.wait()
            self._under_way += 1

    def __exit__(self, *_: object) -> None:
        with self._change:
            self._under_way -= 1
            self._change.notify_all()

    def widen(self) -> None:
        """Learn that a request was answered."""
        with self._change:
            self._went_well += 1
            if self._went_well >= self._width and self._width < self._most:
                self._width, self._went_well = self._width + 1, 0
                self._change.notify_all()

    def narrow(self, *, for_good: bool) -> None:
        """Learn that they were too many, just now or whenever there are as many."""
        with self._change:
            self._width, self._went_well = max(1, self._width // 2), 0
            if for_good:
                self._most = self._width


def _retry_after(reply: Exchange) -> float | None:
    """What the target asked for: seconds, or a date; anything else is nothing."""
    told = reply.response.headers.get("retry-after", "").strip()
    if told.isascii() and told.isdigit():
        return float(told) if len(told) <= _DIGITS else inf
    try:
        return max(0.0, parsedate_to_datetime(told).timestamp() - reply.ended)
    except (ValueError, OverflowError):
        return None
