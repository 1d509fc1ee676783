"""Requests over a socket: what answers them is a URL. Nothing else knows httpx."""

from __future__ import annotations

import time
from contextlib import contextmanager
from itertools import count
from math import inf
from threading import Lock
from typing import TYPE_CHECKING, Any, Final, TypeVar

from conformance import __version__
from conformance.bounds import (
    PACKED,
    Closing,
    Deadline,
    Discretion,
    OutOfBounds,
    PunctualNetwork,
    TooLate,
    unpacked,
    unpacking,
)
from conformance.outcomes import Unconnected, Unreachable
from conformance.senders import Reply
from conformance.wire.exchange import BROKEN, LATE, Request, Response

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import httpx

    from conformance.streams import Arriving

T = TypeVar("T")

#: No answer is read beyond this many bytes, packed or unpacked, nor beyond this many seconds.
MAX_BODY: Final = 8 * 1024 * 1024
DEADLINE: Final = 60.0
#: Answers of more bytes are large, and no session keeps more bytes of large ones than that; a JSON value counts as what
#: it takes in memory.
LARGE, MAX_LARGE = 256 * 1024, 64 * 1024 * 1024
_VALUE: Final = 64
#: Seconds within which a target must accept a connection.
_CONNECT: Final = 10.0
#: Seconds for which a stream may stay open after its last event.
_FAREWELL: Final = 2.0
#: A stream that is packed comes in the packer's time.
_UNPACKED: Final = "identity"
#: After so many requests without an answer, one that has nothing wrong tells whether the target is gone.
PATIENCE: Final = 5
#: Seconds for which it is then left alone, and for which that one request may take.
PAUSE: Final = 10.0


