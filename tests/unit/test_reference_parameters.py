"""Every parameter of the reference server: what is just allowed, what is just too much, and what is of another kind."""

from __future__ import annotations

from typing import Any

import pytest

from conformance.reference.arguments import arguments_for
from support.reference_caller import FUNCTION, Caller, path_of, strict

A_TOOL = {"type": "code_interpreter"}
NAMED = {"type": "function", "function": {"name": "x" * 64}}
SCHEMA = {"type": "json_schema", "json_schema": {"name": "s", "schema": {}, "strict": None}}
TEXT = 256_000
MOST = 2**31 - 1


def pairs(count: int) -> dict[str, str]:
    return {str(number): "x" for number in range(count)}


def function(**members: Any) -> list[Any]:
    return [{"type": "function", "function": {"name": "f", **members}}]


def searching(**members: Any) -> list[Any]:
    return [{"type": "file_search", "file_search": members}]


#: Members with values that are the last ones allowed.
ALLOWED: list[dict[str, Any]] = [
    {"metadata": {}},
    {"metadata": None},
    {"metadata": pairs(16)},
    {"metadata": {"k" * 64: "v" * 512, "": ""}},
    {"metadata": {"\u00e9" * 64: "\U0001f600" * 512}},
    {"temperature": 0},
    {"temperature": 2},
    {"temperature": 2.0},
    {"temperature": None},
    {"top_p": 0},
    {"top_p": 1},
    {"top_p": None},
    {"tools": []},
    {"tools": None},
    {"tools": [A_TOOL] * 20},
    {"tools": [{"type": "file_search", "file_search": {"max_num_results": 50}}]},
    {"tools": [NAMED]},
    {"tools": searching(ranking_options={"score_threshold": 1})},
    {"tools": function(strict=None, description="")},
    {"max_completion_tokens": 1},
    {"max_completion_tokens": MOST},
    {"max_completion_tokens": None},
    {"max_prompt_tokens": 1},
    {"truncation_strategy": None},
    {"truncation_strategy": {"type": "auto", "last_messages": None}},
    {"truncation_strategy": {"type": "last_messages", "last_messages": 1}},
    {"response_format": "auto"},
    {"response_format": {"type": "text"}},
    {"response_format": SCHEMA},
    {"tool_choice": "required"},
    {"tool_choice": A_TOOL, "tools": [A_TOOL]},
    {"tool_choice": None},
    {"parallel_tool_calls": False},
    {"model": None},
    {"model": "m" * 256},
    {"instructions": ""},
    {"instructions": "i" * TEXT},
    {"stream": None},
    {"additional_messages": None},
    {"reasoning_effort": "high"},
    {"reasoning_effort": "none"},
]

