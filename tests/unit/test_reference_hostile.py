"""Whatever a stranger sends, the reference server answers, and what it accepts it can show again."""

from __future__ import annotations

import json
from copy import copy
from typing import TYPE_CHECKING, Any

import pytest

from support.reference_caller import Caller, error, path_of, strict

if TYPE_CHECKING:
    from collections.abc import Iterator

    from conformance.reference import Answer

#: JSON texts, and some that are none, for any place in a body.
VALUES = {
    "null": "null",
    "true": "true",
    "zero": "0",
    "negative": "-1",
    "minus zero": "-0.0",
    "fraction": "0.5",
    "largest float": "1.7976931348623157e308",
    "beyond all floats": "1e999",
    "huge": "1" + "0" * 400,
    "as long as Python converts": "-" + "9" * 4300,
    "longer than Python converts": "9" * 4301,
    "NaN": "NaN",
    "Infinity": "-Infinity",
    "empty text": '""',
    "text": '"auto"',
    "an id": '"asst_\\u0000"',
    "long text": json.dumps("x" * 2000),
    "high surrogate": r'"\ud800"',
    "low surrogate": r'"\udfff\ud800"',
    "control": r'"\u0000\u001b[31m\r\n"',
    "empty list": "[]",
    "list": '[null, 1, "x", [], {}, true]',
    "long list": json.dumps([{}] * 130),
    "empty object": "{}",
    "object": r'{"type": "function", "function": {"name": "f"}, "\ud800": "\udfff"}',
    "unhashable type": '{"type": [], "role": {}, "name": null}',
    "twice": '{"type": "text", "type": 1}',
    "many members": json.dumps({str(number): "" for number in range(40)}),
    "deep object": '{"type":' * 40 + "0" + "}" * 40,
    "too deep": "[" * 200 + "]" * 200,
    "far too deep": '{"a":' * 20_000 + "0" + "}" * 20_000,
    "no JSON": "<html>",
}
#: Bodies that are wrong as a whole.
BODIES = [
    b"",
    b" ",
    b"\0",
    b"\xff\xfe{\0}\0",
    b"\xef\xbb\xbf{}",
    b"\xed\xa0\x80",
    b'{"model": "\xc3"}',
    b"{",
    b"{}{}",
    b"{'model': 'x'}",
    b'{"model": "x",}',
    b"a=b&c=d",
    b"\r\n",
    b"{" * 100_000,
    b'{"":' * 100_000,
    b"-",
    b"1e",
    b'"',
    b"nul",
]
#: Bodies in which every member is there at least once; the path is added to that of a thread, or of a run.
MODELLED: dict[str, Any] = {
    "model": "gpt-4o",
    "instructions": "Be brief.",
    "metadata": {"k": "v"},
    "temperature": 1,
    "top_p": 1,
    "response_format": {
        "type": "json_schema",
        "json_schema": {"name": "s", "description": "d", "schema": {"type": "object"}, "strict": True},
    },
    "reasoning_effort": "low",
}
SCHEMA = {
    "type": "object",
    "required": ["a", "z"],
    "properties": {
        "a": {"const": 1},
        "b": {"enum": ["x"]},
        "c": {"anyOf": [{"type": "integer"}]},
        "d": {"oneOf": [{"type": "null"}]},
        "e": {"type": ["number", "null"], "minimum": 0.5, "maximum": 1},
        "f": {"type": "array", "minItems": 1, "items": {"type": "boolean"}},
        "g": {"type": "string", "minLength": 2},
        "h": {"type": "object", "properties": {}},
        "i": {"type": "integer", "minimum": 1.5},
        "j": {"type": "number", "maximum": 0.5},
    },
}
TOOLS: list[Any] = [
    {"type": "code_interpreter"},
    {
        "type": "file_search",
        "file_search": {"max_num_results": 1, "ranking_options": {"ranker": "auto", "score_threshold": 0}},
    },
    {"type": "function", "function": {"name": "f", "description": "d", "parameters": SCHEMA, "strict": False}},
]
MESSAGE = {"role": "user", "content": [{"type": "text", "text": "x"}], "metadata": {"k": "v"}, "attachments": []}
ASSISTANT = {**MODELLED, "name": "n", "description": "d", "tools": TOOLS, "tool_resources": {}}
RUN = {
    **MODELLED,
    "assistant_id": "asst_x",
    "additional_instructions": "x",
    "additional_messages": [MESSAGE],
    "tools": TOOLS,
    "stream": False,
    "max_prompt_tokens": 256,
    "max_completion_tokens": 256,
    "truncation_strategy": {"type": "last_messages", "last_messages": 1},
    "tool_choice": {"type": "function", "function": {"name": "f"}},
    "parallel_tool_calls": True,
}
THREAD = {"messages": [MESSAGE], "metadata": {"k": "v"}, "tool_resources": {}}
OUTPUTS = {"tool_outputs": [{"tool_call_id": "call_x", "output": "x"}], "stream": False}
HERE = "here, and nowhere else"


