"""A socket in front of the reference server: a bare ASGI application, served by uvicorn."""

from __future__ import annotations

import asyncio
import json
import signal
import socket
import sys
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl

import uvicorn

from conformance.reference.calls import Answer
from conformance.reference.errors import Refusal

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Generator

    from conformance.reference.app import Reference

    Receive = Callable[[], Awaitable[dict[str, Any]]]
    Send = Callable[[dict[str, Any]], Awaitable[None]]
    Application = Callable[[dict[str, Any], Receive, Send], Awaitable[None]]

#: In bytes; a longer body is refused.
LARGEST_BODY = 1024 * 1024


def serve(reference: Reference, *, host: str, port: int, latency: float = 0.0) -> None:
    """
    Serve until the process is told to stop.

    Args:
        reference: What answers.
        host: The address to bind to.
        port: 0 takes a free one; the line that is printed names it.
        latency: Seconds that every answer is held back.

    Raises:
        OSError: the address cannot be bound to.
    """
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        listener.bind((host, port))
        listener.listen(128)
        name = f"[{host}]" if ":" in host else host
        print(f"reference server at http://{name}:{listener.getsockname()[1]}/v1", flush=True)  # noqa: T201
        # Before uvicorn handles these signals and again after it has shut down, they come here.
        for each in (signal.SIGTERM, signal.SIGINT):
            signal.signal(each, lambda *_: sys.exit(0))
        config = uvicorn.Config(
            application(reference, latency), log_level="warning", access_log=False, lifespan="off", ws="none"
        )
        uvicorn.Server(config).run(sockets=[listener])


def application(reference: Reference, latency: float = 0.0) -> Application:
    """The ASGI application; `latency` is in seconds."""

    async def answer(scope: dict[str, Any], receive: Receive, send: Send) -> None:
        body = await _body(receive)
        if body is None:
            return
        await asyncio.sleep(latency)
        # In threads, so that requests can meet as they do on any other server.
        given = _too_large() if len(body) > LARGEST_BODY else await asyncio.to_thread(_handled, reference, scope, body)
        headers = [(name.encode(), value.encode()) for name, value in given.headers.items()]
        if given.frames is None and scope["method"] != "HEAD":
            headers.append((b"content-length", str(len(given.body)).encode()))
        await send({"type": "http.response.start", "status": given.status, "headers": headers})
        if given.frames is not None:
            await _stream(given.frames, receive, send)
        await send({"type": "http.response.body", "body": given.body})

    return answer


async def _stream(frames: Generator[bytes], receive: Receive, send: Send) -> None:
    """Send frame after frame as they come, until the last one, or until the client goes away."""
    leaving = asyncio.ensure_future(receive())
    while not leaving.done() and (frame := await asyncio.to_thread(next, frames, None)) is not None:
        if frame:  # nothing at all would end the body
            await send({"type": "http.response.body", "body": frame, "more_body": True})
    leaving.cancel()
    await asyncio.to_thread(frames.close)


async def _body(receive: Receive) -> bytes | None:
    """The whole body, or as much as shows that it is too large; None if the client went away."""
    body = bytearray()
    while len(body) <= LARGEST_BODY:
        message = await receive()
        if message["type"] == "http.disconnect":
            return None
        body += message.get("body", b"")
        if not message.get("more_body"):
            break
    return bytes(body)


def _handled(reference: Reference, scope: dict[str, Any], body: bytes) -> Answer:
    return reference.handle(
        scope["method"],
        scope["raw_path"].decode("latin-1"),
        parse_qsl(scope["query_string"].decode("latin-1"), keep_blank_values=True),
        {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]},
        body,
    )


def _too_large() -> Answer:
    refusal = Refusal(f"The body of the request is over {LARGEST_BODY} bytes.", status=413)
    headers = {"content-type": "application/json", "connection": "close"}
    return Answer(refusal.status, headers, json.dumps(refusal.body(), indent=2).encode())
