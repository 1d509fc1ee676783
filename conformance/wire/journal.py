"""The journal: all exchanges of a session, in order."""

from __future__ import annotations

from collections import defaultdict
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

    def append(self, *, scope: str, request: Request, response: Response, at: float, duration: float) -> Exchange:
        """Number an exchange, from 1, and keep it."""
        with self._lock:
            exchange = Exchange(len(self._exchanges) + 1, scope, request, response, at, duration)
            self._exchanges.append(exchange)
            self._by_scope[scope].append(exchange)
            return exchange

    def of(self, scope: str) -> Sequence[Exchange]:
        """The exchanges of one scope, in order."""
        return self._by_scope.get(scope, [])

    def __iter__(self) -> Iterator[Exchange]:
        return iter(self._exchanges)

    def __len__(self) -> int:
        return len(self._exchanges)
