"""
The objects of the API, strict in their types and open to extra members.

Where the published schema and the recorded traffic of the real service disagree, the models accept what it sent:
`instructions` may be null, an empty page has null cursors, a token limit may be as low as 1.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Annotated, Any, Literal, get_args

from pydantic import BaseModel, ConfigDict, Discriminator, Field, Tag, ValidationError

from conformance.wire.values import ABSENT, shown

RunStatus = Literal[
    "queued",
    "in_progress",
    "requires_action",
    "cancelling",
    "cancelled",
    "failed",
    "completed",
    "incomplete",
    "expired",
]
STATUSES: tuple[str, ...] = get_args(RunStatus)

#: Unix time in seconds; the bounds tell seconds from milliseconds.
Timestamp = Annotated[int, Field(ge=1_500_000_000, le=10_000_000_000, description="Unix time in seconds.")]
Name = Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{1,64}$")]
Count = Annotated[int, Field(ge=0)]
Identifier = Annotated[str, Field(min_length=1)]
TokenLimit = Annotated[int, Field(ge=1)]
Metadata = Annotated[
    dict[Annotated[str, Field(max_length=64)], Annotated[str, Field(max_length=512)]],
    Field(max_length=16, description="Up to 16 pairs of a key of up to 64 and a value of up to 512 characters."),
]


class Sent(BaseModel):
    """Something that a server sends: it may have members that nobody documented."""

    model_config = ConfigDict(extra="allow", strict=True, title=None)


class Asked(BaseModel):
    """A request body: closed."""

    model_config = ConfigDict(extra="forbid", strict=True)


class CalledFunction(Sent):
    """The function to call, and its arguments as JSON text."""

    name: str
    arguments: str


class ToolCall(Sent):
    """A call whose output is to be submitted."""

    id: Identifier
    type: Literal["function"]
    function: CalledFunction


class SubmitToolOutputs(Sent):
    """The calls that wait for their outputs."""

    tool_calls: list[ToolCall]


class RequiredAction(Sent):
    """What a run waits for."""

    type: Literal["submit_tool_outputs"]
    submit_tool_outputs: SubmitToolOutputs


class LastError(Sent):
    """Why a run failed."""

    code: Literal["server_error", "rate_limit_exceeded", "invalid_prompt"]
    message: str


class IncompleteDetails(Sent):
    """Why a run is incomplete."""

    reason: Literal["max_completion_tokens", "max_prompt_tokens"] | None = None


class Usage(Sent):
    """Tokens that a run used."""

    completion_tokens: Count
    prompt_tokens: Count
    total_tokens: Count


class TruncationStrategy(Sent):
    """How a thread is cut down to what the model can take."""

    type: Literal["auto", "last_messages"]
    last_messages: Annotated[int, Field(ge=1)] | None = None


class Function(Sent):
    """A function that the model may call."""

    name: Name
    description: str | None = None
    parameters: dict[str, Any] | None = None
    strict: bool | None = None


class RankingOptions(Sent):
    """How file search ranks."""

    score_threshold: Annotated[float, Field(ge=0, le=1)]
    ranker: Literal["auto", "default_2024_08_21"] | None = None


class FileSearch(Sent):
    """Overrides of file search."""

    max_num_results: Annotated[int, Field(ge=1, le=50)] | None = None
    ranking_options: RankingOptions | None = None


class CodeInterpreterTool(Sent):
    """The code interpreter."""

    type: Literal["code_interpreter"]


class FileSearchTool(Sent):
    """File search."""

    type: Literal["file_search"]
    file_search: FileSearch | None = None


class FunctionTool(Sent):
    """A function of the caller's."""

    type: Literal["function"]
    function: Function


Tool = Annotated[CodeInterpreterTool | FileSearchTool | FunctionTool, Field(discriminator="type")]
Tools = Annotated[list[Tool], Field(max_length=20)]


class ChosenFunction(Sent):
    """The function that must be called."""

    name: Identifier


class NamedToolChoice(Sent):
    """A tool that must be used."""

    type: Literal["function", "code_interpreter", "file_search"]
    function: ChosenFunction | None = None


class TextFormat(Sent):
    """Plain text."""

    type: Literal["text"]


class JsonObjectFormat(Sent):
    """Any JSON object."""

    type: Literal["json_object"]


class OutputSchema(Sent):
    """A schema that the output follows."""

    name: Name
    description: str | None = None
    schema_: Annotated[dict[str, Any] | None, Field(alias="schema")] = None
    strict: bool | None = None


