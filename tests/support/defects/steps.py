"""For each invariant about steps: defects that it finds, and nobody else."""

from __future__ import annotations

from copy import deepcopy
from typing import TYPE_CHECKING, Any

from support.journals import (
    ACTION,
    ASSISTANT,
    RUN,
    T0,
    THREAD,
    USAGE,
    Defect,
    Finding,
    Told,
    drop,
    page_of,
    put,
    read,
    told,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from support.journals import Story

_STATUSES: Mapping[str, Mapping[str, Any]] = {
    "in_progress": {"expires_at": T0 + 600},
    "completed": {"completed_at": T0 + 9, "usage": USAGE},
    "cancelled": {"cancelled_at": T0 + 9, "usage": USAGE},
    "failed": {
        "failed_at": T0 + 9,
        "last_error": {"code": "server_error", "message": "Sorry, something went wrong."},
        "usage": USAGE,
    },
    "expired": {"usage": USAGE},
}
_WRITES = {"type": "message_creation", "message_creation": {"message_id": "msg_abc"}}


def calls(output: str | None) -> dict[str, Any]:
    """The details of a step that called functions."""
    made = deepcopy(ACTION["submit_tool_outputs"]["tool_calls"])  # type: ignore[index]
    for call in made:
        call["function"]["output"] = output
    return {"type": "tool_calls", "tool_calls": made}


def step(status: str = "completed", details: dict[str, Any] = _WRITES, **members: Any) -> dict[str, Any]:
    """A faithful step."""
    bare = {
        "id": "step_abc",
        "object": "thread.run.step",
        "created_at": T0 + 3,
        "run_id": RUN,
        "assistant_id": ASSISTANT,
        "thread_id": THREAD,
        "type": details["type"],
        "status": status,
        "cancelled_at": None,
        "completed_at": None,
        "expires_at": None,
        "failed_at": None,
        "last_error": None,
        "step_details": details,
        "usage": None,
    }
    return deepcopy({**bare, **_STATUSES[status], **members})


def steps(*items: dict[str, Any]) -> Told:
    """Steps are listed."""
    return Told("list_steps", page_of(*items))


def of_a_status(status: str) -> Story:
    return [read(status if status != "in_progress" else "in_progress"), Told("retrieve_step", step(status))]


def _written() -> Story:
    return of_a_status("completed")


def _open() -> Story:
    return of_a_status("in_progress")


def _failed() -> Story:
    return of_a_status("failed")


def _cancelled() -> Story:
    return of_a_status("cancelled")


def _expired() -> Story:
    return of_a_status("expired")


def _called() -> Story:
    return [Told("retrieve_step", step("completed", calls("3")))]


def _waiting() -> Story:
    return [read("requires_action"), steps(step("in_progress", calls(None)))]


def _listed() -> Story:
    return [read(), steps(step(id="step_two"), step("completed", calls("3")))]


def _said(path: str, value: Any, expected: str, actual: str, story: Any = _written) -> Defect:
    return Defect(story, put(path, value), expected, actual)


DEFECTS: Mapping[str, Sequence[Defect | Finding]] = {
    "steps_come_in_the_envelope_of_lists": [
        *(Defect(_listed, drop(each), each, f"without {each}") for each in ("object", "data", "has_more", "last_id")),
        _said("object", "page", '"list"', '"page"', _listed),
        _said("has_more", "false", "true or false", '"false"', _listed),
        _said("data", {}, "an array of steps", "data {}", _listed),
        _said("data.1", "step_abc", "an array of steps", '"step_abc" in data', _listed),
        Defect(_listed, told(body=[step()]), "a JSON object", "step_abc"),
    ],
    "step_names_what_it_belongs_to": [
        _said("run_id", "run_two", f'run_id "{RUN}"', 'run_id "run_two"'),
        _said("thread_id", "thread_two", f'thread_id "{THREAD}"', 'thread_id "thread_two"'),
        _said("assistant_id", "asst_two", f'assistant_id "{ASSISTANT}"', 'assistant_id "asst_two"'),
        _said("data.1.run_id", "run_two", f'run_id "{RUN}"', 'run_id "run_two"', _listed),
    ],
    "members_of_a_step": [
        *(Defect(_written, drop(each), each, f"{each} absent") for each in ("id", "object", "created_at", "usage")),
        *(Defect(_open, drop(each), each, f"{each} absent") for each in ("completed_at", "failed_at", "last_error")),
        _said("object", "thread.run", "object 'thread.run.step'", '"thread.run"'),
        _said("created_at", "2025-11-21", "created_at", '"2025-11-21"'),
        _said("completed_at", T0 * 1000, "completed_at", str(T0 * 1000)),
        _said("usage.prompt_tokens", "20", "usage.prompt_tokens", '"20"'),
        _said("last_error.message", None, "last_error.message", "null", _failed),
    ],
    "members_that_nobody_sent": [
        Finding(_written, "steps have neither expired_at nor metadata"),
        Finding(
            lambda: [Told("retrieve_step", step(metadata={}, expired_at=None))], "steps have expired_at and metadata"
        ),
    ],
    "type_of_a_step": [
        Defect(_written, drop("type"), "type", "type absent"),
        Defect(_written, drop("step_details"), "step_details", "step_details absent"),
        _said("type", "message", "type", '"message"'),
        _said("step_details", None, "step_details", "null"),
        _said("step_details.type", "message", "step_details", "step_details"),
        _said("step_details.tool_calls", {}, "step_details.tool_calls", "{}", _called),
        _said("step_details.tool_calls.0.id", None, "step_details.tool_calls", "null", _called),
    ],
    "details_are_of_the_type": [
        _said("type", "tool_calls", "of type tool_calls", "of type message_creation"),
    ],
    "status_of_a_step": [
        Defect(_written, drop("status"), "status", "status absent"),
        _said("status", "incomplete", "status", '"incomplete"'),
        _said("status", None, "status", "null"),
    ],
    "step_in_progress_has_no_usage": [
        _said("usage", USAGE, "usage null", "usage {", _open),
    ],
    "total_of_a_step_is_the_sum": [
        _said("usage.total_tokens", 31, "20 + 10", "total_tokens 31"),
    ],
    "id_of_the_message": [
        _said("step_details.message_creation", {}, "message_id", "message_id absent"),
        _said("step_details.message_creation.message_id", "", "message_id", '""'),
    ],
    "call_of_a_function": [
        Defect(_called, drop("step_details.tool_calls.0.function.output"), "0.function.output", "absent"),
        Defect(_called, drop("step_details.tool_calls.1.function.name"), "1.function.name", "absent"),
        _said("step_details.tool_calls.0.function.arguments", {}, "0.function.arguments", "{}", _called),
    ],
    "output_waits_to_be_submitted": [
        _said("data.0.step_details.tool_calls.1.function.output", "", "null until", 'output "" of call_2', _waiting),
        _said("data.0.step_details.tool_calls.0.function.output", "3", "null until", 'output "3" of call_1', _waiting),
    ],
    "completed_step_says_when": [
        _said("completed_at", None, "completed_at set", "completed_at null"),
        _said("completed_at", T0 + 9, "completed_at null while the step is in_progress", "completed_at", _open),
        _said("completed_at", T0 + 1, "created_at <= completed_at", f"completed_at {T0 + 1}"),
        _said("created_at", T0 - 1, "created_at of the run <= created_at", f"created_at {T0 - 1}", _open),
    ],
    "broken_off_step_says_when": [
        _said("cancelled_at", None, "cancelled_at set", "cancelled_at null", _cancelled),
        _said("cancelled_at", T0 + 1, "cancelled_at from", f"cancelled_at {T0 + 1}", _cancelled),
        _said("failed_at", None, "failed_at set", "failed_at null", _failed),
        _said("last_error", None, "last_error set", "last_error null", _failed),
    ],
    "other_steps_were_not_broken_off": [
        _said("cancelled_at", T0 + 9, "cancelled_at null while the step is completed", "cancelled_at"),
        _said("failed_at", T0 + 9, "failed_at null", "failed_at", _cancelled),
        _said("last_error", {"code": "server_error", "message": "Late."}, "last_error null", "server_error", _expired),
    ],
    "code_of_the_error": [
        _said("last_error.code", "invalid_prompt", "last_error.code", '"invalid_prompt"', _failed),
    ],
    "steps_have_ids_of_their_own": [
        _said("data.0.id", "step_abc", "of its own", "step_abc", _listed),
    ],
}