#: Members with values that are just refused, and the param and code of the refusal.
REFUSED: list[tuple[dict[str, Any], str, str]] = [
    ({"metadata": pairs(17)}, "metadata", "object_above_max_properties"),
    ({"metadata": {"k": "v" * 513}}, "metadata.k", "string_above_max_length"),
    ({"metadata": {"k" * 65: "v"}}, "metadata.kkkkkkkk...", "property_name_above_max_length"),
    ({"metadata": {"modified": True}}, "metadata.modified", "invalid_type"),
    ({"metadata": {"k": None}}, "metadata.k", "invalid_type"),
    ({"metadata": []}, "metadata", "invalid_type"),
    ({"temperature": -0.01}, "temperature", "decimal_below_min_value"),
    ({"temperature": 2.1}, "temperature", "decimal_above_max_value"),
    ({"temperature": "1"}, "temperature", "invalid_type"),
    ({"temperature": True}, "temperature", "invalid_type"),
    ({"top_p": -1}, "top_p", "decimal_below_min_value"),
    ({"top_p": 1.01}, "top_p", "decimal_above_max_value"),
    ({"tools": [A_TOOL] * 21}, "tools", "array_above_max_length"),
    ({"tools": A_TOOL}, "tools", "invalid_type"),
    ({"tools": [None]}, "tools[0]", "invalid_type"),
    ({"tools": [A_TOOL, {}]}, "tools[1].type", "missing_required_parameter"),
    ({"tools": [{"type": "retrieval"}]}, "tools[0].type", "invalid_value"),
    ({"tools": [{"type": "function"}]}, "tools[0].function", "missing_required_parameter"),
    ({"tools": [{**A_TOOL, "x": 1}]}, "tools[0].x", "unknown_parameter"),
    ({"tools": function(name="")}, "tools[0].function.name", "invalid_value"),
    ({"tools": function(name="x" * 65)}, "tools[0].function.name", "invalid_value"),
    ({"tools": function(name="a b")}, "tools[0].function.name", "invalid_value"),
    ({"tools": function(parameters=[])}, "tools[0].function.parameters", "invalid_type"),
    ({"tools": searching(max_num_results=51)}, "tools[0].file_search.max_num_results", "integer_above_max_value"),
    ({"tools": searching(max_num_results=0)}, "tools[0].file_search.max_num_results", "integer_below_min_value"),
    ({"max_completion_tokens": 0}, "max_completion_tokens", "integer_below_min_value"),
    ({"max_completion_tokens": 1.5}, "max_completion_tokens", "invalid_type"),
    ({"max_completion_tokens": MOST + 1}, "max_completion_tokens", "integer_above_max_value"),
    ({"max_prompt_tokens": -1}, "max_prompt_tokens", "integer_below_min_value"),
    ({"max_prompt_tokens": True}, "max_prompt_tokens", "invalid_type"),
    ({"truncation_strategy": {}}, "truncation_strategy.type", "missing_required_parameter"),
    ({"truncation_strategy": {"type": "first"}}, "truncation_strategy.type", "invalid_value"),
    (
        {"truncation_strategy": {"type": "last_messages", "last_messages": 0}},
        "truncation_strategy.last_messages",
        "integer_below_min_value",
    ),
    ({"response_format": "text"}, "response_format", "invalid_value"),
    ({"response_format": {}}, "response_format.type", "missing_required_parameter"),
    ({"response_format": {"type": "json_schema"}}, "response_format.json_schema", "missing_required_parameter"),
    ({"tool_choice": "any"}, "tool_choice", "invalid_value"),
    ({"tool_choice": A_TOOL}, "tool_choice", "invalid_value"),
    ({"tool_choice": {"type": "function"}}, "tool_choice.function", "missing_required_parameter"),
    ({"tool_choice": NAMED, "tools": [FUNCTION]}, "tool_choice", "invalid_value"),
    ({"parallel_tool_calls": None}, "parallel_tool_calls", "invalid_type"),
    ({"parallel_tool_calls": 0}, "parallel_tool_calls", "invalid_type"),
    ({"model": 4}, "model", "invalid_type"),
    ({"model": "m" * 257}, "model", "string_above_max_length"),
    ({"instructions": "i" * (TEXT + 1)}, "instructions", "string_above_max_length"),
    ({"stream": "true"}, "stream", "invalid_type"),
    ({"additional_messages": [{"content": "x"}]}, "additional_messages[0].role", "missing_required_parameter"),
    ({"additional_messages": [{"role": "user"}]}, "additional_messages[0].content", "missing_required_parameter"),
    (
        {"additional_messages": [{"role": "system", "content": "x"}]},
        "additional_messages[0].role",
        "invalid_value",
    ),
    ({"reasoning_effort": "extreme"}, "reasoning_effort", "invalid_value"),
    ({"assistant_id": None}, "assistant_id", "invalid_type"),
    ({"assistant_id": 1}, "assistant_id", "invalid_type"),
    ({"n": 1}, "n", "unknown_parameter"),
    ({"": None}, "", "unknown_parameter"),
]


@pytest.fixture
def caller() -> Caller:
    return Caller()


def short(value: Any) -> str | None:
    return repr(value)[:60] if isinstance(value, dict) else None


@pytest.mark.parametrize("members", ALLOWED, ids=short)
def test_a_run_accepts_the_last_value_that_is_allowed(caller: Caller, members: dict[str, Any]) -> None:
    thread = caller.thread()
    run = caller.create(thread, **members)

    assert caller.get(path_of(run)) == run
    for name in ("metadata", "temperature", "top_p", "max_completion_tokens", "max_prompt_tokens"):
        if members.get(name) is not None:
            assert run[name] == members[name]


@pytest.mark.parametrize(("members", "param", "code"), REFUSED, ids=short)
def test_a_run_refuses_what_goes_beyond(caller: Caller, members: dict[str, Any], param: str, code: str) -> None:
    thread = caller.thread()

    told = caller.refused("POST", f"{thread}/runs", {"assistant_id": caller.assistant(), **members})

    assert (told["param"], told["code"]) == (param, code)
    assert told["type"] == "invalid_request_error"
    assert caller.get(f"{thread}/runs")["data"] == []


def test_a_run_needs_an_assistant(caller: Caller) -> None:
    told = caller.refused("POST", f"{caller.thread()}/runs", {})

    assert told["message"] == "Missing required parameter: 'assistant_id'."
    assert (told["param"], told["code"]) == ("assistant_id", "missing_required_parameter")


@pytest.mark.parametrize("body", [None, True, 0, 1.5, "x", [], [{}]], ids=repr)
def test_a_body_is_an_object(caller: Caller, body: Any) -> None:
    run = caller.staged("in_progress")
    thread = f"/threads/{run['thread_id']}"

    for path in (
        "/assistants",
        "/threads",
        f"{thread}/messages",
        f"{thread}/runs",
        path_of(run),
        f"{path_of(run)}/cancel",
        f"{path_of(run)}/submit_tool_outputs",
    ):
        assert caller.refused("POST", path, body)["code"] == "invalid_type"
    assert caller.get(path_of(run)) == run


