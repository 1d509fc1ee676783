"""The calls that a run waits for, read without trust."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


def listed_calls(run: Mapping[str, Any]) -> Any:
    """What its required_action lists as tool calls, whatever that is; None where it lists nothing."""
    action = run.get("required_action")
    outputs = action.get("submit_tool_outputs") if isinstance(action, dict) else None
    return outputs.get("tool_calls") if isinstance(outputs, dict) else None


def calls_in(run: Mapping[str, Any]) -> Sequence[Mapping[str, Any]]:
    """Those of them that are objects; what else is listed is the schema's business."""
    calls = listed_calls(run)
    return [call for call in calls if isinstance(call, dict)] if isinstance(calls, list) else []


def function_of(call: Mapping[str, Any]) -> Mapping[str, Any]:
    """The function of a call; an empty one where it has none."""
    function = call.get("function")
    return function if isinstance(function, dict) else {}
