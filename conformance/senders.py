"""What answers requests: the ways that a client can send one, apart from a socket."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass
from itertools import count
from time import time
from typing import TYPE_CHECKING, Any, Protocol

from conformance.wire.exchange import LATE, Response

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from conformance.streams import Arriving
    from conformance.wire.exchange import Request


@dataclass(slots=True)
class Reply:
    """A response with its time on the sender's clock: `at` in Unix seconds, `duration` in seconds, both to the ms."""

    response: Response
    at: float
    duration: float
    #: The place of the request among those that departed, from 1, where several may be under way.
    number: int | None = None

    @property
    def ended(self) -> float:
        """When the response was complete."""
        return round(self.at + self.duration, 3)


class Sender(Protocol):
    """What answers requests: a socket, the embedded reference server, or a cassette set."""

    def open(self, scope: str) -> None:
        """Begin a scope; scopes nest."""

    def close(self, scope: str, *, complete: bool) -> None:
        """End a scope; `complete` says whether it ran to its end."""

    def send(self, request: Request, scope: str, gate: Callable[[], object] | None = None) -> Reply:
        """Answer a request. A gate is called at the moment of departure, so that several leave together."""

    def listen(self, request: Request, scope: str, seconds: float) -> Arriving:
        """Send a request whose answer may come in pieces, for so many seconds."""

    def now(self, scope: str) -> float:
        """The session clock as the scope sees it, in Unix seconds."""

    def wait(self, seconds: float, *scopes: str) -> None:
        """Let time pass, as these scopes see it."""


class Served(Protocol):
    """What the embedded reference server offers, in plain types since the two sides share none."""

    def handle(
        self,
        method: str,
        path: str,
        query: Sequence[tuple[str, str]],
        headers: Mapping[str, str],
        body: bytes,
        scope: str = "",
    ) -> Any:
        """Answer with an object that has `status`, `headers`, `body`, and `frames` where it comes in pieces."""

    def now(self, scope: str) -> float:
        """The scope's clock."""

    def wait(self, seconds: float, *scopes: str) -> None:
        """Turn the clock."""


class InProcessSender:
    """Calls the reference server without a socket; time is its clock's."""

    def __init__(self, served: Served) -> None:
        self._served = served
        self._departures = count(1)

    def open(self, scope: str) -> None:
        """Nothing to prepare."""

    def close(self, scope: str, *, complete: bool) -> None:
        """Nothing to finish."""

    def send(self, request: Request, scope: str, gate: Callable[[], object] | None = None) -> Reply:
        """Answer at once."""
        at = self.now(scope)
        if gate:
            gate()
        number = next(self._departures)
        answer = self._served.handle(request.method, request.path, request.query, request.headers, request.body, scope)
        body = answer.body if answer.frames is None else b"".join(answer.frames)
        response = Response(answer.status, answer.headers, body)
        return Reply(response, at, round(self.now(scope) - at, 3), number)

    def listen(self, request: Request, scope: str, seconds: float) -> Arriving:
        """Answer at once, piece by piece as the reference's clock goes on."""
        at, number = self.now(scope), next(self._departures)
        answer = self._served.handle(request.method, request.path, request.query, request.headers, request.body, scope)
        frames = [answer.body] if answer.frames is None else answer.frames
        return _Handed(answer.status, answer.headers, at, number, frames, seconds, lambda: self.now(scope))

    def now(self, scope: str) -> float:
        """The reference's clock."""
        return round(self._served.now(scope), 3)

    def wait(self, seconds: float, *scopes: str) -> None:
        """Turn the reference's clock."""
        self._served.wait(seconds, *scopes)


@dataclass
class _Handed:
    """An answer of the embedded reference server."""

    status: int
    headers: Mapping[str, str]
    at: float
    number: int | None
    _frames: Iterable[bytes]
    _seconds: float
    _now: Callable[[], float]
    cut: str = ""

    def pieces(self) -> Iterator[tuple[bytes, float]]:
        """The frames."""
        for frame in self._frames:
            if frame:
                yield frame, self._elapsed()
            if self._elapsed() > self._seconds:
                self.cut = f"{LATE} {self._seconds:g} s"
                break
        yield b"", self._elapsed()

    def hurry(self) -> None:
        """The reference server dawdles only on its own clock."""

    def close(self, response: Response, duration: float) -> None:  # noqa: ARG002 - what a recording keeps
        """Listen no longer."""
        if isinstance(self._frames, Generator):
            self._frames.close()

    def _elapsed(self) -> float:
        return round(self._now() - self.at, 3)


class Nobody:
    """Answers in sessions that send nothing."""

    def open(self, scope: str) -> None:
        """Nothing is prepared."""

    def close(self, scope: str, *, complete: bool) -> None:
        """Nothing is kept."""

    def send(self, request: Request, scope: str, gate: Callable[[], object] | None = None) -> Reply:  # noqa: ARG002
        """There is nobody."""
        raise ConnectionError("this session has no target")

    def listen(self, request: Request, scope: str, seconds: float) -> Arriving:  # noqa: ARG002
        """There is nobody."""
        raise ConnectionError("this session has no target")

    def now(self, scope: str) -> float:  # noqa: ARG002
        """The time of everybody."""
        return time()

    def wait(self, seconds: float, *scopes: str) -> None:
        """Nothing is waited for."""
