"""What a run on the reference server has done by a moment: its steps, and the message that it writes."""

from __future__ import annotations

from typing import Any

import pytest

from support.reference_caller import FUNCTION, LONG, STATES, Caller, path_of

#: The members of a step, in the order in which the real service was recorded to send them.
MEMBERS = [
    "id",
    "object",
    "created_at",
    "run_id",
    "assistant_id",
    "thread_id",
    "type",
    "status",
    "cancelled_at",
    "completed_at",
    "expires_at",
    "failed_at",
    "last_error",
    "step_details",
    "usage",
]


@pytest.fixture
def caller() -> Caller:
    return Caller(cancel_policy="observed")


def steps(caller: Caller, run: dict[str, Any]) -> list[dict[str, Any]]:
    return list(caller.get(f"{path_of(run)}/steps", order="asc")["data"])


def answer(caller: Caller, run: dict[str, Any]) -> dict[str, Any] | None:
    messages = caller.get(f"/threads/{run['thread_id']}/messages")["data"]
    return next((each for each in messages if each["run_id"] == run["id"]), None)


def text(message: dict[str, Any]) -> str:
    return "".join(part["text"]["value"] for part in message["content"])


@pytest.mark.parametrize("state", [state for state in STATES if state != "queued"])
def test_a_step_has_the_members_of_the_real_service(caller: Caller, state: str) -> None:
    run = caller.staged(state)
    caller.wait(0.12 if state == "in_progress" else 0)

    for step in steps(caller, run):
        assert list(step) == MEMBERS
        assert (step["usage"] is None) == (step["status"] == "in_progress")
        assert (step["expires_at"] is None) == (step["status"] != "in_progress")
        assert step == caller.get(f"{path_of(run)}/steps/{step['id']}")


def test_a_queued_run_has_no_steps_and_no_answer(caller: Caller) -> None:
    run = caller.create()

    page = caller.get(f"{path_of(run)}/steps")
    assert (page["data"], page["first_id"], page["last_id"], page["has_more"]) == ([], None, None, False)
    assert answer(caller, run) is None


@pytest.mark.parametrize(
    ("state", "status", "reason"),
    [
        ("completed", "completed", None),
        ("incomplete", "completed", "max_tokens"),
        ("failed", "failed", "run_failed"),
        ("expired", "expired", "run_expired"),
    ],
)
def test_the_end_of_a_run_ends_its_step(caller: Caller, state: str, status: str, reason: str | None) -> None:
    run = caller.staged(state)

    (step,) = [step for step in steps(caller, run) if step["type"] == "message_creation"] or steps(caller, run)

    assert step["status"] == status
    assert (step["completed_at"] is not None) == (status == "completed")
    assert (step["last_error"] is not None) == (status == "failed")
    if step["type"] == "message_creation":
        message = answer(caller, run)
        assert message is not None
        assert message["incomplete_details"] == (reason and {"reason": reason})


def test_text_only_grows_and_a_cancel_stops_it(caller: Caller) -> None:
    run = caller.create(caller.thread(LONG))
    seen = []
    for _ in range(6):
        caller.wait(0.3)
        seen.append(text(answer(caller, run) or {"content": []}))
    caller.post(f"{path_of(run)}/cancel")
    message = answer(caller, run)
    assert message is not None
    assert message["status"] == "in_progress"
    cut = text(message)
    caller.wait(1)

    assert all(later.startswith(earlier) for earlier, later in zip(seen, [*seen[1:], cut], strict=True))
    assert len(set(seen)) > 3
    message = answer(caller, run)
    assert message is not None
    assert (message["status"], text(message)) == ("incomplete", cut)
    assert message["incomplete_details"] == {"reason": "run_cancelled"}
    (step,) = steps(caller, run)
    assert step["status"] == "cancelled"
    assert step["cancelled_at"] is not None


def test_a_call_is_a_step_with_its_output_and_the_answer_another(caller: Caller) -> None:
    run = caller.create(tools=[FUNCTION], tool_choice="required")
    caller.wait(0.5)
    (early,) = steps(caller, run)
    assert (early["status"], early["step_details"]) == ("in_progress", {"type": "tool_calls", "tool_calls": []})

    caller.wait(0.5)
    (waiting,) = steps(caller, run)
    (call,) = caller.get(path_of(run))["required_action"]["submit_tool_outputs"]["tool_calls"]
    shown = waiting["step_details"]["tool_calls"]
    assert shown == [{**call, "function": {**call["function"], "output": None}}]

    outputs = [{"tool_call_id": call["id"], "output": "Sunny."}]
    caller.post(f"{path_of(run)}/submit_tool_outputs", {"tool_outputs": outputs})
    (called,) = steps(caller, run)
    assert called["status"] == "completed"
    assert called["step_details"]["tool_calls"][0]["function"]["output"] == "Sunny."

    caller.wait(2)
    called, written = steps(caller, run)
    assert written["step_details"]["message_creation"]["message_id"] == (answer(caller, run) or {})["id"]
    total = caller.get(path_of(run))["usage"]["total_tokens"]
    assert total == sum(step["usage"]["total_tokens"] for step in (called, written))


def test_a_step_is_found_only_through_its_own_run(caller: Caller) -> None:
    run, other = caller.staged("completed"), caller.staged("completed")
    (step,) = steps(caller, run)

    told = caller.refused("GET", f"{path_of(other)}/steps/{step['id']}", status=404)
    assert told["message"] == f"No run step found with id '{step['id']}'."
    caller.refused("GET", f"/threads/{other['thread_id']}/runs/{run['id']}/steps", status=404)
    caller.refused("GET", f"/threads/{other['thread_id']}/runs/{run['id']}/steps/{step['id']}", status=404)
