"""Bodies in which everything says something: no value is a default, none is there twice, and texts are strange ones."""

from __future__ import annotations

from typing import Any, Final

from conformance.sdk import bodies
from conformance.sdk.bodies import ASSISTANT, FINAL, RUN, THREAD

#: ASCII that somebody would like to mend: spaces at both ends, three ends of lines, escapes of three languages.
TEXT: Final = "  <b>Be kind &amp; brief</b>,\r\n\tthen stop: 100%25 \\u00fc + \\n.\n "
#: Keys that a client which renames members would rename as well; they are the caller's.
_PROPERTIES: Final = {
    "cityName": {"type": "string", "description": " Where. "},
    "city_name": {"type": "string", "enum": ["Oslo", "", "null"]},
    "Max-Days": {"type": "integer", "minimum": 0, "default": 3},
}
_OBJECT: Final = {"type": "object", "properties": _PROPERTIES, "required": ["cityName"], "additionalProperties": False}
_FUNCTION: Final = {"name": "weather", "description": "Tells\tthe weather. ", "parameters": _OBJECT, "strict": True}
_SEARCH: Final = {"max_num_results": 5, "ranking_options": {"ranker": "default_2024_08_21", "score_threshold": 0.75}}
#: The metadata has the keys that callers are assumed to give, and other values than these.
_SAID: Final[dict[str, Any]] = {
    "model": "gpt-4.1-2025-04-14",
    "instructions": TEXT,
    "tools": [
        {"type": "function", "function": _FUNCTION},
        {"type": "file_search", "file_search": _SEARCH},
        {"type": "code_interpreter"},
    ],
    "metadata": {"order": " 0815 ", "customer": TEXT, "empty": ""},
    "temperature": 0.25,
    "top_p": 0.125,
    "max_prompt_tokens": 4321,
    "max_completion_tokens": 987,
    "truncation_strategy": {"type": "last_messages", "last_messages": 7},
    "tool_choice": {"type": "function", "function": {"name": "weather"}},
    "response_format": {
        "type": "json_schema",
        "json_schema": {"name": "report", "description": "A report. ", "schema": _OBJECT, "strict": True},
    },
    "parallel_tool_calls": False,
}
USAGE: Final = {"prompt_tokens": 23, "completion_tokens": 19, "total_tokens": 42}


def run(status: str = "queued", **members: Any) -> dict[str, Any]:
    """A run in a status; members replace those that it would have."""
    of_status: dict[str, Any] = {"usage": USAGE} if status in FINAL else {}
    if status == "requires_action":
        of_status["required_action"] = action()
    if status == "failed":
        of_status["last_error"] = {"code": "rate_limit_exceeded", "message": " Later,\r\nplease. "}
    if status == "incomplete":
        of_status["incomplete_details"] = {"reason": "max_prompt_tokens"}
    return bodies.run(status, **(_SAID | of_status | members))


def action() -> dict[str, Any]:
    """What a run waits for whose model called two functions at once."""
    calls = [
        {"id": f"call_{name}", "type": "function", "function": {"name": name, "arguments": arguments}}
        for name, arguments in (("weather", '{"city": "Oslo"}'), ("time", '{"zone": "CET"}'))
    ]
    return {"type": "submit_tool_outputs", "submit_tool_outputs": {"tool_calls": calls}}


def at(status: str, moment: int) -> dict[str, Any]:
    """A run in a status that began at a moment, each of its timestamps another one."""
    times = {"created_at": moment, "started_at": moment + 61, "expires_at": moment + 3_723}
    if told := FINAL.get(status):
        times[told] = moment + 200
    return bodies.run(status) | times


def message(status: str, text: str) -> dict[str, Any]:
    """A message of a stream."""
    return {
        "id": "msg_abc123",
        "object": "thread.message",
        "created_at": 1_761_000_003,
        "thread_id": THREAD,
        "assistant_id": ASSISTANT,
        "run_id": RUN,
        "status": status,
        "role": "assistant",
        "content": [{"type": "text", "text": {"value": text, "annotations": []}}] if text else [],
        "metadata": {"customer": TEXT},
    }


#: A stream of an answer, with what the real service sends between the beginning and the end of the run.
STORY: Final[list[tuple[str, Any]]] = [
    ("thread.run.created", run("queued")),
    ("thread.run.queued", run("queued")),
    ("thread.run.in_progress", run("in_progress")),
    ("thread.message.created", message("in_progress", "")),
    ("thread.message.delta", bodies.delta(" Hello")),
    ("thread.message.delta", bodies.delta(",\r\n you. ")),
    ("thread.message.delta", bodies.delta(" ")),
    ("thread.message.completed", message("completed", " Hello,\r\n you.  ")),
    ("thread.run.completed", run("completed")),
]
