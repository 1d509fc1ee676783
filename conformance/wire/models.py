"""
The objects of the API, strict in their types and open to extra members.

Where the published schema and the recorded traffic of the real service disagree, the models accept what it sent:
`instructions` may be null, an empty page has null cursors, a token limit may be as low as 1.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal, get_args

from pydantic import BaseModel, ConfigDict, Discriminator, Field, Tag

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
