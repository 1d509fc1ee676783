"""A socket in front of the reference server, served by uvicorn until the process is told to stop."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import socket
import sys
from typing import TYPE_CHECKING, Any

import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol

from conformance.reference.asgi import application
from conformance.reference.control.routes import PREFIX, is_loopback

if TYPE_CHECKING:
    from pathlib import Path

    from conformance.reference.app import Reference
    from conformance.reference.control import Control

#: Seconds that answers under way have left when the server is told to stop.
_GRACE = 0.2


def serve(
    reference: Reference,
    *,
    host: str,
    port: int,
    latency: float = 0.0,
    control: Control | None = None,
    ready_file: Path | None = None,
) -> None:
    """
    Serve until the process is told to stop.

    Args:
        reference: What answers.
        host: The address to bind to.
        port: 0 takes a free one; the line that is printed names it.
        latency: Seconds that every answer is held back.
        control: What answers below `/_conformance/`.
        ready_file: Where to write, as JSON, what the line says; it appears whole, and goes when the server does.

    Raises:
        OSError: the address cannot be bound to.
        SystemExit: the file cannot be written.
    """
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        listener.bind((host, port))
        listener.listen(128)
        name = f"[{host}]" if ":" in host else host
        origin = f"http://{name}:{listener.getsockname()[1]}"
        url = origin + reference.base_path
        server = _Server(
            uvicorn.Config(
                application(reference, latency, control),
                http=_Connection,
                log_level="warning",
                access_log=False,
                lifespan="off",
                ws="none",
            )
        )
        # Before uvicorn handles these signals and again after it has shut down, they come here.
        for each in (signal.SIGTERM, signal.SIGINT):
            signal.signal(each, server.stop)
        try:
            if not is_loopback(host):
                _warn(f"{host} is not this machine alone: whoever reaches it can use the server and {PREFIX}.")
            if ready_file:
                _write(ready_file, {"url": url, "control": origin + PREFIX.rstrip("/"), "pid": os.getpid()})
            print(f"reference server at {url}", flush=True)  # noqa: T201
            server.run(sockets=[listener])
        finally:
            if ready_file:
                ready_file.unlink(missing_ok=True)


class _Connection(H11Protocol):
    """A connection that the application can hang up."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override] # as uvicorn has it
        super().connection_made(transport)
        self.app_state = {**self.app_state, "transport": transport}


class _Server(uvicorn.Server):
    """A server that waits for nobody when it is told to stop."""

    def stop(self, *_: object) -> None:
        """Begin no more, or end."""
        self.should_exit = True

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        asyncio.get_running_loop().call_later(_GRACE, self._hang_up)
        await super().shutdown(sockets)

    def _hang_up(self) -> None:
        for connection in list(self.server_state.connections):
            connection.transport.abort()


def _write(path: Path, told: dict[str, Any]) -> None:
    """Write a file that nobody sees before it is whole."""
    unfinished = path.with_name(f"{path.name}.{os.getpid()}")
    try:
        unfinished.write_text(json.dumps(told) + "\n", "utf-8")
        unfinished.replace(path)
    except OSError as problem:
        raise SystemExit(f"{path} cannot be written: {problem.strerror}") from None


def _warn(text: str) -> None:
    print(text, file=sys.stderr, flush=True)  # noqa: T201
