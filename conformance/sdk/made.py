"""A call that a client was told to make, and all that it sent for it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote, unquote

from conformance.sdk import bodies
from conformance.sdk.script import refusal, reply
from conformance.wire.operations import OPERATIONS, recognise

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from conformance.sdk.script import Reply
    from conformance.wire.exchange import Exchange, Request
    from conformance.wire.operations import Operation

#: The operations of the calls that are not named by theirs.
_OPERATIONS: Final = {
    "iterate_runs": "list_runs",
    "poll_run": "retrieve_run",
    "stream_run": "create_run",
    "stream_tool_outputs": "submit_tool_outputs",
}
#: What can be in a path or a query as it is.
_PLAIN: Final = re.compile(r"[A-Za-z0-9_~-]+")
#: Segments of a path that whoever reads it takes away.
_DOTS: Final = frozenset({".", ".."})


def is_plain(value: object) -> bool:
    """Whether a value is the same whether it is escaped or not."""
    return bool(_PLAIN.fullmatch(str(value)))


def was_granted(each: Exchange, following: Exchange) -> bool:
    """Whether a request was granted, as a whole, before the next one was sent."""
    return each.succeeded and not each.response.cut and each.ended <= following.at


@dataclass(frozen=True)
class Asked:
    """A call, and what is known of it beforehand."""

    call: str
    arguments: Mapping[str, Any]
    #: The path of the base URL, as it was given.
    base: str

    @property
    def operation(self) -> Operation:
        """What the call is for the API."""
        return OPERATIONS[_OPERATIONS.get(self.call, self.call)]

    @cached_property
    def ids(self) -> Mapping[str, str]:
        """The arguments that belong into the path."""
        return {name: self.arguments[name] for name in re.findall(r"\{(\w+)\}", self.operation.path)}

    @cached_property
    def given(self) -> Mapping[str, Any]:
        """The arguments that belong into the query or the body."""
        return {name: value for name, value in self.arguments.items() if name not in self.ids}

    @property
    def path(self) -> str:
        """Where the call belongs."""
        escaped = {name: quote(id, safe="") for name, id in self.ids.items()}
        return self.base.rstrip("/") + self.operation.path.format(**escaped)

    @property
    def asks_for_stream(self) -> bool:
        """Whether events are to be answered."""
        return self.call.startswith("stream_")

    def is_path(self, path: str) -> bool:
        """Whether a path is that of the call, in whatever way its ids are escaped."""
        found = self.operation.pattern.fullmatch(self._below(path))
        named = found.groupdict() if found else {}
        return bool(found) and all(
            unquote(named[name]) == id and named[name] not in _DOTS for name, id in self.ids.items()
        )

    def aside(self, request: Request) -> Reply | None:
        """
        What is answered to a client that looks at something before it changes something; None if it does not.

        It is no part of the script: what a client does beside a call does not change what the call is answered.
        """
        operation, ids = recognise(request.method, self._below(request.path))
        known = {**self.arguments}
        if self.operation.method == "GET" or request.method != "GET" or operation is None:
            return None
        if any(known.get(name, id) != id for name, id in ids.items()):
            return None
        if operation.name == "retrieve_run":
            return reply(bodies.run(id=ids["run_id"], thread_id=ids["thread_id"]))
        return reply(bodies.page()) if operation.returns.endswith("_list") else refusal(404)

    def _below(self, path: str) -> str:
        """What comes after the base; one that ends in a slash may be followed by another, which is told elsewhere."""
        base = self.base.rstrip("/")
        if not path.startswith(f"{base}/"):
            return ""
        rest = path[len(base) :]
        return f"/{rest.lstrip('/')}" if self.base.endswith("/") else rest


@dataclass(frozen=True)
class Made:
    """A call that was made."""

    asked: Asked
    #: The host and the port of the base URL.
    host: str
    #: The requirement whose case had it made.
    row: str
    #: What was sent to be answered by the script, in order, and what beside it.
    requests: Sequence[Exchange]
    asides: Sequence[Exchange]
    #: What the driver was told, and how to have it told again.
    calls: tuple[str, ...]

    @cached_property
    def firsts(self) -> Sequence[Exchange]:
        """The requests without those that repeat one that came to nothing, which SDK-RETRY-007 is about."""
        before = [None, *self.requests]
        return [
            each for each, last in zip(self.requests, before, strict=False) if last is None or was_granted(last, each)
        ]

    @cached_property
    def own(self) -> Sequence[Exchange]:
        """Those of them that went where they belong, as what they are."""
        operation = self.asked.operation
        return [
            each
            for each in self.firsts
            if each.request.method == operation.method and self.asked.is_path(each.request.path)
        ]
