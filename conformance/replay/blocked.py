"""No request leaves the machine in a replay."""

from __future__ import annotations

import socket
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Any, NoReturn

from conformance.outcomes import Fault

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_CONNECTING = ("connect", "connect_ex", "sendto")
_RESOLVING = ("getaddrinfo", "gethostbyaddr", "gethostbyname", "gethostbyname_ex", "getnameinfo")


@contextmanager
def no_network() -> Iterator[None]:
    """Inside, every attempt of this process to connect or to resolve a name raises `Fault`."""
    with ExitStack() as changed:
        for owner, names in ((socket.socket, _CONNECTING), (socket, _RESOLVING)):
            for name in names:
                _replace(owner, name, changed)
        yield


def _replace(owner: Any, name: str, changed: ExitStack) -> None:
    if name in vars(owner):
        changed.callback(setattr, owner, name, vars(owner)[name])
    else:
        changed.callback(delattr, owner, name)
    setattr(owner, name, _refusal(name))


def _refusal(name: str) -> Callable[..., NoReturn]:
    def refuse(*_: Any, **__: Any) -> NoReturn:
        raise Fault(f"something called {name}() to reach the network, but a replay never leaves this machine")

    return refuse
