"""What a fault of a client is, and what several of them are made of."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from support.clients.client import OPERATIONS

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True)
class Fault:
    """One deviation."""

    does: str
    #: The requirements that it breaks, all of them.
    breaks: frozenset[str]
    #: The parts, by name.
    members: Mapping[str, Any]


FAULTS: dict[str, Fault] = {}


def fault(name: str, does: str, breaks: str, **members: Any) -> None:
    """Add a fault; requirements are named without `SDK-`."""
    FAULTS[name] = Fault(does, frozenset(f"SDK-{each}" for each in breaks.split()), members)


def broken(problem: str) -> Any:
    """A part of an expression that raises."""
    raise ValueError(problem)


def without(members: dict[str, Any], *names: str) -> dict[str, Any]:
    """An object without some of its members."""
    return {name: value for name, value in members.items() if name not in names}


def at(operation: str, method: str | None = None, path: str | None = None) -> dict[str, tuple[str, str]]:
    """The operations with one that has another method or path."""
    was = OPERATIONS[operation]
    return {**OPERATIONS, operation: (method or was[0], path or was[1])}
