"""Bodies as the real service sent them: runs, pages, events."""

from __future__ import annotations

import json
from typing import Any, Final

THREAD, RUN, ASSISTANT = "thread_abc123", "run_abc123", "asst_abc123"
_CREATED: Final = 1_761_000_000
#: The members that say when something happened.
TIMES: Final = ("created_at", "started_at", "completed_at", "cancelled_at", "failed_at", "expires_at")
#: The members without which a run is none.
LEAST: Final = ("id", "object", "created_at", "thread_id", "assistant_id", "status")
#: The final states, and when a run in them says that it came there.
FINAL: Final = {
    "completed": "completed_at",
    "failed": "failed_at",
    "cancelled": "cancelled_at",
    "incomplete": "completed_at",
    "expired": None,
}


def run(status: str = "in_progress", id: str = RUN, **members: Any) -> dict[str, Any]:
    """A run in a status; members replace those that it would have."""
    body: dict[str, Any] = {
        "id": id,
        "object": "thread.run",
        "created_at": _CREATED,
        "assistant_id": ASSISTANT,
        "thread_id": THREAD,
        "status": status,
        "started_at": None if status == "queued" else _CREATED + 1,
        "expires_at": _CREATED + 600,
        "cancelled_at": None,
        "failed_at": None,
        "completed_at": None,
        "required_action": None,
        "last_error": None,
        "model": "gpt-4o-mini",
        "instructions": "You are helpful.",
        "tools": [],
        "metadata": {},
        "temperature": 1.0,
        "top_p": 1.0,
        "max_completion_tokens": None,
        "max_prompt_tokens": None,
        "truncation_strategy": {"type": "auto", "last_messages": None},
        "incomplete_details": None,
        "usage": None,
        "response_format": "auto",
        "tool_choice": "auto",
        "parallel_tool_calls": True,
    }
    if status == "requires_action":
        body["required_action"] = action()
    if status in FINAL:
        body["expires_at"] = None
        body["usage"] = {"prompt_tokens": 20, "completion_tokens": 11, "total_tokens": 31}
        if told := FINAL[status]:
            body[told] = _CREATED + 7
    if status == "failed":
        body["last_error"] = {"code": "server_error", "message": "It broke."}
    return body | members


def action(arguments: str = '{"city": "Oslo"}') -> dict[str, Any]:
    """What a run waits for whose model called a function."""
    call = {"id": "call_abc123", "type": "function", "function": {"name": "weather", "arguments": arguments}}
    return {"type": "submit_tool_outputs", "submit_tool_outputs": {"tool_calls": [call]}}


def page(*ids: str, has_more: bool = False) -> dict[str, Any]:
    """A page of runs."""
    ends = {"first_id": ids[0] if ids else None, "last_id": ids[-1] if ids else None}
    return {"object": "list", "data": [run("completed", id) for id in ids], **ends, "has_more": has_more}


def event(name: str, data: Any) -> bytes:
    """An event of a stream."""
    return f"event: {name}\ndata: {json.dumps(data, ensure_ascii=False, separators=(',', ':'))}\n\n".encode()


DONE: Final = b"event: done\ndata: [DONE]\n\n"


def delta(text: str) -> dict[str, Any]:
    """A piece of a message."""
    content = [{"index": 0, "type": "text", "text": {"value": text}}]
    return {"id": "msg_abc123", "object": "thread.message.delta", "delta": {"content": content}}
