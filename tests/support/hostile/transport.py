"""Targets that are hostile to the socket: they never end, never begin, or send what is no HTTP."""

from __future__ import annotations

import gzip
import itertools
import socket
import struct
import threading
import time
import zlib
from contextlib import suppress
from typing import TYPE_CHECKING

from support.hostile.core import behaves, dripping, head, http, told
from support.servers import silent

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from support.hostile.core import Call

_BLOCK = b" " * 65_536


@behaves("always", "third")
def endless_body(_call: Call) -> Iterator[bytes]:
    """Announces a body of a terabyte, and sends it as fast as it can."""
    return itertools.chain([head("content-length: 1000000000000")], itertools.repeat(_BLOCK))


@behaves("always", "retrieve")
def endless_body_without_length(_call: Call) -> Iterator[bytes]:
    """Sends a body of no length, for ever."""
    return itertools.chain([head()], itertools.repeat(_BLOCK))


@behaves("always")
def endless_chunks(_call: Call) -> Iterator[bytes]:
    """Sends chunks of one byte, for ever."""
    return itertools.chain([head("transfer-encoding: chunked")], itertools.repeat(b"1\r\n \r\n" * 1000))


@behaves("always", "late")
def slow_body(_call: Call) -> Iterator[bytes]:
    """Sends a body byte by byte."""
    return itertools.chain([head("content-length: 1000000")], dripping(b" "))


@behaves("always")
def slow_head(_call: Call) -> Iterator[bytes]:
    """Sends a header byte by byte."""
    return itertools.chain([b"HTTP/1.1 200 OK\r\nx-slow: "], dripping(b"x"))


@behaves("always", "third", "late", "retrieve", seconds=60)
def silence(call: Call) -> Iterable[bytes]:
    """Accepts the connection, reads the request, and never answers."""
    silent(call.connection)
    return ()


@behaves("always", "late", seconds=60)
def a_full_queue(call: Call) -> Iterable[bytes]:
    """Answers once more, and then accepts no connection."""
    call.server.sleep()
    yield told(call)


@behaves("always")
def interim_for_ever(_call: Call) -> Iterator[bytes]:
    """Asks the client to continue, for ever."""
    return itertools.repeat(b"HTTP/1.1 100 Continue\r\n\r\n" * 100)


@behaves("always")
def early_hints_for_ever(_call: Call) -> Iterator[bytes]:
    """Sends hints with large headers, for ever."""
    return itertools.repeat(b"HTTP/1.1 103 Early Hints\r\nlink: " + b"x" * 10_000 + b"\r\n\r\n")


