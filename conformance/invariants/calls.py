"""What must hold of the function calls that a run waits for, beyond their shape."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from conformance.invariants.judging import Answer, Broken, Remark, invariant
from conformance.invariants.schema import tools_of
from conformance.wire.calls import calls_in, function_of, listed_calls
from conformance.wire.values import shown

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from conformance.invariants.evidence import Evidence
    from conformance.invariants.sightings import Sighting


def _runs(evidence: Evidence) -> Iterator[Sighting]:
    return iter(evidence.statements)


def _texts(values: Iterable[Any]) -> list[str]:
    """Those that are texts; the others are the schema's business."""
    return [value for value in values if isinstance(value, str)]


def ids_of_calls(seen: Sighting) -> list[str]:
    """The ids of the calls that a run waits for."""
    return _texts(call.get("id") for call in calls_in(seen.run))


@invariant("RUN-SCHEMA-013", _runs, lambda seen: isinstance(listed_calls(seen.run), list))
def tool_calls_are_told_apart(seen: Sighting) -> Answer:
    """There is at least one call, and no id comes twice."""
    if not listed_calls(seen.run):
        return Broken("at least one tool call", "no tool calls")
    ids = _texts(call.get("id") for call in calls_in(seen.run))
    return None if len(set(ids)) == len(ids) else Broken("tool calls with ids of their own", f"ids {shown(ids)}")


@invariant(
    "RUN-SCHEMA-014",
    _runs,
    lambda seen: any(isinstance(function_of(c).get("arguments"), str) for c in calls_in(seen.run)),
)
def arguments_are_json(seen: Sighting) -> Answer:
    """Whether the arguments of the calls parse as JSON."""
    for call in calls_in(seen.run):
        try:
            json.loads(function_of(call).get("arguments", "null"))
        except (TypeError, ValueError, RecursionError):
            return Remark("arguments of a tool call that are no JSON were seen")
    return Remark("arguments of tool calls are JSON")


@invariant("RUN-SCHEMA-015", _runs, lambda seen: bool(calls_in(seen.run)) and not seen.wrong("tools"))
def called_function_is_a_tool(seen: Sighting) -> Answer:
    """Every call is of a function that the run has."""
    offered = set(_texts(function_of(tool).get("name") for tool in tools_of(seen)))
    called = set(_texts(function_of(call).get("name") for call in calls_in(seen.run)))
    if called <= offered:
        return None
    return Broken(f"functions among {shown(sorted(offered))}", f"functions {shown(sorted(called))}")
