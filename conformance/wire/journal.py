"""The journal: all exchanges of a session, in order."""

from __future__ import annotations

from bisect import insort
from collections import defaultdict
from operator import attrgetter
from threading import Lock
from typing import TYPE_CHECKING

from conformance.wire.exchange import Exchange

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from conformance.wire.exchange import Request, Response


class Journal:
    """Append-only record of every exchange, whoever provoked it."""

    def __init__(self) -> None:
        self._exchanges: list[Exchange] = []
        self._by_scope: defaultdict[str, list[Exchange]] = defaultdict(list)
        self._lock = Lock()

    def append(
        self, *, scope: str, request: Request, response: Response, at: float, duration: float, number: int | None = None
    ) -> Exchange:
        """Keep an exchange in the order of the numbers; without one it follows the last."""
        with self._lock:
            if number is None:
                number = self._exchanges[-1].number + 1 if self._exchanges else 1
            exchange = Exchange(number, scope, request, response, at, duration)
            for kept in (self._exchanges, self._by_scope[scope]):
                if not kept or kept[-1].number < number:
                    kept.append(exchange)
                else:
                    insort(kept, exchange, key=attrgetter("number"))
            return exchange

    def of(self, scope: str) -> Sequence[Exchange]:
        """The exchanges of one scope, in order."""
        return self._by_scope.get(scope, [])

    def __iter__(self) -> Iterator[Exchange]:
        return iter(self._exchanges)

    def __len__(self) -> int:
        return len(self._exchanges)
