"""A socket in front of the reference server: a bare ASGI application, served by uvicorn."""

from __future__ import annotations

import asyncio
import socket
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl

import uvicorn

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from conformance.reference.app import Reference

_LARGEST_BODY = 1024 * 1024


def serve(reference: Reference, *, host: str, port: int, latency: float = 0.0) -> None:
    """
    Serve until the process is told to stop.

    Args:
        reference: What answers.
        host: The address to bind to.
        port: 0 takes a free one; the line that is printed names it.
        latency: Seconds that every answer is held back.
    """
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        name = f"[{host}]" if ":" in host else host
        print(f"reference server at http://{name}:{listener.getsockname()[1]}/v1", flush=True)
        config = uvicorn.Config(application(reference, latency), log_level="warning", access_log=False, lifespan="off")
        uvicorn.Server(config).run(sockets=[listener])


def application(reference: Reference, latency: float) -> Callable[..., Awaitable[None]]:
    """The ASGI application."""

    async def answer(scope: dict[str, Any], receive: Callable[..., Any], send: Callable[..., Any]) -> None:
        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
        body = b""
        while True:
            message = await receive()
            body += message.get("body", b"")
            if not message.get("more_body") or len(body) > _LARGEST_BODY:
                break
        await asyncio.sleep(latency)
        path = scope["raw_path"].decode("latin-1")
        query = parse_qsl(scope["query_string"].decode("latin-1"), keep_blank_values=True)
        given = reference.handle(scope["method"], path, query, headers, body[:_LARGEST_BODY])
        sent = [(name.encode(), value.encode()) for name, value in given.headers.items()]
        if scope["method"] != "HEAD":
            sent.append((b"content-length", str(len(given.body)).encode()))
        await send({"type": "http.response.start", "status": given.status, "headers": sent})
        await send({"type": "http.response.body", "body": given.body})

    return answer
