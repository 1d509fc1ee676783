"""The life of a run on the reference server, by the clock: which status when, and which moment is set in it."""

from __future__ import annotations

from typing import Any

import pytest

from conformance.reference import Pace, Reference
from conformance.reference.clock import BEGINNING
from support.reference_caller import FUNCTION, LONG, STATES, Caller, path_of

MOMENTS = ("started_at", "expires_at", "cancelled_at", "failed_at", "completed_at")
#: The moments that are set in each state, as the real service was recorded to set them.
SET = {
    "queued": {"expires_at"},
    "in_progress": {"started_at", "expires_at"},
    "requires_action": {"started_at", "expires_at"},
    "cancelling": {"started_at", "expires_at"},
    "cancelled": {"started_at", "cancelled_at"},
    "completed": {"started_at", "completed_at"},
    "incomplete": {"started_at", "completed_at"},
    "failed": {"started_at", "failed_at"},
    "expired": {"started_at", "completed_at"},
}
FINAL = {"cancelled", "completed", "incomplete", "failed", "expired"}


@pytest.fixture
def caller() -> Caller:
    return Caller()


def watched(caller: Caller, run: dict[str, Any], seconds: float, step: float = 0.05) -> list[dict[str, Any]]:
    """The run at every change of its status."""
    seen = [run]
    for _ in range(int(seconds / step)):
        caller.wait(step)
        now = caller.get(path_of(run))
        if now["status"] != seen[-1]["status"]:
            seen.append(now)
    return seen


def statuses(seen: list[dict[str, Any]]) -> list[str]:
    return [run["status"] for run in seen]


def outputs(run: dict[str, Any]) -> dict[str, Any]:
    calls = run["required_action"]["submit_tool_outputs"]["tool_calls"]
    return {"tool_outputs": [{"tool_call_id": call["id"], "output": "Sunny."} for call in calls]}


@pytest.mark.parametrize("state", STATES)
def test_each_state_has_its_moments_and_no_others(caller: Caller, state: str) -> None:
    run = caller.staged(state)

    assert {name for name in MOMENTS if run[name] is not None} == SET[state]
    assert (run["usage"] is not None) == (state in FINAL)
    assert (run["required_action"] is not None) == (state == "requires_action")
    assert (run["incomplete_details"] is not None) == (state == "incomplete")
    assert (run["last_error"] is not None) == (state == "failed")
    if "expires_at" in SET[state]:
        assert run["expires_at"] == run["created_at"] + 600


@pytest.mark.parametrize("state", sorted(FINAL))
def test_a_run_at_rest_stays_at_rest(caller: Caller, state: str) -> None:
    run = caller.staged(state)
    moments = [run[name] for name in ("created_at", *MOMENTS) if run[name] is not None]
    assert moments == sorted(moments)
    usage = run["usage"]
    assert usage["total_tokens"] == usage["prompt_tokens"] + usage["completion_tokens"]

    caller.wait(10_000)

    assert caller.get(path_of(run)) == run


def test_a_short_question_is_queued_worked_on_and_answered(caller: Caller) -> None:
    seen = watched(caller, caller.create(), seconds=3)

    assert statuses(seen) == ["queued", "in_progress", "completed"]
    fixed = [name for name in seen[0] if name not in {"status", "usage", *MOMENTS}]
    assert all({name: run[name] for name in fixed} == {name: seen[0][name] for name in fixed} for run in seen)


def test_a_long_answer_meets_its_limit(caller: Caller) -> None:
    seen = watched(caller, caller.create(caller.thread(LONG), max_completion_tokens=16), seconds=3)

    assert statuses(seen) == ["queued", "in_progress", "incomplete"]
    assert seen[-1]["incomplete_details"]["reason"] in {"max_completion_tokens", "max_prompt_tokens"}
    assert seen[-1]["usage"]["completion_tokens"] <= 16


@pytest.mark.parametrize("thread", [LONG, {"role": "user", "content": "x" * 401}], ids=["asked for", "by its length"])
def test_a_long_answer_without_a_limit_takes_its_time(caller: Caller, thread: dict[str, str]) -> None:
    run = caller.create(caller.thread(thread))

    caller.wait(29)
    assert caller.get(path_of(run))["status"] == "in_progress"
    caller.wait(2)
    assert caller.get(path_of(run))["status"] == "completed"


def test_a_failing_model_fails(caller: Caller) -> None:
    seen = watched(caller, caller.create(model="reference-failing"), seconds=3)

    assert statuses(seen) == ["queued", "in_progress", "failed"]
    assert seen[-1]["last_error"].keys() == {"code", "message"}


def test_a_run_resumes_with_its_outputs_and_is_started_anew(caller: Caller) -> None:
    asking = caller.staged("requires_action")
    caller.wait(30)

    requeued = caller.post(f"{path_of(asking)}/submit_tool_outputs", outputs(asking))
    assert requeued["started_at"] == asking["started_at"]
    assert requeued["expires_at"] == asking["expires_at"]
    seen = watched(caller, requeued, seconds=3)

    assert statuses(seen) == ["queued", "in_progress", "completed"]
    assert all(run["started_at"] >= asking["started_at"] + 30 for run in seen[1:])
    assert seen[1]["expires_at"] == asking["expires_at"]
    caller.refused("POST", f"{path_of(asking)}/submit_tool_outputs", outputs(asking))


