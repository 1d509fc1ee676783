"""The Run schema: one validation of each run, and each fault told to the narrowest row that states it."""

from __future__ import annotations

import math
from functools import lru_cache
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from conformance.invariants.judging import Answer, Broken, Invariant, Remark, invariant
from conformance.invariants.sightings import Message, is_run
from conformance.wire.models import Run
from conformance.wire.values import NOT_JSON, shown

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from conformance.invariants.evidence import Evidence
    from conformance.invariants.sightings import Sighting
    from conformance.wire.faults import FieldFault

#: The row of each member of a run, for faults of the member itself and of whatever lies in it.
_MEMBERS: Mapping[str, str] = {
    "id": "RUN-SCHEMA-002",
    "object": "RUN-SCHEMA-005",
    "created_at": "RUN-SCHEMA-006",
    "thread_id": "RUN-SCHEMA-007",
    "assistant_id": "RUN-SCHEMA-008",
    "status": "RUN-SCHEMA-009",
    "required_action": "RUN-SCHEMA-010",
    "last_error": "RUN-SCHEMA-016",
    "expires_at": "RUN-SCHEMA-018",
    "started_at": "RUN-SCHEMA-019",
    "cancelled_at": "RUN-SCHEMA-020",
    "failed_at": "RUN-SCHEMA-021",
    "completed_at": "RUN-SCHEMA-022",
    "incomplete_details": "RUN-SCHEMA-023",
    "model": "RUN-SCHEMA-025",
    "instructions": "RUN-SCHEMA-026",
    "tools": "RUN-SCHEMA-028",
    "metadata": "RUN-SCHEMA-035",
    "usage": "RUN-SCHEMA-037",
    "temperature": "RUN-SCHEMA-038",
    "top_p": "RUN-SCHEMA-038",
    "max_prompt_tokens": "RUN-SCHEMA-039",
    "max_completion_tokens": "RUN-SCHEMA-039",
    "truncation_strategy": "RUN-SCHEMA-040",
    "tool_choice": "RUN-SCHEMA-041",
    "parallel_tool_calls": "RUN-SCHEMA-043",
    "response_format": "RUN-SCHEMA-044",
}


@lru_cache(maxsize=1024)
def row_of(fault: FieldFault) -> str:  # noqa: C901, PLR0911 - a table, and each case is a row of it
    """The narrowest row that states what a fault breaks."""
    if fault.integral_float:
        return "RUN-SCHEMA-047"
    match fault.path:
        case ("required_action", "type", *_):
            return "RUN-SCHEMA-011"
        case ("required_action", _, *_):
            return "RUN-SCHEMA-012"
        case ("last_error", _, *_):
            return "RUN-SCHEMA-017"
        case ("incomplete_details", _, *_):
            return "RUN-SCHEMA-024"
        case ("instructions",) if fault.kind != "missing":
            return "RUN-SCHEMA-027"
        case ("tools", *rest):
            return _row_of_tool(rest, fault)
        case ("metadata", *_) if fault.kind in {"too_long", "string_too_long"}:
            return "RUN-SCHEMA-036"
        case ("tool_choice", "function", *_):
            return "RUN-SCHEMA-042"
        case ("response_format", "json_schema", "name"):
            return "RUN-SCHEMA-045"
        case (str(member), *_):
            return _MEMBERS.get(member, "RUN-SCHEMA-001")
        case _:
            return "RUN-SCHEMA-001"


def _row_of_tool(path: list[str | int], fault: FieldFault) -> str:
    match path:
        case []:
            return "RUN-SCHEMA-029" if fault.kind == "too_long" else "RUN-SCHEMA-028"
        case [_, "function"] | [_, "function", "name"]:
            return "RUN-SCHEMA-031"
        case [_, "function", *_]:
            return "RUN-SCHEMA-032"
        case [_, "file_search", "ranking_options", *_]:
            return "RUN-SCHEMA-034"
        case [_, "file_search", *inside]:
            return "RUN-SCHEMA-033" if inside else "RUN-SCHEMA-001"
        case _:
            return "RUN-SCHEMA-030"