@behaves("third", "cancel")
def half_a_body(call: Call) -> Iterable[bytes]:
    """Hangs up in the middle of the body."""
    whole = told(call)
    yield whole[: -(len(call.faithful.body) // 2) or None]


@behaves("always", "third")
def no_status_line(_call: Call) -> Iterable[bytes]:
    """Hangs up before the status line."""
    return ()


@behaves("third")
def half_a_status_line(_call: Call) -> Iterable[bytes]:
    """Hangs up in the middle of the status line."""
    yield b"HTTP/1."


@behaves("third")
def reset(call: Call) -> Iterable[bytes]:
    """Resets the connection after half of the answer."""
    yield told(call)[:60]
    call.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    call.connection.close()


@behaves("third")
def a_length_too_long(call: Call) -> Iterable[bytes]:
    """Announces more than it sends."""
    yield http(call.faithful.body, length=len(call.faithful.body) + 100)


@behaves("third", "retrieve")
def a_length_too_short(call: Call) -> Iterable[bytes]:
    """Announces less than it sends."""
    yield http(call.faithful.body, length=len(call.faithful.body) // 2)


@behaves("always", "third")
def a_negative_length(call: Call) -> Iterable[bytes]:
    """Announces less than nothing."""
    yield http(call.faithful.body, length=-1)


@behaves("always")
def an_absurd_length(call: Call) -> Iterable[bytes]:
    """Announces a length of five thousand digits."""
    yield http(call.faithful.body, length="9" * 5000)


@behaves("always")
def two_lengths(call: Call) -> Iterable[bytes]:
    """Announces two lengths that differ."""
    yield http(call.faithful.body, "content-length: 2")


@behaves("always", "third")
def chunked_garbage(_call: Call) -> Iterable[bytes]:
    """Says that it sends chunks, and sends anything else."""
    yield head("transfer-encoding: chunked") + b"not a size\r\n{}\r\n\xff\xfe\r\n"


@behaves("always")
def a_chunk_beyond_all_sizes(_call: Call) -> Iterable[bytes]:
    """Announces a chunk of sixteen to the power of a thousand bytes."""
    yield head("transfer-encoding: chunked") + b"f" * 1000 + b"\r\n{}\r\n0\r\n\r\n"


@behaves("always")
def a_chunk_of_an_exabyte(_call: Call) -> Iterator[bytes]:
    """Announces a chunk that overflows, and sends it."""
    return itertools.chain([head("transfer-encoding: chunked") + b"ffffffffffffffff\r\n"], itertools.repeat(_BLOCK))


@behaves("always", "retrieve", seconds=45)
def a_bomb(_call: Call) -> Iterable[bytes]:
    """Sends a gigabyte of spaces, packed into a megabyte."""
    packed = zlib.compressobj(9, zlib.DEFLATED, 31)
    yield head("content-encoding: gzip")
    for _ in range(16_384):
        if piece := packed.compress(_BLOCK):
            yield piece
    yield packed.flush()


@behaves("third")
def broken_gzip(call: Call) -> Iterable[bytes]:
    """Says that it packs the body, and breaks it in the middle."""
    packed = gzip.compress(call.faithful.body)
    yield http(packed[:20] + b"\xff" * 20 + packed[40:], "content-encoding: gzip")


@behaves("third")
def half_a_gzip(call: Call) -> Iterable[bytes]:
    """Packs the body and leaves out the end."""
    yield http(gzip.compress(call.faithful.body)[:-20], "content-encoding: gzip")


@behaves("third")
def an_unknown_packing(call: Call) -> Iterable[bytes]:
    """Packs the body in a way that nobody asked for."""
    yield http(call.faithful.body, "content-encoding: zstd, br, \xff")


@behaves("always", "retrieve", seconds=45)
def a_hundred_megabytes(_call: Call) -> Iterable[bytes]:
    """Sends a hundred megabytes of good JSON."""
    yield head("content-length: 100000002") + b'["'
    for _ in range(100):
        yield b"x" * 1_000_000
    yield b'"]'


@behaves("always", seconds=45)
def a_flood_of_headers(_call: Call) -> Iterator[bytes]:
    """Sends headers for ever."""
    lines = (b"x-%d: %s\r\n" % (number, b"y" * 1000) for number in itertools.count())
    return itertools.chain([b"HTTP/1.1 200 OK\r\n"], lines)


@behaves("always", "retrieve")
def a_header_of_ten_megabytes(call: Call) -> Iterable[bytes]:
    """Sends one header of ten megabytes."""
    yield told(call, None, f"x-large: {'x' * 10_000_000}")


@behaves("always", "late")
def http_0_9(_call: Call) -> Iterable[bytes]:
    """Answers as it was done in 1991: with the body alone."""
    yield b'{"id": "thread_1991"}'


@behaves("always", "late")
def a_greeting_of_tls(_call: Call) -> Iterable[bytes]:
    """Answers plain HTTP with the beginning of a TLS handshake."""
    yield b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(range(256)) * 2


@behaves("always")
def switching_protocols(_call: Call) -> Iterable[bytes]:
    """Switches to a protocol that nobody asked for."""
    yield b"HTTP/1.1 101 Switching Protocols\r\nupgrade: websocket\r\nconnection: upgrade\r\n\r\n\x81\x05hello"


@behaves("third")
def header_injection(call: Call) -> Iterable[bytes]:
    """Puts line ends, control characters and an answer of its own into a header."""
    yield told(call, None, "x-evil: a\rset-cookie: a=b\n evil: \x1b[31m", "x-\x00: 1", ": 2")


@behaves("third")
def another_answer_behind(call: Call) -> Iterable[bytes]:
    """Sends a second answer that nobody asked for behind the first, on a connection that it keeps."""
    yield told(call).replace(b"connection: close\r\n", b"") + http({"id": "run_smuggled", "object": "thread.run"})


@behaves("late", seconds=60)
def dying(call: Call) -> Iterable[bytes]:
    """Is gone from the fiftieth request on, port and all."""
    call.server.shut()
    return ()


@behaves("always")
def resets_every_second_connection(call: Call) -> Iterable[bytes]:
    """Resets every second connection at once."""
    if call.number % 2 == 0:
        call.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        call.connection.close()
        return
    yield told(call)


@behaves("always", seconds=60)
def a_port_that_comes_and_goes(call: Call) -> Iterable[bytes]:
    """Refuses connections half of the time, a tenth of a second at once."""

    def flap() -> None:
        while not call.server.over:
            call.server.shut()
            time.sleep(0.1)
            with suppress(OSError):
                call.server.open()
            time.sleep(0.1)

    with call.server.lock:
        if call.server.memory.setdefault("flaps", call.number) == call.number:
            threading.Thread(target=flap, daemon=True).start()
    yield told(call)
