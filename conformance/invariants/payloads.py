"""What the events of a stream carry: runs, steps and messages, of which replies show the like."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from conformance.invariants.heard import Heard, streams
from conformance.invariants.judging import Answer, Broken, invariant
from conformance.wire.faults import faults
from conformance.wire.models import Run
from conformance.wire.values import ABSENT, NOT_JSON, shown

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from conformance.invariants.evidence import Evidence
    from conformance.wire.events import Event
    from conformance.wire.exchange import Exchange

#: What an event carries, by what its name begins with; the first that fits.
_OBJECTS: Final[Mapping[str, str]] = {
    "thread.run.step.delta": "thread.run.step.delta",
    "thread.run.step.": "thread.run.step",
    "thread.message.delta": "thread.message.delta",
    "thread.message.": "thread.message",
    "thread.created": "thread",
    "thread.run.": "thread.run",
}
#: Members without which clients can do nothing with what they hear, and what kind of value each is.
_NEEDED: Final[Mapping[str, Mapping[str, type]]] = {
    "thread.run.step.delta": {"id": str, "delta": dict},
    "thread.run.step": {"id": str, "run_id": str, "status": str, "type": str, "step_details": dict},
    "thread.message.delta": {"id": str, "delta": dict},
    "thread.message": {"id": str, "thread_id": str, "role": str, "content": list},
    "thread": {"id": str},
    "thread.run": {},
}
#: Members without which a run is none.
_CORE: Final = frozenset({"id", "object", "created_at", "thread_id", "assistant_id", "status"})


@dataclass(frozen=True, eq=False)
class Carried:
    """A stream, and what is wrong with the runs of replies as well, which other rows tell."""

    stream: Heard
    told: frozenset[tuple[str | int, ...]]
    #: Whether any reply showed a run, so that there is something to be like.
    comparable: bool

    @property
    def exchanges(self) -> tuple[Exchange, ...]:
        """The message."""
        return self.stream.exchanges


def _streams(evidence: Evidence) -> Iterator[Carried]:
    told = frozenset(fault.path for seen in evidence.statements for fault in seen.faults)
    return (Carried(stream, told, bool(evidence.runs)) for stream in evidence.once(streams))


@invariant("RUN-STREAM-006", _streams, lambda carried: bool(carried.stream.told))
def events_carry_what_they_announce(carried: Carried) -> Answer:
    """Runs, steps and messages are what replies show as such."""
    for event in carried.stream.told:
        kind = next((kind for begin, kind in _OBJECTS.items() if event.name.startswith(begin)), None)
        if kind and event.json is not NOT_JSON and (broken := _wrong(event, kind, carried)):
            return broken
    return None


def _wrong(event: Event, kind: str, carried: Carried) -> Answer:
    value: Any = event.json
    if kind == "thread.run" and not (carried.comparable and ("object",) not in carried.told):
        return None
    if not isinstance(value, dict) or value.get("object") != kind:
        found = shown(value.get("object", ABSENT)) if isinstance(value, dict) else shown(value)
        return Broken(f'an object "{kind}" in {event.name}', found)
    for name, wanted in _NEEDED[kind].items():
        if not isinstance(value.get(name), wanted):
            return Broken(f"{kind} with {name} in {event.name}", f"{name} {shown(value.get(name, ABSENT))}")
    if kind == "thread.message.delta" and (part := _unplaced(value["delta"])) is not None:
        return Broken(f"parts with an index in {event.name}", shown(part))
    for fault in faults(value, Run) if kind == "thread.run" else ():
        left_out = fault.kind == "missing" and fault.path[0] not in _CORE  # as some services do in some of their events
        if fault.path not in carried.told and not left_out:
            return Broken(f"{fault.expected} in {event.name}", f"{'.'.join(map(str, fault.path))} {fault.actual}")
    return None


def _unplaced(delta: Mapping[str, Any]) -> object:
    """The first part of a delta that does not say to which part of the message it belongs."""
    content = delta.get("content")
    parts = content if isinstance(content, list) else []
    return next((part for part in parts if not (isinstance(part, dict) and type(part.get("index")) is int)), None)
