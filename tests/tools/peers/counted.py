"""`python -m conformance.reference`, and a byte in a file for every request: the same count for all tools."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from conformance.reference import command, server

if TYPE_CHECKING:
    from conformance.reference import asgi
    from conformance.reference.app import Reference
    from conformance.reference.control import Control

_plain = server.application


def counted(reference: Reference, latency: float = 0.0, control: Control | None = None) -> asgi.Application:
    """The application, counting."""
    count = Path(os.environ["PEERS_COUNT"]).open("ab", buffering=0)  # noqa: SIM115 - open as long as the process lives
    answer = _plain(reference, latency, control)

    async def counting(scope: dict[str, Any], receive: asgi.Receive, send: asgi.Send) -> None:
        count.write(b".")
        await answer(scope, receive, send)

    return counting


if __name__ == "__main__":
    server.application = counted
    command.main()
