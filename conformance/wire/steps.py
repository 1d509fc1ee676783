"""A step of a run: one call of tools, or one message; strict in its types and open to extra members."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated, Any, Literal, get_args

from pydantic import Discriminator, Field, Tag

from conformance.wire.faults import FieldFault, faults
from conformance.wire.models import Identifier, Metadata, Sent, Timestamp, Usage

StepStatus = Literal["in_progress", "cancelled", "failed", "completed", "expired"]
STEP_STATUSES: tuple[str, ...] = get_args(StepStatus)


class MessageCreation(Sent):
    """The message that the step writes."""

    message_id: Identifier


class MessageCreationDetails(Sent):
    """What a step that writes a message did."""

    type: Literal["message_creation"]
    message_creation: MessageCreation


class AnsweredFunction(Sent):
    """A function that was called, and its output, which is null until it was submitted."""

    name: str
    arguments: str
    output: str | None


class FunctionStepCall(Sent):
    """A call of a function."""

    id: Identifier
    type: Literal["function"]
    function: AnsweredFunction


class OtherStepCall(Sent):
    """A call of a tool of the service's own, such as code_interpreter and file_search."""

    id: Identifier
    type: Annotated[str, Field(json_schema_extra={"not": {"const": "function"}})]


def _function_or_other(value: Any) -> str:
    return "function" if isinstance(value, dict) and value.get("type") == "function" else "other"


StepCall = Annotated[
    Annotated[FunctionStepCall, Tag("function")] | Annotated[OtherStepCall, Tag("other")],
    Discriminator(_function_or_other),
]


class ToolCallsDetails(Sent):
    """What a step that calls tools did; while the model is at it there may be no call yet."""

    type: Literal["tool_calls"]
    tool_calls: list[StepCall]


class StepError(Sent):
    """Why a step failed."""

    code: Literal["server_error", "rate_limit_exceeded"]
    message: str


class RunStep(Sent):
    """A step of a run. The real service never sent `expired_at` and `metadata`, but `expires_at`."""

    id: Identifier
    object: Literal["thread.run.step"]
    created_at: Timestamp
    run_id: Identifier
    assistant_id: Identifier
    thread_id: Identifier
    type: Literal["message_creation", "tool_calls"]
    status: StepStatus
    cancelled_at: Timestamp | None
    completed_at: Timestamp | None
    expires_at: Timestamp | None = None
    expired_at: Timestamp | None = None
    failed_at: Timestamp | None
    last_error: StepError | None
    step_details: Annotated[MessageCreationDetails | ToolCallsDetails, Field(discriminator="type")]
    metadata: Metadata | None = None
    usage: Usage | None


class RunStepPage(Sent):
    """A page of steps."""

    object: Literal["list"]
    data: list[RunStep]
    first_id: str | None
    last_id: str | None
    has_more: bool


def step_faults(value: object) -> list[FieldFault]:
    """Each member of a step that is not as it should be; an integer written as 1.0 is one."""
    return [replace(fault, path=_plain(fault.path)) for fault in faults(value, RunStep) if not fault.integral_float]


def _plain(path: tuple[str | int, ...]) -> tuple[str | int, ...]:
    """Drop the branches of unions: `step_details.tool_calls.tool_calls.0.other.id` is `...tool_calls.0.id`."""
    if path[:1] != ("step_details",) or len(path) == 1:
        return path
    path = (path[0], *path[2:])
    return (*path[:3], *path[4:]) if path[1:2] == ("tool_calls",) and len(path) > 3 else path  # noqa: PLR2004
