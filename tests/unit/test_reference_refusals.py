"""What the reference server refuses, and in which words: status, param and code as they were recorded."""

from __future__ import annotations

import pytest

from conformance.reference import DEFAULT_KEY
from support.reference_caller import AUTHORIZED, FUNCTION, HEADERS, STATES, Caller, error, path_of

NO_THREAD = "/threads/thread_000000000000000000000000"
NO_RUN = "run_000000000000000000000000"
BELOW_A_THREAD = [
    ("GET", ""),
    ("DELETE", ""),
    ("GET", "/messages"),
    ("POST", "/messages"),
    ("GET", "/runs"),
    ("POST", "/runs"),
    ("GET", f"/runs/{NO_RUN}"),
    ("POST", f"/runs/{NO_RUN}"),
    ("POST", f"/runs/{NO_RUN}/cancel"),
    ("POST", f"/runs/{NO_RUN}/submit_tool_outputs"),
]
POLICIES = {
    "documented": {"in_progress"},
    "strict": {"in_progress"},
    "observed": {"in_progress", "queued", "requires_action"},
}


@pytest.fixture
def caller() -> Caller:
    return Caller()


# who asks


@pytest.mark.parametrize(
    "path", ["/threads", "/assistants/text-ada-001", f"{NO_THREAD}/runs", "/nowhere", "/threads/x"]
)
@pytest.mark.parametrize(
    ("authorization", "code"),
    [
        ({}, None),
        ({"authorization": ""}, None),
        ({"authorization": "Bearer"}, None),
        ({"authorization": f"Basic {DEFAULT_KEY}"}, None),
        ({"authorization": "Bearer wrong"}, "invalid_api_key"),
        ({"authorization": f"Bearer {DEFAULT_KEY}x"}, "invalid_api_key"),
    ],
    ids=["none", "empty", "no key", "another scheme", "wrong", "a longer one"],
)
def test_nothing_is_said_before_the_key_is_known(
    caller: Caller, authorization: dict[str, str], code: str | None, path: str
) -> None:
    answer = caller.send("GET", path, headers=authorization)

    assert answer.status == 401
    assert answer.headers["www-authenticate"] == 'Bearer realm="OpenAI API"'
    assert error(answer)["type"] == "invalid_request_error"
    assert error(answer)["code"] == code


def test_a_refused_key_is_not_repeated(caller: Caller) -> None:
    answer = caller.send("GET", "/threads", headers={"authorization": "Bearer sk-a-secret-of-somebody"})

    assert b"a-secret-of-someb" not in answer.body


@pytest.mark.parametrize("beta", [{}, {"openai-beta": ""}, {"openai-beta": "assistants=v1"}], ids=repr)
@pytest.mark.parametrize(("method", "below"), BELOW_A_THREAD)
def test_the_beta_header_is_needed(caller: Caller, beta: dict[str, str], method: str, below: str) -> None:
    answer = caller.send(method, NO_THREAD + below, headers={"authorization": HEADERS["authorization"], **beta})

    assert answer.status == 400
    assert error(answer)["code"] == "invalid_beta"
    assert error(answer)["param"] is None


def test_the_beta_header_may_name_others_as_well(caller: Caller) -> None:
    assert caller.send("POST", "/threads", headers={**HEADERS, "openai-beta": "x=1, assistants=v2"}).status == 200


# what it is about


@pytest.mark.parametrize(("method", "below"), BELOW_A_THREAD)
def test_an_unknown_thread_is_not_found(caller: Caller, method: str, below: str) -> None:
    told = caller.refused(method, NO_THREAD + below, {}, status=404)

    id = NO_THREAD.removeprefix("/threads/")
    assert told["message"] == f"No thread found with id '{id}'."
    assert told == {"message": told["message"], "type": "invalid_request_error", "param": None, "code": None}


@pytest.mark.parametrize("id", ["undefined", "new", "1234", "asst_abc", "%20", "a%2Fb", "th\u00e9"])
@pytest.mark.parametrize(("method", "below"), BELOW_A_THREAD)
def test_what_is_no_id_of_a_thread_is_refused_before_the_run_is_looked_at(
    caller: Caller, method: str, below: str, id: str
) -> None:
    told = caller.refused(method, f"/threads/{id}{below}", {})

    assert told["param"] == "thread_id"
    assert told["code"] == "invalid_value"


