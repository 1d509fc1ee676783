"""Servers that take what a run shall be created with for something else."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from conformance.reference.errors import Refusal
from conformance.reference.faults.registry import enter
from conformance.reference.operations import Operations

if TYPE_CHECKING:
    from collections.abc import Callable

    from conformance.reference.calls import Call

#: What a create says, as it may be changed.
Said = dict[str, Any]


def said_in(call: Call) -> Said | None:
    """The body of a request, if it is an object of JSON."""
    try:
        body = json.loads(call.body)
    except ValueError:
        return None
    return body if isinstance(body, dict) else None


def with_body(call: Call, body: Said) -> Call:
    """The request as if it had this body."""
    return replace(call, body=json.dumps(body).encode())


def crash() -> Refusal:
    """What is answered by a server that fell over."""
    return Refusal("Oops.", status=500, kind="server_error")


class Mishears(Operations):
    """A server that changes what it hears before it creates a run of it."""

    def create_run(self, call: Call) -> dict[str, Any]:
        if (body := said_in(call)) is not None:
            self.mishear(body)
            call = with_body(call, body)
        return super().create_run(call)

    def mishear(self, body: Said) -> None:
        """Change what was said in place, or refuse it."""
        raise NotImplementedError


def mishears(name: str, does: str, *breaks: str, change: Callable[[Said], Any], seen: str = "") -> None:
    """
    Enter a fault that hears something else than what was said.

    Args:
        name: The fault's name.
        does: What the server does, in a sentence.
        breaks: The requirements that it breaks.
        change: Changes the members of the request in place, or raises a refusal.
        seen: Where it was seen in the wild.
    """

    def mishear(_: Operations, body: Said) -> None:
        change(body)

    behaviour: Any = type(name, (Mishears,), {"mishear": mishear, "__module__": change.__module__})
    enter(name, does, breaks, behaviour, seen=seen)
