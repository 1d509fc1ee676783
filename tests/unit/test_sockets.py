"""What a target does to a socket ends in bounded time and memory, and leaves no trace where others look."""

from __future__ import annotations

import gzip
import logging
import time
import tracemalloc
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

import httpx
import pytest

from conformance.outcomes import Unreachable
from conformance.sockets import HttpSender
from conformance.wire.exchange import Request
from support.servers import answering, heard, listening, silent

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable, Iterator

SOON = 0.4
READ = Request("GET", "/v1/threads", headers={"authorization": "Bearer sk-planted-secret"})
ZEROS = bytes(100 * 1024 * 1024)
BOMB = gzip.compress(ZEROS, 9)
JSON = "content-type: application/json"


@contextmanager
def sending(talk: Callable[[socket.socket], object]) -> Iterator[HttpSender]:
    with listening(talk) as origin:
        sender = HttpSender(origin, deadline=SOON)
        yield sender
        sender.end()


def endless(connection: socket.socket) -> None:
    while heard(connection):
        while True:
            connection.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")


def dripping(connection: socket.socket, before: bytes) -> None:
    while heard(connection):
        connection.sendall(before)
        while True:
            time.sleep(0.05)
            connection.sendall(b"x")


@pytest.mark.parametrize(
    "talk",
    [
        endless,
        lambda connection: dripping(connection, b"HTTP/1.1 200 OK\r\nslow: "),
        lambda connection: dripping(connection, b"HTTP/1.1 200 OK\r\ncontent-length: 9999\r\n\r\n"),
        silent,
    ],
    ids=["100 for ever", "a slow header", "a slow body", "silence"],
)
def test_every_exchange_ends_in_time(talk: Callable[[socket.socket], object]) -> None:
    with sending(talk) as sender:
        started = time.monotonic()
        with pytest.raises(Unreachable):
            sender.send(READ, "")

    assert time.monotonic() - started < SOON + 20  # without a limit it would last for ever


def test_a_large_body_leaves_in_time_or_not_at_all() -> None:
    with sending(lambda _: time.sleep(SOON + 1)) as sender, pytest.raises(Unreachable):
        sender.send(Request("POST", "/v1/threads", body=bytes(50_000_000)), "")


@pytest.mark.parametrize(
    ("encoding", "body", "told"),
    [
        ("gzip", BOMB, "is over 8388608 bytes"),
        ("gzip, gzip", gzip.compress(BOMB, 9), "is packed as 'gzip, gzip', although only gzip was asked for"),
        ("br", b"{}", "is packed as 'br'"),
        ("gzip", b"{}", "says that it is gzip, and is not"),
        ("identity", bytes(9_000_000), "is over 8388608 bytes"),
    ],
    ids=["a bomb", "a bomb in a bomb", "another encoding", "no gzip", "too much"],
)
def test_no_body_grows_without_bounds(encoding: str, body: bytes, told: str) -> None:
    with sending(answering(body, f"content-encoding: {encoding}")) as sender:
        tracemalloc.start()
        with pytest.raises(Unreachable, match=told):
            sender.send(READ, "")
        _, most = tracemalloc.get_traced_memory()
        tracemalloc.stop()

    assert most < 40_000_000


@pytest.mark.parametrize("body", [b'"' + b"x" * 8_000_000 + b'"', b"[" + b"[]," * 500_000 + b"[]]"])
def test_no_session_keeps_many_large_answers(body: bytes) -> None:
    with listening(answering(body, JSON)) as origin:
        sender = HttpSender(origin)
        sender.send(READ, "")
        for _ in range(10):
            with suppress(Unreachable):
                sender.send(READ, "")
        with pytest.raises(Unreachable, match="is too large to be kept beside the other large ones"):
            sender.send(READ, "")
        sender.end()


def test_small_answers_are_kept_however_many() -> None:
    body = b'{"id": "' + b"x" * 200_000 + b'"}'
    with listening(answering(body, JSON)) as origin:
        sender = HttpSender(origin)
        for _ in range(400):
            sender.send(READ, "")
        sender.end()


def test_a_packed_body_is_unpacked() -> None:
    with sending(answering(gzip.compress(b'{"a": 1}'), JSON, "content-encoding: gzip")) as sender:
        assert sender.send(READ, "").response.json == {"a": 1}


def test_no_cookie_comes_back() -> None:
    requests: list[bytes] = []

    def talk(connection: socket.socket) -> None:
        while request := heard(connection):
            requests.append(request)
            connection.sendall(b"HTTP/1.1 200 OK\r\nset-cookie: session=let-in\r\ncontent-length: 2\r\n\r\n{}")

    with sending(talk) as sender:
        for _ in range(3):
            sender.send(READ, "")

    assert len(requests) == 3
    assert not any(b"cookie" in request.lower() for request in requests)


def test_no_library_logs_what_the_suite_sends(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    with listening(answering(b"{}", "x-echo: Bearer sk-planted-secret")) as origin:
        sender = HttpSender(origin)
        reply = sender.send(READ, "")
        assert caplog.text == ""

        httpx.get(origin, headers={"x-mine": "sk-of-others"})
        assert "sk-planted-secret" in caplog.text  # others see what they always saw
        sender.end()

    assert reply.response.headers["x-echo"] == "Bearer sk-planted-secret"
    names = [name for name in logging.root.manager.loggerDict if name.startswith("http")]
    assert not any(logging.getLogger(name).filters for name in names)


@pytest.mark.parametrize("origin", ["http://" + "a" * 64 + ".example", "http://[::g]", "http://a..b"])
def test_what_is_no_host_is_unreachable(origin: str) -> None:
    sender = HttpSender(origin, deadline=SOON)
    with pytest.raises(Unreachable):
        sender.send(READ, "")
    sender.end()
