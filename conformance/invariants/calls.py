"""What must hold of the function calls that a run waits for, beyond their shape."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from conformance.invariants.judging import Answer, Broken, Remark, invariant
from conformance.invariants.schema import tools_of
from conformance.wire.values import shown

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from conformance.invariants.evidence import Evidence, Sighting


def _runs(evidence: Evidence) -> Iterator[Sighting]:
    return iter(evidence.runs)


def _list_of_calls(seen: Sighting) -> Any:
    action = seen.run.get("required_action")
    outputs = action.get("submit_tool_outputs") if isinstance(action, dict) else None
    return outputs.get("tool_calls") if isinstance(outputs, dict) else None


def _texts(values: Iterable[Any]) -> list[str]:
    """Those that are texts; the others are the schema's business."""
    return [value for value in values if isinstance(value, str)]


def _calls(seen: Sighting) -> list[Mapping[str, Any]]:
    calls = _list_of_calls(seen)
    return [call for call in calls if isinstance(call, dict)] if isinstance(calls, list) else []


def ids_of_calls(seen: Sighting) -> list[str]:
    """The ids of the calls that a run waits for."""
    return _texts(call.get("id") for call in _calls(seen))


def _function_of(call: Mapping[str, Any]) -> Mapping[str, Any]:
    function = call.get("function")
    return function if isinstance(function, dict) else {}


@invariant("RUN-SCHEMA-013", _runs, lambda seen: isinstance(_list_of_calls(seen), list))
def tool_calls_are_told_apart(seen: Sighting) -> Answer:
    """There is at least one call, and no id comes twice."""
    if not _list_of_calls(seen):
        return Broken("at least one tool call", "no tool calls")
    ids = _texts(call.get("id") for call in _calls(seen))
    return None if len(set(ids)) == len(ids) else Broken("tool calls with ids of their own", f"ids {shown(ids)}")


@invariant(
    "RUN-SCHEMA-014", _runs, lambda seen: any(isinstance(_function_of(c).get("arguments"), str) for c in _calls(seen))
)
def arguments_are_json(seen: Sighting) -> Answer:
    """Whether the arguments of the calls parse as JSON."""
    for call in _calls(seen):
        try:
            json.loads(_function_of(call).get("arguments", "null"))
        except (TypeError, ValueError, RecursionError):
            return Remark("arguments of a tool call that are no JSON were seen")
    return Remark("arguments of tool calls are JSON")


@invariant("RUN-SCHEMA-015", _runs, lambda seen: bool(_calls(seen)) and not seen.wrong("tools"))
def called_function_is_a_tool(seen: Sighting) -> Answer:
    """Every call is of a function that the run has."""
    offered = set(_texts(_function_of(tool).get("name") for tool in tools_of(seen)))
    called = set(_texts(_function_of(call).get("name") for call in _calls(seen)))
    if called <= offered:
        return None
    return Broken(f"functions among {shown(sorted(offered))}", f"functions {shown(sorted(called))}")
