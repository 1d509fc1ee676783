"""For each invariant about the shape of a run: defects that it finds, and nobody else."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from support.journals import ACTION, Defect, Finding, created, drop, put, read, run, told

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from support.journals import Story


def _in(status: str) -> Callable[[], Story]:
    return lambda: [read(status)]


COMPLETED, WAITING, FAILED, INCOMPLETE = (
    _in(each) for each in ("completed", "requires_action", "failed", "incomplete")
)
CALL = "required_action.submit_tool_outputs.tool_calls"
ENCODED = "response_format.json_schema"


def _put(path: str, value: Any, expected: str, actual: str, story: Callable[[], Story] = COMPLETED) -> Defect:
    return Defect(story, put(path, value), expected, actual)


def _drop(path: str, story: Callable[[], Story] = COMPLETED) -> Defect:
    return Defect(story, drop(path), f"{path} a value", "absent")


def _time(name: str) -> list[Defect]:
    """What no time is: a text, a zero, milliseconds, a fraction."""
    return [
        _put(name, "2025-11-21T00:00:00Z", "valid integer", '"2025-11-21'),
        _put(name, 0, "greater than or equal to 1500000000", f"{name} 0"),
        _put(name, 1_763_683_200_123, "less than or equal to", "1763683200123"),
        _put(name, 1_763_683_200.5, "valid integer", "1763683200.5"),
        _put(name, True, "valid integer", "true"),
        _drop(name),
    ]


def _text(name: str) -> list[Defect]:
    return [
        _put(name, 7, "valid string", f"{name} 7"),
        _put(name, "", "at least 1 character", f'{name} ""'),
        _put(name, None, "valid string", f"{name} null"),
        _drop(name),
    ]


def _names(path: str) -> list[Defect]:
    return [
        _put(path, "add numbers", "matches", '"add numbers"'),
        _put(path, "a" * 65, "matches", "aaa"),
        _put(path, "", "matches", '""'),
        _drop(path),
    ]


def _tools(tools: Any, expected: str, actual: str) -> Defect:
    return _put("tools", tools, expected, actual)


DEFECTS: Mapping[str, Sequence[Defect | Finding]] = {
    "a_run_is_an_object_of_the_schema": [
        Defect(COMPLETED, told(body=["run_abc"]), "a run as a JSON object", '["run_abc"]'),
        Defect(COMPLETED, told(body=None), "a run as a JSON object", "null"),
        Defect(COMPLETED, told(body={}), "a run as a JSON object", "{}"),
        Defect(COMPLETED, told(body={"data": run()}), "a run as a JSON object", '{"data": {"id": "run_abc"'),
        _put("tools.1.file_search", "fast", "file_search", '"fast"'),
    ],
    "id": _text("id"),
    "object": [_put("object", "run", "'thread.run'", '"run"'), _drop("object")],
    "created_at": _time("created_at"),
    "thread_id": _text("thread_id"),
    "thread_id_is_the_threads": [_put("thread_id", "thread_other", "thread_abc", "thread_other")],
    "assistant_id": _text("assistant_id"),
    "assistant_id_is_the_requested_one": [
        Defect(lambda: [created()], put("assistant_id", "asst_other"), "asst_abc", "asst_other")
    ],
    "status": [
        _put("status", "canceled", "'cancelled'", '"canceled"'),
        _put("status", ["completed"], "'completed'", '["completed"]'),
        _put("status", None, "'queued'", "null"),
        _drop("status"),
    ],
    "required_action": [
        _put("required_action", "call add", "valid dictionary", '"call add"', WAITING),
        _put("required_action", [], "valid dictionary", "[]"),
        _drop("required_action"),
    ],
    "type_of_required_action": [
        _put("required_action.type", "approve", "'submit_tool_outputs'", '"approve"', WAITING),
        _drop("required_action.type", WAITING),
    ],
    "tool_calls": [
        _put(f"{CALL}.0.function.arguments", {"a": 1}, "valid string", '{"a": 1}', WAITING),
        _put(f"{CALL}.1.id", None, "valid string", "null", WAITING),
        _put(f"{CALL}.1.type", "tool", "'function'", '"tool"', WAITING),
        _put(CALL, {}, "valid list", "{}", WAITING),
        _drop(f"{CALL}.0.function.name", WAITING),
        _drop("required_action.submit_tool_outputs", WAITING),
    ],
    "tool_calls_are_told_apart": [
        _put(f"{CALL}.1.id", "call_1", "ids of their own", '["call_1", "call_1"]', WAITING),
        _put(CALL, [], "at least one", "no tool calls", WAITING),
    ],
    "arguments_are_json": [
        Finding(WAITING, "arguments of tool calls are JSON"),
        Finding(
            lambda: [read("requires_action", required_action=_with_arguments("{'a': 1"))],
            "arguments of a tool call that are no JSON were seen",
        ),
    ],
    "called_function_is_a_tool": [
        _put(f"{CALL}.0.function.name", "subtract", '["add"]', '["add", "subtract"]', WAITING),
        _put("tools", [], "[]", '["add"]', WAITING),
    ],
    "last_error": [
        _put("last_error", "boom", "valid dictionary", '"boom"', FAILED),
        _put("last_error", False, "valid dictionary", "false"),
        _drop("last_error"),
    ],
    "code_of_last_error": [
        _put("last_error.code", "oops", "'server_error'", '"oops"', FAILED),
        _drop("last_error.message", FAILED),
    ],
    "expires_at": _time("expires_at"),
    "started_at": _time("started_at"),
    "cancelled_at": _time("cancelled_at"),
    "failed_at": _time("failed_at"),
    "completed_at": _time("completed_at"),
    "incomplete_details": [
        _put("incomplete_details", "max_prompt_tokens", "valid dictionary", '"max_prompt_tokens"', INCOMPLETE),
        _drop("incomplete_details", INCOMPLETE),
    ],
    "reason_of_incomplete_details": [
        _put("incomplete_details.reason", "length", "'max_completion_tokens'", '"length"', INCOMPLETE)
    ],
    "model": _text("model"),
    "instructions": [_drop("instructions")],
    "type_of_instructions": [_put("instructions", ["Be brief."], "valid string", '["Be brief."]')],
    "tools": [_tools(None, "valid list", "null"), _tools({}, "valid list", "{}"), _drop("tools")],
    "number_of_tools": [_tools([{"type": "code_interpreter"}] * 21, "at most 20 items", "21 items: [")],
    "type_of_a_tool": [
        _tools([{"type": "retrieval"}], "code_interpreter", "retrieval"),
        _tools(["code_interpreter"], "dictionary", '"code_interpreter"'),
        _tools([{}], "tools.0", "{}"),
    ],
    "name_of_a_function": [*_names("tools.2.function.name"), _drop("tools.2.function")],
    "members_of_a_function": [
        _put("tools.2.function.description", 7, "valid string", "7"),
        _put("tools.2.function.parameters", [], "valid dictionary", "[]"),
        _put("tools.2.function.strict", "yes", "valid boolean", '"yes"'),
    ],
    "max_num_results": [
        _put("tools.1.file_search.max_num_results", 0, "greater than or equal to 1", "0"),
        _put("tools.1.file_search.max_num_results", 51, "less than or equal to 50", "51"),
        _put("tools.1.file_search.max_num_results", "5", "valid integer", '"5"'),
    ],
    "ranking_options": [
        _put("tools.1.file_search.ranking_options.ranker", "best", "'auto'", '"best"'),
        _put("tools.1.file_search.ranking_options.score_threshold", 1.5, "less than or equal to 1", "1.5"),
        _drop("tools.1.file_search.ranking_options.score_threshold"),
        _put("tools.1.file_search.ranking_options", "best", "valid dictionary", '"best"'),
    ],
    "metadata": [
        _put("metadata", {"ticket": 17}, "valid string", "17"),
        _put("metadata", [], "valid dictionary", "[]"),
        _put("metadata", "ticket", "valid dictionary", '"ticket"'),
        _drop("metadata"),
    ],
    "limits_of_metadata": [
        _put("metadata", {str(n): "" for n in range(17)}, "at most 16", '"0"'),
        _put("metadata", {"k" * 65: ""}, "at most 64", "kkk"),
        _put("metadata", {"": "v" * 513}, "at most 512", "vvv"),
    ],
    "usage": [
        _put("usage", 30, "valid dictionary", "30"),
        _put("usage.prompt_tokens", "20", "valid integer", '"20"'),
        _drop("usage.total_tokens"),
        _drop("usage"),
    ],
    "temperature": [
        _put("temperature", "hot", "valid number", '"hot"'),
        _put("top_p", True, "valid number", "true"),
    ],
    "max_prompt_tokens": [
        _put("max_prompt_tokens", 0, "greater than or equal to 1", "0"),
        _put("max_completion_tokens", "500", "valid integer", '"500"'),
        _drop("max_completion_tokens"),
    ],
    "truncation_strategy": [
        _put("truncation_strategy.type", "middle", "'auto'", '"middle"'),
        _put("truncation_strategy.last_messages", 0, "greater than or equal to 1", "0"),
        _drop("truncation_strategy"),
    ],
    "tool_choice": [
        _put("tool_choice", "any", "'required'", '"any"'),
        _put("tool_choice", {"type": "browser"}, "'file_search'", '"browser"'),
        _put("tool_choice", 7, "tool_choice", "7"),
        _drop("tool_choice"),
    ],
    "function_of_tool_choice": [
        _drop("tool_choice.function.name"),
        _put("tool_choice.function", "add", "valid dictionary", '"add"'),
        _put("tool_choice.function.name", "", "at least 1", '""'),
        _put("tool_choice", {"type": "function"}, "tool_choice.function.name", "without a function"),
        _put("tool_choice", {"type": "function", "function": None}, "tool_choice.function.name", "without a function"),
    ],
    "parallel_tool_calls": [
        _put("parallel_tool_calls", None, "valid boolean", "null"),
        _put("parallel_tool_calls", "true", "valid boolean", '"true"'),
        _drop("parallel_tool_calls"),
    ],
    "response_format": [
        _put("response_format", "json", "'auto'", '"json"'),
        _put("response_format", {"type": "xml"}, "json_object", "xml"),
        _put("response_format", [], "dictionary", "[]"),
        _drop(ENCODED),
        _drop("response_format"),
    ],
    "name_of_json_schema": _names(f"{ENCODED}.name"),
    "undeclared_members": [
        Finding(COMPLETED, None),
        Finding(lambda: [read(tool_resources={}, file_ids=[])], "undeclared members: file_ids, tool_resources"),
    ],
    "numbers_are_plain": [
        _put("started_at", 1_763_683_202.0, "without a fraction", "started_at"),
        _put("usage.total_tokens", 30.0, "without a fraction", "usage.total_tokens"),
        _put("temperature", float("inf"), "finite", "temperature"),
        _put("tools.2.function.parameters", {"maximum": float("-inf")}, "finite", "tools"),
    ],
}


def _with_arguments(text: str) -> dict[str, Any]:
    call = {"id": "call_1", "type": "function", "function": {"name": "add", "arguments": text}}
    return {**ACTION, "submit_tool_outputs": {"tool_calls": [call]}}