def test_a_long_answer_takes_as_long_after_the_outputs(caller: Caller) -> None:
    asking = caller.create(caller.thread(LONG), tools=[FUNCTION], tool_choice="required")
    asking = watched(caller, asking, seconds=2)[-1]

    seen = watched(caller, caller.post(f"{path_of(asking)}/submit_tool_outputs", outputs(asking)), seconds=20)

    assert statuses(seen) == ["queued", "in_progress"]


def test_a_run_that_may_calls_all_its_functions_at_once_and_wants_all_outputs(caller: Caller) -> None:
    other = {"type": "function", "function": {"name": "other"}}
    asking = watched(caller, caller.create(tools=[FUNCTION, other], tool_choice="required"), seconds=2)[-1]
    whole = outputs(asking)["tool_outputs"]
    submit = f"{path_of(asking)}/submit_tool_outputs"

    assert len({each["tool_call_id"] for each in whole}) == 2
    for wrong in (whole[:1], whole[1:], [], [whole[0], whole[0]], [*whole, whole[0]]):
        caller.refused("POST", submit, {"tool_outputs": wrong})
    assert caller.get(path_of(asking)) == asking
    assert caller.post(submit, {"tool_outputs": whole[::-1]})["status"] == "queued"


def test_a_run_that_may_not_calls_one_function_at_a_time(caller: Caller) -> None:
    other = {"type": "function", "function": {"name": "other"}}
    created = caller.create(tools=[FUNCTION, other], tool_choice="required", parallel_tool_calls=False)

    assert len(outputs(watched(caller, created, seconds=2)[-1])["tool_outputs"]) == 1


def test_a_cancelled_run_is_cancelling_first(caller: Caller) -> None:
    before = caller.staged("in_progress")

    seen = watched(caller, caller.post(f"{path_of(before)}/cancel"), seconds=60, step=0.1)

    assert statuses(seen) == ["cancelling", "cancelled"]
    assert seen[0] == {**before, "status": "cancelling"}
    ended = {"status": "cancelled", "cancelled_at": seen[1]["cancelled_at"], "expires_at": None}
    assert seen[1] == {**before, **ended, "usage": seen[1]["usage"]}


def test_a_run_cancelled_in_the_queue_never_started() -> None:
    caller = Caller(cancel_policy="observed")
    run = caller.staged("queued")

    seen = watched(caller, caller.post(f"{path_of(run)}/cancel"), seconds=60, step=0.1)

    assert statuses(seen) == ["cancelling", "cancelled"]
    assert [each["started_at"] for each in seen] == [None, None]
    assert seen[1]["usage"]["total_tokens"] == 0


def test_a_run_cancelled_while_it_asks_asks_no_more() -> None:
    caller = Caller(cancel_policy="observed")
    run = caller.staged("requires_action")

    seen = watched(caller, caller.post(f"{path_of(run)}/cancel"), seconds=60, step=0.1)

    assert statuses(seen) == ["cancelling", "cancelled"]
    assert [each["required_action"] for each in seen] == [None, None]
    caller.refused("POST", f"{path_of(run)}/submit_tool_outputs", outputs(run))


@pytest.mark.parametrize(
    "members",
    [{"model": "reference-stalling"}, {"tools": [FUNCTION], "tool_choice": "required"}],
    ids=["works", "asks"],
)
def test_a_run_expires_after_ten_minutes_and_not_before(caller: Caller, members: dict[str, Any]) -> None:
    run = caller.create(**members)
    thread = f"/threads/{run['thread_id']}"

    caller.wait(599.94)
    assert caller.get(path_of(run))["status"] != "expired"  # a request takes 20 ms by this clock
    caller.wait(0.02)
    expired = caller.get(path_of(run))

    assert expired["status"] == "expired"
    assert expired["completed_at"] == run["created_at"] + 600
    assert expired["expires_at"] is None
    assert expired["required_action"] is None
    assert caller.create(thread)["status"] == "queued"


def test_outputs_do_not_lengthen_a_life(caller: Caller) -> None:
    asking = caller.staged("requires_action")
    caller.wait(600 - 2 - 0.5)

    caller.post(f"{path_of(asking)}/submit_tool_outputs", outputs(asking))
    caller.wait(2)

    assert caller.get(path_of(asking))["status"] == "expired"


def test_a_run_that_works_for_longer_than_its_life_expires() -> None:
    caller = Caller(pace=Pace(think=1000))
    run = caller.create()

    assert statuses(watched(caller, run, seconds=2000, step=5)) == ["queued", "in_progress", "expired"]


def test_the_hurrying_model_hurries(caller: Caller) -> None:
    run = caller.create(model="reference-quick")

    caller.wait(0.1)

    assert caller.get(path_of(run))["status"] == "completed"


def test_no_pace_at_all_is_no_obstacle() -> None:
    caller = Caller(pace=Pace(start=0, think=0, ask=0, long=0, limit=0, cancel=0))

    assert caller.create()["status"] == "completed"
    assert caller.create(tools=[FUNCTION], tool_choice="required")["status"] == "requires_action"


def test_a_clock_that_is_set_back_breaks_nothing() -> None:
    class Jumping:
        time = BEGINNING

        def now(self, scope: str) -> float:  # noqa: ARG002 - it is no scope's own
            return self.time

    clock = Jumping()
    caller = Caller(Reference(clock=clock))
    run = caller.create()

    for jump in (-3600, 0.5, -1e9, 3600):
        clock.time = BEGINNING + jump
        assert caller.get(path_of(run))["id"] == run["id"]
        assert caller.send("POST", f"{path_of(run)}/cancel").status in {200, 400}
        assert len(caller.get(f"/threads/{run['thread_id']}/runs")["data"]) == 1

    assert caller.get(path_of(run))["status"] in FINAL
