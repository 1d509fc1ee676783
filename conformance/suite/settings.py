"""Settings that runs are created with, and what a case may say of how a run shows them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from conformance.states.means import DEFAULT_MODEL
from conformance.states.stage import CALL_A_FUNCTION
from conformance.suite.expectations import expect, need, need_run
from conformance.wire.faults import faults
from conformance.wire.models import Run as RunModel
from conformance.wire.values import contains, members_apart

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from conformance.states.handles import Run
    from conformance.states.shared import Shared
    from conformance.wire.exchange import Exchange


def function(name: str, what: str = "Looks up the value of y.") -> dict[str, Any]:
    """A function that a run may call."""
    parameters = {"type": "object", "properties": {"y": {"type": "string"}}, "required": ["y"]}
    return {"type": "function", "function": {"name": name, "description": what, "parameters": parameters}}


def strict(name: str) -> dict[str, Any]:
    """A function that is called with arguments of its schema, and with no others."""
    usual = function(name)["function"]
    parameters = {**usual["parameters"], "additionalProperties": False}
    return {"type": "function", "function": {**usual, "parameters": parameters, "strict": True}}


#: What a run is created with besides; none of it is the default, and some targets or models do not have all of it.
SETTINGS: Final[dict[str, Any]] = {
    "tools": [function("conformance_of_the_run")],
    "tool_choice": "none",
    "parallel_tool_calls": False,
    "temperature": 0.5,
    "top_p": 0.5,
    "max_prompt_tokens": 1000,
    "max_completion_tokens": 1001,
    "truncation_strategy": {"type": "last_messages", "last_messages": 3},
    "response_format": {"type": "text"},
}
FILE_SEARCH: Final[dict[str, Any]] = {
    "max_num_results": 7,
    "ranking_options": {"ranker": "default_2024_08_21", "score_threshold": 0.5},
}
#: Settings that several cases look at; each is small enough for any model.
FURNITURE: Final[dict[str, dict[str, Any]]] = {
    # At its limits, which are in characters: those of two bytes count once.
    "metadata": {"metadata": {"k" * 64: "v" * 512, "ü" * 64: "ü" * 512, **{f"key {n}": str(n) for n in range(14)}}},
    "tools": {
        "tools": [
            {"type": "code_interpreter"},
            {"type": "file_search", "file_search": FILE_SEARCH},
            *CALL_A_FUNCTION["tools"],
        ]
    },
    "json_schema": {
        "response_format": {
            "type": "json_schema",
            "json_schema": {"name": "answer", "schema": strict("")["function"]["parameters"], "strict": True},
        },
        "tools": [strict("conformance_strict")],
    },
    "json_object": {"response_format": {"type": "json_object"}, "instructions": "Answer in JSON."},
    "limits": {
        "max_prompt_tokens": 1000,
        "max_completion_tokens": 1000,
        "truncation_strategy": {"type": "last_messages", "last_messages": 3},
        "response_format": {"type": "text"},
    },
}
#: An assistant that has settings of its own, so that what a run takes from it can be told from what it does not.
ASSISTANT: Final[dict[str, Any]] = {
    "instructions": "Answer in two words.",
    "tools": [function("conformance_of_the_assistant")],
    "metadata": {"whose": "assistant"},
}
#: What may be null in a create.
NULLABLE: Final = (
    "model",
    "instructions",
    "additional_instructions",
    "additional_messages",
    "tools",
    "metadata",
    "temperature",
    "top_p",
    "stream",
    "max_prompt_tokens",
    "max_completion_tokens",
    "truncation_strategy",
    "tool_choice",
    "response_format",
)
NO_MODEL: Final = "conformance-no-such-model"
#: What is left out where a run shall be created with nothing but an assistant.
USUAL: Final = ("metadata", "model")


def furnished_assistant(shared: Shared) -> str:
    """The assistant with settings of its own, which every case shares."""
    return str(shared.once("furnished-assistant", lambda: shared.stage.means.new_assistant(**ASSISTANT)))


def speechless_assistant(shared: Shared) -> str:
    """An assistant without instructions, which every case shares."""
    return str(shared.once("speechless-assistant", lambda: shared.stage.means.new_assistant(instructions=None)))


def heir_of(shared: Shared) -> Exchange:
    """A run that says nothing, of an assistant with settings of its own."""
    return shared.created("heir", assistant_id=furnished_assistant(shared), without=USUAL)


def bare_of(shared: Shared) -> Exchange:
    """A run that says nothing, of the assistant that all runs have."""
    return shared.created("bare", without=USUAL)


def model_of(shared: Shared) -> str:
    """The model of every assistant of the session's own."""
    return shared.stage.means.model or DEFAULT_MODEL


def need_created(reply: Exchange, what: str) -> Exchange:
    """A create with a setting that some targets or models do not have."""
    need(not reply.refused, f"the target refuses {what}: {reply}")
    need(reply.succeeded, f"the server crashed, which RUN-ERR-011 is about: {reply}")
    return reply


def expect_created(some_run: Run, reply: Exchange, what: str) -> Exchange:
    """A create with a setting must be granted, since one without it was; a crash is RUN-ERR-011's business."""
    need(reply.status < 500, f"the server crashed, which RUN-ERR-011 is about: {reply}")
    expect(reply.succeeded, f"a run with {what} (2xx)", f"status {reply.status}", some_run.seen, reply)
    return reply


def expect_json(reply: Exchange) -> None:
    """A run must be answered as one object, and not as a stream."""
    need(reply.succeeded, f"there is no run: {reply}")
    kind = reply.response.headers.get("content-type", "absent")
    streamed = "event-stream" in kind or reply.response.body.lstrip().startswith((b"event:", b"data:"))
    expect(not streamed, "a JSON object", f"a stream, of content type {kind}", reply)


def need_documented(run: dict[str, Any], names: Iterable[str], reply: Exchange) -> None:
    """What a run does not show, or not in the documented form, is the business of the schema's rows."""
    wrong = {fault.path[0] for fault in faults(run, RunModel) if fault.path and not fault.integral_float}
    missing = [name for name in names if name not in run or name in wrong]
    need(not missing, f"the run does not show {' and '.join(missing)} in the documented form: {reply}")


def _sorted(value: Any) -> Any:
    """Tools in the order of their names, since theirs says nothing; anything else as it is."""
    if not isinstance(value, list) or not all(isinstance(each, dict) and "type" in each for each in value):
        return value
    return sorted(value, key=lambda tool: (str(tool["type"]), str((tool.get("function") or {}).get("name"))))


def lost_in(run: Mapping[str, Any], settings: Mapping[str, Any]) -> list[str]:
    """The settings that a run does not show as they were given."""
    return [name for name, value in settings.items() if not contains(run.get(name), value)]


def expect_shown(reply: Exchange, wanted: Mapping[str, Any], *before: Exchange) -> None:
    """
    A run must show the settings; members that were added to them are no fault.

    Args:
        reply: What shows the run.
        wanted: The settings by name.
        before: What else shows that it does not.
    """
    run = need_run(reply)
    need_documented(run, wanted, reply)
    other = [name for name, value in wanted.items() if not contains(_sorted(run[name]), _sorted(value))]
    expect(not other, *members_apart(other, wanted, run), *before, reply)
