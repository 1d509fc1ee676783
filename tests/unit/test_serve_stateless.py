"""The server that keeps nothing: any ids, any key, and answers of the right types nevertheless."""

from __future__ import annotations

import json
from typing import Any

import pytest

from conformance.reference import Reference
from conformance.reference.stateless import Stateless
from conformance.wire.models import Run
from conformance.wire.steps import RunStep
from support.reference_caller import HEADERS, Caller, strict

RUNS = "/threads/thread_id/runs"
IDS = ["thread_id", "x", "thread_abc", "550e8400-e29b-41d4-a716-446655440000", "a b/c"]


@pytest.fixture
def caller() -> Caller:
    return Caller(faults=[Stateless])


def encoded(id: str) -> str:
    return id.replace(" ", "%20").replace("/", "%2F")


@pytest.mark.parametrize("id", IDS)
def test_any_id_names_something(caller: Caller, id: str) -> None:
    path = encoded(id)

    assert caller.get(f"/assistants/{path}")["id"] == id
    assert caller.post(f"/assistants/{path}", {"name": "x"})["name"] == "x"
    assert caller.delete(f"/assistants/{path}")["id"] == id
    assert caller.get(f"/threads/{path}")["id"] == id
    assert caller.post(f"/threads/{path}", {"metadata": {"k": "v"}})["metadata"] == {"k": "v"}
    assert caller.delete(f"/threads/{path}")["deleted"] is True
    assert caller.post(f"/threads/{path}/messages", {"role": "user", "content": "x"})["thread_id"] == id
    assert caller.get(f"/threads/{path}/messages")["data"]
    message = f"/threads/{path}/messages/{path}"
    assert caller.get(message)["id"] == id
    assert caller.post(message, {"metadata": {"k": "v"}})["metadata"] == {"k": "v"}
    assert caller.delete(message)["id"] == id
    run = caller.get(f"/threads/{path}/runs/{path}")
    assert (run["id"], run["thread_id"], run["status"]) == (id, id, "completed")
    step = caller.get(f"/threads/{path}/runs/{path}/steps/{path}")
    assert (step["id"], step["run_id"], step["status"]) == (id, id, "completed")


def test_every_operation_of_a_run_answers_with_one(caller: Caller) -> None:
    for path, body, status in (
        (RUNS, {"assistant_id": "assistant_id"}, "queued"),
        ("/threads/runs", {"assistant_id": "assistant_id"}, "queued"),
        (f"{RUNS}/run_id", {"metadata": {"k": "v"}}, "completed"),
        (f"{RUNS}/run_id/cancel", b"", "cancelling"),
        (f"{RUNS}/run_id/submit_tool_outputs", {"tool_outputs": [{}]}, "queued"),
    ):
        run = caller.post(path, body)
        assert run["status"] == status
        assert run["id"] == "run_id" or "run_id" not in path
        assert run["instructions"]


def test_lists_heed_neither_cursors_nor_bounds(caller: Caller) -> None:
    for path in (RUNS, f"{RUNS}/run_id/steps", "/threads/thread_id/messages", "/assistants"):
        for limit in ("0", "1", "1000"):
            page = caller.get(path, after="after", before="before", limit=limit, order="asc")
            assert page["data"]
            assert page["has_more"] is False
    [run] = caller.get(RUNS)["data"]
    assert run["thread_id"] == "thread_id"


@pytest.mark.parametrize(
    ("path", "body"),
    [
        (RUNS, {"assistant_id": "assistant_id", "stream": True}),
        ("/threads/runs", {"assistant_id": "assistant_id", "stream": True}),
        (f"{RUNS}/run_id/submit_tool_outputs", {"tool_outputs": [{}], "stream": True}),
    ],
    ids=["create", "thread and run", "outputs"],
)
def test_a_stream_is_told_to_its_end(caller: Caller, path: str, body: dict[str, Any]) -> None:
    answer = caller.send("POST", path, body)

    assert answer.frames
    told = b"".join(answer.frames).decode()
    assert "event: thread.run.completed" in told
    assert told.endswith("data: [DONE]\n\n")


@pytest.mark.parametrize(
    ("method", "path", "body", "param"),
    [
        ("POST", RUNS, {}, "assistant_id"),
        ("POST", RUNS, {"assistant_id": 1}, "assistant_id"),
        ("POST", RUNS, {"assistant_id": "x", "modle": "x"}, "modle"),
        ("POST", RUNS, {"assistant_id": "x", "tools": [{"type": "x"}]}, "tools[0].type"),
        ("POST", f"{RUNS}/run_id", {"metadata": {"k": 1}}, "metadata.k"),
        ("POST", f"{RUNS}/run_id/submit_tool_outputs", {"tool_outputs": [{"output": 1}]}, "tool_outputs[0].output"),
        ("GET", f"{RUNS}?limit=x", b"", "limit"),
        ("GET", f"{RUNS}?order=up", b"", "order"),
    ],
)
def test_types_are_held_to_all_the_same(caller: Caller, method: str, path: str, body: Any, param: str) -> None:
    path, _, query = path.partition("?")
    query_pairs = dict([query.split("=")]) if query else {}

    assert caller.refused(method, path, body, **query_pairs)["param"] == param


def test_any_key_will_do_but_there_must_be_one(caller: Caller) -> None:
    for key, status in (("Bearer My API Key", 200), ("Bearer x", 200), ("", 401), ("Basic eDp5", 401)):
        assert caller.send("GET", RUNS, headers={**HEADERS, "authorization": key}).status == status


def test_nothing_is_kept(caller: Caller) -> None:
    for _ in range(3):
        caller.post(RUNS, {"assistant_id": "x"})
        caller.post("/threads/runs", {"assistant_id": "x"})
        caller.post("/threads", {})
        caller.post("/assistants", {"model": "x"})
        caller.get(f"{RUNS}/run_id/steps")

    assert caller.server._store.threads == {}
    assert caller.server._store.assistants == {}


def test_the_answers_are_what_the_judge_takes_for_a_run_and_a_step(caller: Caller) -> None:
    for path in (f"{RUNS}/run_id", f"{RUNS}/run_id/steps/step_id"):
        answer = caller.send("GET", path)
        model = RunStep if "steps" in path else Run
        model.model_validate_json(answer.body)


def test_the_same_seed_gives_the_same_answers() -> None:
    def session(seed: str) -> list[bytes]:
        caller = Caller(Reference(faults=[Stateless], seed=seed))
        return [caller.send("POST", RUNS, {"assistant_id": "x"}).body, caller.send("GET", RUNS).body]

    assert session("a") == session("a") != session("b")
    assert json.loads(session("a")[0]) == strict(session("a")[0])
