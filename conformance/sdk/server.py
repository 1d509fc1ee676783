"""
The scripted server: on loopback, it answers each request with the next reply of its script, and keeps what was sent.

It reads bytes and no more of HTTP than it must, so that nothing mends what a client sends. It shares no code with the
reference server.
"""

from __future__ import annotations

import socket
import time
from contextlib import suppress
from http import HTTPStatus
from threading import Event, Lock, Thread
from typing import TYPE_CHECKING, Final
from urllib.parse import unquote_plus

from conformance.sdk.script import OVER, Reply
from conformance.wire.exchange import CUT_OFF, Request, Response

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from conformance.sdk.script import Scripted

#: Bytes of a head and of a body that are read, requests that are answered, and seconds for which one may dawdle.
_LONGEST_HEAD: Final = 64 * 1024
_LONGEST_BODY: Final = 1024 * 1024
_MOST_REQUESTS: Final = 60
_DAWDLING: Final = 10.0
#: How a target begins that is a whole URL.
_WHOLE: Final = "http://"
#: What a socket that is closed says instead of its descriptor.
_CLOSED: Final = -1
#: Seconds in which what is under way comes to its end, once it is to.
_GRACE: Final = 2.0


class ScriptedServer:
    """A server for one call of a client."""

    def __init__(
        self,
        script: Sequence[Scripted],
        keep: Callable[[Request, Response, float, float, bool], None],
        *,
        aside: Callable[[Request], Reply | None] = lambda _: None,
    ) -> None:
        """
        Listen.

        Args:
            script: What is answered, in order; the last one answers nothing else, then the script is over.
            keep: Is told each exchange: request, response with as much of its body as was sent, Unix time when the
                request was there, seconds until the last of the response was sent, and whether it is aside.
            aside: What is answered to a request before the first that is one of the script, if it is no part of it.
        """
        self._script, self._keep, self._aside = list(script), keep, aside
        #: The longest that a client was left without anything once it had asked, in seconds, as it really was.
        self.longest_pause = 0.0
        self._asked, self._answered, self._lock, self._over = 0, 0, Lock(), Event()
        self._held: list[socket.socket] = []
        self._threads: list[Thread] = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._accepting = Thread(target=self._accept, daemon=True)
        self._accepting.start()

    def end(self) -> None:
        """Let go of whatever is held back, and close all that is open."""
        self._over.set()
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._accepting.join(_GRACE)
        for each in self._held:
            with suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join(_GRACE)

    def _accept(self) -> None:
        with suppress(OSError):
            while not self._over.is_set():
                connection, _ = self._listener.accept()
                connection.settimeout(_DAWDLING)
                connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                thread = Thread(target=self._converse, args=(connection,), daemon=True)
                # Those that are over are forgotten, since a client may try again for as long as its call lasts.
                self._held = [*(each for each in self._held if each.fileno() != _CLOSED), connection]
                self._threads = [*(each for each in self._threads if each.is_alive()), thread]
                thread.start()

    def _converse(self, connection: socket.socket) -> None:
        buffer = bytearray()
        with suppress(OSError, ValueError), connection:
            while (request := _read(connection, buffer)) and self._answer(connection, request):
                pass

    def _answer(self, connection: socket.socket, request: Request) -> bool:
        """Answer a request, and say whether the connection goes on."""
        with self._lock:
            aside = None if self._asked else self._aside(request)
            number, self._asked = self._asked, self._asked + (aside is None)
            self._answered += 1
        if self._answered > _MOST_REQUESTS:
            return False
        scripted = aside or (self._script[number] if number < len(self._script) else OVER)
        reply = scripted if isinstance(scripted, Reply) else scripted(request)
        began, at = time.monotonic(), time.time()
        last, sent = began, bytearray()
        with suppress(OSError):  # the client may leave
            if reply.after:
                self._over.wait(reply.after)
            for text, body in _pieces(reply):
                if isinstance(body, float):
                    self._over.wait(body)
                else:
                    now = time.monotonic()
                    self.longest_pause, last = max(self.longest_pause, now - last), now
                    connection.sendall(text)
                    sent += body
        headers = {name.lower(): value for name, value in reply.headers.items()}
        response = Response(reply.status, headers, bytes(sent), cut=CUT_OFF if reply.torn else "")
        # It ends where the last of it began to travel: nobody had it before, so no pause of a client looks shorter.
        self._keep(request, response, at, last - began, aside is not None)
        whole = not (reply.dropped or reply.torn or self._over.is_set())
        if not whole:
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
        return whole and "close" not in request.headers.get("connection", "").lower()


