"""What must hold of every step of a run, in any message that shows it."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from conformance.invariants.calls import ids_of_calls
from conformance.invariants.judging import Answer, Broken, Invariant, Remark, invariant
from conformance.invariants.step_evidence import is_step
from conformance.wire.values import ABSENT, NOT_JSON, shown

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from conformance.invariants.evidence import Evidence
    from conformance.invariants.sightings import Message
    from conformance.invariants.step_evidence import StepSighting
    from conformance.wire.faults import FieldFault

_ENVELOPE = ("object", "data", "first_id", "last_id", "has_more")


def _steps(evidence: Evidence) -> Iterator[StepSighting]:
    return iter(evidence.run_steps)


def _lists(evidence: Evidence) -> Iterator[Message]:
    """Successful replies to listing steps that are JSON at all; another row judges those that are not."""
    return (each for each in evidence.replies("step_list") if each.exchange.json is not NOT_JSON)


def _in(*statuses: str) -> Callable[[StepSighting], bool]:
    return lambda seen: seen.status in statuses


@invariant("RUN-STEP-001", _lists)
def steps_come_in_the_envelope_of_lists(message: Message) -> Answer:
    """Steps are listed as runs are: an object with five members, and the steps in an array."""
    body = message.exchange.json
    if not isinstance(body, dict):
        return Broken("a JSON object", shown(body))
    if missing := [name for name in _ENVELOPE if name not in body]:
        return Broken(", ".join(_ENVELOPE), f"without {', '.join(missing)}")
    data, more = body["data"], body["has_more"]
    if not isinstance(data, list):
        return Broken("data an array of steps", f"data {shown(data)}")
    if (strange := next((item for item in data if not is_step(item)), ABSENT)) is not ABSENT:
        return Broken("data an array of steps", f"{shown(strange)} in data")
    if body["object"] != "list":
        return Broken('object "list"', f"object {shown(body['object'])}")
    return None if isinstance(more, bool) else Broken("has_more true or false", f"has_more {shown(more)}")


@invariant("RUN-STEP-002", _steps, lambda seen: not seen.astray)
def step_names_what_it_belongs_to(seen: StepSighting) -> Answer:
    """A step names the run and the thread that it was reached through, and the assistant of the run."""
    wanted: dict[str, object] = {name: seen.exchange.ids[name] for name in ("run_id", "thread_id")}
    named = seen.step.get("assistant_id")
    if isinstance(named, str) and (known := seen.assistants) and named not in known:
        wanted["assistant_id"] = min(known)
    other = [name for name in wanted if isinstance(seen.step.get(name), str) and seen.step[name] != wanted[name]]
    expected, actual = (", ".join(f"{name} {shown(told[name])}" for name in other) for told in (wanted, seen.step))
    return Broken(expected, actual) if other else None


def row_of(fault: FieldFault) -> str:
    """The narrowest row that states what a fault breaks."""
    match fault.path:
        case ("step_details", "message_creation", *_):
            return "RUN-STEP-009"
        case ("step_details", "tool_calls", _, "function", *_):
            return "RUN-STEP-010"
        case ("type" | "step_details", *_):
            return "RUN-STEP-005"
        case ("status", *_):
            return "RUN-STEP-006"
        case ("last_error", "code", *_):
            return "RUN-STEP-022"
        case _:
            return "RUN-STEP-003"


def _field_row(id: str, name: str, doc: str, when: Callable[[StepSighting], bool]) -> Invariant:
    def check(seen: StepSighting) -> Answer:
        found = [fault for fault in seen.faults if row_of(fault) == id]
        named = [".".join(map(str, fault.path)) or "the step:" for fault in found]
        expected = "; ".join(f"{path} {fault.expected}" for path, fault in zip(named, found, strict=True))
        actual = "; ".join(f"{path} {fault.actual}" for path, fault in zip(named, found, strict=True))
        return Broken(expected, actual) if found else None

    return Invariant(id, name, doc, _steps, when, check)


def _is(type: str) -> Callable[[StepSighting], bool]:
    return lambda seen: seen.step.get("type") == type


#: One judge for each row that a validation of the step decides.
FIELD_ROWS = (
    _field_row("RUN-STEP-003", "members_of_a_step", "A step has its members, each of its type.", lambda _: True),
    _field_row("RUN-STEP-005", "type_of_a_step", "A step is one of the two that there are.", lambda _: True),
    _field_row("RUN-STEP-006", "status_of_a_step", "A step has one of the five statuses.", lambda _: True),
    _field_row("RUN-STEP-009", "id_of_the_message", "A step that writes a message names it.", _is("message_creation")),
    _field_row(
        "RUN-STEP-010",
        "call_of_a_function",
        "A call of a function has its name, its arguments and an output, which may be null.",
        lambda seen: bool(seen.calls),
    ),
    _field_row(
        "RUN-STEP-022",
        "code_of_the_error",
        "The error of a step is one of two.",
        lambda seen: isinstance(seen.step.get("last_error"), dict),
    ),
)


@invariant("RUN-STEP-004", _steps)
def members_that_nobody_sent(seen: StepSighting) -> Answer:
    """Whether a step has what the schema requires and the real service left out."""
    there = [name for name in ("expired_at", "metadata") if name in seen.step]
    return Remark(f"steps have {' and '.join(there) or 'neither expired_at nor metadata'}")


def _types(seen: StepSighting) -> tuple[object, object]:
    details = seen.step.get("step_details")
    return seen.step.get("type"), details.get("type") if isinstance(details, dict) else None


@invariant("RUN-STEP-005", _steps, lambda seen: not seen.wrong("type") and not seen.wrong("step_details"))
def details_are_of_the_type(seen: StepSighting) -> Answer:
    """The type of a step and that of its details are one."""
    type, inside = _types(seen)
    return None if type == inside else Broken(f"step_details of type {type}", f"step_details of type {inside}")


@invariant("RUN-STEP-007", _steps, _in("in_progress"))
def step_in_progress_has_no_usage(seen: StepSighting) -> Answer:
    """Usage is known at the end."""
    usage = seen.step.get("usage")
    if usage is None or seen.wrong("usage"):
        return None
    return Broken("usage null while in_progress", f"usage {shown(usage)}")


@invariant("RUN-STEP-008", _steps, lambda seen: isinstance(seen.step.get("usage"), dict) and not seen.wrong("usage"))
def total_of_a_step_is_the_sum(seen: StepSighting) -> Answer:
    """The total is what the two parts add up to."""
    usage = seen.step["usage"]
    prompt, completion, total = (usage[name] for name in ("prompt_tokens", "completion_tokens", "total_tokens"))
    right = total == prompt + completion
    return None if right else Broken(f"total_tokens {prompt} + {completion}", f"total_tokens {total}")


@invariant(
    "RUN-STEP-010",
    _steps,
    lambda seen: bool(seen.calls) and seen.run is not None and seen.run.status == "requires_action",
)
def output_waits_to_be_submitted(seen: StepSighting) -> Answer:
    """The output of a call that waits for it is null."""
    waiting = ids_of_calls(seen.run) if seen.run and not seen.submitted else ()
    early = [
        call for call in seen.calls if call.get("id") in waiting and isinstance(call["function"].get("output"), str)
    ]
    if not early:
        return None
    outputs = ", ".join(f"output {shown(call['function']['output'])} of {call['id']}" for call in early)
    return Broken("output null until it is submitted", outputs)


def _in_order(seen: StepSighting, end: str) -> Answer:
    """A step ends after it was created, and is created after its run, as far as the times are set."""
    told = [
        ("created_at of the run", seen.run_created_at),
        *((name, seen.integer(name)) for name in ("created_at", end)),
    ]
    times = [(name, time) for name, time in told if time is not None]
    if [time for _, time in times] == sorted(time for _, time in times):
        return None
    return Broken(" <= ".join(name for name, _ in times), ", ".join(f"{name} {time}" for name, time in times))


def _ended(seen: StepSighting, status: str, *members: str) -> Answer:
    """Members are set once the step has a status, and null before that; those of another type are another row's."""
    members = tuple(name for name in members if name in seen.step and not seen.wrong(name))
    wanted = "set" if seen.status == status else "null"
    other = [name for name in members if (seen.step[name] is None) == (wanted == "set")]
    if not other:
        return None
    told = ", ".join(f"{name} {shown(seen.step[name])}" for name in other)
    return Broken(f"{' and '.join(other)} {wanted} while the step is {seen.status}", told)


