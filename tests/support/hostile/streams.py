"""Targets whose streams mean harm: they never end, say what nobody can hold, or give away what they were sent."""

from __future__ import annotations

import itertools
import json
import time
from functools import partial
from typing import TYPE_CHECKING

from support.hostile.core import KEY, dripping, head, told
from support.hostile.core import behaves as _behaves

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from support.hostile.core import Call

behaves = partial(_behaves, "stream", seconds=60, megabytes=400, options=("--runs-record=kept",))
_EVENTS = "content-type: text/event-stream"


def _begun(call: Call) -> bytes:
    """The first events of a faithful stream."""
    frames = call.faithful.frames
    return b"".join(itertools.islice(frames, 3)) if frames else b""


def _head() -> bytes:
    return head(_EVENTS, "connection: close")


@behaves()
def a_stream_of_comments(call: Call) -> Iterator[bytes]:
    """Keeps a stream alive with comments, and says nothing."""
    return itertools.chain([_head(), _begun(call)], dripping(b": still here\n\n", 0.05))


@behaves()
def a_flood_of_events(call: Call) -> Iterator[bytes]:
    """Sends events without an end, as fast as it can."""
    event = b'event: thread.message.delta\ndata: {"id": "msg_1", "object": "thread.message.delta", "delta": {}}\n\n'
    return itertools.chain([_head(), _begun(call)], itertools.repeat(event * 100))


@behaves()
def an_event_without_an_end(call: Call) -> Iterator[bytes]:
    """Sends one event that goes on and on, on one line."""
    return itertools.chain([_head(), _begun(call), b"data: "], itertools.repeat(b"x" * 65_536))


@behaves()
def lines_without_an_end(_call: Call) -> Iterator[bytes]:
    """Sends one event of lines without number."""
    return itertools.chain([_head()], itertools.repeat(b"data: {\n" * 8_192))


@behaves()
def events_after_the_last(call: Call) -> Iterator[bytes]:
    """Ends its stream, and goes on."""
    last = b"event: done\ndata: [DONE]\n\n"
    return itertools.chain([_head(), _begun(call)], dripping(last, 0.01))


@behaves()
def garbage_in_a_stream(call: Call) -> Iterable[bytes]:
    """Sends events of bytes that are no text, of names that are none, and of depth."""
    deep = b"[" * 50_000
    yield _head()
    yield b"event: \xff\xfe\x00\ndata: \xff\n\n" + b"event: thread.run.created\ndata: " + deep + b"\n\n"
    yield b'event: thread.run.\x1b[31mred\ndata: {"id": {"$ne": 1}, "status": ["x"], "object": "thread.run"}\n\n'
    yield b'event: thread.run.step.delta\ndata: {"id": 7, "delta": [[]]}\n\ndata: 1e999\n\n: \r\r\n\nid: \x00\n\n'
    yield _begun(call)


@behaves()
def a_stream_that_is_hung_up_on(call: Call) -> Iterable[bytes]:
    """Announces a chunk, and hangs up."""
    yield head(_EVENTS, "transfer-encoding: chunked")
    yield b"ffff\r\n" + _begun(call)


@behaves()
def the_key_in_a_stream(call: Call) -> Iterable[bytes]:
    """Tells the key in events, torn in two, and in their names."""
    said = json.dumps({"object": "thread.run", "id": KEY, "status": "queued", "told": call.headers})
    yield _head()
    yield f"event: thread.run.{KEY}\ndata: {said}\n\nevent: thread.run.queued\ndata: {said[:30]}".encode()
    time.sleep(0.2)
    yield f"{said[30:]}\n\n{KEY}\n\n".encode()


@behaves()
def a_packed_stream(call: Call) -> Iterable[bytes]:
    """Packs what should come as it happens, and not even well."""
    yield told(call, b"\x1f\x8b\x08\x00" + b"\x00" * 400, "content-encoding: gzip", _EVENTS)
