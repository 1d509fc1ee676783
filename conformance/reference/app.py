"""From a request to an answer, without any input or output of its own."""

from __future__ import annotations

import hashlib
import json
import time
from collections import Counter
from dataclasses import replace
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from pydantic_core import PydanticSerializationError, to_json

from conformance.reference.calls import Answer, Call
from conformance.reference.clock import ScopedClock
from conformance.reference.errors import Refusal
from conformance.reference.ids import Ids
from conformance.reference.operations import Operations
from conformance.reference.queries import need_known
from conformance.reference.routes import chosen, routes_of
from conformance.reference.runs import Pace
from conformance.reference.store import Store
from conformance.reference.streams import DONE, Story

if TYPE_CHECKING:
    from collections.abc import Collection, Generator, Mapping, Sequence

    from conformance.reference.clock import Clock
    from conformance.reference.routes import Routed

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
        strict_queries: bool = False,
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
            strict_queries: Whether query parameters that nobody documents are refused, which the real service ignored.
        """
        self._clock = clock or ScopedClock()
        self._base_path = base_path
        self._seed = seed
        self._strict_queries = strict_queries
        self._store = Store()
        self._ids = Ids(seed)
        self._faults = tuple(faults)
        self._given = (pace or Pace(), cancel_policy, frozenset(keys))
        self._operations = self.acting()
        self._handled: Counter[str] = Counter()

    def acting(self, *faults: type[Operations]) -> Operations:
        """
        The operations with more faults than the server has anyway, on what it keeps.

        Raises:
            TypeError: these faults exclude each other.
        """
        bases = (*dict.fromkeys((*faults, *self._faults)), Operations)
        made: type[Operations] = type("Operations", bases, {}) if len(bases) > 1 else Operations
        return made(self._store, self._ids, *self._given)

    def reset(self) -> None:
        """Forget everything, begin to count anew, and set a clock that is turned back to its beginning."""
        with self._store.lock:
            self._store.assistants.clear()
            self._store.threads.clear()
            self._ids.reset()
            self._handled.clear()
            if isinstance(self._clock, ScopedClock):
                self._clock.reset()
            self._operations = self.acting()

    def routes(self, path: str) -> Mapping[str, Routed]:
        """What each method asks for on a path, percent-encoded, from the host's root."""
        return routes_of(path.removeprefix(self._base_path) if path.startswith(self._base_path) else "")

    @property
    def turned(self) -> ScopedClock | None:
        """The clock, if it is one that is turned by hand."""
        return self._clock if isinstance(self._clock, ScopedClock) else None

    @property
    def base_path(self) -> str:
        """What all paths of the API begin with."""
        return self._base_path

    @property
    def may_wait(self) -> bool:
        """Whether a request may take its time while others are answered; only what is done wrong does."""
        return any(not getattr(fault, "is_prompt", False) for fault in self._faults)

    def now(self, scope: str) -> float:
        """The time as a scope sees it, in Unix seconds, to the millisecond."""
        return round(self._clock.now(scope), 3)

    def wait(self, seconds: float, *scopes: str) -> None:
        """Turn the clock for some scopes; any other clock than the scoped one goes by itself."""
        if isinstance(self._clock, ScopedClock):
            with self._store.lock:
                self._clock.wait(seconds, *scopes)

    def handle(
        self,
        method: str,
        path: str,
        query: Sequence[tuple[str, str]],
        headers: Mapping[str, str],
        body: bytes,
        scope: str = "",
        acting: Operations | None = None,
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
            acting: What carries it out, if something else than usual; see `acting`.
        """
        with self._store.lock:
            operations = acting or self._operations
            routes = self.routes(path)
            origin = self._origin(routes, scope)
            if isinstance(self._clock, ScopedClock):
                self._clock.touch(scope, origin)
            operation = routes[method].operation if method in routes else ""
            now = self.now(origin)
            call = Call("", {}, query, headers, body, scope, now)
            try:
                operations.admit(headers, operation)
                routed = chosen(routes, method, path)
                operations.need_beta(headers)
                if self._strict_queries:
                    need_known(routed.operation, query)
                call = Call(routed.operation, routed.ids, query, headers, body, scope, now)
                answer = self._answer(scope, 200, getattr(operations, routed.operation)(call))
                for story in call.stories:
                    streamed = {**answer.headers, "content-type": "text/event-stream; charset=utf-8"}
                    answer = Answer(200, streamed, b"", self._frames(operations, story, scope, origin))
            except Refusal as refusal:
                answer = self._answer(scope, refusal.status, refusal.body(), refusal.headers)
            answer = operations.sent(answer, call)
            return replace(answer, body=b"") if method == "HEAD" else answer

    def _frames(self, operations: Operations, story: Story, scope: str, origin: str) -> Generator[bytes]:
        """The events of a story as they travel, each at its time."""
        tell = operations.narrated
        try:
            while not story.is_over:
                with self._store.lock:
                    now = self.now(origin)
                    said = [each for event in story.due(now) for each in tell(*event, story.run)]
                    said += tell(*DONE, story.run) if story.is_over else []
                    pause = 0 if story.is_over else story.next(now) - now
                for name, data in said:
                    yield operations.framed(name, data)
                self._pass(pause, scope)
                yield b""  # so that who listens can go when nothing more happens
        except GeneratorExit:
            with self._store.lock:
                operations.left(story.run, self.now(origin))
            raise

    def _pass(self, seconds: float, scope: str) -> None:
        """Let time pass for a stream; where others may intervene, no more than a moment."""
        if isinstance(self._clock, ScopedClock) and not self._clock.holds_streams:
            self.wait(seconds, scope)
        else:
            time.sleep(min(seconds, _MOMENT))

    def _origin(self, routes: Mapping[str, Routed], scope: str) -> str:
        """The scope of the thread that the path leads to, else the scope that asks."""
        for routed in routes.values():
            if thread := self._store.threads.get(routed.ids.get("thread_id", "")):
                return thread.scope
        return scope

    def _answer(
        self, scope: str, status: int, value: Mapping[str, Any], extra: Mapping[str, str] | None = None
    ) -> Answer:
        self._handled[scope] += 1
        headers = {
            "content-type": "application/json",
            "openai-version": "2020-10-01",
            "openai-processing-ms": "20",
            "x-request-id": _request_id(f"{self._seed}/{scope}/{self._handled[scope]}"),
            **(extra or {}),
        }
        return Answer(status, headers, _encoded(value))


@lru_cache(maxsize=8192)
def _request_id(seed: str) -> str:
    """A request id; sessions in one process draw the same ones again."""
    return f"req_{hashlib.sha256(seed.encode()).hexdigest()[:32]}"


def _encoded(value: Mapping[str, Any]) -> bytes:
    """JSON, indented as the real service did; half a surrogate pair, which UTF-8 cannot hold, stays an escape."""
    try:
        return to_json(value, indent=2)
    except PydanticSerializationError:
        return json.dumps(value, indent=2).encode()