@pytest.fixture
def caller() -> Caller:
    return Caller()


def checked(answer: Answer) -> Any:
    """What is granted, or None for a refusal, which must be whole."""
    assert answer.status in {200, 400, 401, 404, 405, 429}, answer.body
    if answer.frames is not None:
        assert b"".join(answer.frames).endswith(b"event: done\ndata: [DONE]\n\n")
        return None
    if answer.status == 200:
        return strict(answer.body)
    error(answer)
    return None


def spoiled(value: Any) -> Iterator[Any]:
    """The value with each part of it, at every depth, replaced by a mark, and with one more member in each object."""
    yield HERE
    if isinstance(value, dict):
        yield {**value, "unheard of": HERE}
        for name, inner in value.items():
            yield from ({**value, name: worse} for worse in spoiled(inner))
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from ([*value[:index], worse, *value[index + 1 :]] for worse in spoiled(inner))


def bereft(value: Any) -> Iterator[Any]:
    """The value without each of its members, at every depth."""
    places = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for place, inner in list(places):
        without = copy(value)
        del without[place]
        yield without
        for less in bereft(inner):
            changed = copy(value)
            changed[place] = less
            yield changed


def hostile(body: Any, value: str) -> Iterator[bytes]:
    for each in spoiled(body):
        yield json.dumps(each).replace(json.dumps(HERE), value).encode()


def followed(caller: Caller, told: dict[str, Any]) -> None:
    """Read what was accepted, a run until it has come to rest."""
    match told["object"]:
        case "assistant":
            assert caller.get(f"/assistants/{told['id']}") == told
        case "thread":
            assert caller.get(f"/threads/{told['id']}") == told
            caller.get(f"/threads/{told['id']}/messages")
        case "thread.run":
            caller.wait(1)
            seen = caller.get(path_of(told))
            if action := seen["required_action"]:
                [call] = action["submit_tool_outputs"]["tool_calls"]
                assert isinstance(strict(call["function"]["arguments"]), dict)
            caller.wait(600)
            assert caller.get(path_of(told))["status"] in {"completed", "incomplete", "failed", "expired"}


def created(caller: Caller, path: str, body: bytes) -> bool:
    """Whether it was; if so, it can be read again."""
    if told := checked(caller.send("POST", path, body)):
        followed(caller, told)
    return told is not None


@pytest.mark.parametrize("value", VALUES.values(), ids=VALUES)
def test_a_hostile_member_of_a_creation_is_refused_or_can_be_shown(caller: Caller, value: str) -> None:
    runs = f"{caller.thread()}/runs"

    for body in hostile({**ASSISTANT, "tools": []}, value):  # a run's own are read in the same way
        created(caller, "/assistants", body)
    for body in hostile(THREAD, value):
        created(caller, "/threads", body)
    for body in hostile({**RUN, "assistant_id": caller.assistant()}, value):
        created(caller, runs, body)
    caller.get(runs, limit=100)


