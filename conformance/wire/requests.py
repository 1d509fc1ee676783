"""The bodies of requests: closed, unlike what is sent back."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from conformance.wire.models import Asked, Identifier, Metadata, ResponseFormat, ToolChoice, Tools, TruncationStrategy


class NewMessage(Asked):
    """A message to add."""

    role: Literal["user", "assistant"]
    content: str
    metadata: Metadata | None = None


class CreateRunRequest(Asked):
    """What a run is created with."""

    assistant_id: Identifier
    model: str | None = None
    instructions: str | None = None
    additional_instructions: str | None = None
    additional_messages: list[NewMessage] | None = None
    tools: Tools | None = None
    metadata: Metadata | None = None
    temperature: Annotated[float, Field(ge=0, le=2)] | None = None
    top_p: Annotated[float, Field(ge=0, le=1)] | None = None
    max_prompt_tokens: Annotated[int, Field(ge=256)] | None = None
    max_completion_tokens: Annotated[int, Field(ge=256)] | None = None
    truncation_strategy: TruncationStrategy | None = None
    tool_choice: ToolChoice | None = None
    parallel_tool_calls: bool = True
    response_format: ResponseFormat | None = None
    stream: bool | None = None


class NewThread(Asked):
    """What a thread is created with."""

    messages: Annotated[list[NewMessage], Field(default_factory=list)]
    metadata: Metadata | None = None


class CreateThreadAndRunRequest(CreateRunRequest):
    """What a run and its thread are created with; all messages are the thread's."""

    thread: NewThread | None = None
    additional_instructions: None = None
    additional_messages: None = None


class ModifyRunRequest(Asked):
    """The metadata that replaces a run's."""

    metadata: Metadata | None = None


class ToolOutput(Asked):
    """The output of one call."""

    tool_call_id: str
    output: str


class SubmitToolOutputsRequest(Asked):
    """The outputs of all calls that a run waits for."""

    tool_outputs: list[ToolOutput]
    stream: bool | None = None