def _pieces(reply: Reply) -> Iterator[tuple[bytes, bytes | float]]:
    """A reply as it travels: the text of each piece and what it has of the body, or a pause."""
    if reply.dropped:
        return
    framing = {"Transfer-Encoding": "chunked"} if reply.chunked else {"Content-Length": str(len(reply.body))}
    lines = [
        f"HTTP/1.1 {reply.status} {HTTPStatus(reply.status).phrase}",
        *(f"{name}: {text}" for name, text in {**reply.headers, **framing}.items()),
    ]
    head = ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")
    if not reply.chunked:
        body = reply.body[: len(reply.body) // 2] if reply.torn else reply.body
        yield head + body, body
        return
    yield head, b""
    for piece in reply.pieces:
        yield (b"", piece) if isinstance(piece, float) else (b"%x\r\n%b\r\n" % (len(piece), piece), piece)
    if not reply.torn:
        yield b"0\r\n\r\n", b""


def _read(connection: socket.socket, buffer: bytearray) -> Request | None:
    """The next request; None once there is none, or nothing that could be one."""
    while b"\r\n\r\n" not in buffer:
        piece = connection.recv(65536)
        if not piece or len(buffer) > _LONGEST_HEAD:
            return None
        buffer += piece
    head, _, rest = bytes(buffer).partition(b"\r\n\r\n")
    line, *lines = head.decode("latin-1").split("\r\n")
    # What is no ASCII is nothing that a target may have, and what follows a number sign is none of it.
    parts = line.encode("latin-1").decode("ascii", "replace").split(" ")
    if len(parts) != 3:  # noqa: PLR2004 - method, target, version
        return None
    headers: dict[str, str] = {}
    for each in lines:
        name, _, value = (part.strip() for part in each.partition(":"))
        name = name.lower()
        headers[name] = f"{headers[name]}, {value}" if name in headers else value
    if "100-continue" in headers.get("expect", "").lower():
        connection.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")
    body, left = _body(connection, headers, rest)
    buffer[:] = left
    # A target may be the whole URL.
    target = parts[1].partition("#")[0]
    whole = target.lower().startswith(_WHOLE)
    path, _, query = (f"/{target[len(_WHOLE) :].partition('/')[2]}" if whole else target).partition("?")
    pairs = tuple(
        (unquote_plus(name), unquote_plus(value))
        for name, _, value in (pair.partition("=") for pair in query.split("&") if pair)
    )
    return Request(parts[0], path, pairs, headers, body)


def _body(connection: socket.socket, headers: Mapping[str, str], rest: bytes) -> tuple[bytes, bytes]:
    """The body of a request, and what came after it."""
    if "chunked" in headers.get("transfer-encoding", "").lower():
        body = b""
        while len(body) <= _LONGEST_BODY:
            rest = _until(connection, rest, lambda had: b"\r\n" in had)
            size, _, rest = rest.partition(b"\r\n")
            length = int(size.split(b";")[0] or b"0", 16)
            if not length:
                return body, _after_trailers(connection, rest)
            rest = _until(connection, rest, lambda had, length=length: len(had) >= length + 2)  # type: ignore[misc]
            body, rest = body + rest[:length], rest[length + 2 :]
        return body, rest
    told = headers.get("content-length", "0").partition(",")[0]
    length = min(int(told), _LONGEST_BODY) if told.isdigit() else 0
    rest = _until(connection, rest, lambda had: len(had) >= length)
    return rest[:length], rest[length:]


def _after_trailers(connection: socket.socket, rest: bytes) -> bytes:
    """What comes after the fields that may follow the last chunk, and after the empty line that ends them."""
    while True:
        rest = _until(connection, rest, lambda had: b"\r\n" in had or len(had) > _LONGEST_HEAD)
        line, _, rest = rest.partition(b"\r\n")
        if not line:
            return rest


def _until(connection: socket.socket, had: bytes, enough: Callable[[bytes], bool]) -> bytes:
    while not enough(had):
        piece = connection.recv(65536)
        if not piece:
            raise ConnectionError("the client hung up in the middle of a request")
        had += piece
    return had