def test_whatever_is_left_out_is_missed_or_can_be_spared(caller: Caller) -> None:
    runs = f"{caller.thread()}/runs"

    for path, whole in (
        ("/assistants", ASSISTANT),
        ("/threads", THREAD),
        (runs, {**RUN, "assistant_id": caller.assistant()}),
    ):
        assert created(caller, path, json.dumps(whole).encode())
        for body in bereft(whole):
            created(caller, path, json.dumps(body).encode())


def test_an_assistant_may_be_as_odd_as_it_was_accepted(caller: Caller) -> None:
    for value in ("null", "{}", "[]", "0", r'"\ud800"'):
        runs = f"{caller.thread()}/runs"
        for body in hostile(ASSISTANT, value):
            if told := checked(caller.send("POST", "/assistants", body)):
                forced = {"assistant_id": told["id"], "tool_choice": "required", "instructions": "Be brief."}
                assert created(caller, runs, json.dumps(forced).encode())


@pytest.mark.parametrize("state", ["in_progress", "requires_action", "completed"])
@pytest.mark.parametrize("value", VALUES.values(), ids=VALUES)
def test_a_hostile_member_does_not_break_a_run_in_any_state(caller: Caller, value: str, state: str) -> None:
    run = caller.staged(state)
    for path, body in (
        (path_of(run), {"metadata": {"k": "v"}}),
        (f"{path_of(run)}/submit_tool_outputs", OUTPUTS),
        (f"/threads/{run['thread_id']}/messages", MESSAGE),
    ):
        for each in hostile(body, value):
            checked(caller.send("POST", path, each))
    assert checked(caller.send("POST", f"{path_of(run)}/cancel", f'{{"x": {value}}}'.encode())) is None
    after = caller.get(path_of(run))
    assert {**after, "metadata": run["metadata"]} == run
    caller.get(f"/threads/{run['thread_id']}/messages", limit=100)


@pytest.mark.parametrize(("open", "close"), [('{"a":', "}"), ("[", "]")], ids=["objects", "arrays"])
def test_a_body_may_have_a_hundred_levels_and_no_more(caller: Caller, open: str, close: str) -> None:
    def nested(levels: int) -> bytes:
        inner = f"{open * levels}0{close * levels}"
        function = f'{{"name": "f", "parameters": {{"properties": {{"p": {{"const": {inner}}}}}}}}}'
        return f'{{"model": "x", "tools": [{{"type": "function", "function": {function}}}]}}'.encode()

    around = 7  # the levels that are not `inner`
    told = checked(caller.send("POST", "/assistants", nested(100 - around)))
    assert checked(caller.send("POST", "/assistants", nested(101 - around))) is None

    run = caller.create(assistant_id=told["id"], tool_choice="required")
    caller.wait(2)
    [call] = caller.get(path_of(run))["required_action"]["submit_tool_outputs"]["tool_calls"]
    assert len(call["function"]["arguments"]) > 100


@pytest.mark.parametrize("body", BODIES, ids=lambda body: repr(body)[:30])
def test_a_hostile_body_is_refused_everywhere(caller: Caller, body: bytes) -> None:
    run = caller.staged("in_progress")
    thread = f"/threads/{run['thread_id']}"
    optional = ("/threads", path_of(run), f"{path_of(run)}/cancel")
    for path in (
        "/assistants",
        f"{thread}/messages",
        f"{thread}/runs",
        f"{path_of(run)}/submit_tool_outputs",
        *(optional if body else ()),
    ):
        assert checked(caller.send("POST", path, body)) is None
    for path in (f"{thread}/runs", thread, path_of(run)):
        assert checked(caller.send("GET", path, body))  # a body that nobody reads
    assert caller.get(path_of(run)) == run