@pytest.mark.parametrize("id", [NO_RUN, "x", "%00", "thread_1"])
@pytest.mark.parametrize(("method", "below"), [("GET", ""), ("POST", ""), ("POST", "/cancel")])
def test_an_unknown_run_is_not_found(caller: Caller, method: str, below: str, id: str) -> None:
    told = caller.refused(method, f"{caller.thread()}/runs/{id}{below}", status=404)

    assert told["type"] == "invalid_request_error"
    assert told["param"] is told["code"] is None


@pytest.mark.parametrize(("method", "below"), [("GET", ""), ("POST", ""), ("POST", "/cancel")])
def test_a_run_is_not_found_through_another_thread(caller: Caller, method: str, below: str) -> None:
    run = caller.staged("in_progress")

    caller.refused(method, f"{caller.thread()}/runs/{run['id']}{below}", status=404)

    assert caller.get(path_of(run)) == run


def test_an_unknown_assistant_is_not_found(caller: Caller) -> None:
    told = caller.refused("POST", f"{caller.thread()}/runs", {"assistant_id": "asst_x"}, status=404)

    assert told["message"] == "No assistant found with id 'asst_x'."
    assert told["param"] is told["code"] is None


def test_what_is_no_id_of_an_assistant_is_refused(caller: Caller) -> None:
    told = caller.refused("POST", f"{caller.thread()}/runs", {"assistant_id": "wf_x"})

    assert told["message"] == "Invalid 'assistant_id': 'wf_x'. Expected an ID that begins with 'asst'."
    assert told["param"] == "assistant_id"
    assert told["code"] == "invalid_value"


# what state it is in


@pytest.mark.parametrize("state", ["queued", "in_progress", "requires_action", "cancelling"])
def test_a_run_that_is_not_at_rest_locks_its_thread(caller: Caller, state: str) -> None:
    run = caller.staged(state)
    thread = f"/threads/{run['thread_id']}"

    told = caller.refused("POST", f"{thread}/runs", {"assistant_id": run["assistant_id"]})
    assert told["message"] == f"Thread {run['thread_id']} already has an active run {run['id']}."
    assert told["param"] is told["code"] is None

    told = caller.refused("POST", f"{thread}/messages", {"role": "user", "content": "Hello?"})
    assert told["message"] == f"Can't add messages to {run['thread_id']} while a run {run['id']} is active."
    assert told["param"] is told["code"] is None

    told = caller.refused("POST", path_of(run), {"metadata": {}})
    assert told["message"] == f"Cannot update run with status '{state}'."

    assert [each["id"] for each in caller.get(f"{thread}/runs")["data"]] == [run["id"]]
    spoken = [each for each in caller.get(f"{thread}/messages")["data"] if each["role"] == "user"]
    assert len(spoken) == 1


@pytest.mark.parametrize("state", ["cancelled", "completed", "incomplete", "failed", "expired"])
def test_a_run_at_rest_has_unlocked_its_thread(caller: Caller, state: str) -> None:
    thread = f"/threads/{caller.staged(state)['thread_id']}"

    caller.post(f"{thread}/messages", {"role": "user", "content": "Go on."})

    assert caller.create(thread)["status"] == "queued"


@pytest.mark.parametrize("state", STATES)
@pytest.mark.parametrize("policy", POLICIES)
def test_a_run_is_cancelled_in_the_states_that_the_policy_permits(policy: str, state: str) -> None:
    caller = Caller(cancel_policy=policy)
    before = caller.staged(state)

    if state in POLICIES[policy]:
        assert caller.post(f"{path_of(before)}/cancel")["status"] == "cancelling"
        return
    told = caller.refused("POST", f"{path_of(before)}/cancel")

    assert told["message"] == f"Cannot cancel run with status '{state}'."
    assert told["param"] is told["code"] is None
    assert caller.get(path_of(before)) == before