@invariant("RUN-STEP-013", _steps, lambda seen: seen.status is not None and not seen.astray)
def completed_step_says_when(seen: StepSighting) -> Answer:
    """A completed step, and no other, says when it completed: after it was created, which was after its run was."""
    return _ended(seen, "completed", "completed_at") or _in_order(seen, "completed_at")


@invariant("RUN-STEP-014", _steps, _in("cancelled", "failed"))
def broken_off_step_says_when(seen: StepSighting) -> Answer:
    """A step that was cancelled or failed says when, and why it failed."""
    member = "cancelled_at" if seen.status == "cancelled" else "failed_at"
    because = ["last_error"] if seen.status == "failed" else []
    broken = _ended(seen, str(seen.status), member, *because)
    start, end = seen.integer("created_at"), seen.integer(member)
    late = start is not None and end is not None and end < start
    return broken or (Broken(f"{member} from {start} on", f"{member} {end}") if late else None)


@invariant("RUN-STEP-014", _steps, lambda seen: seen.status is not None)
def other_steps_were_not_broken_off(seen: StepSighting) -> Answer:
    """A step in another status was not cancelled, and has not failed."""
    cancelled = _ended(seen, "cancelled", "cancelled_at") if seen.status != "cancelled" else None
    failed = _ended(seen, "failed", "failed_at", "last_error") if seen.status != "failed" else None
    return cancelled or failed


@invariant("RUN-STEP-023", _lists, lambda message: len(_ids(message)) > 1)
def steps_have_ids_of_their_own(message: Message) -> Answer:
    """No two steps of a page have one id."""
    twice = [id for id, times in Counter(_ids(message)).items() if times > 1]
    return Broken("every step with an id of its own", f"more than once: {', '.join(twice)}") if twice else None


def _ids(message: Message) -> list[str]:
    body = message.exchange.json
    data = body.get("data") if isinstance(body, dict) else None
    steps = [item for item in data if is_step(item)] if isinstance(data, list) else []
    return [step["id"] for step in steps if isinstance(step.get("id"), str)]
