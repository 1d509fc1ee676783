"""Which operation a method and a path ask for."""

from __future__ import annotations

import re
from functools import lru_cache
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import unquote

from conformance.reference.errors import Refusal
from conformance.reference.operations import Operations

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from conformance.reference.calls import Call


class Routed(NamedTuple):
    """An operation, and the ids that its path holds."""

    operation: str
    ids: Mapping[str, str]


class Route(NamedTuple):
    """A path below the base path, and what a method does there."""

    method: str
    depth: int
    pattern: re.Pattern[str]
    operation: str

    def match(self, path: str) -> Routed | None:
        """Read the ids out of a path, if it is one of this route."""
        found = self.pattern.fullmatch(path) if path.count("/") == self.depth else None
        if found is None:
            return None
        # Read-only, since equal paths share them.
        return Routed(
            self.operation, MappingProxyType({name: unquote(value) for name, value in found.groupdict().items()})
        )


@lru_cache(maxsize=4096)
def routes_of(path: str) -> Mapping[str, Routed]:
    """What each method requests on a path, percent-encoded and below the base path; most paths come many times."""
    return {route.method: found for route in ROUTES if (found := route.match(path))}


def chosen(routes: Mapping[str, Routed], method: str, path: str) -> Routed:
    """
    What a method asks for.

    Raises:
        Refusal: nothing is at this path, or nothing for this method.
    """
    if not routes:
        raise Refusal(f"Unknown request URL: {method} {path}.", status=404, code="unknown_url")
    if method not in routes:
        allowed = ", ".join(sorted(routes))
        raise Refusal(f"Not allowed to {method} on {path}.", status=405, headers={"allow": allowed})
    return routes[method]


def _route(method: str, path: str, operation: Callable[[Operations, Call], dict[str, Any]]) -> Route:
    # No thread is named "runs": that path creates a thread and a run at once.
    pattern = re.compile(re.sub(r"\{(\w+)\}", r"(?P<\1>(?!runs(?:/|$))[^/]+)", path))
    return Route(method, path.count("/"), pattern, operation.__name__)


ROUTES = (
    _route("POST", "/assistants", Operations.create_assistant),
    _route("GET", "/assistants", Operations.list_assistants),
    _route("GET", "/assistants/{assistant_id}", Operations.retrieve_assistant),
    _route("POST", "/assistants/{assistant_id}", Operations.modify_assistant),
    _route("DELETE", "/assistants/{assistant_id}", Operations.delete_assistant),
    _route("POST", "/threads", Operations.create_thread),
    _route("POST", "/threads/runs", Operations.create_thread_and_run),
    _route("GET", "/threads/{thread_id}", Operations.retrieve_thread),
    _route("POST", "/threads/{thread_id}", Operations.modify_thread),
    _route("DELETE", "/threads/{thread_id}", Operations.delete_thread),
    _route("POST", "/threads/{thread_id}/messages", Operations.create_message),
    _route("GET", "/threads/{thread_id}/messages", Operations.list_messages),
    _route("GET", "/threads/{thread_id}/messages/{message_id}", Operations.retrieve_message),
    _route("POST", "/threads/{thread_id}/messages/{message_id}", Operations.modify_message),
    _route("DELETE", "/threads/{thread_id}/messages/{message_id}", Operations.delete_message),
    _route("POST", "/threads/{thread_id}/runs", Operations.create_run),
    _route("GET", "/threads/{thread_id}/runs", Operations.list_runs),
    _route("GET", "/threads/{thread_id}/runs/{run_id}", Operations.retrieve_run),
    _route("POST", "/threads/{thread_id}/runs/{run_id}", Operations.modify_run),
    _route("POST", "/threads/{thread_id}/runs/{run_id}/cancel", Operations.cancel_run),
    _route("POST", "/threads/{thread_id}/runs/{run_id}/submit_tool_outputs", Operations.submit_tool_outputs),
    _route("GET", "/threads/{thread_id}/runs/{run_id}/steps", Operations.list_run_steps),
    _route("GET", "/threads/{thread_id}/runs/{run_id}/steps/{step_id}", Operations.retrieve_run_step),
)
#: The names of all operations.
OPERATIONS = tuple(route.operation for route in ROUTES)
