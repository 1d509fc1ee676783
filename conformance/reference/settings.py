"""What a run is created with: what its request says, and what it leaves to the assistant or to the defaults."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from conformance.reference.errors import invalid

if TYPE_CHECKING:
    from collections.abc import Mapping

_DEFAULTS: Mapping[str, Any] = {
    "instructions": None,
    "temperature": 1.0,
    "top_p": 1.0,
    "reasoning_effort": None,
    "max_completion_tokens": None,
    "max_prompt_tokens": None,
    "truncation_strategy": {"type": "auto", "last_messages": None},
    "response_format": "auto",
    "tool_choice": "auto",
    "parallel_tool_calls": True,
}
#: What a run takes from its assistant unless its own request says otherwise.
_INHERITED = ("model", "instructions", "tools", "temperature", "top_p", "reasoning_effort", "response_format")


def settings_of(body: Mapping[str, Any], assistant: Mapping[str, Any]) -> dict[str, Any]:
    """
    What a run is created with: the request's values, else the assistant's, else the defaults.

    Raises:
        Refusal: the tool choice names a tool that the run does not have.
    """
    given = {name: value for name, value in body.items() if value is not None}
    inherited = {name: assistant[name] for name in _INHERITED if assistant[name] is not None}
    settings = {**_DEFAULTS, **inherited, **{name: given[name] for name in {*_DEFAULTS, *_INHERITED} if name in given}}
    if more := given.get("additional_instructions"):
        settings["instructions"] = "\n\n".join(part for part in (settings["instructions"], more) if part)
    settings["tools"] = [_enriched(tool) for tool in settings["tools"]]
    strategy = settings["truncation_strategy"]
    settings["truncation_strategy"] = {"type": strategy["type"], "last_messages": strategy.get("last_messages")}
    choice = settings["tool_choice"]
    if isinstance(choice, dict):
        wanted = _name(choice)
        if wanted not in [_name(tool) for tool in settings["tools"]]:
            raise invalid("tool_choice", f"the run has no {' '.join(wanted)}.")
    return settings


def _name(tool: Mapping[str, Any]) -> tuple[str, ...]:
    return ("function", tool["function"]["name"]) if tool["type"] == "function" else (tool["type"],)


def _enriched(tool: Mapping[str, Any]) -> dict[str, Any]:
    """A tool with the members that the real service adds."""
    match tool["type"]:
        case "function":
            given = tool["function"]
            parameters = given.get("parameters", {"type": "object", "properties": {}})
            strict = given.get("strict") or False
            return {"type": "function", "function": {**given, "parameters": parameters, "strict": strict}}
        case "file_search":
            given = tool.get("file_search", {})
            ranking = {"ranker": "default_2024_08_21", "score_threshold": 0.0, **given.get("ranking_options", {})}
            return {"type": "file_search", "file_search": {**given, "ranking_options": ranking}}
        case _:
            return dict(tool)
