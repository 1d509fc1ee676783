"""The shape of steps: members that are missing, of another type, or of a value that nobody documented."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from conformance.reference.faults.registry import shows_step

if TYPE_CHECKING:
    from collections.abc import Callable

    from conformance.reference.calls import Call
    from conformance.reference.steps import Step

    Change = Callable[[dict[str, Any], Step, Call], Any]
    When = Callable[[dict[str, Any], Step, Call], object]

WRITES, CALLS = "message_creation", "tool_calls"
#: What a step that is under way has in the members that tell of its end.
OPEN: dict[str, Any] = {
    "status": "in_progress",
    "cancelled_at": None,
    "completed_at": None,
    "failed_at": None,
    "last_error": None,
    "usage": None,
}


def at(*statuses: str) -> When:
    """Whether the step has one of these statuses."""
    return lambda told, *_: told["status"] in statuses


def of(type: str, *statuses: str) -> When:
    """Whether the step is of a type, and has one of these statuses if there are any."""
    return lambda told, *_: told["type"] == type and (not statuses or told["status"] in statuses)


def when_run(*statuses: str) -> When:
    """Whether its run has one of these statuses."""
    return lambda _, step, call: step.run.status(call.now) in statuses


def _always(*_: object) -> bool:
    return True


def says(when: When = _always, /, **members: Any) -> Change:
    """Give members other values, or values made of the step, where something holds of it."""

    def change(told: dict[str, Any], step: Step, call: Call) -> None:
        if when(told, step, call):
            told.update({name: each(told) if callable(each) else each for name, each in members.items()})

    return change


def without(member: str, when: When = _always) -> Change:
    """Leave a member out."""
    return lambda told, step, call: when(told, step, call) and told.pop(member)


def functions(how: Callable[[dict[str, Any]], Any]) -> Change:
    """Change what is shown of each function that was called."""

    def change(told: dict[str, Any], *_: object) -> None:
        if told["type"] == "tool_calls":
            calls = [{**each, "function": dict(each["function"])} for each in told["step_details"]["tool_calls"]]
            for each in calls:
                how(each["function"])
            told["step_details"] = {**told["step_details"], "tool_calls": calls}

    return change


_MOMENTS = ("cancelled_at", "completed_at", "failed_at")
_PLAIN = ("object", "created_at", "run_id", "assistant_id", "thread_id")
for _member in ("id", *_PLAIN, *_MOMENTS, "last_error", "usage"):
    _name = f"step-{_member.replace('_', '-')}-missing"
    shows_step(_name, f"A step has no {_member}.", "STEP-003", change=without(_member))
for _member in _PLAIN:
    _name = f"step-{_member.replace('_', '-')}-null"
    shows_step(_name, f"The {_member} of a step is null.", "STEP-003", change=says(**{_member: None}))
for _member in ("created_at", "completed_at"):
    _name = f"step-{_member.replace('_', '-')}-text"
    shows_step(_name, f"{_member} of a step is a text.", "STEP-003", change=says(**{_member: "2026-01-01T00:00:00Z"}))
    _name = f"step-{_member.replace('_', '-')}-milliseconds"
    _in_milliseconds = says(at("completed"), **{_member: lambda told, name=_member: told[name] * 1000})
    shows_step(_name, f"{_member} of a step is in milliseconds.", "STEP-003", change=_in_milliseconds)
shows_step("step-is-a-run", "A step calls itself a run.", "STEP-003", change=says(object="thread.run"))
shows_step("step-error-text", "The error of a step is a text.", "STEP-003", change=says(at("failed"), last_error="no"))

for _member in ("type", "step_details"):
    _name = f"step-{_member.replace('_', '-')}-missing"
    shows_step(_name, f"A step has no {_member}.", "STEP-005", change=without(_member, at("completed")))
shows_step("step-type-message", "A step that writes is a message.", "STEP-005", change=says(of(WRITES), type="message"))
shows_step("step-type-turned", "A step that writes is said to call.", "STEP-005", change=says(of(WRITES), type=CALLS))
shows_step("step-details-null", "A step is told without its details.", "STEP-005", change=says(step_details=None))
shows_step(
    "step-details-bare",
    "The details of a step are not below their type.",
    "STEP-005",
    change=says(of(WRITES), step_details=lambda told: told["step_details"]["message_creation"]),
)

shows_step("step-status-missing", "A step has no status.", "STEP-006", change=without("status"))
shows_step("step-status-null", "The status of a step is null.", "STEP-006", change=says(status=None))
shows_step(
    "step-incomplete", "A step is incomplete.", "STEP-006", change=says(when_run("incomplete"), status="incomplete")
)
shows_step("step-succeeded", "A step has succeeded.", "STEP-006", change=says(at("completed"), status="succeeded"))
shows_step("step-running", "A step is running.", "STEP-006", change=says(at("in_progress"), status="running"))

shows_step("step-of-another-run", "A step names another run.", "STEP-002", change=says(run_id="run_another"))
shows_step("step-of-no-assistant", "A step names another assistant.", "STEP-002", change=says(assistant_id="asst_x"))
shows_step(
    "step-of-its-run",
    "A step names its run as its thread.",
    "STEP-002",
    change=says(thread_id=lambda told: told["run_id"]),
)
