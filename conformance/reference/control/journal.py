"""What clients really sent: the last requests, and why they were refused."""

from __future__ import annotations

import re
from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import parse_qsl, unquote

from conformance.reference.calls import strict_json
from conformance.reference.queries import remarks

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Sequence

    from conformance.reference.app import Reference
    from conformance.reference.calls import Answer
    from conformance.reference.control.rules import Rule

REDACTED: Final = "[redacted]"
#: How many requests are kept, and how many bytes of them and of the answers that refuse them.
MOST, LARGEST = 10_000, 32 * 1024 * 1024
_REFUSED: Final = 400
_CREDENTIALS = frozenset(
    {
        "api-key",
        "authorization",
        "cookie",
        "proxy-authorization",
        "x-api-key",
        "x-litellm-api-key",
        "x-portkey-api-key",
        "x-portkey-config",
        "x-portkey-virtual-key",
    }
)
#: Parameters of a query that some gateways take a key by.
_PARAMETERS = frozenset({"access_token", "api-key", "api_key", "apikey", "key", "token"})
#: What may stand before a key, and is none.
_SCHEMES = frozenset({"basic", "bearer", "digest", "negotiate"})
_KEY = re.compile(r"[\w.~+/-]{16,}")
#: A shorter key would redact half of every text.
_SHORTEST_KEY = 4


@dataclass(slots=True)
class Entry:
    """A request as it came, and what became of it; it is made readable only for who reads it."""

    number: int
    #: By the server's clock, in Unix seconds.
    at: float
    method: str
    path: str
    query: bytes
    headers: Sequence[tuple[bytes, bytes]]
    body: bytes
    rule: Rule | None
    #: Of the answer; None as long as there is none, and where the connection was dropped.
    status: int | None = None
    refusal: bytes = b""

    @property
    def size(self) -> int:
        """Bytes that came and went, of which only an answer that refuses is kept."""
        named = sum(len(name) + len(value) for name, value in self.headers)
        return len(self.path) + len(self.query) + named + len(self.body) + len(self.refusal)

    def answered(self, answer: Answer) -> None:
        """Learn what it was answered with."""
        self.status = answer.status
        if answer.status >= _REFUSED:
            self.refusal = answer.body

    def told(self, reference: Reference) -> dict[str, Any]:
        """The entry as it is sent, without anything that opens a door."""
        headers = [(name.decode("latin-1").lower(), value.decode("latin-1")) for name, value in self.headers]
        asked = parse_qsl(self.query.decode("latin-1"), keep_blank_values=True)
        clean = _cleaner({each for each in _secrets(headers, asked) if len(each) >= _SHORTEST_KEY})
        query = [(clean(name), REDACTED if name.lower() in _PARAMETERS else clean(value)) for name, value in asked]
        routed = reference.routes(self.path).get(self.method)
        operation = routed.operation if routed else None
        body, broken = _read(clean(self.body.decode("utf-8", "backslashreplace")))
        said = remarks(operation, query) if operation else []
        return {
            "number": self.number,
            "at": self.at,
            "method": self.method,
            "path": _cleaned_path(self.path, clean),
            "operation": operation,
            "ids": {name: clean(id) for name, id in routed.ids.items()} if routed else {},
            "query": query,
            "headers": {name: _shown(value) if name in _CREDENTIALS else clean(value) for name, value in headers},
            "body": body,
            "status": self.status,
            "refused": _error(clean(self.refusal.decode("utf-8", "backslashreplace"))),
            "fault": self.rule.asked["fault"] if self.rule else None,
            "remarks": [*said, *([f"The body is no valid JSON: {broken}"] if broken else [])],
        }


class Journal:
    """The last requests, within bounds of number and size."""

    def __init__(self) -> None:
        self._entries: deque[Entry] = deque()
        self._size = self._number = self.forgotten = 0

    def __iter__(self) -> Iterator[Entry]:
        return iter(self._entries)

    def add(
        self,
        at: float,
        method: str,
        path: str,
        query: bytes,
        headers: Sequence[tuple[bytes, bytes]],
        body: bytes,
        rule: Rule | None,
    ) -> Entry:
        """Keep a request, and forget the oldest ones where it gets too much."""
        self._number += 1
        self._entries.append(entry := Entry(self._number, at, method, path, query, headers, body, rule))
        self._grow(entry.size)
        return entry

    def answered(self, entry: Entry, answer: Answer) -> None:
        """Learn what a request was answered with, which may have been forgotten since."""
        entry.answered(answer)
        index = entry.number - self._entries[0].number if self._entries else -1
        if entry.refusal and 0 <= index < len(self._entries) and self._entries[index] is entry:
            self._grow(len(entry.refusal))

    def _grow(self, size: int) -> None:
        self._size += size
        while len(self._entries) > MOST or (self._size > LARGEST and len(self._entries) > 1):
            self._size -= self._entries.popleft().size
            self.forgotten += 1

    def clear(self) -> int:
        """Forget everything, and tell how much it was; the numbers go on."""
        number = len(self._entries)
        self._entries.clear()
        self._size = self.forgotten = 0
        return number

    def reset(self) -> None:
        """The same, and begin to count anew."""
        self.clear()
        self._number = 0


def _secrets(headers: Sequence[tuple[str, str]], query: Sequence[tuple[str, str]]) -> Iterator[str]:
    """What must not be seen in any other place either; of a credential of many words, what looks like a key."""
    for name, value in headers:
        if name.endswith("authorization"):
            yield from (word for word in value.split() if word.lower() not in _SCHEMES)
        elif name in _CREDENTIALS:
            yield from _KEY.findall(value) if " " in value else [value]
    yield from (value for name, value in query if name.lower() in _PARAMETERS)


def _shown(value: str) -> str:
    """A credential without what is secret in it: its scheme, if it has one."""
    scheme, _, rest = value.partition(" ")
    return f"{scheme} {REDACTED}" if rest and scheme.lower() in _SCHEMES else REDACTED


def _cleaned_path(path: str, clean: Callable[[str], str]) -> str:
    """A path as it came; decoded where a key is hidden in its escapes."""
    decoded = unquote(path)
    return clean(path) if clean(decoded) == decoded else clean(decoded)


def _cleaner(secrets: Collection[str]) -> Callable[[str], str]:
    def clean(text: str) -> str:
        for secret in sorted(secrets, key=len, reverse=True):
            text = text.replace(secret, REDACTED)
        return text

    return clean


def _read(body: str) -> tuple[Any, str]:
    """The body as JSON, or as a text with the reason why it is none; None if there is none."""
    try:
        return strict_json(body) if body else None, ""
    except ValueError as problem:
        return body, str(problem)
    except RecursionError:
        return body, "it is nested too deep"


def _error(body: str) -> Any:
    """The error of an answer that refuses, else None."""
    told, _ = _read(body)
    return told["error"] if isinstance(told, dict) and "error" in told else told
