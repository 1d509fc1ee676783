"""The scripted server: it answers what it was told, keeps what was sent, and outlives no call."""

from __future__ import annotations

import http.client
import socket
import threading
import time
from contextlib import contextmanager, suppress
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from conformance.sdk import bodies
from conformance.sdk.made import Asked
from conformance.sdk.script import DROPPED, OVER, reply, stream
from conformance.sdk.server import ScriptedServer
from conformance.wire.exchange import CUT_OFF, Request

if TYPE_CHECKING:
    from collections.abc import Iterator

    from conformance.wire.exchange import Response

RUN = reply(bodies.run())


@contextmanager
def serving(*script: object) -> Iterator[tuple[int, list[tuple[Request, Response]]]]:
    kept: list[tuple[Request, Response]] = []
    server = ScriptedServer(list(script), lambda request, response, *_: kept.append((request, response)))  # type: ignore[arg-type]
    try:
        yield server.port, kept
    finally:
        server.end()


def said(port: int, text: bytes, *, until: bytes = b"") -> bytes:
    """What a raw request is answered, until the server hangs up or has said something."""
    with socket.create_connection(("127.0.0.1", port), timeout=5) as connection:
        connection.sendall(text)
        heard = b""
        while (not until or until not in heard) and (piece := connection.recv(65536)):
            heard += piece
        return heard


def test_it_keeps_a_connection_as_long_as_the_client() -> None:
    with serving(RUN, RUN) as (port, kept):
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
        for _ in range(2):
            connection.request("GET", "/v1/threads/t/runs/r?after=a%20b", headers={"X-Two": "Words"})
            assert connection.getresponse().read() == RUN.body
        connection.close()

    assert [each.query for each, _ in kept] == [(("after", "a b"),)] * 2
    assert kept[0][0].headers["x-two"] == "Words"


def test_a_target_may_be_a_whole_url() -> None:
    with serving(RUN) as (port, kept):
        url = f"http://127.0.0.1:{port}/v1/threads/t/runs?limit=1"
        said(port, f"GET {url} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".encode())

    assert (kept[0][0].path, kept[0][0].query) == ("/v1/threads/t/runs", (("limit", "1"),))


def test_who_looks_first_is_answered_beside_the_script() -> None:
    kept: list[tuple[str, bool]] = []
    cancel = Asked("cancel_run", {"thread_id": "t", "run_id": "r"}, "/v1")
    server = ScriptedServer([RUN], lambda *told: kept.append((told[0].method, told[-1])), aside=cancel.aside)
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=5)
    try:
        for method, end in (("GET", ""), ("POST", "/cancel"), ("GET", "")):
            connection.request(method, f"/v1/threads/t/runs/r{end}")
            answer = connection.getresponse()
            answer.read()
    finally:
        connection.close()
        server.end()

    assert kept == [("GET", True), ("POST", False), ("GET", False)]
    assert answer.status == OVER.status


@pytest.mark.parametrize("path", ["/v1/threads/other/runs/r", "/threads/t/runs/r", "/v1/threads/t/runs/r/cancel"])
def test_what_is_not_about_the_call_is_no_look_at_it(path: str) -> None:
    cancel = Asked("cancel_run", {"thread_id": "t", "run_id": "r"}, "/v1")

    assert cancel.aside(Request("GET", path)) is None


def test_once_the_script_is_over_it_says_so() -> None:
    with serving() as (port, kept):
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
        connection.request("GET", "/")
        assert connection.getresponse().status == OVER.status
        connection.close()

    assert len(kept) == 1


def test_it_reads_bodies_of_either_framing_and_what_follows_them() -> None:
    head = b"POST /a HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n"
    chunks = head + b"3\r\nabc\r\n2;x=y\r\nde\r\n0\r\n\r\n"
    trailers = head + b"3\r\nabc\r\n0\r\nX-Digest: 7\r\nX-Length: 3\r\n\r\n"
    length = b"POST /b HTTP/1.1\r\nContent-Length: 3\r\nConnection: close\r\n\r\nxyz"

    with serving(RUN, RUN, RUN) as (port, kept):
        said(port, chunks + trailers + length)

    assert [(each.path, each.body) for each, _ in kept] == [("/a", b"abcde"), ("/a", b"abc"), ("/b", b"xyz")]


