"""What keeps a target within bounds: an end to every exchange, a size to every answer, and no key in another's log."""

from __future__ import annotations

import logging
import math
import threading
import time
import zlib
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

#: The one encoding that is asked for, by its two names.
PACKED: Final = "gzip"
_GZIP: Final = frozenset({PACKED, "x-gzip"})
_GZIP_WINDOW: Final = 31
#: Bytes that are handed over at once, so that a slow reader is noticed in between.
_PORTION: Final = 64 * 1024


#: Seconds for which a read waits before it looks whether it should go on waiting.
_LOOK_UP: Final = 0.5


class OutOfBounds(Exception):
    """An answer is too large, or packed as nobody asked for; the message continues "the answer"."""


class TooLate(OutOfBounds):
    """It takes too long."""


class Closing:
    """When all exchanges must be over, whoever waits for them; nobody knows until somebody says."""

    at: float = math.inf


class Deadline(threading.local):
    """When the exchange of this thread must be over, whatever is still coming."""

    _at: float = math.inf
    _seconds: float = math.inf

    def __init__(self, closing: Closing) -> None:
        self._closing = closing

    @contextmanager
    def after(self, seconds: float) -> Iterator[None]:
        """Inside, everything that is sent and received has so many seconds in all."""
        self._at, self._seconds = time.monotonic() + seconds, seconds
        try:
            yield
        finally:
            self._at = self._seconds = math.inf

    def left(self, timeout: float | None) -> float | None:
        """
        A timeout, cut to what is left.

        Raises:
            TooLate: nothing is.
        """
        left = self._at - time.monotonic()
        if left <= 0:
            raise TooLate(f"it took over {self._seconds:g} s")
        if self._closing.at <= time.monotonic():
            raise TooLate("the session ends")
        return timeout if left == math.inf else min(left, timeout or left)


class PunctualNetwork:
    """A network backend of httpcore whose connections end at the deadline, also between the bytes of a header."""

    def __init__(self, network: Any, deadline: Deadline, timed_out: type[Exception]) -> None:
        self._network, self._deadline, self._timed_out = network, deadline, timed_out

    def connect_tcp(self, host: str, port: int, timeout: float | None = None, **options: Any) -> Any:
        """Connect."""
        stream = self._network.connect_tcp(host, port, timeout=self._deadline.left(timeout), **options)
        return _PunctualStream(stream, self._deadline, self._timed_out)

    def sleep(self, seconds: float) -> None:
        """Wait before another attempt to connect."""
        self._network.sleep(seconds)


class _PunctualStream:
    def __init__(self, stream: Any, deadline: Deadline, timed_out: type[Exception]) -> None:
        self._stream, self._deadline, self._timed_out = stream, deadline, timed_out

    def read(self, max_bytes: int, timeout: float | None = None) -> Any:
        while True:
            left = self._deadline.left(timeout)
            try:
                return self._stream.read(max_bytes, _LOOK_UP if left is None else min(left, _LOOK_UP))
            except self._timed_out:
                pass  # who has nothing to read looks up now and then, since the session may be about to end

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        for start in range(0, len(buffer), _PORTION):
            self._stream.write(buffer[start : start + _PORTION], self._deadline.left(timeout))

    def close(self) -> None:
        self._stream.close()

    def start_tls(self, ssl_context: Any, server_hostname: str | None = None, timeout: float | None = None) -> Any:
        encrypted = self._stream.start_tls(ssl_context, server_hostname, self._deadline.left(timeout))
        return _PunctualStream(encrypted, self._deadline, self._timed_out)

    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)


def unpacked(chunks: Iterable[bytes], encoding: str, most: int) -> bytes:
    """
    A body as it was before it was packed for the journey.

    Args:
        chunks: What comes, packed.
        encoding: The header `content-encoding`, or an empty string.
        most: The bytes that it may have, packed and unpacked.

    Raises:
        OutOfBounds: it has more, or is packed in another way than asked for.
    """
    return b"".join(unpacking(chunks, encoding, most))


def unpacking(chunks: Iterable[bytes], encoding: str, most: int) -> Iterator[bytes]:
    """
    The pieces of a body as they come, each as it was before it was packed; see `unpacked`.

    Raises:
        OutOfBounds: it has more, or is packed in another way than asked for.
    """
    names = [name for each in encoding.lower().split(",") if (name := each.strip()) not in {"", "identity"}]
    if len(names) > 1 or not _GZIP.issuperset(names):
        raise OutOfBounds(f"is packed as {ascii(encoding)[:80]}, although only {PACKED} was asked for")
    inflating = zlib.decompressobj(_GZIP_WINDOW) if names else None
    came = size = 0
    for chunk in chunks:
        came += len(chunk)
        for piece in _inflated(inflating, chunk) if inflating else (chunk,):
            size += len(piece)
            if max(came, size) > most:
                raise OutOfBounds(f"is over {most} bytes")
            yield piece


def _inflated(inflating: Any, chunk: bytes) -> Iterator[bytes]:
    try:
        while chunk:
            yield inflating.decompress(chunk, _PORTION)
            chunk = inflating.unconsumed_tail
    except zlib.error as problem:
        raise OutOfBounds(f"says that it is {PACKED}, and is not: {problem}") from None


class Discretion(logging.Filter):
    """
    Keeps what libraries log of the suite's exchanges, headers and all, out of every log.

    What other threads, or this one at other times, do with the same libraries is logged as ever.
    """

    def __init__(self, *libraries: str) -> None:
        """Take the names of libraries that were imported."""
        super().__init__()
        self._here = threading.local()
        self._loggers = [
            logging.getLogger(name)
            for name in list(logging.root.manager.loggerDict)
            if name.partition(".")[0] in libraries
        ]
        for logger in self._loggers:
            logger.addFilter(self)

    @contextmanager
    def observed(self) -> Iterator[None]:
        """Inside, nothing that this thread makes the libraries do is logged."""
        self._here.sending = True
        try:
            yield
        finally:
            self._here.sending = False

    def filter(self, record: logging.LogRecord) -> bool:  # noqa: ARG002
        """Whether a record is none of the suite's."""
        return not getattr(self._here, "sending", False)

    def end(self) -> None:
        """Leave the loggers as they were."""
        for logger in self._loggers:
            logger.removeFilter(self)
