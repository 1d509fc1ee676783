"""Faults that are switched on while the server runs: which, for which requests, and how often."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass
from difflib import get_close_matches
from email.utils import formatdate
from itertools import count
from typing import TYPE_CHECKING, Any, Final

from conformance.reference.checks import integer, members, number, of_type, one_of
from conformance.reference.errors import Refusal, invalid
from conformance.reference.operations import Operations
from conformance.reference.routes import OPERATIONS, ROUTES

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from conformance.reference.app import Reference
    from conformance.reference.checks import Check
    from conformance.reference.routes import Routed

_DAY: Final = 86_400
_TEN_MINUTES: Final = 600
_RETRY_AFTER: Mapping[str, Check] = {
    "retry_after": number(0, _DAY),
    "retry_after_as": one_of("seconds", "date"),
}
#: What can go wrong on the way, with the members that say how; every fault of the bestiary takes none.
ON_THE_WAY: Mapping[str, Mapping[str, Check]] = {
    "rate-limit": _RETRY_AFTER,
    "server-error": {**_RETRY_AFTER, "status": integer(500, 599)},
    "slow": {"seconds": number(0, _TEN_MINUTES)},
    "drop": {"carried_out": of_type(bool)},
    "cut": {"events": integer(0)},
}
_EVERY: Mapping[str, Check] = {
    "fault": of_type(str),
    "operation": one_of(*OPERATIONS),
    "thread_id": of_type(str),
    "times": integer(1),
}
_ON_THREADS = {route.operation for route in ROUTES if "thread_id" in route.pattern.groupindex}


@dataclass
class Rule:
    """A fault that is switched on."""

    id: str
    #: What was asked for, with what was left out.
    asked: Mapping[str, Any]
    #: What carries out the requests, if that is where the fault is.
    acting: Operations | None
    applied: int = 0

    @property
    def is_spent(self) -> bool:
        """Whether it was applied as often as it should be."""
        return self.asked["times"] is not None and self.applied >= self.asked["times"]

    @property
    def holds_back(self) -> float:
        """Seconds between the answer and its departure."""
        return self.asked["seconds"] if self.asked["fault"] == "slow" else 0

    @property
    def drops(self) -> bool:
        """Whether the connection is dropped instead of an answer."""
        return bool(self.asked["fault"] == "drop")

    @property
    def drops_unheard(self) -> bool:
        """Whether it is dropped before the request is carried out."""
        return self.drops and not self.asked["carried_out"]

    @property
    def cuts_after(self) -> int | None:
        """How many events of a stream are sent before one is cut in its middle, as is any other body."""
        return self.asked["events"] if self.asked["fault"] == "cut" else None

    def fits(self, routed: Routed | None) -> bool:
        """Whether it is for a request to this operation; None is a request that no operation answers."""
        operation, thread = self.asked["operation"], self.asked["thread_id"]
        if routed is None:
            return operation is None and thread is None
        return operation in {None, routed.operation} and thread in {None, routed.ids.get("thread_id")}

    def told(self) -> dict[str, Any]:
        """The rule as it is sent."""
        times = self.asked["times"]
        return {
            "id": self.id,
            **self.asked,
            "applied": self.applied,
            "remaining": None if times is None else times - self.applied,
        }


class Rules:
    """All that is switched on, oldest first: a request meets the first rule that fits it, and no other."""

    def __init__(self, reference: Reference) -> None:
        self._reference = reference
        self._rules: list[Rule] = []
        self._numbers = count(1)

    def __bool__(self) -> bool:
        return bool(self._rules)

    def add(self, body: Any) -> Rule:
        """
        Switch on what a request asks for.

        Raises:
            Refusal: it makes no sense.
        """
        asked = _checked(body)
        self._rules.append(rule := Rule(f"fault_{next(self._numbers)}", asked, self._acting(asked)))
        return rule

    def take(self, method: str, path: str) -> Rule | None:
        """The rule that a request meets, counted as applied once more."""
        routed = self._reference.routes(path).get(method)
        rule = next((rule for rule in self._rules if rule.fits(routed)), None)
        if rule:
            rule.applied += 1
            if rule.is_spent:
                self._rules.remove(rule)
        return rule

    def told(self) -> list[dict[str, Any]]:
        """All rules as they are sent."""
        return [rule.told() for rule in self._rules]

    def remove(self, id: str) -> Rule:
        """
        Switch one off.

        Raises:
            Refusal: there is none with this id.
        """
        rule = next((rule for rule in self._rules if rule.id == id), None)
        if rule is None:
            raise Refusal(f"No fault is switched on with id '{id}'.", status=404)
        self._rules.remove(rule)
        return rule

    def clear(self) -> int:
        """Switch everything off, and tell how much it was."""
        number = len(self._rules)
        self._rules.clear()
        return number

    def reset(self) -> None:
        """The same, and begin to count anew."""
        self.clear()
        self._numbers = count(1)

    def _acting(self, asked: Mapping[str, Any]) -> Operations | None:
        fault = asked["fault"]
        if fault in {"slow", "drop", "cut"}:
            return None
        if fault in ON_THE_WAY:
            return self._reference.acting(_refusing(asked))
        from conformance.reference.faults import FAULTS

        try:
            return self._reference.acting(FAULTS[fault].behaviour)
        except TypeError:
            raise invalid("fault", f"'{fault}' excludes what the server does wrong since its start.") from None


def _checked(body: Any) -> dict[str, Any]:
    """What was asked for, with what was left out."""
    of_type(dict)("body", body)
    if "fault" in body:
        of_type(str)("fault", body["fault"])
        _need_fault(body["fault"])
    own = ON_THE_WAY.get(body.get("fault", ""), {})
    try:
        members({**_EVERY, **own}, "fault", nullable=("operation", "thread_id", "times"))("", body)
    except Refusal as refusal:
        if refusal.code == "unknown_parameter":
            takes = ", ".join([*_EVERY, *own])
            refusal.message += f" The fault '{body['fault']}' takes {takes}."
        raise
    if body.get("thread_id") is not None and body.get("operation") not in {None, *_ON_THREADS}:
        raise invalid("thread_id", f"{body['operation']} names no thread in its path.")
    left_out = {"operation": None, "thread_id": None, "times": 1, **_left_out(body["fault"])}
    return {"fault": body["fault"], **left_out, **body}


def _left_out(fault: str) -> dict[str, Any]:
    match fault:
        case "rate-limit":
            return {"retry_after": 1, "retry_after_as": "seconds"}
        case "server-error":
            return {"status": 500, "retry_after": None, "retry_after_as": "seconds"}
        case "slow":
            return {"seconds": 1}
        case "drop":
            return {"carried_out": False}
        case "cut":
            return {"events": 1}
    return {}


def _need_fault(name: str) -> None:
    if name in ON_THE_WAY:
        return
    from conformance.reference.faults import FAULTS

    if name not in FAULTS:
        alike = get_close_matches(name, [*ON_THE_WAY, *FAULTS], 3)
        meant = f" Is one of these meant: {', '.join(alike)}?" if alike else ""
        raise invalid("fault", f"there is no fault '{name}'.{meant} GET /_conformance/bestiary lists them all.")


def _retry_after(seconds: float | None, form: str) -> Iterator[tuple[str, str]]:
    """The headers that say when to come back: HTTP has whole seconds only, what is less has a name of its own."""
    if seconds is None:
        return
    if form == "date":
        # By the machine's clock, which is the client's as well.
        yield "retry-after", formatdate(math.ceil(time.time() + seconds), usegmt=True)
        return
    yield "retry-after", str(math.ceil(seconds))
    if seconds % 1:
        yield "retry-after-ms", f"{seconds * 1000:.0f}"


def _refusing(asked: Mapping[str, Any]) -> type[Operations]:
    """Refuses every request, before anything else is looked at."""

    class Refusing(Operations):
        def admit(self, headers_sent: Mapping[str, str], operation: str) -> None:  # noqa: ARG002 - all the same here
            headers = dict(_retry_after(asked["retry_after"], asked["retry_after_as"]))
            if asked["fault"] == "rate-limit":
                raise Refusal(
                    "Too many requests.", status=429, kind="requests", code="rate_limit_exceeded", headers=headers
                )
            raise Refusal("The server had an error.", status=asked["status"], kind="server_error", headers=headers)

    return Refusing
