"""Staging: fresh threads and runs, and runs that are brought into a state."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from conformance.outcomes import NotClaimed, Untested
from conformance.states.handles import NOT_FOUND, Run, Thread, id_of, run_of
from conformance.states.means import PROBE

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from conformance.client import Client
    from conformance.states.means import Means
    from conformance.wire.exchange import Exchange

SHORT_PROMPT = "Say hello."
LONG_PROMPT = "Count from 1 to 4000, one number per line. Do not stop early and do not abbreviate."
#: Creates a run that must ask for the output of a function.
CALL_A_FUNCTION: Mapping[str, Any] = {
    "tools": [
        {
            "type": "function",
            "function": {
                "name": PROBE,
                "description": "Looks up the value of x.",
                "parameters": {"type": "object", "properties": {"x": {"type": "string"}}, "required": ["x"]},
            },
        }
    ],
    "tool_choice": {"type": "function", "function": {"name": PROBE}},
}
#: Creates a run that hits its limit long before it is done.
SMALL_LIMIT: Mapping[str, Any] = {"max_completion_tokens": 256}
#: The metadata of every run: whoever finds one on the target knows where it comes from.
LABEL: Mapping[str, str] = {"created_by": "runs-conformance"}
#: The states that nobody sees where a create answers only once the run has ended.
PASSING = frozenset({"queued", "in_progress", "cancelling", "cancelled"})
#: How often in a row a state is missed before it is taken for out of reach.
PATIENCE = 3


@dataclass
class Stage:
    """Stages fresh threads and runs in the scope that is open."""

    means: Means

    @property
    def client(self) -> Client:
        """The session's client."""
        return self.means.client

    @property
    def policy(self) -> str:
        """The cancel policy of the session: documented, strict or observed."""
        return self.means.policy

    @property
    def assistant_id(self) -> str:
        """The assistant that all runs are created with."""
        return self.means.assistant_id()

    def thread(self, message: str | None = SHORT_PROMPT) -> Thread:
        """Create a thread, with one user message unless that is None."""
        body = {} if message is None else {"messages": [{"role": "user", "content": message}]}
        thread = Thread(self.client, id_of(self.client.call("create_thread", json=body), "a thread"))
        self.means.threads.append(thread.id)
        return thread

    def create_run(
        self, thread: Thread, *, without: Collection[str] = (), query: Sequence[tuple[str, str]] = (), **fields: Any
    ) -> Exchange:
        """
        Ask for a run on a thread, and judge nothing.

        Args:
            thread: The thread.
            without: What is usually sent and now is not.
            query: Parameters of the request.
            fields: What is sent besides, or instead.
        """
        return self._asked("create_run", without, fields, thread_id=thread.id, query=query)

    def create_thread_and_run(self, *, without: Collection[str] = (), **fields: Any) -> Exchange:
        """Ask for a run together with its thread, and judge nothing."""
        reply = self._asked("create_thread_and_run", without, fields)
        if reply.succeeded and isinstance(reply.json, dict) and isinstance(reply.json.get("thread_id"), str):
            self.means.threads.append(reply.json["thread_id"])
        return reply

    def run_fields(self, **fields: Any) -> dict[str, Any]:
        """What a run is created with."""
        assistant = self.assistant_id
        model = {"model": self.means.model} if self.means.model else {}
        return {"assistant_id": assistant, "metadata": LABEL, **model, **self.means.fields, **fields}

    def _asked(self, operation: str, without: Collection[str], fields: Mapping[str, Any], **where: Any) -> Exchange:
        body = {name: value for name, value in self.run_fields(**fields).items() if name not in without}
        self.means.claim()
        reply = self.client.call(operation, json=body, **where)
        if not reply.succeeded:
            self.means.give_back()
        return reply

    def hurried(self, thread: Thread) -> Exchange:
        """Ask for a run that is over as soon as the target permits."""
        return self.create_run(thread, **self.means.recipes.get("quick", {}))

    def run(self, state: str, **fields: Any) -> Run:
        """
        Bring a fresh run on a fresh thread into a state.

        Args:
            state: One of the documented statuses.
            fields: More fields to create it with.

        Raises:
            Untested: the state could not be reached.
        """
        if self.means.synchronous and state in PASSING:
            raise self.client.withhold(NotClaimed(f"the profile says that a create awaits the end: no run is {state}"))
        from conformance.states.recipes import RECIPES

        with self.means.scouting(state):
            if (missed := self.means.missed.get(state)) and missed.times >= PATIENCE and not self.means.persistent:
                raise Untested(missed.reason)
            try:
                run = RECIPES[state](self, fields)
            except Untested as problem:
                if problem.gates:
                    self.means.miss(state, problem.reason)
                raise
            self.means.missed.pop(state, None)
            self.means.reached.add(state)
            return run

    def fill(self, thread: Thread, number: int, *, optional: bool = False) -> list[Run]:
        """Put so many runs on a thread, each brought to rest before the next; the oldest comes first."""
        self.means.allow(number, optional=optional)
        return [self.brought_to_rest(self._created(self.hurried(thread))) for _ in range(number)]

    def brought_to_rest(self, run: Run) -> Run:
        """The run once it has finished; where the target finishes none, cancelled, or else as it is."""
        if not self.means.restless:
            try:
                return self._finish(run)
            except Untested:
                self.means.restless = not self.means.persistent
        cancelled = run.cancel()
        with suppress(Untested):
            return Run(self.client, self.means.waits, run.settle("cancel"))
        if cancelled.status == run.retrieve().status == NOT_FOUND:
            raise Untested(f"run {run.id} is not there, which RUN-CREATE-001 is about: {cancelled}")
        return run

    def started(self, thread: Thread, **fields: Any) -> Run:
        """Create a run; without one there is nothing to stage."""
        return self._created(self.create_run(thread, **fields))

    def _created(self, reply: Exchange) -> Run:
        run_of(reply)
        return Run(self.client, self.means.waits, reply)

    def staged(self, seen: Exchange, state: str) -> Run:
        """A run that must have come into a state; any other is `Untested`."""
        status = run_of(seen).get("status")
        if status != state:
            raise Untested(f"no run could be brought into {state}: it became {status} ({seen})")
        return Run(self.client, self.means.waits, seen)

    def _finish(self, run: Run) -> Run:
        return Run(self.client, self.means.waits, run.settle())
