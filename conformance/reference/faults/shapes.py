"""Shapes: a run whose members are missing, of another type, or of a value that nobody documented."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from conformance.reference.faults.registry import shows

if TYPE_CHECKING:
    from collections.abc import Callable

    from conformance.reference.calls import Call
    from conformance.reference.runs import Run

    Change = Callable[[dict[str, Any], Run, Call], Any]


def without(member: str) -> Change:
    """Leave a member out."""
    return lambda told, *_: told.pop(member)


def says(member: str, value: Any, *, when: Callable[[dict[str, Any]], object] = lambda _: True) -> Change:
    """Give a member another value, where something holds of the run."""

    def change(told: dict[str, Any], *_: object) -> None:
        if when(told):
            told[member] = value

    return change


def turns(member: str, how: Callable[[Any], Any]) -> Change:
    """Turn the value of a member into another, where it has one."""

    def change(told: dict[str, Any], *_: object) -> None:
        if told[member] is not None:
            told[member] = how(told[member])

    return change


def _inside(member: str, how: Callable[[Any], Any]) -> Change:
    """Change what lies inside a member, where it has a value."""

    def change(told: dict[str, Any], *_: object) -> None:
        if told[member]:
            copy: Any = _copied(told[member])
            how(copy)
            told[member] = copy

    return change


def _copied(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _copied(each) for name, each in value.items()}
    return [_copied(each) for each in value] if isinstance(value, list) else value


def _functions(how: Callable[[dict[str, Any]], Any]) -> Change:
    return _inside("tools", lambda tools: [how(tool["function"]) for tool in tools if tool["type"] == "function"])


def _searches(how: Callable[[dict[str, Any]], Any]) -> Change:
    return _inside("tools", lambda tools: [how(t["file_search"]) for t in tools if t["type"] == "file_search"])


def _calls(how: Callable[[list[dict[str, Any]]], Any]) -> Change:
    return _inside("required_action", lambda action: how(action["submit_tool_outputs"]["tool_calls"]))


_ROWS = {
    "id": "002",
    "object": "005",
    "created_at": "006",
    "thread_id": "007",
    "assistant_id": "008",
    "status": "009",
    "required_action": "010",
    "last_error": "016",
    "expires_at": "018",
    "started_at": "019",
    "cancelled_at": "020",
    "failed_at": "021",
    "completed_at": "022",
    "incomplete_details": "023",
    "model": "025",
    "instructions": "026",
    "tools": "028",
    "metadata": "035",
    "usage": "037",
    "max_prompt_tokens": "039",
    "max_completion_tokens": "039",
    "truncation_strategy": "040",
    "tool_choice": "041",
    "parallel_tool_calls": "043",
    "response_format": "044",
}
for _member, _row in _ROWS.items():
    shows(f"{_member.replace('_', '-')}-missing", f"A run has no {_member}.", f"SCHEMA-{_row}", change=without(_member))

for _member in ("id", "object", "created_at", "thread_id", "assistant_id", "status", "model", "tools"):
    _name = f"{_member.replace('_', '-')}-null"
    shows(_name, f"The {_member} of a run is null.", f"SCHEMA-{_ROWS[_member]}", change=says(_member, None))

for _member in ("created_at", "expires_at", "started_at", "completed_at", "cancelled_at"):
    _name, _row = _member.replace("_", "-"), f"SCHEMA-{_ROWS[_member]}"
    shows(f"{_name}-text", f"{_member} is a text of digits.", _row, change=turns(_member, str))
    _as_date = turns(_member, lambda _: "2026-01-01T00:00:00Z")
    shows(f"{_name}-iso", f"{_member} is an ISO 8601 date.", _row, change=_as_date)
    shows(f"{_name}-float", f"{_member} has a fraction of zero.", "SCHEMA-047", change=turns(_member, float))
    _halved = turns(_member, lambda value: value + 0.5)
    shows(f"{_name}-fraction", f"{_member} has a fraction of a second.", _row, change=_halved)

shows("status-capitals", "Statuses are in capitals.", "SCHEMA-009", change=turns("status", str.upper))
shows("status-american", "Cancelled has one l.", "SCHEMA-009", change=turns("status", lambda s: s.replace("ll", "l")))
shows(
    "status-succeeded",
    "A completed run has succeeded.",
    "SCHEMA-009",
    change=says("status", "succeeded", when=lambda told: told["status"] == "completed"),
)
shows("object-run", "The object is a run.", "SCHEMA-005", change=says("object", "run"))
shows("id-empty", "The id is empty.", "SCHEMA-002", change=says("id", ""))
shows("id-number", "The id is a number.", "SCHEMA-002", change=says("id", 7))
shows(
    "run-in-data",
    "A run is wrapped in data.",
    "SCHEMA-001",
    change=lambda told, *_: ((inner := dict(told)), told.clear(), told.update(data=inner)),
)
shows(
    "thread-of-another",
    "thread_id names another thread.",
    "SCHEMA-007",
    "CANCEL-002",
    "PAGE-003",
    "THREADRUN-001",
    change=says("thread_id", "thread_other"),
)
shows(
    "assistant-of-another",
    "assistant_id names another assistant.",
    "SCHEMA-008",
    "STEP-002",
    change=says("assistant_id", "asst_other"),
)
shows(
    "required-action-false",
    "required_action is false instead of null.",
    "SCHEMA-010",
    change=says("required_action", False, when=lambda told: told["required_action"] is None),
)
shows(
    "action-of-another-type",
    "The type of required_action is unknown.",
    "SCHEMA-011",
    change=_inside("required_action", lambda action: action.update(type="function_call")),
)
shows(
    "arguments-decoded",
    "The arguments of a call are an object.",
    "SCHEMA-012",
    change=_calls(lambda calls: calls[0]["function"].update(arguments={"x": "1"})),
)
shows("call-without-id", "A tool call has no id.", "SCHEMA-012", change=_calls(lambda calls: calls[0].pop("id")))
shows("no-calls", "A run waits for no call at all.", "SCHEMA-013", change=_calls(list.clear))
shows("call-twice", "The same call is listed twice.", "SCHEMA-013", change=_calls(lambda calls: calls.append(calls[0])))
shows(
    "arguments-cut",
    "The arguments of a call break off.",
    "STREAM-015",
    change=_calls(lambda calls: calls[0]["function"].update(arguments='{"x": ')),
)
shows(
    "call-of-a-stranger",
    "The call names a function that the run does not have.",
    "SCHEMA-015",
    change=_calls(lambda calls: calls[0]["function"].update(name="stranger")),
)
shows("last-error-text", "last_error is a text.", "SCHEMA-016", change=turns("last_error", lambda e: e["message"]))
shows(
    "last-error-code",
    "The code of last_error is unknown.",
    "SCHEMA-017",
    change=_inside("last_error", lambda error: error.update(code="oops")),
)
shows(
    "last-error-silent",
    "last_error has no message.",
    "SCHEMA-017",
    change=_inside("last_error", lambda error: error.pop("message")),
)
shows("failed-at-text", "failed_at is a text.", "SCHEMA-021", change=turns("failed_at", str))
shows(
    "incomplete-details-text",
    "incomplete_details is a text.",
    "SCHEMA-023",
    change=turns("incomplete_details", lambda details: details["reason"]),
)
shows(
    "incomplete-reason-unknown",
    "The reason of incomplete_details is unknown.",
    "SCHEMA-024",
    change=_inside("incomplete_details", lambda details: details.update(reason="length")),
)
shows("model-object", "The model is an object.", "SCHEMA-025", change=turns("model", lambda model: {"id": model}))
shows("instructions-list", "instructions are a list.", "SCHEMA-027", change=turns("instructions", lambda text: [text]))
shows("tools-object", "tools is an object.", "SCHEMA-028", change=says("tools", {}))
shows(
    "tools-too-many",
    "A run has more tools than it may.",
    "SCHEMA-029",
    "CREATE-010",
    change=says("tools", [{"type": "code_interpreter"}] * 21),
)
shows(
    "tool-unknown",
    "A tool is of an unknown type.",
    "SCHEMA-030",
    change=_inside("tools", lambda tools: tools[0].update(type="retrieval")),
)
shows(
    "function-misnamed",
    "The name of a function has a space.",
    "SCHEMA-031",
    "SCHEMA-015",
    change=_functions(lambda function: function.update(name="a name")),
)
shows(
    "function-strictly",
    "strict of a function is a text.",
    "SCHEMA-032",
    change=_functions(lambda function: function.update(strict="false")),
)
shows(
    "function-parameters-text",
    "parameters of a function are a text.",
    "SCHEMA-032",
    change=_functions(lambda function: function.update(parameters="{}")),
)
shows(
    "search-too-much",
    "max_num_results is above 50.",
    "SCHEMA-033",
    change=_searches(lambda search: search.update(max_num_results=51)),
)
shows(
    "search-score",
    "score_threshold is above 1.",
    "SCHEMA-034",
    change=_searches(lambda search: search["ranking_options"].update(score_threshold=2)),
)
shows(
    "metadata-numbers",
    "Values of metadata are numbers.",
    "SCHEMA-035",
    "STREAM-006",
    change=turns("metadata", lambda pairs: dict.fromkeys(pairs, 1)),
)
shows("metadata-list", "metadata is a list.", "SCHEMA-035", change=says("metadata", []))
shows(
    "metadata-too-many",
    "metadata has more pairs than it may.",
    "SCHEMA-036",
    change=turns("metadata", lambda pairs: {**pairs, **{f"more {n}": "" for n in range(17)}} if pairs else pairs),
)
shows("usage-empty", "usage is an empty object.", "SCHEMA-037", change=turns("usage", lambda _: {}))
shows(
    "usage-text",
    "Counts of tokens are texts.",
    "SCHEMA-037",
    change=turns("usage", lambda usage: {**usage, "prompt_tokens": str(usage["prompt_tokens"])}),
)
shows(
    "usage-negative",
    "Counts of tokens are negative.",
    "SCHEMA-037",
    change=turns("usage", lambda usage: {**usage, "prompt_tokens": -1, "total_tokens": usage["completion_tokens"] - 1}),
)
shows("temperature-text", "temperature is a text.", "SCHEMA-038", change=turns("temperature", str))
shows("top-p-text", "top_p is a text.", "SCHEMA-038", change=turns("top_p", str))
shows(
    "limit-zero",
    "No limit of tokens is given as 0.",
    "SCHEMA-039",
    change=lambda told, *_: told.update(max_prompt_tokens=told["max_prompt_tokens"] or 0),
)
shows("strategy-text", "truncation_strategy is a text.", "SCHEMA-040", change=says("truncation_strategy", "auto"))
shows(
    "strategy-unknown",
    "truncation_strategy is of an unknown type.",
    "SCHEMA-040",
    change=says("truncation_strategy", {"type": "middle", "last_messages": None}),
)
shows(
    "choice-unknown",
    "tool_choice is an unknown word.",
    "SCHEMA-041",
    change=says("tool_choice", "any", when=lambda told: told["tool_choice"] == "auto"),
)
shows(
    "choice-nameless",
    "tool_choice does not say which function.",
    "SCHEMA-042",
    change=says("tool_choice", {"type": "function"}, when=lambda told: told["tool_choice"] != "auto"),
)
shows(
    "choice-of-nothing",
    "tool_choice names a function without a name.",
    "SCHEMA-042",
    change=_inside(
        "tool_choice", lambda choice: choice["function"].update(name="") if isinstance(choice, dict) else None
    ),
)
shows(
    "temperature-whole",
    "temperature is written without a fraction in the reply to the create alone.",
    change=lambda told, _, call: (
        told.update(temperature=int(told["temperature"]))
        if call.operation == "create_run" and told["temperature"] == int(told["temperature"])
        else None
    ),
)
shows("parallel-text", "parallel_tool_calls is a text.", "SCHEMA-043", change=says("parallel_tool_calls", "true"))
shows(
    "format-unknown",
    "response_format is an unknown word.",
    "SCHEMA-044",
    change=says("response_format", "text", when=lambda told: told["response_format"] == "auto"),
)
shows(
    "format-misnamed",
    "The name of a json_schema has a space.",
    "SCHEMA-045",
    change=_inside(
        "response_format",
        lambda wanted: wanted["json_schema"].update(name="a name") if "json_schema" in wanted else None,
    ),
)
shows(
    "status-of-the-listed",
    "Listed runs say their status in capitals.",
    "SCHEMA-009",
    change=lambda told, _, call: told.update(status=told["status"].upper()) if call.operation == "list_runs" else None,
)
shows(
    "cancelled-without-tools",
    "The reply to a cancel has no tools.",
    "SCHEMA-028",
    change=lambda told, _, call: told.pop("tools") if call.operation == "cancel_run" else None,
)
shows(
    "one-in-three-floats",
    "One run in three has a fraction in created_at.",
    "SCHEMA-047",
    change=lambda told, run, _: (
        told.update(created_at=float(told["created_at"])) if sum(run.id.encode()) % 3 == 0 else None
    ),
)
