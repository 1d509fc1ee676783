"""A stream that is being listened to, and how it becomes an exchange."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Protocol, Self

from conformance.wire.events import read
from conformance.wire.exchange import BROKEN, LATE, LEFT, Response

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from conformance.wire.events import Event
    from conformance.wire.exchange import Exchange


#: How many events a stream may have, and how many pieces are told apart: a long answer has some thousands.
_MOST: Final = 20_000
#: What is kept of a stream that is larger or longer than anybody wants to hear: bytes and events.
_KEPT, _KEPT_EVENTS = 256 * 1024, 1_000


class Arriving(Protocol):
    """An answer whose head is there and whose body is coming, in pieces."""

    @property
    def status(self) -> int:
        """The status code."""

    @property
    def headers(self) -> Mapping[str, str]:
        """Names in lower case."""

    @property
    def at(self) -> float:
        """When the request left, in Unix seconds."""

    @property
    def number(self) -> int | None:
        """Its place among the requests that departed."""

    @property
    def cut(self) -> str:
        """Why the body ended before it was whole."""

    def pieces(self) -> Iterator[tuple[bytes, float]]:
        """What comes, and when, in seconds since the request left; nothing at all comes at the end, or at the cut."""

    def hurry(self) -> None:
        """Learn that nothing more should come."""

    def close(self, response: Response, duration: float) -> None:
        """Hang up; `response` is all that was heard, `duration` how long it took in seconds."""


class Stream:
    """The events of an answer as they arrive. Once it is closed, it is an exchange of the journal."""

    def __init__(self, arriving: Arriving, keep: Callable[[Arriving, Response, float], Exchange]) -> None:
        """Listen to an answer; whatever it was becomes an exchange by `keep`."""
        self._arriving, self._keep = arriving, keep
        self._sizes: list[tuple[int, float]] = []
        self._body = bytearray()
        self._reply: Exchange | None = None
        self._events = read(self._heard())
        #: Those that came so far.
        self.events: list[Event] = []
        if arriving.status // 100 != 2:  # noqa: PLR2004 - a refusal is no stream
            self.finish()

    @property
    def reply(self) -> Exchange | None:
        """The exchange, once it is over."""
        return self._reply

    def __iter__(self) -> Iterator[Event]:
        """The events that are still to come."""
        for event in self._events:
            self.events.append(event)
            if event.is_last:
                self._arriving.hurry()
            yield event
            if len(self.events) >= _MOST:
                self._close(f"it has over {_MOST} events")
                return
        self._close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.leave()

    def until(self, holds: Callable[[Event], bool]) -> Event | None:
        """Listen until something holds of an event; None if it never did."""
        return next((event for event in self if holds(event)), None)

    def finish(self) -> Exchange:
        """Listen to the end."""
        for _ in self:
            pass
        return self._close()

    def leave(self) -> Exchange:
        """Hang up, wherever it is; nothing is lost where it has ended."""
        return self._close(LEFT)

    def _close(self, cut: str = "") -> Exchange:
        if self._reply is None:
            arriving, duration = self._arriving, self._sizes[-1][1] if self._sizes else 0.0
            over = any(event.is_last for event in self.events)  # nobody waits for a connection to close
            cut = arriving.cut or cut
            cut = cut if not over or cut.startswith(BROKEN) else ""
            if cut and not cut.startswith((LEFT, LATE, BROKEN)):
                self._keep_the_beginning()
            response = Response(arriving.status, arriving.headers, bytes(self._body), tuple(self._sizes), cut)
            arriving.close(response, duration)
            self._reply = self._keep(arriving, response, duration)
            self._reply.remember(self.events)
        return self._reply

    def _keep_the_beginning(self) -> None:
        """Let go of all but the beginning of what has no end: there may be many such streams."""
        del self._body[_KEPT:]
        del self.events[_KEPT_EVENTS:]
        left, sizes = len(self._body), list[tuple[int, float]]()
        for size, came in self._sizes:
            if left > 0:
                sizes.append((min(size, left), came))
            left -= size
        self._sizes = sizes

    def _heard(self) -> Iterator[tuple[bytes, float]]:
        for piece, came in self._arriving.pieces():
            self._body += piece
            if self._sizes and (self._sizes[-1][1] == came or len(self._sizes) >= _MOST):
                self._sizes[-1] = (self._sizes[-1][0] + len(piece), came)
            else:
                self._sizes.append((len(piece), came))
            yield piece, came
