"""How long a target that is asked too much may ask to be left alone."""

from __future__ import annotations

from email.utils import parsedate_to_datetime
from math import inf
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from conformance.wire.exchange import Exchange

TOO_MANY: Final = 429
_UNAVAILABLE: Final = 503
#: Seconds to wait at least before a request is sent again; twice as many before each further time.
_FIRST: Final = 1.0
#: Digits of a Retry-After beyond which it means never.
_DIGITS: Final = 9
#: How many requests were refused to the end, and none was not, before nothing is sent again.
_ENOUGH: Final = 3


class Patience:
    """Decides whether a refused request is sent again, and learns whether that helps."""

    def __init__(self, budget: float) -> None:
        """Prepare to wait so many seconds for one request."""
        self._budget = budget
        self._in_vain = 0

    def delay(self, reply: Exchange, waited: float) -> float | None:
        """
        For how long to wait before the request is sent again, in seconds; None where it is not.

        Args:
            reply: What came back.
            waited: For how long the same request has waited already.
        """
        asked = _retry_after(reply)
        if reply.status != TOO_MANY and not (reply.status == _UNAVAILABLE and asked is not None):
            if waited:
                self._in_vain = 0
            return None
        delay = max(asked or 0.0, waited + _FIRST)  # 1, 2, 4, ...
        if waited + delay <= self._budget and self._in_vain < _ENOUGH:
            return delay
        self._in_vain += 1
        return None


def _retry_after(reply: Exchange) -> float | None:
    """What the target asked for: seconds, or a date; anything else is nothing."""
    told = reply.response.headers.get("retry-after", "").strip()
    if told.isascii() and told.isdigit():
        return float(told) if len(told) <= _DIGITS else inf
    try:
        return max(0.0, parsedate_to_datetime(told).timestamp() - reply.ended)
    except (ValueError, OverflowError):
        return None