def _sightings(evidence: Evidence) -> Iterator[Sighting]:
    return iter(evidence.runs)


def _runs(evidence: Evidence) -> Iterator[Sighting]:
    """For judges that look at nothing but the run."""
    return iter(evidence.statements)


def _always(_: Sighting) -> bool:
    return True


def _object(member: str) -> Callable[[Sighting], bool]:
    return lambda seen: isinstance(seen.run.get(member), dict)


def _tool(kind: str, *members: str) -> Callable[[Sighting], bool]:
    """Whether the run has a tool of a kind, and that has the members, one inside the other."""

    def has(seen: Sighting) -> bool:
        return any(_lies_in(tool, members) for tool in tools_of(seen) if tool.get("type") == kind)

    return has


def _lies_in(value: Any, members: tuple[str, ...]) -> bool:
    for member in members:
        if not isinstance(value, dict) or member not in value:
            return False
        value = value[member]
    return True


def tools_of(seen: Sighting) -> list[Mapping[str, Any]]:
    """The tools of a run that are objects."""
    tools = seen.run.get("tools")
    return [tool for tool in tools if isinstance(tool, dict)] if isinstance(tools, list) else []


#: When the rows about something inside a member apply; every other row applies to every run.
_APPLIES: Mapping[str, Callable[[Sighting], bool]] = {
    "RUN-SCHEMA-011": _object("required_action"),
    "RUN-SCHEMA-012": _object("required_action"),
    "RUN-SCHEMA-017": _object("last_error"),
    "RUN-SCHEMA-024": _object("incomplete_details"),
    "RUN-SCHEMA-027": lambda seen: "instructions" in seen.run,
    "RUN-SCHEMA-030": lambda seen: isinstance(seen.run.get("tools"), list) and bool(seen.run["tools"]),
    "RUN-SCHEMA-031": _tool("function"),
    "RUN-SCHEMA-032": _tool("function", "function"),
    "RUN-SCHEMA-033": _tool("file_search", "file_search", "max_num_results"),
    "RUN-SCHEMA-034": _tool("file_search", "file_search", "ranking_options"),
    "RUN-SCHEMA-036": lambda seen: _object("metadata")(seen) and bool(seen.run["metadata"]),
    "RUN-SCHEMA-042": lambda seen: _names_a_function(seen.run.get("tool_choice")),
    "RUN-SCHEMA-045": lambda seen: _lies_in(seen.run.get("response_format"), ("json_schema",)),
}


def _field_row(id: str, name: str) -> Invariant:
    def check(seen: Sighting) -> Answer:
        broken = _broken(fault for fault in seen.faults if row_of(fault) == id) if seen.faults else None
        if id == "RUN-SCHEMA-042" and not broken and _function_without_name(seen):
            return Broken("tool_choice.function.name", "tool_choice of type function without a function")
        return broken

    return Invariant(id, name, "", _runs, _APPLIES.get(id, _always), check)


def _broken(faults: Iterable[FieldFault]) -> Broken | None:
    found = list(faults)
    expected = "; ".join(f"{_dotted(fault)} {fault.expected}" for fault in found)
    return Broken(expected, "; ".join(f"{_dotted(fault)} {fault.actual}" for fault in found)) if found else None


def _names_a_function(choice: Any) -> bool:
    return isinstance(choice, dict) and (choice.get("type") == "function" or choice.get("function") is not None)


def _function_without_name(seen: Sighting) -> bool:
    choice = seen.run.get("tool_choice")
    return (
        isinstance(choice, dict) and choice.get("type") == "function" and not isinstance(choice.get("function"), dict)
    )


def _dotted(fault: FieldFault) -> str:
    return ".".join(map(str, fault.path)) or "the run:"


