"""The servers that components need, each on a loopback port of its own, ended by its own handle."""

from __future__ import annotations

import socket
import sys
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

import httpx

from tools.peers.running import ROOT, Children, ToolError, awaited

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

#: Seconds that a server may take to start, and between two looks whether it has.
_SECONDS, _LOOK = 120, 0.1


@contextmanager
def reference(folder: Path, children: Children) -> Iterator[str]:
    """Serve the reference server, and give its URL."""
    command = [sys.executable, "-m", "conformance.reference", "--port=0"]
    with telling(command, r"(http://127\.0\.0\.1:\d+/v1)", folder, children, PYTHONPATH=str(ROOT)) as url:
        yield url


@contextmanager
def telling(command: Sequence[str], pattern: str, folder: Path, children: Children, **env: str) -> Iterator[str]:
    """Start a server that takes a free port and prints which, and give what the pattern's group finds."""
    log = folder / "server.log"
    with children.started(command, log=log, cwd=folder, **env) as process:
        yield awaited(log, pattern, process, seconds=_SECONDS)


@contextmanager
def answering(command: Sequence[str], port: int, folder: Path, children: Children, **env: str) -> Iterator[str]:
    """Start a server that is told its port, wait until it answers anything, and give its origin."""
    log, origin = folder / "server.log", f"http://127.0.0.1:{port}"
    with children.started(command, log=log, cwd=folder, **env) as process:
        until = time.monotonic() + _SECONDS
        while not _answers(origin):
            if process.poll() is not None or time.monotonic() > until:
                raise ToolError(f"did not start: {log.read_text('utf-8', errors='replace').strip()[-300:]}")
            time.sleep(_LOOK)
        yield origin


def free_port() -> int:
    """A loopback port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _answers(origin: str) -> bool:
    try:
        httpx.get(origin, timeout=5, trust_env=False)
    except httpx.TransportError:
        return False
    return True