@pytest.mark.parametrize("state", ["in_progress", "completed"])
def test_the_body_is_judged_before_the_state_of_the_run(caller: Caller, state: str) -> None:
    run = caller.staged(state)

    told = caller.refused("POST", path_of(run), {"metadata": {"modified": True}})
    assert told["message"] == "Invalid type for 'metadata.modified': expected a string, but got a boolean instead."
    assert (told["param"], told["code"]) == ("metadata.modified", "invalid_type")

    assert caller.refused("POST", f"{path_of(run)}/cancel", {"reason": "x"})["code"] == "unknown_parameter"
    told = caller.refused("POST", f"{path_of(run)}/submit_tool_outputs", {})
    assert (told["param"], told["code"]) == ("tool_outputs", "missing_required_parameter")


@pytest.mark.parametrize(
    ("output", "param", "code"),
    [
        (None, "tool_outputs[0]", "invalid_type"),
        ({"output": "x"}, "tool_outputs[0].tool_call_id", "missing_required_parameter"),
        ({"tool_call_id": "call_x"}, "tool_outputs[0].output", "missing_required_parameter"),
        ({"tool_call_id": 1, "output": "x"}, "tool_outputs[0].tool_call_id", "invalid_type"),
        ({"tool_call_id": "x", "output": {}}, "tool_outputs[0].output", "invalid_type"),
        ({"tool_call_id": "x", "output": "x", "y": 1}, "tool_outputs[0].y", "unknown_parameter"),
    ],
)
def test_an_output_names_its_call_and_is_text(caller: Caller, output: Any, param: str, code: str) -> None:
    run = caller.staged("requires_action")

    told = caller.refused("POST", f"{path_of(run)}/submit_tool_outputs", {"tool_outputs": [output]})

    assert (told["param"], told["code"]) == (param, code)
    assert caller.get(path_of(run)) == run


@pytest.mark.parametrize(
    ("message", "param", "code"),
    [
        ({"role": "user"}, "content", "missing_required_parameter"),
        ({"content": "x"}, "role", "missing_required_parameter"),
        ({"role": "system", "content": "x"}, "role", "invalid_value"),
        ({"role": "user", "content": ""}, "content", "invalid_value"),
        ({"role": "user", "content": []}, "content", "invalid_value"),
        ({"role": "user", "content": [{"type": "text"}]}, "content[0].text", "missing_required_parameter"),
        ({"role": "user", "content": [{"type": "audio", "text": ""}]}, "content[0].type", "invalid_value"),
        ({"role": "user", "content": "x", "metadata": pairs(17)}, "metadata", "object_above_max_properties"),
        ({"role": "user", "content": "x", "name": "y"}, "name", "unknown_parameter"),
    ],
    ids=short,
)
def test_a_message_has_a_role_and_content(caller: Caller, message: dict[str, Any], param: str, code: str) -> None:
    thread = caller.thread()

    told = caller.refused("POST", f"{thread}/messages", message)

    assert (told["param"], told["code"]) == (param, code)
    told = caller.refused("POST", "/threads", {"messages": [message]})
    assert told["param"] == f"messages[0].{param}"
    assert len(caller.get(f"{thread}/messages")["data"]) == 1


def test_an_assistant_may_have_more_tools_than_a_run_may_be_given(caller: Caller) -> None:
    assistant = caller.assistant(tools=[A_TOOL] * 128)
    assert len(caller.create(assistant_id=assistant)["tools"]) == 128

    told = caller.refused("POST", "/assistants", {"model": "m", "tools": [A_TOOL] * 129})
    assert (told["param"], told["code"]) == ("tools", "array_above_max_length")
    told = caller.refused("POST", "/assistants", {"name": "Ada"})
    assert (told["param"], told["code"]) == ("model", "missing_required_parameter")


@pytest.mark.parametrize(
    ("schema", "value"),
    [
        ({}, "1"),
        ({"type": "string", "minLength": 3}, "111"),
        ({"type": "string", "maxLength": 0}, ""),
        ({"type": "integer", "minimum": 1.5}, 2),
        ({"type": "integer", "maximum": -3.5}, -4),
        ({"type": "number", "maximum": 0.5}, 0.5),
        ({"type": "number", "minimum": True, "maximum": False}, 1),
        ({"type": ["null", "string"]}, None),
        ({"type": "array", "minItems": 1, "items": {"type": "boolean"}}, [True]),
        ({"enum": ["a", "b"]}, "a"),
        ({"anyOf": [{"const": 7}]}, 7),
        (True, "1"),
    ],
    ids=repr,
)
def test_a_function_is_called_with_what_its_parameters_declare(schema: Any, value: Any) -> None:
    assert strict(arguments_for({"properties": {"a": schema}, "required": ["a", "b"]})) == {"b": "1", "a": value}