@pytest.mark.parametrize(
    ("target", "path", "after"),
    [
        (b"/runs/a#b", "/runs/a", None),
        (b"/runs/\xe9", "/runs/\ufffd", None),
        (b"/runs?after=a#b", "/runs", "a"),
        (b"/runs?after=\xfc", "/runs", "\ufffd"),
        (b"/runs/a%23b?after=%C3%BC", "/runs/a%23b", "ü"),
    ],
    ids=["number-sign", "latin-1", "number-sign-in-a-query", "latin-1-in-a-query", "escaped"],
)
def test_what_a_target_may_not_have_is_not_read_as_if_it_were_escaped(
    target: bytes, path: str, after: str | None
) -> None:
    with serving(RUN) as (port, kept):
        said(port, b"GET " + target + b" HTTP/1.1\r\nConnection: close\r\n\r\n")

    [(request, _)] = kept
    assert (request.path, request.param("after")) == (path, after)


def test_a_client_that_waits_to_be_asked_for_its_body_is_asked() -> None:
    with serving(RUN) as (port, _):
        head = b"POST / HTTP/1.1\r\nExpect: 100-continue\r\nContent-Length: 2\r\nConnection: close\r\n\r\n"
        assert said(port, head + b"{}").startswith(b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK")


@pytest.mark.parametrize(
    "text",
    [
        b"hello\r\n\r\n",
        b"GET / HTTP/1.1\r\n" + b"x" * 200_000,
        b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
    ],
    ids=["no-request", "endless-head", "no-chunk"],
)
def test_what_is_no_request_is_hung_up_on(text: bytes) -> None:
    with serving(RUN) as (port, kept), suppress(ConnectionError):  # it hung up while there was more to read
        assert said(port, text) == b""

    assert kept == []


def test_a_dropped_request_is_kept_and_not_answered() -> None:
    with serving(DROPPED) as (port, kept):
        assert said(port, b"GET /x HTTP/1.1\r\n\r\n") == b""

    assert [(request.path, response.status) for request, response in kept] == [("/x", 0)]


def test_a_torn_stream_has_no_end() -> None:
    with serving(stream([b"data: 1\n\n"], torn=True)) as (port, _):
        heard = said(port, b"GET / HTTP/1.1\r\n\r\n")

    assert heard.endswith(b"9\r\ndata: 1\n\n\r\n")


def test_a_torn_reply_is_kept_as_it_was_sent() -> None:
    with serving(replace(RUN, torn=True)) as (port, kept):
        heard = said(port, b"GET /x HTTP/1.1\r\n\r\n")

    [(_, response)] = kept
    assert heard.partition(b"\r\n\r\n")[2] == response.body == RUN.body[: len(RUN.body) // 2]
    assert response.cut == CUT_OFF


def test_connections_that_are_over_are_forgotten() -> None:
    server = ScriptedServer([], lambda *_: None)
    try:
        for _ in range(200):
            with suppress(ConnectionError):
                said(server.port, b"GET / HTTP/1.1\r\nConnection: close\r\n\r\n")
        assert len(server._held) + len(server._threads) < 40
    finally:
        server.end()


def test_it_ends_at_once_whoever_is_held() -> None:
    before = threading.active_count()
    with serving(stream([b"data: 1\n\n", 60.0, 60.0])) as (port, _):
        assert said(port, b"GET / HTTP/1.1\r\n\r\n", until=b"data: 1")
        idle = socket.create_connection(("127.0.0.1", port))
        started = time.monotonic()
    idle.close()

    assert time.monotonic() - started < 30
    assert threading.active_count() == before
    with pytest.raises(OSError, match="refused"):
        socket.create_connection(("127.0.0.1", port), timeout=5)
