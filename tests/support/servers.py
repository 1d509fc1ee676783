"""Servers for tests: the reference server as a process, and functions that answer on a loopback port."""

from __future__ import annotations

import re
import socket
import subprocess
import sys
from contextlib import contextmanager, suppress
from threading import Thread
from typing import TYPE_CHECKING

from support import ROOT

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


@contextmanager
def serving(*options: str) -> Iterator[str]:
    """Serve the reference server, and end it by its own handle."""
    with started(*options) as (url, _):
        yield url


@contextmanager
def started(*options: str) -> Iterator[tuple[str, subprocess.Popen[str]]]:
    """The same, with the handle."""
    command = [sys.executable, "-m", "conformance.reference", "--port", "0", *options]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT) as server:
        try:
            assert server.stdout
            found = re.search(r"http://\S+", server.stdout.readline())
            assert found
            yield found[0], server
        finally:
            server.terminate()


@contextmanager
def listening(talk: Callable[[socket.socket], object]) -> Iterator[str]:
    """Let a function talk on every connection to a loopback port, and end it by its own handle."""
    held: list[socket.socket] = []

    def converse(connection: socket.socket) -> None:
        with suppress(OSError), connection:
            talk(connection)

    def accept() -> None:
        with suppress(OSError):
            while True:
                held.append(listener.accept()[0])
                Thread(target=converse, args=(held[-1],), daemon=True).start()

    with socket.create_server(("127.0.0.1", 0)) as listener:
        Thread(target=accept, daemon=True).start()
        try:
            yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        finally:
            for each in (listener, *held):
                with suppress(OSError):
                    each.shutdown(socket.SHUT_RDWR)


def heard(connection: socket.socket) -> bytes:
    """The next request on a connection, without its body; empty once it was closed."""
    request = b""
    while b"\r\n\r\n" not in request and (piece := connection.recv(65536)):
        request += piece
    return request


def silent(connection: socket.socket) -> None:
    """Take what comes, and answer nothing, until the other side hangs up."""
    while connection.recv(65536):
        pass


def answering(body: bytes, *headers: str, status: int = 200) -> Callable[[socket.socket], None]:
    """Give one answer to every request, and hang up."""
    lines = (f"HTTP/1.1 {status} So", f"content-length: {len(body)}", "connection: close", *headers, "", "")

    def talk(connection: socket.socket) -> None:
        if heard(connection):
            connection.sendall("\r\n".join(lines).encode() + body)
            connection.shutdown(socket.SHUT_WR)
            silent(connection)

    return talk
