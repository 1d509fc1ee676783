"""Validation of every request body and query: what the real service accepts, and nothing else."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from conformance.reference.checks import integer, items, members, number, of_type, one_of, text
from conformance.reference.errors import invalid, missing

if TYPE_CHECKING:
    from collections.abc import Mapping

    from conformance.reference.checks import Check

_NAME = re.compile(r"[A-Za-z0-9_-]{1,64}")
_MOST_TOOLS = 20
_MOST_TOOLS_OF_AN_ASSISTANT = 128
_MOST_PAIRS, _LONGEST_KEY, _LONGEST_VALUE = 16, 64, 512


def metadata(name: str, value: Any) -> None:
    """At most 16 pairs of strings, 64 and 512 characters long."""
    of_type(dict)(name, value)
    if len(value) > _MOST_PAIRS:
        raise invalid(name, f"at most {_MOST_PAIRS} properties, but got {len(value)}.", "object_above_max_properties")
    for key, each in value.items():
        if len(key) > _LONGEST_KEY:
            problem = f"a key has at most {_LONGEST_KEY} characters."
            raise invalid(f"{name}.{key[:8]}...", problem, "property_name_above_max_length")
        text(_LONGEST_VALUE)(f"{name}.{key}", each)


def tool(name: str, value: Any) -> None:
    """A tool, told apart by its type."""
    of_type(dict)(name, value)
    if "type" not in value:
        raise missing(f"{name}.type")
    one_of(*_TOOLS)(f"{name}.type", value["type"])
    _TOOLS[value["type"]](name, value)


def tool_choice(name: str, value: Any) -> None:
    """A word, or a named tool."""
    if isinstance(value, str):
        return one_of("none", "auto", "required")(name, value)
    kinds = one_of("function", "code_interpreter", "file_search")
    members({"type": kinds, "function": members({"name": _function_name}, "name")}, "type")(name, value)
    if value["type"] == "function" and "function" not in value:
        raise missing(f"{name}.function")
    return None


def response_format(name: str, value: Any) -> None:
    """`auto`, or an object told apart by its type."""
    if isinstance(value, str):
        return one_of("auto")(name, value)
    schema = members(
        {"name": _function_name, "description": of_type(str), "schema": of_type(dict), "strict": of_type(bool)},
        "name",
        nullable=("strict",),
    )
    members({"type": one_of("text", "json_object", "json_schema"), "json_schema": schema}, "type")(name, value)
    if value["type"] == "json_schema" and "json_schema" not in value:
        raise missing(f"{name}.json_schema")
    return None


def content(name: str, value: Any) -> None:
    """The content of a message: text, or parts."""
    of_type(str, list)(name, value)
    if not value:
        raise invalid(name, "a message must have content.")
    if isinstance(value, list):
        items(members({"type": one_of("text"), "text": of_type(str)}, "type", "text"))(name, value)


def _function_name(name: str, value: Any) -> None:
    of_type(str)(name, value)
    if not _NAME.fullmatch(value):
        raise invalid(name, "letters, digits, underscores and dashes, at most 64 of them, were expected.")


_FUNCTION = members(
    {"name": _function_name, "description": of_type(str), "parameters": of_type(dict), "strict": of_type(bool)},
    "name",
    nullable=("strict",),
)


_RANKING = members({"ranker": one_of("auto", "default_2024_08_21"), "score_threshold": number(0, 1)}, "score_threshold")
_FILE_SEARCH = members({"max_num_results": integer(1, 50), "ranking_options": _RANKING})
_TOOLS: Mapping[str, Check] = {
    "code_interpreter": members({"type": of_type(str)}),
    "file_search": members({"type": of_type(str), "file_search": _FILE_SEARCH}),
    "function": members({"type": of_type(str), "function": _FUNCTION}, "function"),
}
_TRUNCATION = members(
    {"type": one_of("auto", "last_messages"), "last_messages": integer(1)}, "type", nullable=("last_messages",)
)
_STATIC = members({"max_chunk_size_tokens": integer(100, 4096), "chunk_overlap_tokens": integer(0)})
_VECTOR_STORE = members(
    {
        "file_ids": items(of_type(str)),
        "chunking_strategy": members({"type": one_of("auto", "static"), "static": _STATIC}, "type"),
        "metadata": metadata,
    },
    nullable=("metadata",),
)
_RESOURCES = members(
    {
        "code_interpreter": members({"file_ids": items(of_type(str), 20)}),
        "file_search": members(
            {"vector_store_ids": items(of_type(str), 1), "vector_stores": items(_VECTOR_STORE, 1)},
        ),
    }
)
_ATTACHMENT = members(
    {
        "file_id": of_type(str),
        "tools": items(members({"type": one_of("code_interpreter", "file_search")}, "type")),
    }
)
MESSAGE = members(
    {
        "role": one_of("user", "assistant"),
        "content": content,
        "metadata": metadata,
        "attachments": items(_ATTACHMENT),
    },
    "role",
    "content",
    nullable=("metadata", "attachments"),
)
_MODELLED: Mapping[str, Check] = {
    "model": text(256),
    "instructions": text(256_000),
    "metadata": metadata,
    "temperature": number(0, 2),
    "top_p": number(0, 1),
    "response_format": response_format,
    "reasoning_effort": one_of("none", "minimal", "low", "medium", "high", "xhigh", "max"),
}
_RUN: Mapping[str, Check] = {
    **_MODELLED,
    "assistant_id": of_type(str),
    "additional_instructions": text(256_000),
    "additional_messages": items(MESSAGE),
    "tools": items(tool, _MOST_TOOLS),
    "stream": of_type(bool),
    "max_prompt_tokens": integer(1),
    "max_completion_tokens": integer(1),
    "truncation_strategy": _TRUNCATION,
    "tool_choice": tool_choice,
    "parallel_tool_calls": of_type(bool),
}
_NEVER_NULL = {"assistant_id", "parallel_tool_calls"}

create_run = members(_RUN, "assistant_id", nullable=tuple(set(_RUN) - _NEVER_NULL))
modify_message = members({"metadata": metadata}, nullable=("metadata",))
modify_run = members({"metadata": metadata}, nullable=("metadata",))
cancel_run = members({})


def _outputs(*required: str) -> Check:
    output = members({"tool_call_id": of_type(str), "output": of_type(str)}, *required)
    return members({"tool_outputs": items(output), "stream": of_type(bool)}, "tool_outputs", nullable=("stream",))


submit_outputs = _outputs("tool_call_id", "output")
#: The published schema demands neither member of an output; nothing can be made of one without them.
submit_anything = _outputs()
create_thread = members(
    {"messages": items(MESSAGE), "metadata": metadata, "tool_resources": _RESOURCES},
    nullable=("metadata", "tool_resources"),
)
modify_thread = members({"metadata": metadata, "tool_resources": _RESOURCES}, nullable=("metadata", "tool_resources"))
_THREAD_AND_RUN = {
    **{name: check for name, check in _RUN.items() if not name.startswith("additional_")},
    "thread": create_thread,
    "tool_resources": _RESOURCES,
}
create_thread_and_run = members(
    _THREAD_AND_RUN, "assistant_id", nullable=tuple(set(_THREAD_AND_RUN) - _NEVER_NULL - {"thread"})
)
_ASSISTANT: Mapping[str, Check] = {
    **_MODELLED,
    "name": text(256),
    "description": text(512),
    "tools": items(tool, _MOST_TOOLS_OF_AN_ASSISTANT),
    "tool_resources": _RESOURCES,
}
_NULL_IN_AN_ASSISTANT = ("name", "description", "tool_resources", *(set(_MODELLED) - {"model"}))
create_assistant = members(_ASSISTANT, "model", nullable=_NULL_IN_AN_ASSISTANT)
modify_assistant = members(_ASSISTANT, nullable=_NULL_IN_AN_ASSISTANT)