@pytest.mark.parametrize("state", [state for state in STATES if state != "requires_action"])
def test_a_run_that_asks_for_nothing_takes_no_outputs(caller: Caller, state: str) -> None:
    before = caller.staged(state)

    told = caller.refused(
        "POST",
        f"{path_of(before)}/submit_tool_outputs",
        {"tool_outputs": [{"tool_call_id": "call_1", "output": "Sunny."}]},
    )

    assert told["message"] == f'Runs in status "{state}" do not accept tool outputs.'
    assert told["param"] is told["code"] is None
    assert caller.get(path_of(before)) == before


@pytest.mark.parametrize("given", [[], ["call_x"], ["its own", "its own"], ["its own", "call_x"]], ids=repr)
def test_outputs_for_other_calls_than_those_asked_for_are_refused(caller: Caller, given: list[str]) -> None:
    before = caller.staged("requires_action")
    [call] = before["required_action"]["submit_tool_outputs"]["tool_calls"]
    ids = [call["id"] if each == "its own" else each for each in given]

    outputs = [{"tool_call_id": id, "output": ""} for id in ids]
    told = caller.refused("POST", f"{path_of(before)}/submit_tool_outputs", {"tool_outputs": outputs})

    assert told["message"] == f"Expected tool outputs for call_ids ['{call['id']}'], got {ids}"
    assert caller.get(path_of(before)) == before


def test_a_run_with_nothing_to_go_by_is_refused(caller: Caller) -> None:
    empty = f"/threads/{caller.post('/threads')['id']}"

    told = caller.refused("POST", f"{empty}/runs", {"assistant_id": caller.assistant()})

    assert told["code"] == "invalid_thread"
    assert told["param"] is None
    assert caller.get(f"{empty}/runs")["data"] == []


def test_too_many_requests_say_when_to_come_back(caller: Caller) -> None:
    body = {"assistant_id": caller.assistant(), "model": "reference-rate-limited"}

    answer = caller.send("POST", f"{caller.thread()}/runs", body)

    assert answer.status == 429
    assert answer.headers["retry-after"] == "1"
    assert error(answer)["code"] == "rate_limit_exceeded"


# how it is said


@pytest.mark.parametrize("body", [b"", b"{", b"{} {}", b"\xff", b"\xef\xbb\xbf{}", b"NaN", b'{"a": Infinity}'])
def test_what_is_no_json_is_refused(caller: Caller, body: bytes) -> None:
    for path in ("/assistants", f"{caller.thread()}/runs", f"{caller.thread()}/messages"):
        assert "JSON" in caller.refused("POST", path, body)["message"]


@pytest.mark.parametrize("kind", ["", "text/plain", "application/x-www-form-urlencoded", "application/jsonp"])
def test_a_body_of_another_type_is_refused(caller: Caller, kind: str) -> None:
    run = caller.staged("in_progress")
    headers = {**AUTHORIZED, "content-type": kind}

    for path in ("/assistants", "/threads", f"{path_of(run)}/cancel", path_of(run)):
        answer = caller.send("POST", path, {}, headers=headers)
        assert answer.status == 400
        assert error(answer)["code"] is None
    assert caller.get(path_of(run)) == run


@pytest.mark.parametrize("kind", ["application/json; charset=utf-8", "Application/JSON", "application/json ;x=y"])
def test_parameters_and_case_of_the_content_type_do_not_matter(caller: Caller, kind: str) -> None:
    answer = caller.send("POST", "/assistants", {"model": "gpt-4o"}, headers={**AUTHORIZED, "content-type": kind})

    assert answer.status == 200


def test_a_refused_run_leaves_nothing_behind(caller: Caller) -> None:
    thread = caller.thread()
    more = [{"role": "user", "content": "And another."}]
    named = {"type": "function", "function": {"name": "absent"}}

    told = caller.refused(
        "POST",
        f"{thread}/runs",
        {"assistant_id": caller.assistant(), "additional_messages": more, "tools": [FUNCTION], "tool_choice": named},
    )

    assert told["param"] == "tool_choice"
    assert caller.get(f"{thread}/runs")["data"] == []
    assert len(caller.get(f"{thread}/messages")["data"]) == 1