class HttpSender:
    """Speaks HTTP to a URL: within bounds of size and time, without redirects, and without a memory for cookies."""

    def __init__(self, origin: str, *, deadline: float = DEADLINE, at_once: int = 12) -> None:
        """
        Prepare to send.

        Args:
            origin: Such as `http://localhost:8000`, without a path.
            deadline: The seconds that one exchange may take in all.
            at_once: How many cases send side by side; a race takes up to four connections.
        """
        import httpcore  # a replay never needs them
        import httpx

        self._httpx = httpx
        self._origin = origin
        self.deadline = deadline
        self._closing = Closing()
        self._over = Deadline(self._closing)
        self._transport = httpx.HTTPTransport(
            limits=httpx.Limits(max_connections=4 * at_once + 4, max_keepalive_connections=at_once), trust_env=False
        )
        # httpx takes no network backend of ours, and its own timeouts begin anew with every byte.
        pool: Any = self._transport._pool  # noqa: SLF001
        pool._network_backend = PunctualNetwork(pool._network_backend, self._over, httpcore.ReadTimeout)  # noqa: SLF001
        self._discretion = Discretion("httpx", "httpcore")
        #: What a broken connection raises.
        self.broken: type[Exception] = httpx.HTTPError
        self._departures = count(1)
        self._unanswered = 0
        self._gone_since = -PAUSE
        self._kept = 0
        self._lock = Lock()

    def open(self, scope: str) -> None:
        """Nothing to prepare."""

    def close(self, scope: str, *, complete: bool) -> None:
        """Nothing to finish."""

    def send(self, request: Request, scope: str, gate: Callable[[], object] | None = None) -> Reply:  # noqa: ARG002
        """
        Send one request.

        Raises:
            Unreachable: no connection, a broken one, or an answer beyond the bounds.
        """
        outgoing = self._ready(request)
        if gate:
            gate()
        at, started = time.time(), time.monotonic()
        number = next(self._departures)  # after the time, so that of two that do not overlap the first has the lower
        response = self._heard(request, lambda: self._exchange(outgoing, self.deadline))
        return Reply(response, round(at, 3), round(time.monotonic() - started, 3), number)

    def listen(self, request: Request, scope: str, seconds: float) -> Arriving:  # noqa: ARG002
        """
        Send one request, and hear its answer as it comes.

        Raises:
            Unreachable: no connection, or one that broke before the head of an answer came.
        """
        outgoing = self._ready(request, _UNPACKED)
        at, started = time.time(), time.monotonic()
        number = next(self._departures)
        incoming = self._heard(request, lambda: self._begun(outgoing, self.deadline))
        return _Coming(self, incoming, round(at, 3), started, number, seconds)

    def now(self, scope: str) -> float:  # noqa: ARG002
        """The clock of this machine."""
        return round(time.time(), 3)

    def wait(self, seconds: float, *scopes: str) -> None:  # noqa: ARG002
        """Sleep."""
        time.sleep(seconds)

    @contextmanager
    def closing(self, seconds: float) -> Iterator[None]:
        """Inside, what is under way, or begins, has at most so many seconds from now on."""
        self._closing.at = time.monotonic() + seconds
        try:
            yield
        finally:
            self._closing.at = inf

    def end(self) -> None:
        """Hang up, and leave everything that others use as it was."""
        self._transport.close()
        self._discretion.end()

    def _ready(self, request: Request, encoding: str = PACKED) -> httpx.Request:
        if time.monotonic() - self._gone_since < PAUSE:
            raise Unreachable(f"{request.method} {request.path} was not sent: the target answers nothing any more")
        try:
            return self._built(request, self.deadline, encoding)
        except (self._httpx.InvalidURL, ValueError) as problem:
            raise Unreachable(f"no answer to {request.method} {request.path}: it cannot be sent: {problem}") from None

    def _heard(self, request: Request, exchange: Callable[[], T]) -> T:
        """What came, or why nothing did."""
        try:
            came = exchange()
        except (TooLate, self._httpx.HTTPError, ValueError) as problem:  # a host name can be worth a ValueError
            self._go_without()
            unconnected = isinstance(problem, (self._httpx.ConnectTimeout, self._httpx.ConnectError))
            told = (Unconnected if unconnected else Unreachable)(
                f"no answer to {request.method} {request.path}: {type(problem).__name__}: {problem}"
            )
        except OutOfBounds as problem:
            told = Unreachable(f"the answer to {request.method} {request.path} {problem}")
        else:
            self._unanswered = 0
            return came
        raise told  # out here, where it does not take along what was read so far

    def _built(self, request: Request, seconds: float, encoding: str = PACKED) -> httpx.Request:
        return self._httpx.Request(
            request.method,
            self._httpx.URL(self._origin).copy_with(raw_path=request.target.encode()),
            headers={"user-agent": f"runs-conformance/{__version__}", "accept-encoding": encoding, **request.headers},
            content=request.body or None,
            extensions={"timeout": self._httpx.Timeout(seconds, connect=min(_CONNECT, seconds)).as_dict()},
        )

    def _exchange(self, outgoing: httpx.Request, seconds: float) -> Response:
        with self._discretion.observed(), self._over.after(seconds):
            incoming = self._transport.handle_request(outgoing)
            try:
                body = unpacked(incoming.iter_raw(), incoming.headers.get("content-encoding", ""), MAX_BODY)
            finally:
                incoming.close()
        self._keep(body)
        return Response(incoming.status_code, {k.lower(): v for k, v in incoming.headers.items()}, body)

    def _begun(self, outgoing: httpx.Request, seconds: float) -> httpx.Response:
        """An answer of which the head is there."""
        with self._discretion.observed(), self._over.after(seconds):
            return self._transport.handle_request(outgoing)

    def next_of(self, raw: Iterator[bytes], ends: float) -> bytes | None:
        """
        The next bytes of a body, as they come; None where it ends.

        Args:
            raw: Where they come from.
            ends: When it is too late, on the monotonic clock.
        """
        with self._discretion.observed(), self._over.after(max(0.0, ends - time.monotonic())):
            return next(raw, None)

    def _keep(self, body: bytes) -> None:
        """
        Count a large answer, which stays in memory for as long as the session.

        Raises:
            OutOfBounds: there were too many.
        """
        weight = len(body) + _VALUE * body.count(b",")
        with self._lock:
            if weight > LARGE and self._kept + weight > MAX_LARGE:
                raise OutOfBounds("is too large to be kept beside the other large ones of the session")
            self._kept += weight if weight > LARGE else 0

    def _go_without(self) -> None:
        """Count a request without an answer; after some, one that has nothing wrong tells whether there are any."""
        self._unanswered += 1
        if self._unanswered < PATIENCE:
            return
        seconds = min(PAUSE, self.deadline)
        try:
            self._exchange(self._built(Request("GET", "/"), seconds), seconds)
        except (TooLate, self._httpx.HTTPError, ValueError):
            self._gone_since = time.monotonic()
            return
        except OutOfBounds:
            pass  # which is an answer
        self._unanswered = 0


class _Coming:
    """An answer of which the head is there and the body is coming."""

    def __init__(
        self, sender: HttpSender, incoming: httpx.Response, at: float, started: float, number: int, seconds: float
    ) -> None:
        self.status = incoming.status_code
        self.headers = {name.lower(): value for name, value in incoming.headers.items()}
        self.at, self.number, self.cut = at, number, ""
        self._sender, self._incoming, self._started = sender, incoming, started
        self._seconds, self._ends = seconds, started + seconds

    def pieces(self) -> Iterator[tuple[bytes, float]]:
        """The bytes of the body as they were before they were packed, each as soon as it is there."""
        try:
            for piece in unpacking(self._chunks(), self.headers.get("content-encoding", ""), MAX_BODY):
                yield piece, self._elapsed()
        except TooLate:
            self.cut = f"{LATE} {self._seconds:g} s"
        except OutOfBounds as problem:
            self.cut = f"it {problem}"
        except self._sender.broken as problem:
            self.cut = f"{BROKEN}: {type(problem).__name__}: {problem}"
        yield b"", self._elapsed()

    def hurry(self) -> None:
        """Wait no longer than politeness asks for."""
        self._ends = min(self._ends, time.monotonic() + _FAREWELL)

    def close(self, response: Response, duration: float) -> None:  # noqa: ARG002 - what a recording keeps
        """Hang up."""
        self._incoming.close()

    def _chunks(self) -> Iterator[bytes]:
        raw = self._incoming.iter_raw()
        while (chunk := self._sender.next_of(raw, self._ends)) is not None:
            yield chunk

    def _elapsed(self) -> float:
        return round(time.monotonic() - self._started, 3)
