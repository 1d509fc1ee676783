"""One request on one connection, by the standard library alone."""

from __future__ import annotations

import gzip
import http.client
import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping


class Lost(Exception):
    """The connection was lost before an answer came."""


class CutOff(Exception):
    """The connection was lost in the middle of an answer."""


@dataclass
class Reply:
    """An answer whose body is still to be read."""

    status: int
    headers: Mapping[str, str]
    connection: http.client.HTTPConnection
    raw: http.client.HTTPResponse

    def read(self) -> bytes:
        """The whole body."""
        return b"".join(self.pieces())

    def pieces(self) -> Iterator[bytes]:
        """The body as it comes."""
        try:
            while piece := self.raw.read1(65536):
                yield piece
            if self.raw.length:
                raise CutOff("the connection was lost in the middle of the answer")
        except (http.client.IncompleteRead, ConnectionError):
            raise CutOff("the connection was lost in the middle of the answer") from None
        finally:
            self.connection.close()


def sent(method: str, url: str, headers: Mapping[str, str], body: bytes | None, timeout: float | None) -> Reply:
    """Send a request, and wait for the head of its answer."""
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=timeout)
    target = parts.path + (f"?{parts.query}" if parts.query else "")
    try:
        connection.request(method, target, body, dict(headers))
        raw = connection.getresponse()
    except TimeoutError:
        connection.close()
        raise
    except (http.client.HTTPException, OSError) as problem:
        connection.close()
        if isinstance(problem, http.client.InvalidURL):
            raise
        raise Lost(str(problem)) from None
    return Reply(raw.status, {name.lower(): value for name, value in raw.getheaders()}, connection, raw)


def unpacked(reply: Reply, body: bytes) -> bytes:
    """The body without its compression."""
    return gzip.decompress(body) if reply.headers.get("content-encoding") == "gzip" else body


def unpacked_pieces(reply: Reply, pieces: Iterator[bytes]) -> Iterator[bytes]:
    """The pieces of a body without its compression."""
    if reply.headers.get("content-encoding") != "gzip":
        return pieces
    unpack = zlib.decompressobj(wbits=zlib.MAX_WBITS | 16).decompress
    return (unpack(piece) for piece in pieces)