_NARROWER = {
    "RUN-SCHEMA-011": "type_of_required_action",
    "RUN-SCHEMA-012": "tool_calls",
    "RUN-SCHEMA-017": "code_of_last_error",
    "RUN-SCHEMA-024": "reason_of_incomplete_details",
    "RUN-SCHEMA-027": "type_of_instructions",
    "RUN-SCHEMA-029": "number_of_tools",
    "RUN-SCHEMA-030": "type_of_a_tool",
    "RUN-SCHEMA-031": "name_of_a_function",
    "RUN-SCHEMA-032": "members_of_a_function",
    "RUN-SCHEMA-033": "max_num_results",
    "RUN-SCHEMA-034": "ranking_options",
    "RUN-SCHEMA-036": "limits_of_metadata",
    "RUN-SCHEMA-042": "function_of_tool_choice",
    "RUN-SCHEMA-045": "name_of_json_schema",
}
_NAMES = {**{row: member for member, row in reversed(tuple(_MEMBERS.items()))}, **_NARROWER}

#: One judge for each row that a validation of the run decides.
FIELD_ROWS = tuple(_field_row(id, name) for id, name in sorted(_NAMES.items()))


def _shown(evidence: Evidence) -> Iterator[Sighting | Message]:
    """Every sighting of a run, and every JSON reply that should be one and is none; no JSON is another row's."""
    yield from evidence.runs
    replies = evidence.replies("run")
    shapeless = (each for each in replies if each.exchange.json is not NOT_JSON and not is_run(each.exchange.json))
    yield from (reply for reply in shapeless if not _misshapen(reply))


def _misshapen(message: Message) -> bool:
    """Whether an id was sent that nobody would issue, so that whatever answered was no operation on a run."""
    return any(quote(id, safe="") != id for id in message.exchange.ids.values())


@invariant("RUN-SCHEMA-001", _shown)
def a_run_is_an_object_of_the_schema(subject: Sighting | Message) -> Answer:
    """A run is an object, and nothing is wrong with it that no narrower row states."""
    if isinstance(subject, Message):
        return Broken("a run as a JSON object", shown(subject.exchange.json))
    if not subject.faults:
        return None
    return _broken(fault for fault in subject.faults if row_of(fault) == "RUN-SCHEMA-001")


@invariant("RUN-SCHEMA-007", _sightings, lambda seen: not seen.listed and not seen.by("cancel_run"))
def thread_id_is_the_threads(seen: Sighting) -> Answer:
    """The run names the thread through which it was reached."""
    if not isinstance(named := seen.run.get("thread_id"), str) or named == seen.thread_id:
        return None
    if seen.astray:  # RUN-ERR-005 is about that it was shown at all
        return None
    return Broken(f"thread_id {seen.thread_id}", f"thread_id {named}")


def _asked_for_an_assistant(seen: Sighting) -> bool:
    asked = seen.exchange.request.json
    created = seen.by("create_run") or seen.by("create_thread_and_run")
    return created and isinstance(asked, dict) and isinstance(asked.get("assistant_id"), str)


@invariant("RUN-SCHEMA-008", _sightings, _asked_for_an_assistant)
def assistant_id_is_the_requested_one(seen: Sighting) -> Answer:
    """The run names the assistant that it was created with."""
    asked, named = seen.exchange.request.json["assistant_id"], seen.run.get("assistant_id")
    right = named == asked or not isinstance(named, str)
    return None if right else Broken(f"assistant_id {asked}", f"assistant_id {named}")


_DECLARED = frozenset(Run.model_fields)


@invariant("RUN-SCHEMA-046", _runs)
def undeclared_members(seen: Sighting) -> Answer:
    """Which members nobody documented."""
    extra = sorted(str(name) for name in seen.run if name not in _DECLARED)
    return Remark(f"undeclared members: {', '.join(extra)}") if extra else None


@invariant("RUN-SCHEMA-047", _runs)
def numbers_are_plain(seen: Sighting) -> Answer:
    """Integers are written as integers, and no number is NaN or infinite."""
    found = [_dotted(fault) for fault in seen.faults if fault.integral_float]
    found += [name for name, value in seen.run.items() if _has_strange_number(value)]
    return Broken("integers without a fraction, and finite numbers", ", ".join(found)) if found else None


def _has_strange_number(value: Any) -> bool:
    if type(value) is float:
        return not math.isfinite(value)
    if isinstance(value, (dict, list)):
        return any(map(_has_strange_number, value.values() if isinstance(value, dict) else value))
    return False
