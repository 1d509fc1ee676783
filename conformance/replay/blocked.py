"""No request leaves the machine in a replay."""

from __future__ import annotations

import socket
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, NoReturn

from conformance.outcomes import Fault

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextmanager
def no_network() -> Iterator[None]:
    """Inside, every attempt of this process to connect or to resolve a name raises `Fault`."""

    def refuse(*_: Any, **__: Any) -> NoReturn:
        raise Fault("something tried to reach the network during a replay, which never leaves this machine")

    kept = socket.socket.connect, socket.socket.connect_ex, socket.getaddrinfo
    changed: Any = socket
    changed.socket.connect, changed.socket.connect_ex, changed.getaddrinfo = refuse, refuse, refuse
    try:
        yield
    finally:
        changed.socket.connect, changed.socket.connect_ex, changed.getaddrinfo = kept
