"""The document for a mock: that of the runs, and what a session needs before it can make one."""

from __future__ import annotations

import json
from typing import Any

import yaml

from tools.peers.running import ROOT

_CREATED = 1_763_683_200
_THREAD = {"id": "thread_mock", "object": "thread", "created_at": _CREATED, "metadata": {}, "tool_resources": {}}
_ASSISTANT = {"id": "asst_mock", "object": "assistant", "created_at": _CREATED, "model": "gpt-4o", "tools": []}
_MESSAGE = {"id": "msg_mock", "object": "thread.message", "created_at": _CREATED, "role": "user", "content": []}
_PAGE = {"object": "list", "data": [], "first_id": None, "last_id": None, "has_more": False}
_OBJECT = {"application/json": {"schema": {"type": "object"}}}


def document() -> str:
    """`schemas/openapi.yaml` with assistants, threads and messages, as JSON."""
    told = yaml.safe_load((ROOT / "schemas" / "openapi.yaml").read_text("utf-8"))
    thread = [{"name": "thread_id", "in": "path", "required": True, "schema": {"type": "string"}}]
    told["paths"] |= {
        "/assistants": {"post": _posting(_ASSISTANT)},
        "/threads": {"post": _posting(_THREAD)},
        "/threads/{thread_id}": {"parameters": thread, "delete": _answering({"id": "thread_mock", "deleted": True})},
        "/threads/{thread_id}/messages": {
            "parameters": thread,
            "get": _answering(_PAGE),
            "post": _posting(_MESSAGE),
        },
    }
    return json.dumps(told)


def _answering(example: dict[str, Any]) -> dict[str, Any]:
    content = {"application/json": {"schema": {"type": "object"}, "example": example}}
    return {"responses": {"200": {"description": "Done.", "content": content}}}


def _posting(example: dict[str, Any]) -> dict[str, Any]:
    return {"requestBody": {"content": _OBJECT}, **_answering(example)}
