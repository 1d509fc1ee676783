"""One request and its response, as the suite saw them."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from conformance.wire.events import read
from conformance.wire.operations import recognise
from conformance.wire.values import NOT_JSON, cut, parse

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from conformance.wire.events import Event
    from conformance.wire.operations import Operation

JSON_TYPE = "application/json"
#: What cut a stream off that nobody wanted to hear any further.
LEFT = "the client left"
#: What cut a reply off that whoever sent it meant to be.
CUT_OFF = "cut off"
#: How the reason begins where it went on for longer than anybody wants to listen.
LATE = "it was not over after"
#: How the reason begins where the connection ended before the answer did.
BROKEN = "the connection broke"


@dataclass(frozen=True)
class Request:
    """What was sent. `path` begins at the host's root and is percent-encoded; header names are lower case."""

    method: str
    path: str
    query: tuple[tuple[str, str], ...] = ()
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""

    @cached_property
    def json(self) -> Any:
        """The decoded body, or `NOT_JSON`."""
        return parse(self.body)

    @property
    def target(self) -> str:
        """The path with its query, percent-encoded."""
        query = "&".join(f"{quote(name, safe='[]')}={quote(value, safe='')}" for name, value in self.query)
        return self.path + (f"?{query}" if query else "")

    def param(self, name: str) -> str | None:
        """The last value of a query parameter, or None where it is absent."""
        return dict(self.query).get(name)


@dataclass(frozen=True)
class Response:
    """What came back. Header names are lower case."""

    status: int
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    #: In what pieces a stream came: how many bytes, and how many seconds after the request left.
    pieces: tuple[tuple[int, float], ...] = ()
    #: Why a reply did not come to its end; `LEFT` if it was the suite that hung up, `CUT_OFF` where it was meant so; or
    #: what broke after its end.
    cut: str = ""

    @cached_property
    def json(self) -> Any:
        """The decoded body, or `NOT_JSON`."""
        return parse(self.body)


@dataclass(frozen=True)
class Exchange:
    """
    One request and its response, with its place and time in the session.

    `at` is the session clock when the request left, in Unix seconds; `duration` is in seconds. `scope` names the staged
    subject or the case that it belongs to.
    """

    number: int
    scope: str
    request: Request
    response: Response
    at: float
    duration: float

    @cached_property
    def _recognised(self) -> tuple[Operation | None, dict[str, str]]:
        return recognise(self.request.method, self.request.path)

    @cached_property
    def operation(self) -> Operation | None:
        """The operation of the API that was called, or None for a path or method that it does not have."""
        return self._recognised[0]

    @cached_property
    def ids(self) -> dict[str, str]:
        """The identifiers in the path, decoded: `thread_id`, `run_id`, ..."""
        return self._recognised[1]

    @property
    def status(self) -> int:
        """The status code."""
        return self.response.status

    @property
    def json(self) -> Any:
        """The decoded response body, or `NOT_JSON`."""
        return self.response.json

    @property
    def succeeded(self) -> bool:
        """Whether the status code is a 2xx."""
        return self.response.status // 100 == 2  # noqa: PLR2004 - the class of the code

    @property
    def refused(self) -> bool:
        """Whether the status code is a 4xx."""
        return self.response.status // 100 == 4  # noqa: PLR2004 - the class of the code

    @cached_property
    def asked_for_stream(self) -> bool:
        """Whether the request wants events."""
        body = self.request.json if b"stream" in self.request.body else None
        return isinstance(body, dict) and body.get("stream") is True

    @cached_property
    def is_stream(self) -> bool:
        """Whether it was answered with events: they were asked for, and what came is no JSON, whatever it is called."""
        return self.asked_for_stream and self.succeeded and self.json is NOT_JSON

    @cached_property
    def events(self) -> Sequence[Event]:
        """The events of a stream."""
        return tuple(read(self._pieces())) if self.is_stream else ()

    def remember(self, events: Sequence[Event]) -> None:
        """Learn what is in the stream from who heard it, so that nobody reads it again."""
        if self.is_stream:
            vars(self)["events"] = tuple(events)

    @property
    def ended(self) -> float:
        """The session clock when the response was complete, in Unix seconds."""
        return self.at + self.duration

    def overlaps(self, other: Exchange) -> bool:
        """Whether each of the two was sent before the other was answered."""
        return self.at < other.ended and other.at < self.ended

    def __str__(self) -> str:
        target = self.request.path.rsplit("/", 1)[-1] or self.request.path
        what = self.operation.label if self.operation else f"{self.request.method} {target}"
        torn = f", {CUT_OFF}" if self.response.cut == CUT_OFF else ""
        if self.is_stream:
            return f"#{self.number} {what} {self.status} with {self._stream()}{torn}"
        state = self.json.get("status") if isinstance(self.json, dict) else None
        return f"#{self.number} {what} {self.status or 'not answered'}" + (
            f" {_on_a_line(state)}" if isinstance(state, str) else torn
        )

    def _pieces(self) -> Iterator[tuple[bytes, float]]:
        start = 0
        for size, came in self.response.pieces or ((len(self.response.body), self.duration),):
            yield self.response.body[start : start + size], came
            start += size

    def _stream(self) -> str:
        names = [event.name for event in self.events]
        return f"{len(names)} events" + (f", the last {_on_a_line(names[-1])}" if names else "")


def _on_a_line(text: str) -> str:
    return cut(text if text.isprintable() else ascii(text))
