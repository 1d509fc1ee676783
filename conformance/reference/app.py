"""From a request to an answer, without any input or output of its own."""

from __future__ import annotations

import hashlib
import json
import re
import time
from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import unquote

from pydantic_core import PydanticSerializationError, to_json

from conformance.reference.calls import Answer, Call
from conformance.reference.clock import ScopedClock
from conformance.reference.errors import Refusal
from conformance.reference.ids import Ids
from conformance.reference.operations import Operations
from conformance.reference.runs import Pace
from conformance.reference.store import Store
from conformance.reference.streams import DONE, Story

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Generator, Mapping, Sequence

    from conformance.reference.clock import Clock

DEFAULT_KEY = "sk-reference"
#: Seconds after which a stream looks again what has become of its run.
_MOMENT = 0.03


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
        faults: Sequence[type[Operations]] = (),
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
            faults: What it does wrong on purpose; see `conformance.reference.faults`.
        """
        self._clock = clock or ScopedClock()
        self._base_path = base_path
        self._seed = seed
        self._store = Store()
        operations = type("Operations", (*faults, Operations), {}) if faults else Operations
        self._operations: Operations = operations(
            self._store, Ids(seed), pace or Pace(), cancel_policy, frozenset(keys)
        )
        self._handled: Counter[str] = Counter()

    def now(self, scope: str) -> float:
        """The time as a scope sees it, in Unix seconds, to the millisecond."""
        return round(self._clock.now(scope), 3)

    def wait(self, seconds: float, scope: str) -> None:
        """Turn the clock for a scope; any other clock than the scoped one goes by itself."""
        if isinstance(self._clock, ScopedClock):
            with self._store.lock:
                self._clock.wait(seconds, scope)

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
        with self._store.lock:
            below = path.removeprefix(self._base_path) if path.startswith(self._base_path) else ""
            routes = {route.method: found for route in _ROUTES if (found := route.match(below))}
            origin = self._origin(routes, scope)
            if isinstance(self._clock, ScopedClock):
                self._clock.touch(scope, origin)
            operation = routes[method].operation if method in routes else ""
            call = Call("", {}, query, headers, body, scope, self.now(origin))
            try:
                self._operations.admit(headers, operation)
                routed = _chosen(routes, method, path)
                self._operations.need_beta(headers)
                call = replace(call, operation=routed.operation, ids=routed.ids)
                answer = self._answer(scope, 200, getattr(self._operations, routed.operation)(call))
                for story in call.stories:
                    streamed = {**answer.headers, "content-type": "text/event-stream; charset=utf-8"}
                    answer = Answer(200, streamed, b"", self._frames(story, scope, origin))
            except Refusal as refusal:
                answer = self._answer(scope, refusal.status, refusal.body(), refusal.headers)
            answer = self._operations.sent(answer, call)
            return replace(answer, body=b"") if method == "HEAD" else answer

    def _frames(self, story: Story, scope: str, origin: str) -> Generator[bytes]:
        """The events of a story as they travel, each at its time."""
        tell = self._operations.narrated
        try:
            while not story.is_over:
                with self._store.lock:
                    now = self.now(origin)
                    said = [each for event in story.due(now) for each in tell(*event, story.run)]
                    said += tell(*DONE, story.run) if story.is_over else []
                    pause = 0 if story.is_over else story.next(now) - now
                for name, data in said:
                    yield self._operations.framed(name, data)
                self._pass(pause, scope)
                yield b""  # so that who listens can go when nothing more happens
        except GeneratorExit:
            with self._store.lock:
                self._operations.left(story.run, self.now(origin))
            raise

    def _pass(self, seconds: float, scope: str) -> None:
        """Let time pass for a stream; where others may intervene, no more than a moment."""
        if isinstance(self._clock, ScopedClock):
            self.wait(seconds, scope)
        else:
            time.sleep(min(seconds, _MOMENT))

    def _origin(self, routes: Mapping[str, _Routed], scope: str) -> str:
        """The scope of the thread that the path leads to, else the scope that asks."""
        addressed = (self._store.threads.get(routed.ids.get("thread_id", "")) for routed in routes.values())
        return next((thread.scope for thread in addressed if thread), scope)

    def _answer(
        self, scope: str, status: int, value: Mapping[str, Any], extra: Mapping[str, str] | None = None
    ) -> Answer:
        self._handled[scope] += 1
        number = hashlib.sha256(f"{self._seed}/{scope}/{self._handled[scope]}".encode()).hexdigest()[:32]
        headers = {
            "content-type": "application/json",
            "openai-version": "2020-10-01",
            "openai-processing-ms": "20",
            "x-request-id": f"req_{number}",
            **(extra or {}),
        }
        return Answer(status, headers, _encoded(value))


def _encoded(value: Mapping[str, Any]) -> bytes:
    """JSON, indented as the real service did; half a surrogate pair, which UTF-8 cannot hold, stays an escape."""
    try:
        return to_json(value, indent=2)
    except PydanticSerializationError:
        return json.dumps(value, indent=2).encode()


class _Routed(NamedTuple):
    operation: str
    ids: Mapping[str, str]


class _Route(NamedTuple):
    method: str
    depth: int
    pattern: re.Pattern[str]
    operation: str

    def match(self, path: str) -> _Routed | None:
        """Read the ids out of a path, if it is one of this route."""
        found = self.pattern.fullmatch(path) if path.count("/") == self.depth else None
        return found and _Routed(self.operation, {name: unquote(value) for name, value in found.groupdict().items()})


def _chosen(routes: Mapping[str, _Routed], method: str, path: str) -> _Routed:
    if not routes:
        raise Refusal(f"Unknown request URL: {method} {path}.", status=404, code="unknown_url")
    if method not in routes:
        allowed = ", ".join(sorted(routes))
        raise Refusal(f"Not allowed to {method} on {path}.", status=405, headers={"allow": allowed})
    return routes[method]


def _route(method: str, path: str, operation: Callable[[Operations, Call], dict[str, Any]]) -> _Route:
    # No thread is named "runs": that path creates a thread and a run at once.
    pattern = re.compile(re.sub(r"\{(\w+)\}", r"(?P<\1>(?!runs(?:/|$))[^/]+)", path))
    return _Route(method, path.count("/"), pattern, operation.__name__)


_ROUTES = (
    _route("POST", "/assistants", Operations.create_assistant),
    _route("GET", "/assistants/{assistant_id}", Operations.retrieve_assistant),
    _route("POST", "/assistants/{assistant_id}", Operations.modify_assistant),
    _route("DELETE", "/assistants/{assistant_id}", Operations.delete_assistant),
    _route("POST", "/threads", Operations.create_thread),
    _route("POST", "/threads/runs", Operations.create_thread_and_run),
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
    _route("GET", "/threads/{thread_id}/runs/{run_id}/steps", Operations.list_run_steps),
    _route("GET", "/threads/{thread_id}/runs/{run_id}/steps/{step_id}", Operations.retrieve_run_step),
)
