"""From a request to an answer, without any input or output of its own."""

from __future__ import annotations

import hashlib
import json
import re
from threading import Lock
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import unquote

from conformance.reference.clock import ScopedClock
from conformance.reference.errors import Refusal
from conformance.reference.ids import Ids
from conformance.reference.operations import Call, Operations
from conformance.reference.runs import Pace
from conformance.reference.store import Store

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping, Sequence

    from conformance.reference.clock import Clock

DEFAULT_KEY = "sk-reference"
class Answer(NamedTuple):
    """What goes back."""

    status: int
    headers: dict[str, str]
    body: bytes


class Reference:
    """The server, one object: `handle` is all that a shell around it needs."""

    def __init__(
        self,
        *,
        clock: Clock | None = None,
        keys: Collection[str] = (DEFAULT_KEY,),
        cancel_policy: str = "documented",
        seed: str = "",
        base_path: str = "/v1",
        pace: Pace | None = None,
    ) -> None:
        """
        Prepare an empty server.

        Args:
            clock: Where time comes from; by default a clock of each scope's own, turned by hand.
            keys: The keys that it accepts.
            cancel_policy: `documented` and `strict` cancel only in_progress runs, `observed` queued and
                requires_action ones as well.
            seed: What ids are derived from.
            base_path: What all paths begin with.
            pace: How long runs take.
        """
        self.clock = clock or ScopedClock()
        self._keys = frozenset(keys)
        self._base_path = base_path
        self._store = Store()
        self._operations = Operations(self._store, Ids(seed), pace or Pace(), cancel_policy)
        self._lock = Lock()
        self._handled = 0

    def now(self, scope: str) -> float:
        """The time as a scope sees it, in Unix seconds."""
        return self.clock.now(scope)

    def wait(self, seconds: float, scope: str) -> None:
        """Turn the clock for a scope; only a clock that is turned by hand can be."""
        if isinstance(self.clock, ScopedClock):
            with self._lock:
                self.clock.wait(seconds, scope)

    def handle(
        self,
        method: str,
        path: str,
        query: Sequence[tuple[str, str]],
        headers: Mapping[str, str],
        body: bytes,
        scope: str = "",
    ) -> Answer:
        """
        Answer a request.

        Args:
            method: The HTTP method.
            path: Percent-encoded, from the host's root.
            query: The decoded parameters, in order.
            headers: Names in lower case.
            body: As it came.
            scope: Whose clock and ids it belongs to.
        """
        with self._lock:
            try:
                status, value = 200, self._dispatch(method, path, query, headers, body, scope)
                extra: dict[str, str] = {}
            except Refusal as refusal:
                status, value, extra = refusal.status, refusal.body(), refusal.headers
            return self._answer(status, value, extra, b"" if method == "HEAD" else None, (method, path, body, scope))

    def _dispatch(
        self,
        method: str,
        path: str,
        query: Sequence[tuple[str, str]],
        headers: Mapping[str, str],
        body: bytes,
        scope: str,
    ) -> dict[str, Any]:
        self._authenticate(headers)
        if not path.startswith(self._base_path + "/"):
            raise Refusal(f"Unknown request URL: {method} {path}.", status=404, code="unknown_url")
        below = path.removeprefix(self._base_path).rstrip("/")
        routes = {route.method: route for route in _ROUTES if route.pattern.fullmatch(below)}
        if not routes:
            raise Refusal(f"Unknown request URL: {method} {path}.", status=404, code="unknown_url")
        if method not in routes:
            raise Refusal(f"Not allowed to {method} on {path}.", status=405, headers={"allow": ", ".join(sorted(routes))})
        self._need_beta(headers)
        route = routes[method]
        matched = route.pattern.fullmatch(below)
        ids = {name: unquote(value) for name, value in matched.groupdict().items()} if matched else {}
        thread = self._store.threads.get(ids.get("thread_id", ""))
        origin = thread.scope if thread else scope
        self.clock.touch(scope, origin)
        return route.operation(self._operations, Call(ids, query, headers, body, scope, self.clock.now(origin)))

    def _authenticate(self, headers: Mapping[str, str]) -> None:
        scheme, _, key = headers.get("authorization", "").partition(" ")
        challenge = {"www-authenticate": 'Bearer realm="OpenAI API"'}
        if scheme.lower() != "bearer" or not key:
            raise Refusal("An API key is needed, as a Bearer token.", status=401, headers=challenge)
        if key not in self._keys:
            shown = f"{key[:3]}...{key[-2:]}" if len(key) > 12 else "..."
            raise Refusal(
                f"The API key {shown} is not known.", status=401, code="invalid_api_key", headers=challenge
            )

    @staticmethod
    def _need_beta(headers: Mapping[str, str]) -> None:
        if headers.get("openai-beta") != "assistants=v2":
            raise Refusal("The header 'OpenAI-Beta: assistants=v2' is needed.", code="invalid_beta")

    def _answer(
        self, status: int, value: Any, extra: Mapping[str, str], body: bytes | None, what: tuple[Any, ...]
    ) -> Answer:
        self._handled += 1
        headers = {
            "content-type": "application/json",
            "openai-version": "2020-10-01",
            "openai-processing-ms": "20",
            "x-request-id": "req_" + hashlib.md5(repr((self._handled, what)).encode(), usedforsecurity=False).hexdigest(),
            **extra,
        }
        return Answer(status, headers, json.dumps(value, indent=2).encode() if body is None else body)


class _Route(NamedTuple):
    method: str
    pattern: re.Pattern[str]
    operation: Callable[[Operations, Call], dict[str, Any]]


def _route(method: str, path: str, operation: Callable[[Operations, Call], dict[str, Any]]) -> _Route:
    return _Route(method, re.compile(re.sub(r"\{(\w+)\}", r"(?P<\1>[^/]+)", path)), operation)


_ROUTES = (
    _route("POST", "/assistants", Operations.create_assistant),
    _route("GET", "/assistants/{assistant_id}", Operations.retrieve_assistant),
    _route("DELETE", "/assistants/{assistant_id}", Operations.delete_assistant),
    _route("POST", "/threads", Operations.create_thread),
    _route("GET", "/threads/{thread_id}", Operations.retrieve_thread),
    _route("DELETE", "/threads/{thread_id}", Operations.delete_thread),
    _route("POST", "/threads/{thread_id}/messages", Operations.create_message),
    _route("GET", "/threads/{thread_id}/messages", Operations.list_messages),
    _route("POST", "/threads/{thread_id}/runs", Operations.create_run),
    _route("GET", "/threads/{thread_id}/runs", Operations.list_runs),
    _route("GET", "/threads/{thread_id}/runs/{run_id}", Operations.retrieve_run),
    _route("POST", "/threads/{thread_id}/runs/{run_id}", Operations.modify_run),
    _route("POST", "/threads/{thread_id}/runs/{run_id}/cancel", Operations.cancel_run),
    _route("POST", "/threads/{thread_id}/runs/{run_id}/submit_tool_outputs", Operations.submit_tool_outputs),
)