class JsonSchemaFormat(Sent):
    """Output that follows a schema."""

    type: Literal["json_schema"]
    json_schema: OutputSchema


def _word_or_object(value: Any) -> str:
    return "word" if isinstance(value, str) else "object"


ToolChoice = Annotated[
    Annotated[Literal["none", "auto", "required"], Tag("word")] | Annotated[NamedToolChoice, Tag("object")],
    Discriminator(_word_or_object),
]
ResponseFormat = Annotated[
    Annotated[Literal["auto"], Tag("word")]
    | Annotated[
        Annotated[TextFormat | JsonObjectFormat | JsonSchemaFormat, Field(discriminator="type")], Tag("object")
    ],
    Discriminator(_word_or_object),
]


class Run(Sent):
    """An execution on a thread."""

    id: Identifier
    object: Literal["thread.run"]
    created_at: Timestamp
    thread_id: Identifier
    assistant_id: Identifier
    status: RunStatus
    required_action: RequiredAction | None
    last_error: LastError | None
    expires_at: Timestamp | None
    started_at: Timestamp | None
    cancelled_at: Timestamp | None
    failed_at: Timestamp | None
    completed_at: Timestamp | None
    incomplete_details: IncompleteDetails | None
    model: Identifier
    instructions: str | None
    tools: Tools
    metadata: Metadata | None
    usage: Usage | None
    temperature: float | None = None
    top_p: float | None = None
    max_prompt_tokens: TokenLimit | None
    max_completion_tokens: TokenLimit | None
    truncation_strategy: TruncationStrategy | None
    tool_choice: ToolChoice | None
    parallel_tool_calls: bool
    response_format: ResponseFormat | None


class RunPage(Sent):
    """A page of runs."""

    object: Literal["list"]
    data: list[Run]
    first_id: str | None
    last_id: str | None
    has_more: bool


class ErrorDetail(Sent):
    """What went wrong."""

    message: Annotated[str, Field(min_length=1)]
    type: str
    param: str | None
    code: str | None


class ErrorBody(Sent):
    """The envelope of every refusal."""

    error: ErrorDetail


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

    messages: list[NewMessage] = []
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


@dataclass(frozen=True)
class FieldFault:
    """One member that is not as it should be."""

    path: tuple[str | int, ...]
    expected: str
    actual: str
    #: What is wrong with it, in pydantic's words: `missing`, `string_type`, `too_long`, ...
    kind: str
    #: An integer written as 1.0, which JSON Schema calls an integer and most clients do not.
    integral_float: bool = False


def faults(value: object, model: type[BaseModel]) -> list[FieldFault]:
    """
    Hold a decoded JSON value against a model.

    Args:
        value: Any JSON value, however hostile.
        model: One of the models of this module.

    Returns:
        Each member that is not as it should be, at its narrowest place.
    """
    try:
        model.model_validate(value)
    except ValidationError as problem:
        return [
            _fault(error["loc"], error["type"], error["msg"], error["input"])
            for error in problem.errors(include_url=False, include_context=False)
        ]
    except RecursionError:
        return [FieldFault((), "an object of reasonable depth", "deeper nesting", "depth")]
    return []


def _fault(location: tuple[str | int, ...], kind: str, message: str, value: Any) -> FieldFault:
    path = _without_branches(location)
    integral = kind == "int_type" and isinstance(value, float) and value.is_integer()
    actual = shown(ABSENT if kind == "missing" else value)
    if kind in {"too_long", "too_short"}:
        actual = f"{len(value)} items: {actual}"
    return FieldFault(path, _expected(kind, message), actual, kind, integral)


def _without_branches(location: tuple[str | int, ...]) -> tuple[str | int, ...]:
    """Drop the branches of unions that pydantic names: `tools.0.function.function.name` is `tools.0.function.name`."""
    left, path = list(location), list[str | int]()
    while left:
        path.append(left.pop(0))
        if path[-1] in {"tool_choice", "response_format"} or path[-2:-1] == ["tools"]:
            branch = left.pop(0) if left else None
            if path[-1] == "response_format" and branch == "object" and left:
                left.pop(0)
    return tuple(path)


def _expected(kind: str, message: str) -> str:
    if kind == "missing":
        return "a value"
    if kind in {"too_long", "too_short"}:  # "List should have at most 20 items after validation, not 21"
        bound = re.search(r"at (?:most|least) \d+ items?", message)
        return bound[0] if bound else message
    text = message.removeprefix("Input should be ").removeprefix("Input should have ")
    text = text.replace("String should match pattern", "a string that matches").replace(" should have ", " with ")
    return text[:1].lower() + text[1:]
