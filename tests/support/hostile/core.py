"""What all hostile targets share: a faithful server behind them, and the moments at which they misbehave."""

from __future__ import annotations

import itertools
import json
import socket
import threading
import time
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl

from conformance.reference import Reference
from conformance.reference.clock import SystemClock
from conformance.reference.runs import Pace
from support.servers import listening

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from conformance.reference.calls import Answer

    Talk = Callable[["Call"], Iterable[bytes]]

#: The key that is planted, of characters that JSON, URLs, HTML and base64 write in several ways.
KEY = 'sk-pLaNt3d/Kq+7Zt="vWx\\Jb>5Hy~RmQ'
_PACE = Pace(start=0.1, think=0.1, ask=0.1, long=2.0, limit=0.2, cancel=0.1)
JSON = "content-type: application/json"


@dataclass
class Call:
    """One request to a hostile target."""

    #: Its number in the session, from 1.
    number: int
    method: str
    target: str
    headers: dict[str, str]
    body: bytes
    server: Server
    connection: socket.socket

    @property
    def path(self) -> str:
        return self.target.partition("?")[0]

    @cached_property
    def faithful(self) -> Answer:
        """What the faithful server answers."""
        query = parse_qsl(self.target.partition("?")[2], keep_blank_values=True)
        return self.server.reference.handle(self.method, self.path, query, self.headers, self.body)

    @property
    def value(self) -> Any:
        """The JSON of the faithful answer; an answer to HEAD has none."""
        return json.loads(self.faithful.body or b"{}")

    @property
    def is_run(self) -> bool:
        return self.faithful.status == 200 and self.value.get("object") == "thread.run"

    @property
    def is_list(self) -> bool:
        return self.faithful.status == 200 and self.value.get("object") == "list"


class Server:
    """One hostile target in its session."""

    def __init__(self) -> None:
        self.reference = Reference(clock=SystemClock(), keys=[KEY], pace=_PACE)
        #: Where a redirect could lead to, and what was sent there.
        self.elsewhere, self.strayed = "", list[bytes]()
        #: What a behaviour remembers.
        self.memory: dict[str, Any] = {}
        self.lock = threading.Lock()
        self.accepting = threading.Event()
        self._count = itertools.count(1)
        self._port = 0
        self._listener: socket.socket | None = None
        self._held: list[socket.socket] = []
        self.over = False

    def open(self) -> str:
        """Take a port, or the same one again; at the end, none."""
        with self.lock:
            if not self.over:
                self._listener = socket.create_server(("127.0.0.1", self._port))
                self._port = self._listener.getsockname()[1]
        self.accepting.set()
        return f"http://127.0.0.1:{self._port}"

    def shut(self) -> None:
        """Give up the port."""
        if self._listener:
            with suppress(OSError):
                self._listener.shutdown(socket.SHUT_RDWR)
            self._listener.close()

    def sleep(self) -> None:
        """Accept nobody any more, and let nobody queue."""
        self.accepting.clear()
        if self._listener:
            self._listener.listen(0)

    def end(self) -> None:
        """Hang up on everybody."""
        with self.lock:
            self.over = True
        self.accepting.set()
        self.shut()
        for each in self._held:
            with suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)

    def accept(self, talk: Callable[[socket.socket], object]) -> None:
        """Talk on every connection, until the end."""

        def converse(connection: socket.socket) -> None:
            with suppress(OSError), connection:
                talk(connection)

        while not self.over:
            self.accepting.wait()
            try:
                connection = self._listener.accept()[0] if self._listener else None
            except OSError:
                time.sleep(0.01)
                continue
            if connection:
                self._held.append(connection)
                threading.Thread(target=converse, args=(connection,), daemon=True).start()

    def number(self) -> int:
        """The number of the next request."""
        with self.lock:
            return next(self._count)


#: When a target misbehaves: from the first request on, on every third, from the fiftieth on, or in one operation only.
MOMENTS: dict[str, Callable[[Call], bool]] = {
    "always": lambda _: True,
    "third": lambda call: call.number % 3 == 0,
    "late": lambda call: call.number >= 50,
    "create": lambda call: call.method == "POST" and call.path.endswith("/runs"),
    "retrieve": lambda call: call.method == "GET" and "/runs/" in call.path,
    "list": lambda call: call.method == "GET" and call.path.endswith("/runs"),
    "cancel": lambda call: call.path.endswith("/cancel"),
    "stream": lambda call: b'"stream": true' in call.body,
}
#: What of the suite has most to do with what is wrong then; from the first request on there is little of anything.
SELECTIONS = {
    "always": "",
    "third": "get or err or cancel or create",
    "late": "get or err or cancel or create",
    "create": "get or create or schema or inv",
    "retrieve": "get or schema or inv or life",
    "list": "page and must",
    "cancel": "cancel",
    "stream": "stream",
}


