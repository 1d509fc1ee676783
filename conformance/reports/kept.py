"""What a report keeps of the exchanges that show violations: each once, redacted, and no more than anybody reads."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from conformance.reports.failure import HISTORY, SHOWN
from conformance.wire.values import cut

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from conformance.redaction import Redactor
    from conformance.wire.exchange import Exchange

#: Characters of a body that are kept, and of all bodies together; beyond that little more than their beginnings is.
_LONGEST_BODY: Final = 8_192
_ALL_BODIES: Final = 2 * 1024 * 1024
_BEGINNING: Final = 200
#: Exchanges that are kept.
_MOST: Final = 2_000
#: Headers of a message that are kept, and characters of each.
_MOST_HEADERS, _LONGEST_HEADER = 40, 500
#: Characters of all failures together; beyond that an item tells one violation, and the beginnings of its texts.
_ALL_FAILURES: Final = 1024 * 1024
_LONGEST_BEGINNING: Final = 1_000
#: Characters of any other text.
_LONGEST_TEXT: Final = 20_000


class Kept:
    """The exchanges of one report."""

    def __init__(self, redactor: Redactor) -> None:
        self._redactor = redactor
        self._exchanges: dict[int, dict[str, Any]] = {}
        self._left = _ALL_BODIES
        self._failures_left = _ALL_FAILURES

    def numbers(self, exchanges: Sequence[Exchange]) -> list[int]:
        """Keep the last of these exchanges, the telling one first, and give their numbers in order."""
        shown = exchanges[-HISTORY:]
        for exchange in reversed(shown):
            if exchange.number not in self._exchanges and len(self._exchanges) < _MOST:
                self._exchanges[exchange.number] = self._told(exchange)
        return [each.number for each in shown if each.number in self._exchanges]

    def room(self, failure: str) -> tuple[int, int]:
        """How many violations of a failure there is room for, and how many characters of each of its texts."""
        self._failures_left -= len(failure)
        return (SHOWN, _LONGEST_TEXT) if self._failures_left > 0 else (1, _LONGEST_BEGINNING)

    def all(self) -> list[dict[str, Any]]:
        """All that were kept, in order."""
        return [self._exchanges[number] for number in sorted(self._exchanges)]

    def _told(self, exchange: Exchange) -> dict[str, Any]:
        request, response = exchange.request, exchange.response
        return {
            "number": exchange.number,
            "method": self._redactor.text(request.method),
            "path": cut(self._redactor.text(request.target), _LONGEST_TEXT),
            "status": exchange.status,
            "at": round(exchange.at, 3),
            "seconds": round(max(exchange.duration, 0), 3),
            "request": self._message(request.headers, request.body),
            "response": self._message(response.headers, response.body),
        }

    def _message(self, headers: Mapping[str, str], body: bytes) -> dict[str, Any]:
        longest = min(_LONGEST_BODY, max(self._left, _BEGINNING))
        # Nothing secret may hide at the cut, so that more is looked at than is kept.
        text = self._redactor.text(body[: 4 * _LONGEST_BODY].decode("utf-8", "replace"))
        kept = cut(text, longest)
        self._left -= len(kept)
        shown = dict(list(self._redactor.headers(headers).items())[:_MOST_HEADERS])
        return {
            "headers": {cut(name, _LONGEST_HEADER): cut(value, _LONGEST_HEADER) for name, value in shown.items()},
            "body": kept,
            "bytes": len(body),
            "cut": len(kept) < len(text) or len(body) > 4 * _LONGEST_BODY,
        }


def cleaned(value: Any, redactor: Redactor, longest: int = _LONGEST_TEXT) -> Any:
    """A JSON value with every text in it redacted, and none of them longer than anybody reads."""
    match value:
        case str():
            return cut(redactor.text(value), longest)
        case dict():
            return {cleaned(name, redactor, longest): cleaned(each, redactor, longest) for name, each in value.items()}
        case list() | tuple():
            return [cleaned(each, redactor, longest) for each in value]
    return value
