"""Servers and sessions that the tests of the suite share."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from threading import Thread
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

ROOT = Path(__file__).parent.parent


# Who starts the tests in the background of a shell makes them deaf to Ctrl-C, and so the sessions that tests interrupt.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add what costs more time than there is before each commit."""
    parser.addoption("--thorough", action="store_true", help="hold each hostile target at all of its moments")


@dataclass(frozen=True)
class Ran:
    """A pytest session of its own."""

    code: int
    text: str


@pytest.fixture
def judge(tmp_path: Path) -> Callable[..., Ran]:
    """Runs pytest with the plugin, from an empty folder that has nothing to do with the checkout."""

    def run(*arguments: str, cwd: Path = tmp_path, **environment: str) -> Ran:
        kept = {name: value for name, value in os.environ.items() if name != "OPENAI_API_KEY"}
        quiet = ["-p", "no:schemathesis", "-p", "no:hypothesispytest", "-p", "no:cacheprovider"]
        done = subprocess.run(
            [sys.executable, "-m", "pytest", *quiet, *arguments],
            cwd=cwd,
            env={**kept, **environment},
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )
        return Ran(done.returncode, done.stdout + done.stderr)

    return run


@pytest.fixture(scope="session")
def reference_url() -> Iterator[str]:
    """A reference server on an ephemeral loopback port."""
    with serving() as url:
        yield url


@pytest.fixture
def observed_url() -> Iterator[str]:
    """One that cancels waiting runs too, as the real service was seen to do."""
    with serving("--cancel-policy=observed") as url:
        yield url


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


@pytest.fixture
def closed_port() -> int:
    """A loopback port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
