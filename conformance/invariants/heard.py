"""Streams as a session heard them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final

from conformance.invariants.sightings import FINAL, is_run
from conformance.wire.events import NAMELESS
from conformance.wire.exchange import LATE, LEFT
from conformance.wire.models import STATUSES
from conformance.wire.values import NOT_JSON, same

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from conformance.invariants.evidence import Evidence
    from conformance.wire.events import Event
    from conformance.wire.exchange import Exchange

_FIELDS = ("event", "data", "id", "retry")
#: Members that a run has from its creation on, and that nobody changes while it is told of.
MADE_WITH: Final = ("created_at", "model", "instructions", "tools", "metadata", "tool_choice", "parallel_tool_calls")


@dataclass(frozen=True, eq=False)
class Heard:
    """One stream."""

    exchange: Exchange
    #: Whether its run was asked to be cancelled.
    cancelled: bool = False
    #: Members that replies show otherwise than they should, or otherwise each time, which other rows tell.
    doubtful: frozenset[str] = frozenset()

    @property
    def exchanges(self) -> tuple[Exchange, ...]:
        """The message."""
        return (self.exchange,)

    @property
    def events(self) -> Sequence[Event]:
        """All that came."""
        return self.exchange.events

    @property
    def cut(self) -> str:
        """Why it did not come to its last event, if it did not."""
        return "" if self.is_closed else self.exchange.response.cut

    @property
    def torn(self) -> str:
        """How the connection ended after the last event, if it broke there."""
        return self.exchange.response.cut if self.is_closed else ""

    @property
    def was_left(self) -> bool:
        """Whether the suite hung up before the end."""
        return self.cut == LEFT

    @property
    def is_closed(self) -> bool:
        """Whether it says that it is over."""
        return len(self.told) < len(self.events)

    @cached_property
    def told(self) -> Sequence[Event]:
        """The events before the one that says that it is over."""
        last = next((place for place, event in enumerate(self.events) if event.is_last), len(self.events))
        return self.events[:last]

    @cached_property
    def of_run(self) -> Sequence[Event]:
        """The events of the run itself."""
        return [event for event in self.told if event.shows_run]

    @cached_property
    def runs(self) -> Sequence[Event]:
        """Those of them that show a run."""
        return [event for event in self.of_run if is_run(event.value)]

    @cached_property
    def strays(self) -> Sequence[str]:
        """Lines that are no part of a server-sent event."""
        lines = (
            self.exchange.response.body.decode("utf-8-sig", "replace")
            .replace("\r\n", "\n")
            .replace("\r", "\n")
            .split("\n")
        )
        return [line for line in lines if line and not line.startswith(":") and line.partition(":")[0] not in _FIELDS]

    @property
    def failed(self) -> bool:
        """Whether it tells of an error, after which nothing need come."""
        return any(event.name == "error" for event in self.told)

    @property
    def goes_on(self) -> bool:
        """Whether it was cut off for taking long, and its run had not come to an end either."""
        return self.cut.startswith(LATE) and not self.end

    @cached_property
    def is_readable(self) -> bool:
        """Whether every event has a name and data in JSON; of what cannot be read nobody knows what it was part of."""
        return all(event.name != NAMELESS and event.json is not NOT_JSON for event in self.told)

    @property
    def begins_run(self) -> bool:
        """Whether it tells of a run from its creation on."""
        return self.exchange.operation is not None and self.exchange.operation.name != "submit_tool_outputs"

    @cached_property
    def end(self) -> str:
        """The status in which it leaves the run, if it says so: a final one, or that it waits for outputs."""
        status = announced_by(self.of_run[-1]) if self.of_run else ""
        return status if status in FINAL or status == "requires_action" else ""

    @property
    def broken_off(self) -> bool:
        """Whether the run was stopped in the middle of what it did."""
        stopped = {"cancelling", "cancelled", "failed", "expired"}
        return self.cancelled or any(announced_by(event) in stopped for event in self.of_run)

    def about(self, kind: str) -> Mapping[str, Sequence[Event]]:
        """The events of each step or message, by its id; `kind` is what the names of their events begin with."""
        found: dict[str, list[Event]] = {}
        for event in self.told:
            if event.name.startswith(kind) and isinstance(event.value.get("id"), str):
                found.setdefault(event.value["id"], []).append(event)
        return found


def streams(evidence: Evidence) -> Iterator[Heard]:
    """Every answer that came as events."""
    cancels = {each.ids["run_id"] for each in evidence.exchanges if _is(each, "cancel_run") and each.succeeded}
    doubtful = frozenset(_doubtful(evidence))
    for each in evidence.exchanges:
        if each.operation and each.is_stream:
            cancelled = not cancels.isdisjoint(str(event.value.get("id")) for event in each.events)
            yield Heard(each, cancelled, doubtful)


def _doubtful(evidence: Evidence) -> Iterator[str]:
    modified = {each.ids["run_id"] for each in evidence.exchanges if _is(each, "modify_run")}
    for seen in evidence.statements:
        yield from (str(fault.path[0]) for fault in seen.faults if fault.path)
        if not seen.final and seen.run.get("usage") is not None:
            yield "usage"
    for seen in evidence.runs:
        if seen.run.get("thread_id") != seen.thread_id:
            yield "thread_id"
        if seen.before and seen.before.words is not seen.words:
            before, settled = seen.before.run, {"metadata"} if seen.run.get("id") in modified else set[str]()
            changed = (name for name in MADE_WITH if not same(before.get(name), seen.run.get(name)))
            yield from (name for name in changed if name not in settled)


def _is(exchange: Exchange, operation: str) -> bool:
    return exchange.operation is not None and exchange.operation.name == operation


def announced_by(event: Event) -> str:
    """The status that an event of a run has in its name; who was created is queued."""
    announced = event.name.rpartition(".")[2]
    return "queued" if announced == "created" else announced


def status_in(event: Event) -> str:
    """The status that an event of a run shows; where it shows none that is documented, the one that it announces."""
    status: Any = event.value.get("status")
    return status if isinstance(status, str) and status in STATUSES else announced_by(event)


def message_of(event: Event) -> str:
    """The id of the message that an event of a step names; nothing where it names none."""
    details = event.value.get("step_details")
    creation = details.get("message_creation") if isinstance(details, dict) else None
    id = creation.get("message_id") if isinstance(creation, dict) else None
    return id if isinstance(id, str) else ""
