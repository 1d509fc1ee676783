"""The operations of the API: their names, methods and paths."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Literal
from urllib.parse import unquote

Shape = Literal["run", "run_list", "thread", "assistant", "message", "message_list", "step", "step_list", "deleted"]


@dataclass(frozen=True)
class Operation:
    """One operation: how it is named, how it is called, and what a success returns."""

    name: str
    method: str
    path: str
    returns: Shape
    #: How a history shows it: "POST cancel", "GET run".
    label: str
    #: The part of the API that a target without it lacks, where that has a name.
    capability: str | None = None

    @cached_property
    def pattern(self) -> re.Pattern[str]:
        """Matches the end of a request path, whatever prefix the target has before it."""
        return re.compile(re.sub(r"\{(\w+)\}", r"(?P<\1>[^/]+)", self.path) + r"/?$")


_OPERATIONS = (
    Operation("create_run", "POST", "/threads/{thread_id}/runs", "run", "POST run"),
    Operation("list_runs", "GET", "/threads/{thread_id}/runs", "run_list", "GET runs", "list"),
    Operation("retrieve_run", "GET", "/threads/{thread_id}/runs/{run_id}", "run", "GET run", "retrieve"),
    Operation("modify_run", "POST", "/threads/{thread_id}/runs/{run_id}", "run", "POST run metadata"),
    Operation("cancel_run", "POST", "/threads/{thread_id}/runs/{run_id}/cancel", "run", "POST cancel", "cancel"),
    Operation(
        "submit_tool_outputs",
        "POST",
        "/threads/{thread_id}/runs/{run_id}/submit_tool_outputs",
        "run",
        "POST submit",
    ),
    Operation("create_thread_and_run", "POST", "/threads/runs", "run", "POST thread and run", "create-thread-and-run"),
    Operation("list_steps", "GET", "/threads/{thread_id}/runs/{run_id}/steps", "step_list", "GET steps", "steps"),
    Operation(
        "retrieve_step", "GET", "/threads/{thread_id}/runs/{run_id}/steps/{step_id}", "step", "GET step", "steps"
    ),
    Operation("create_thread", "POST", "/threads", "thread", "POST thread"),
    Operation("retrieve_thread", "GET", "/threads/{thread_id}", "thread", "GET thread"),
    Operation("delete_thread", "DELETE", "/threads/{thread_id}", "deleted", "DELETE thread"),
    Operation("create_message", "POST", "/threads/{thread_id}/messages", "message", "POST message"),
    Operation("list_messages", "GET", "/threads/{thread_id}/messages", "message_list", "GET messages"),
    Operation("create_assistant", "POST", "/assistants", "assistant", "POST assistant"),
    Operation("retrieve_assistant", "GET", "/assistants/{assistant_id}", "assistant", "GET assistant"),
    Operation("modify_assistant", "POST", "/assistants/{assistant_id}", "assistant", "POST assistant changes"),
    Operation("delete_assistant", "DELETE", "/assistants/{assistant_id}", "deleted", "DELETE assistant"),
)

#: Every operation by its name.
OPERATIONS = {operation.name: operation for operation in _OPERATIONS}

#: The operations that the Runs part of the API consists of.
RUN_OPERATIONS = frozenset(
    {
        "create_run",
        "list_runs",
        "retrieve_run",
        "modify_run",
        "cancel_run",
        "submit_tool_outputs",
        "create_thread_and_run",
        "list_steps",
        "retrieve_step",
    }
)

#: How many paths are kept with what they name.
_KEPT = 4_096
# "/threads/runs" would otherwise be read as the thread named "runs".
_IN_MATCHING_ORDER = sorted(_OPERATIONS, key=lambda operation: operation.path.count("{"))


def recognise(method: str, path: str) -> tuple[Operation | None, dict[str, str]]:
    """
    Find the operation that a request calls, and the ids in its path.

    Args:
        method: The HTTP method.
        path: The path below the host, percent-encoded, with whatever prefix the target has.

    Returns:
        The operation, or None, and the decoded path parameters by name.
    """
    operation, ids = _recognise(method, path)
    return operation, dict(ids)


@lru_cache(maxsize=_KEPT)
def _recognise(method: str, path: str) -> tuple[Operation | None, tuple[tuple[str, str], ...]]:
    """The operation and the ids as pairs; most paths come many times."""
    for operation in _IN_MATCHING_ORDER:
        if operation.method == method and (match := operation.pattern.search(path)):
            return operation, tuple((name, unquote(value)) for name, value in match.groupdict().items())
    return None, ()


def has_path(path: str) -> bool:
    """Whether a path below the host is one that the Runs part of the API has, whatever the method."""
    return any(OPERATIONS[name].pattern.search(path) for name in RUN_OPERATIONS)
