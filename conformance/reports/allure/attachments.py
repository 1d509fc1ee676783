"""What is attached to an item: each exchange in full, within bounds, and how to send it again."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING
from uuid import uuid4

from conformance.reports.failure import SHOWN
from conformance.reports.reproduction import commands
from conformance.wire.values import NOT_JSON, cut

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from conformance.redaction import Redactor
    from conformance.reports.commands import Place
    from conformance.verdicts import Finding
    from conformance.wire.exchange import Exchange

#: A name, and the file that it stands for.
Attached = tuple[str, str]

#: Exchanges that are attached to one item: of more, those that show what is broken, and the latest.
_MOST = 30
#: Bytes of a body that are attached.
_LONGEST_BODY = 64 * 1024
#: Bytes of all files together, beyond which of an item only so many exchanges are attached, and little of each.
_BUDGET = 32 * 1024 * 1024
_FEW, _LITTLE = 3, 512
#: Characters of a path in the name of an attachment.
_LONGEST_PATH = 160


class Attachments:
    """Writes the files that results refer to; each is referred to once, since Allure 3 misses it anywhere else."""

    def __init__(self, redactor: Redactor, place: Place, write: Callable[[str, bytes], None]) -> None:
        """
        Begin.

        Args:
            redactor: Everything passes through it.
            place: Where the commands send their requests.
            write: Writes a file of this name.
        """
        self._redactor, self._place, self._write = redactor, place, write
        self._size = 0

    def of(self, finding: Finding, text: str, exchanges: Iterable[Exchange]) -> Iterator[Attached]:
        """The attachments of an item: what it came to, how that showed, how to see it again, and what was sent."""
        if text:
            yield self._file(str(finding.verdict), text)
        violations = finding.violations[:SHOWN]
        if any(each.exchanges for each in violations):
            yield self._file("history", "\n\n".join(_history(each.exchanges) for each in violations if each.exchanges))
        if told := [lines for each in violations if (lines := commands(each, self._place))]:
            yield self._file("reproduce", "\n\n".join(map("\n".join, told)))
        telling = {each.number for violation in violations for each in violation.exchanges}
        seen = {each.number: each for violation in violations for each in violation.exchanges}
        seen |= {each.number: each for each in exchanges}
        chosen = sorted(
            sorted(seen, key=lambda number: (number in telling, number))[-(_MOST if self._size < _BUDGET else _FEW) :]
        )
        if left := len(seen) - len(chosen):
            yield self._file(f"{left} more exchanges", f"{left} more exchanges of this item are not attached\n")
        yield from (self._exchange(seen[number]) for number in chosen)

    def _exchange(self, exchange: Exchange) -> Attached:
        return self._file(_name(exchange), self._told(exchange, _LONGEST_BODY if self._size < _BUDGET else _LITTLE))

    def _file(self, name: str, text: str) -> Attached:
        file, body = f"{uuid4()}-attachment.txt", self._redactor.text(text).encode()
        self._size += len(body)
        self._write(file, body)
        return self._redactor.text(name), file

    def _told(self, exchange: Exchange, longest: int) -> str:
        request, response = exchange.request, exchange.response
        cut_off = f", the stream was cut off: {response.cut}" if response.cut else ""
        return "\n".join(
            (
                f"{request.method} {request.target}",
                *_headers(self._redactor.headers(request.headers)),
                "",
                _body(request.json, request.body, longest),
                "",
                f"{response.status}, {exchange.duration * 1000:.0f} ms{cut_off}",
                *_headers(self._redactor.headers(response.headers)),
                "",
                _body(response.json, response.body, longest),
            )
        )


def _name(exchange: Exchange) -> str:
    request = exchange.request
    path = cut(request.path, _LONGEST_PATH)
    return f"#{exchange.number} {request.method} {path} {exchange.status}, {exchange.duration * 1000:.0f} ms"


def _history(exchanges: Sequence[Exchange]) -> str:
    """One exchange a line, with the time since the last one of the same scope ended."""
    lines = list[str]()
    previous: Exchange | None = None
    for each in exchanges[-_MOST:]:
        passed = ""
        if previous and previous.scope == each.scope:
            passed = f"+{max(each.at - previous.ended, 0) * 1000:.0f} ms"
        lines.append(f"{passed:>12}  {each}")
        previous = each
    return "\n".join(lines)


def _headers(headers: dict[str, str]) -> Iterable[str]:
    return (f"{name}: {value}" for name, value in headers.items())


def _body(value: object, raw: bytes, longest: int) -> str:
    if len(raw) <= longest and value is not NOT_JSON:
        pretty = json.dumps(value, indent=2, ensure_ascii=False)
        if len(pretty) <= 4 * longest:  # indenting can make much of little
            return pretty
    text = raw[:longest].decode("utf-8", "replace")
    return text if len(raw) <= longest else f"{text}... ({len(raw)} bytes)"
