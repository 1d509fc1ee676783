"""The reference server by itself: every operation where all goes well."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from conformance.reference import Reference
from support.reference_caller import AUTHORIZED, FUNCTION, HEADERS, LONG, STATES, Caller, path_of, strict

#: The members of a run, in the order in which the real service last sent them.
MEMBERS = [
    "id",
    "object",
    "created_at",
    "assistant_id",
    "thread_id",
    "status",
    "started_at",
    "expires_at",
    "cancelled_at",
    "failed_at",
    "completed_at",
    "required_action",
    "last_error",
    "model",
    "instructions",
    "tools",
    "tool_resources",
    "metadata",
    "temperature",
    "top_p",
    "reasoning_effort",
    "max_completion_tokens",
    "max_prompt_tokens",
    "truncation_strategy",
    "incomplete_details",
    "usage",
    "response_format",
    "tool_choice",
    "parallel_tool_calls",
]


@pytest.fixture
def caller() -> Caller:
    return Caller()


def test_an_assistant_is_created_read_and_deleted(caller: Caller) -> None:
    created = caller.post("/assistants", {"model": "gpt-4o", "name": "Ada", "tools": [FUNCTION]})
    assert created["object"] == "assistant"
    assert created["name"] == "Ada"
    path = f"/assistants/{created['id']}"

    assert caller.get(path) == created
    assert caller.delete(path) == {"id": created["id"], "object": "assistant.deleted", "deleted": True}
    caller.refused("GET", path, status=404)


def test_a_thread_is_created_read_and_deleted_with_its_runs(caller: Caller) -> None:
    created = caller.post("/threads", {"metadata": {"a": "b"}})
    assert created["object"] == "thread"
    assert created["metadata"] == {"a": "b"}
    path = f"/threads/{created['id']}"
    run = caller.create(path, instructions="Be brief.")

    assert caller.get(path) == created
    assert caller.delete(path) == {"id": created["id"], "object": "thread.deleted", "deleted": True}
    caller.refused("GET", path, status=404)
    caller.refused("GET", path_of(run), status=404)


@pytest.mark.parametrize("body", [b"", {}, {"messages": []}, {"metadata": None}], ids=repr)
def test_a_thread_needs_nothing(caller: Caller, body: Any) -> None:
    thread = caller.post("/threads", body)

    assert thread["metadata"] == {}
    assert caller.get(f"/threads/{thread['id']}/messages")["data"] == []


def test_messages_are_added_and_listed_the_newest_first(caller: Caller) -> None:
    thread = caller.thread()

    parts = [{"type": "text", "text": "How"}, {"type": "text", "text": "are you?"}]
    added = caller.post(f"{thread}/messages", {"role": "user", "content": parts, "metadata": {"n": "2"}})

    assert added["object"] == "thread.message"
    assert added["role"] == "user"
    assert added["metadata"] == {"n": "2"}
    assert added["content"] == [{"type": "text", "text": {"value": "How are you?", "annotations": []}}]
    listed = caller.get(f"{thread}/messages")["data"]
    assert listed[0] == added
    assert [each["content"][0]["text"]["value"] for each in listed] == ["How are you?", "Hello."]


def test_a_run_is_created_in_the_queue_with_every_member_in_order(caller: Caller) -> None:
    run = caller.create()

    assert list(run) == MEMBERS
    assert run["object"] == "thread.run"
    assert run["status"] == "queued"
    assert run["expires_at"] == run["created_at"] + 600
    assert caller.get(path_of(run)) == run


def test_a_run_that_asks_for_nothing_has_the_defaults(caller: Caller) -> None:
    run = caller.create()

    assert {name: run[name] for name in MEMBERS[13:] if name not in {"incomplete_details", "usage"}} == {
        "model": "gpt-4o",
        "instructions": None,
        "tools": [],
        "tool_resources": {},
        "metadata": {},
        "temperature": 1.0,
        "top_p": 1.0,
        "reasoning_effort": None,
        "max_completion_tokens": None,
        "max_prompt_tokens": None,
        "truncation_strategy": {"type": "auto", "last_messages": None},
        "response_format": "auto",
        "tool_choice": "auto",
        "parallel_tool_calls": True,
    }


def test_a_run_echoes_what_it_was_given(caller: Caller) -> None:
    given = {
        "model": "gpt-4o-mini",
        "instructions": "Be brief.",
        "metadata": {"k": "v"},
        "temperature": 0.25,
        "top_p": 0.5,
        "reasoning_effort": "low",
        "max_completion_tokens": 16,
        "max_prompt_tokens": 256,
        "truncation_strategy": {"type": "last_messages", "last_messages": 3},
        "response_format": {"type": "json_object"},
        "tool_choice": "none",
        "parallel_tool_calls": False,
    }

    run = caller.create(**given)

    assert {name: run[name] for name in given} == given


def test_a_run_takes_from_its_assistant_what_it_is_not_given(caller: Caller) -> None:
    own = {"model": "gpt-4o-mini", "instructions": "Be brief.", "temperature": 0.5, "top_p": 0.25}
    assistant = caller.assistant(**own, metadata={"not": "inherited"}, tools=[{"type": "code_interpreter"}])

    run = caller.create(assistant_id=assistant, instructions=None, top_p=1)

    assert run["assistant_id"] == assistant
    assert {name: run[name] for name in own} == {**own, "top_p": 1}
    assert run["tools"] == [{"type": "code_interpreter"}]
    assert run["metadata"] == {}


def test_additional_instructions_and_messages_are_added(caller: Caller) -> None:
    thread = caller.thread()

    run = caller.create(thread, instructions="A", additional_instructions="B", additional_messages=[LONG])

    assert run["instructions"] == "A\n\nB"
    assert [each["role"] for each in caller.get(f"{thread}/messages")["data"]] == ["user", "user"]
    caller.wait(5)
    assert caller.get(path_of(run))["status"] == "in_progress"  # by what was added


def test_tools_are_shown_with_the_members_that_the_service_adds(caller: Caller) -> None:
    run = caller.create(tools=[{"type": "file_search"}, {"type": "function", "function": {"name": "f"}}])

    ranking = {"ranker": "default_2024_08_21", "score_threshold": 0.0}
    function = {"name": "f", "parameters": {"type": "object", "properties": {}}, "strict": False}
    assert run["tools"] == [
        {"type": "file_search", "file_search": {"ranking_options": ranking}},
        {"type": "function", "function": function},
    ]


@pytest.mark.parametrize("members", [{"additional_messages": []}, {"stream": False}, {"instructions": None}], ids=repr)
def test_what_real_clients_were_seen_to_send_is_accepted(caller: Caller, members: dict[str, Any]) -> None:
    assert caller.create(**members)["status"] == "queued"


def test_a_run_on_an_empty_thread_needs_instructions_or_a_message(caller: Caller) -> None:
    instructed = caller.assistant(instructions="Greet.")

    for members in ({"instructions": "Greet."}, {"assistant_id": instructed}, {"additional_messages": [LONG]}):
        thread = f"/threads/{caller.post('/threads')['id']}"
        assert caller.create(thread, **members)["status"] == "queued"


def test_a_completed_run_leaves_an_answer_on_its_thread(caller: Caller) -> None:
    run = caller.staged("completed")

    answer = caller.get(f"/threads/{run['thread_id']}/messages")["data"][0]

    assert answer["role"] == "assistant"
    assert answer["run_id"] == run["id"]
    assert answer["created_at"] == run["completed_at"]


@pytest.mark.parametrize("state", ["completed", "incomplete", "failed", "cancelled", "expired"])
def test_a_run_at_rest_can_be_modified_in_its_metadata_alone(caller: Caller, state: str) -> None:
    before = caller.staged(state)

    after = caller.post(path_of(before), {"metadata": {"seen": "yes"}})

    assert after == {**before, "metadata": {"seen": "yes"}}
    assert caller.post(path_of(before), {}) == caller.post(path_of(before), {"metadata": None}) == after


@pytest.mark.parametrize(
    ("headers", "body"),
    [(HEADERS, b""), (AUTHORIZED, b""), (HEADERS, {})],
    ids=["empty JSON", "no content type", "empty object"],
)
def test_a_run_in_progress_is_cancelled_in_every_form_that_clients_use(
    caller: Caller, headers: dict[str, str], body: Any
) -> None:
    run = caller.staged("in_progress")

    answer = caller.send("POST", f"{path_of(run)}/cancel", body, headers=headers)

    assert answer.status == 200
    assert strict(answer.body) == {**run, "status": "cancelling"}


def test_tool_outputs_put_the_run_back_into_the_queue(caller: Caller) -> None:
    run = caller.staged("requires_action")
    [call] = run["required_action"]["submit_tool_outputs"]["tool_calls"]
    assert run["required_action"]["type"] == "submit_tool_outputs"
    assert call["type"] == "function"
    assert call["function"]["name"] == "weather"
    assert json.loads(call["function"]["arguments"]).keys() == {"city"}

    outputs = [{"tool_call_id": call["id"], "output": "Sunny."}]
    after = caller.post(f"{path_of(run)}/submit_tool_outputs", {"tool_outputs": outputs})

    assert after == {**run, "status": "queued", "required_action": None}


def test_the_named_function_is_the_one_that_is_called(caller: Caller) -> None:
    other = {"type": "function", "function": {"name": "other"}}
    choice = {"type": "function", "function": {"name": "other"}}
    run = caller.create(tools=[FUNCTION, other], tool_choice=choice)
    caller.wait(2)

    [call] = caller.get(path_of(run))["required_action"]["submit_tool_outputs"]["tool_calls"]

    assert call["function"] == {"name": "other", "arguments": "{}"}


@pytest.mark.parametrize("state", STATES)
def test_a_run_is_listed_as_it_is_read(caller: Caller, state: str) -> None:
    run = caller.staged(state)

    [listed] = caller.get(f"/threads/{run['thread_id']}/runs")["data"]

    assert listed == caller.get(path_of(run))


def test_ids_have_the_form_of_the_service(caller: Caller) -> None:
    run = caller.staged("requires_action")
    [call] = run["required_action"]["submit_tool_outputs"]["tool_calls"]

    ids = [run["id"], run["thread_id"], run["assistant_id"], call["id"]]

    for prefix, id in zip(("run", "thread", "asst", "call"), ids, strict=True):
        assert re.fullmatch(rf"{prefix}_[A-Za-z0-9]{{24}}", id)


def test_replies_have_the_headers_and_the_layout_of_the_service(caller: Caller) -> None:
    first, second = caller.send("POST", "/threads", {}), caller.send("GET", "/nowhere")

    for answer in (first, second):
        assert answer.headers["openai-version"] == "2020-10-01"
        assert answer.headers["openai-processing-ms"].isdigit()
        assert re.fullmatch(r"req_[0-9a-f]{32}", answer.headers["x-request-id"])
        assert answer.body.decode() == json.dumps(json.loads(answer.body), indent=2)
        assert "www-authenticate" not in answer.headers
    assert first.headers["x-request-id"] != second.headers["x-request-id"]


def test_it_answers_below_the_base_path_it_was_given() -> None:
    server = Reference(base_path="/api/v2", keys=["other"])
    headers = {"authorization": "Bearer other", "openai-beta": "assistants=v2"}

    assert server.handle("POST", "/api/v2/threads", [], headers, b"").status == 200
    assert server.handle("POST", "/v1/threads", [], headers, b"").status == 404
    assert server.handle("POST", "/api/v2threads", [], headers, b"").status == 404
