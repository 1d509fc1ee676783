"""What a session saw of the steps of runs, derived once from its journal."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final

from conformance.wire.steps import STEP_STATUSES, step_faults

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from conformance.invariants.sightings import Sighting
    from conformance.wire.exchange import Exchange
    from conformance.wire.faults import FieldFault


#: Times of a run that cannot lie before its creation.
_LATER: Final = ("started_at", "cancelled_at", "completed_at", "failed_at")


@dataclass(frozen=True, eq=False)
class StepSighting:
    """A step as one message showed it."""

    step: Mapping[str, Any]
    exchange: Exchange
    #: The last sighting of its run that was over when this was asked for.
    run: Sighting | None
    #: Whether outputs may have been submitted between the two.
    submitted: bool
    #: Whether it was reached through a run or thread that is not its own, which a row of its own is about.
    astray: bool

    @property
    def exchanges(self) -> tuple[Exchange, ...]:
        """The message, after the one that showed the run."""
        return (self.exchange,) if self.run is None else (self.run.exchange, self.exchange)

    @property
    def place(self) -> tuple[str, ...]:
        """The ids by which it is read: of its thread, its run and its own."""
        ids = self.exchange.ids
        return ids["thread_id"], ids["run_id"], str(self.step.get("id"))

    @cached_property
    def status(self) -> str | None:
        """One of the documented statuses, or None."""
        status = self.step.get("status")
        return status if isinstance(status, str) and status in STEP_STATUSES else None

    @cached_property
    def faults(self) -> Sequence[FieldFault]:
        """The members that are not as the model says."""
        return step_faults(dict(self.step))

    def integer(self, name: str) -> int | None:
        """An integer that is set, such as a timestamp; what is wrong in itself is the schema's business."""
        value = self.step.get(name)
        return value if type(value) is int and not self.wrong(name) else None

    def wrong(self, name: str) -> bool:
        """Whether a member, or something in it, is not of the schema."""
        return any(fault.path[:1] == (name,) for fault in self.faults)

    @property
    def assistants(self) -> set[str]:
        """The assistant of its run, by whatever was shown of it or asked for; that these agree is another row's."""
        life = list(self.run.life()) if self.run else []
        asked = [seen.exchange.request.json for seen in life]
        named = [*(seen.run for seen in life), *(body for body in asked if isinstance(body, dict))]
        return {id for each in named if isinstance(id := each.get("assistant_id"), str)}

    @property
    def run_created_at(self) -> int | None:
        """When its run was created, if all that was shown of it makes sense; rows about runs judge what does not."""
        life = list(self.run.life()) if self.run else []
        created = [time for seen in life if (time := seen.integer("created_at")) is not None]
        later = [time for seen in life for name in _LATER if (time := seen.integer(name)) is not None]
        return min(created) if created and max(created) <= min(later, default=max(created)) else None

    @property
    def calls(self) -> Sequence[Mapping[str, Any]]:
        """The calls of functions that it shows."""
        details = self.step.get("step_details")
        calls = details.get("tool_calls") if isinstance(details, dict) else None
        found = [call for call in calls if isinstance(call, dict)] if isinstance(calls, list) else []
        return [call for call in found if isinstance(call.get("function"), dict)]


def is_step(value: object) -> bool:
    """Whether a value is a step at all, however faulty; what is none has no members worth judging one by one."""
    return isinstance(value, dict) and not value.keys().isdisjoint({"status", "run_id", "step_details"})


def step_sightings(
    journal: Iterable[Exchange], histories: Mapping[tuple[str, str], Sequence[Sighting]]
) -> Iterator[StepSighting]:
    """Every sighting of a step, in order."""
    submits: dict[str, list[Exchange]] = {}
    listed: dict[object, set[tuple[str, str]]] = {}
    known = {run for _, run in histories}
    for each in journal:
        name = each.operation.name if each.operation else ""
        if name == "submit_tool_outputs" and not each.refused:
            submits.setdefault(each.ids["run_id"], []).append(each)
        for step in _steps_in(each):
            place, id = (each.ids["thread_id"], each.ids["run_id"]), str(step.get("id"))
            astray = (place not in histories and place[1] in known) or place not in listed.get(id, {place})
            if name == "list_steps" and not astray:
                listed.setdefault(id, set()).add(place)
            history = histories.get(place, ())
            run = next((seen for seen in reversed(history) if _is_before(seen.exchange, each)), None)
            since = run.exchange.number if run else 0
            submitted = any(submit.number >= since for submit in submits.get(each.ids["run_id"], ()))
            yield StepSighting(step, each, run, submitted, astray)


def _is_before(one: Exchange, other: Exchange) -> bool:
    """Whether one was over when the other was sent; scopes may have clocks of their own, but one journal."""
    return one.number < other.number and not one.overlaps(other)


def _steps_in(exchange: Exchange) -> Sequence[Mapping[str, Any]]:
    operation = exchange.operation
    if operation is None or operation.returns not in {"step", "step_list"} or not exchange.succeeded:
        return []
    body = exchange.json
    if not isinstance(body, dict):
        return []
    if operation.returns == "step":
        return [body] if is_step(body) else []
    if not isinstance(body.get("data"), list):
        return []
    return [item for item in body["data"] if is_step(item)]
