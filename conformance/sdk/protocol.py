"""
What the suite and a driver say to each other: a JSON object a line. `docs/sdk-protocol.md` tells authors.

The suite asks, the driver answers with the same `id`, one at a time. A driver is a page of code around an SDK; what it
answers is what a user of the SDK would see.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from conformance.outcomes import Fault
from conformance.wire.values import NOT_JSON, cut, parse, shown

if TYPE_CHECKING:
    from collections.abc import Mapping

VERSION: Final = 1
#: The member that tells the result of each call.
RESULTS: Final[Mapping[str, str]] = {
    "create_run": "run",
    "retrieve_run": "run",
    "modify_run": "run",
    "cancel_run": "run",
    "submit_tool_outputs": "run",
    "create_thread_and_run": "run",
    "list_runs": "page",
    "iterate_runs": "ids",
    "poll_run": "run",
    "stream_run": "events",
    "stream_tool_outputs": "events",
}
#: The calls without which there is little left of a client: their lack is no excuse.
EXPECTED: Final = frozenset({"create_run", "retrieve_run", "list_runs", "cancel_run"})
#: What else a client may be declared to lack, beside calls.
FEATURES: Final = frozenset(
    {"nulls", "send-nulls", "beta-header", "retries", "timeouts", "request-ids", "bearer-key", "has-more"}
)
#: The arguments without which a call is none.
NEEDED: Final = frozenset({"thread_id", "run_id", "assistant_id"})
#: What an error can be to the user of a client.
KINDS: Final = frozenset({"status", "connection", "timeout", "other"})


class DriverBroke(Fault):
    """The driver did not keep to the protocol: it died, hung, babbled, or answered out of turn."""


class CallHangs(DriverBroke):
    """The driver lives, was asked for a call, and did not answer in time; `seconds` says for how long it was waited."""

    def __init__(self, message: str, seconds: float) -> None:
        super().__init__(message)
        self.seconds = seconds


@dataclass(frozen=True)
class Hello:
    """What a driver says of the client behind it."""

    #: Name and version, for people.
    client: str
    #: The calls and features that it does not have, each with the reason.
    lacks: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Answer:
    """What the user of the client would see of a call; a stream or a walk may have given something before its error."""

    #: The run, the page (`ids` and `has_more`), the list of ids, or the list of events.
    result: Any = None
    error: Mapping[str, Any] | None = None
    unsupported: str = ""

    def __str__(self) -> str:
        if self.unsupported:
            return f"unsupported: {self.unsupported}"
        if self.error is None:
            return shown(self.result)
        told = {name: value for name, value in self.error.items() if value is not None}
        before = f"{shown(self.result)}, then " if self.result else ""
        return f"{before}an error {shown(told)}"


def greeting(number: int) -> dict[str, Any]:
    """The first question."""
    return {"id": number, "hello": {"protocol": VERSION}}


def written(message: Mapping[str, Any]) -> bytes:
    """A message as its line."""
    return json.dumps(message).encode() + b"\n"


def read_hello(line: bytes, number: int) -> Hello:
    """
    What a driver answered to the greeting.

    Raises:
        DriverBroke: it is no such answer.
    """
    told = _read(line, number)
    client, lacks = told.get("client"), told.get("lacks", {})
    if not isinstance(client, str) or not client.strip():
        raise DriverBroke(f"the driver does not say whom it drives: {shown(told)}")
    if not isinstance(lacks, dict) or not all(isinstance(why, str) and why.strip() for why in lacks.values()):
        raise DriverBroke(f"lacks is no object of names and reasons: {shown(lacks)}")
    if unknown := sorted(lacks.keys() - RESULTS.keys() - FEATURES):
        raise DriverBroke(f"nothing is called {unknown[0]} that could be lacking")
    return Hello(_plain(client, 100), {name: _plain(why, 300) for name, why in lacks.items()})


def read_answer(line: bytes, number: int, call: str) -> Answer:
    """
    What a driver answered to a call.

    Raises:
        DriverBroke: it is no such answer.
    """
    told, member = _read(line, number), RESULTS[call]
    if "unsupported" in told:
        return Answer(unsupported=str(told["unsupported"]) or "no reason was given")
    result, error = told.get(member), told.get("error")
    if error is not None and not (isinstance(error, dict) and error.get("kind") in KINDS):
        raise DriverBroke(f"an error has a kind, one of {', '.join(sorted(KINDS))}: {shown(error)}")
    if error is None and not _fits(member, result):
        raise DriverBroke(f"the answer to {call} has neither a proper {member} nor an error: {shown(told)}")
    return Answer(result if _fits(member, result) else None, error)


def _plain(text: str, longest: int) -> str:
    """A text of a stranger on one line, without what a terminal obeys."""
    return cut("".join(char if char.isprintable() else "?" for char in text.strip()), longest)


def _fits(member: str, result: Any) -> bool:
    match member, result:
        case ("run", dict()):
            return True
        case ("page", {"ids": list()}):
            return True
        case ("ids", list()):
            return True
        case ("events", list()):
            return all(isinstance(each, dict) and "event" in each and "data" in each for each in result)
    return False


def _read(line: bytes, number: int) -> dict[str, Any]:
    told = parse(line)
    if told is NOT_JSON or not isinstance(told, dict):
        raise DriverBroke(f"the driver wrote what is no JSON object: {cut(line.decode('utf-8', 'replace').strip())!a}")
    if told.get("id") != number:
        raise DriverBroke(f"the driver answered out of turn: id {shown(told.get('id'))} instead of {number}")
    return told