@dataclass(frozen=True)
class Behaviour:
    """One way to misbehave, and within what a session with such a target must end."""

    name: str
    does: str
    talk: Talk
    moments: tuple[str, ...]
    seconds: float
    megabytes: float
    options: tuple[str, ...]
    #: Whether it keeps every MUST that its sessions select, so that one of them may find nothing wrong.
    harmless: bool


BEHAVIOURS: dict[str, Behaviour] = {}


#: What a session may take by default: itself, and twelve answers side by side at their largest.
_MEGABYTES = 280


def behaves(
    *moments: str,
    seconds: float = 30,
    megabytes: float = _MEGABYTES,
    options: tuple[str, ...] = (),
    harmless: bool = False,
) -> Callable[[Talk], Talk]:
    """Register a way to misbehave; its docstring says what it does."""

    def register(talk: Talk) -> Talk:
        name = getattr(talk, "__name__", "").replace("_", "-")
        BEHAVIOURS[name] = Behaviour(name, talk.__doc__ or "", talk, moments, seconds, megabytes, options, harmless)
        return talk

    return register


def http(body: bytes | Any, *headers: str, status: int | str = 200, length: object = None) -> bytes:
    """An answer, after which the connection is closed; a body that is not bytes is JSON."""
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    lines = [
        f"HTTP/1.1 {status} {'' if isinstance(status, str) else 'So'}",
        f"content-length: {len(content) if length is None else length}",
        "connection: close",
        *([] if any(each.lower().startswith("content-type") for each in headers) else [JSON]),
        *headers,
    ]
    return "\r\n".join((*lines, "", "")).encode("latin-1", "surrogateescape") + content


def told(call: Call, body: bytes | Any = None, *headers: str) -> bytes:
    """The faithful answer, with another body or more headers."""
    answer = call.faithful
    kept = [f"{name}: {value}" for name, value in answer.headers.items()]
    faithful = answer.body if answer.frames is None else b"".join(answer.frames)
    return http(faithful if body is None else body, *kept, *headers, status=answer.status)


def head(*headers: str, status: str = "200 OK") -> bytes:
    """The head of an answer that says nothing of its length."""
    return "\r\n".join((f"HTTP/1.1 {status}", JSON, *headers, "", "")).encode("latin-1")


def dripping(piece: bytes, pause: float = 0.2) -> Iterator[bytes]:
    """The same piece for ever, with a pause after each."""
    while True:
        yield piece
        time.sleep(pause)


@contextmanager
def serving(behaviour: Behaviour, moment: str) -> Iterator[tuple[str, Server]]:
    """Serve a hostile target; yields its origin, and what it remembers."""
    server = Server()

    def stray(connection: socket.socket) -> None:
        server.strayed.append(connection.recv(65536))
        connection.sendall(http(b'{"id": "stray"}'))

    def talk(connection: socket.socket) -> None:
        with connection.makefile("rb") as incoming:
            while call := _heard(incoming, connection, server):
                if not MOMENTS[moment](call):
                    connection.sendall(told(call).replace(b"connection: close\r\n", b""))
                    continue
                for piece in behaviour.talk(call):
                    connection.sendall(piece)
                break
        _hang_up(connection)

    with listening(stray) as server.elsewhere:
        origin = server.open()
        threading.Thread(target=server.accept, args=(talk,), daemon=True).start()
        try:
            yield origin, server
        finally:
            server.end()


def _heard(incoming: Any, connection: socket.socket, server: Server) -> Call | None:
    method, _, target = incoming.readline().decode("latin-1").rpartition(" ")[0].partition(" ")
    headers = {}
    while line := incoming.readline().decode("latin-1").strip():
        name, _, value = line.partition(": ")
        headers[name.lower()] = value
    body = incoming.read(int(headers.get("content-length", "0")))
    return Call(server.number(), method, target, headers, body, server, connection) if method else None


def _hang_up(connection: socket.socket) -> None:
    """Let the client read what was sent, which an end with something unread would take from it."""
    with suppress(OSError):
        connection.shutdown(socket.SHUT_WR)
        connection.settimeout(2)
        while connection.recv(65536):
            pass
