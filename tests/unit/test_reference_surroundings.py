"""What surrounds runs on the reference server: lists of assistants, and threads and messages that change."""

from __future__ import annotations

import pytest

from support.reference_caller import Caller, path_of


@pytest.fixture
def caller() -> Caller:
    return Caller()


def ids(page: dict[str, list[dict[str, str]]]) -> list[str]:
    return [each["id"] for each in page["data"]]


def test_assistants_are_listed_the_newest_first(caller: Caller) -> None:
    assert caller.get("/assistants")["data"] == []
    created = [caller.assistant() for _ in range(3)]

    assert ids(caller.get("/assistants")) == created[::-1]
    assert ids(caller.get("/assistants", order="asc", after=created[0], limit=1)) == [created[1]]
    caller.delete(f"/assistants/{created[1]}")
    assert ids(caller.get("/assistants")) == [created[2], created[0]]


def test_a_thread_is_modified_in_its_metadata(caller: Caller) -> None:
    thread = caller.thread()
    before = caller.get(thread)

    after = caller.post(thread, {"metadata": {"k": "v"}})

    assert after == {**before, "metadata": {"k": "v"}}
    assert caller.post(thread, {"metadata": None}) == caller.post(thread) == caller.get(thread) == after
    assert caller.refused("POST", thread, {"messages": []})["param"] == "messages"
    caller.refused("POST", "/threads/thread_x", {}, status=404)


def test_a_message_is_read_as_it_is_listed_and_modified_in_its_metadata(caller: Caller) -> None:
    run = caller.staged("completed")
    thread = f"/threads/{run['thread_id']}"
    for listed in caller.get(f"{thread}/messages")["data"]:
        path = f"{thread}/messages/{listed['id']}"
        assert caller.get(path) == listed

        after = caller.post(path, {"metadata": {"k": "v"}})

        assert after == {**listed, "metadata": {"k": "v"}}
        assert caller.get(path) == caller.post(path, {}) == after
    assert [each["metadata"] for each in caller.get(f"{thread}/messages")["data"]] == [{"k": "v"}] * 2


def test_a_message_is_deleted(caller: Caller) -> None:
    thread = caller.thread()
    [message] = ids(caller.get(f"{thread}/messages"))
    path = f"{thread}/messages/{message}"

    assert caller.delete(path) == {"id": message, "object": "thread.message.deleted", "deleted": True}

    assert caller.get(f"{thread}/messages")["data"] == []
    for method in ("GET", "POST", "DELETE"):
        caller.refused(method, path, status=404)


def test_a_run_is_as_it_was_when_its_answer_is_gone(caller: Caller) -> None:
    run = caller.staged("completed")
    [answer, _] = ids(caller.get(f"/threads/{run['thread_id']}/messages"))

    caller.delete(f"/threads/{run['thread_id']}/messages/{answer}")

    assert caller.get(path_of(run)) == run
    [step] = caller.get(f"{path_of(run)}/steps")["data"]
    assert step["step_details"]["message_creation"]["message_id"] == answer
