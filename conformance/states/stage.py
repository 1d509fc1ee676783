"""Staging: the recipes that bring a fresh run into a state."""

from __future__ import annotations

from contextlib import contextmanager, suppress
from copy import copy
from dataclasses import dataclass, field
from threading import Lock
from typing import TYPE_CHECKING, Any, NamedTuple

from conformance.outcomes import Fault, NotClaimed, Untested
from conformance.states import FINAL
from conformance.states.handles import NOT_FOUND, Run, Thread, id_of, run_of

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Mapping, Sequence

    from conformance.client import Client
    from conformance.states.waits import Waits
    from conformance.wire.exchange import Exchange

SHORT_PROMPT = "Say hello."
LONG_PROMPT = "Count from 1 to 4000, one number per line. Do not stop early and do not abbreviate."
DEFAULT_MODEL = "gpt-4o-mini"
PROBE = "conformance_probe"
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
#: How often a state that the run may rush through is tried for.
ATTEMPTS = 3
#: How often, where that was seen to depend on chance.
MORE_ATTEMPTS = 10
#: How often in a row a state is missed before it is taken for out of reach.
PATIENCE = 3


class Missed(NamedTuple):
    """A state that could not be reached, so many times one after the other, and why the last time."""

    times: int
    reason: str


@dataclass
class Means:
    """What staging may use, and has used: one for the whole session."""

    client: Client
    waits: Waits
    policy: str = "documented"
    model: str | None = None
    assistant: str | None = None
    #: Fields to create a run with, by the state that they lead to, where the target offers a way of its own.
    recipes: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    #: Fields that the target wants every run to be created with.
    fields: Mapping[str, Any] = field(default_factory=dict)
    #: Whether a create answers only once the run has ended.
    synchronous: bool = False
    max_runs: int | None = None
    #: Whether runs cost nothing, as on the embedded reference server and in a replay.
    free: bool = False
    #: Whether a state is tried for however often it was missed, so that a recording does not depend on the order.
    persistent: bool = False
    missed: dict[str, Missed] = field(default_factory=dict)
    reached: set[str] = field(default_factory=set)
    runs: int = 0
    threads: list[str] = field(default_factory=list)
    assistants: list[str] = field(default_factory=list)
    #: Whether a run was seen that never came to rest by itself.
    restless: bool = False
    #: Why there is no assistant, once that is known.
    unassisted: Untested | Fault | None = None
    _lock: Lock = field(default_factory=Lock)
    _scouts: dict[str, Lock] = field(default_factory=dict)

    def assistant_id(self) -> str:
        """The assistant of all runs, created at first use unless one was named."""
        if self.unassisted:
            raise copy(self.unassisted)
        if self.assistant is None:
            try:
                with self.client.scope("subjects/assistant"):
                    self.assistant = self.new_assistant()
            except (Untested, Fault) as problem:
                self.unassisted = problem
                raise copy(problem) from None
        return self.assistant

    def new_assistant(self, **fields: Any) -> str:
        """Create an assistant, otherwise than usual in the fields that are given."""
        wanted = {"model": self.model or DEFAULT_MODEL, "instructions": "Answer in one word.", "name": PROBE, **fields}
        id = id_of(self.client.call("create_assistant", json=wanted), "an assistant")
        self.assistants.append(id)
        return id

    def recipe(self, state: str, what: str) -> Mapping[str, Any]:
        """
        The target's own way into a state that a black box offers none into.

        Args:
            state: The state's name in the profile.
            what: Continues the sentence "nothing on a black box ...".

        Raises:
            Untested: the profile names no way.
        """
        if state not in self.recipes:
            raise Untested(f"nothing on a black box {what}; the profile names no way", gates=False)
        return self.recipes[state]

    def allow(self, runs: int, *, optional: bool = False) -> None:
        """
        See whether the session's budget has room for so many runs.

        Raises:
            Untested: it has not; that gates unless the need is optional.
        """
        if self.max_runs is not None and self.runs + runs > self.max_runs:
            raise Untested(f"--runs-max-runs={self.max_runs} leaves no room for {runs} more", gates=not optional)
        if optional and self.max_runs is None and not self.free:
            raise Untested(f"it takes {runs} runs more, which are only made with --runs-max-runs=N", gates=False)

    def miss(self, state: str, reason: str) -> None:
        """Remember that a state could not be reached once more."""
        with self._lock:
            before = self.missed.get(state)
            self.missed[state] = Missed((before.times if before else 0) + 1, reason)

    @contextmanager
    def scouting(self, state: str) -> Iterator[None]:
        """One at a time tries for a state that nobody has reached yet, so that trying in vain costs few runs."""
        if state not in self.reached:
            with self._lock:
                scout = self._scouts.setdefault(state, Lock())
            with scout:
                if state not in self.reached:
                    yield
                    return
        yield

    def claim(self) -> None:
        """
        Take a run out of the budget.

        Raises:
            Untested: it is spent.
        """
        with self._lock:
            self.allow(1)
            self.runs += 1

    def give_back(self) -> None:
        """Put back what was claimed for a run that was not created."""
        with self._lock:
            self.runs -= 1


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
        with self.means.scouting(state):
            if (missed := self.means.missed.get(state)) and missed.times >= PATIENCE and not self.means.persistent:
                raise Untested(missed.reason)
            try:
                run = _RECIPES[state](self, fields)
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


def _queued(stage: Stage, fields: Mapping[str, Any]) -> Run:
    run = stage.started(stage.thread(LONG_PROMPT), **fields)
    return stage.staged(run.seen, "queued")


def _in_progress(stage: Stage, fields: Mapping[str, Any]) -> Run:
    for _ in range(ATTEMPTS):
        run = stage.started(stage.thread(LONG_PROMPT), **fields)
        seen = run.until(lambda body: body.get("status") != "queued", "start", "left the queue")
        if run_of(seen).get("status") == "in_progress":
            break
    return stage.staged(seen, "in_progress")


def _requires_action(stage: Stage, fields: Mapping[str, Any]) -> Run:
    # A target that was seen to call functions now and then gets the chance to do it again.
    for _ in range(MORE_ATTEMPTS if "requires_action" in stage.means.reached else ATTEMPTS):
        run = stage.started(stage.thread(), **{**CALL_A_FUNCTION, **fields})
        seen = run.until(
            lambda body: body.get("status") in {"requires_action", *FINAL},
            "action",
            "asked for the output of its function",
        )
        if run_of(seen).get("status") == "requires_action":
            break
    return stage.staged(seen, "requires_action")


def _cancelling(stage: Stage, fields: Mapping[str, Any]) -> Run:
    run = _in_progress(stage, fields)
    reply = run.cancel()
    if not reply.succeeded:
        raise Untested(f"the cancel of an in_progress run was not accepted: {reply}")
    run.itself(reply)
    return stage.staged(reply, "cancelling")


def _cancelled(stage: Stage, fields: Mapping[str, Any]) -> Run:
    for _ in range(ATTEMPTS):
        run = stage.started(stage.thread(LONG_PROMPT), **fields)
        with suppress(Untested):  # some targets cancel a run that never left the queue
            run.until(lambda body: body.get("status") != "queued", "start", "left the queue")
        reply = run.cancel()
        seen = reply if run_in(reply, "cancelled") else run.settle("cancel")
        run.itself(seen)
        if run_in(seen, "cancelled"):
            break
    return stage.staged(seen, "cancelled")


def _ended(state: str, prompt: str, recipe: Mapping[str, Any]) -> Callable[..., Run]:
    def stage_it(stage: Stage, fields: Mapping[str, Any]) -> Run:
        run = stage.started(stage.thread(prompt), **{**recipe, **stage.means.recipes.get(state, {}), **fields})
        return stage.staged(run.settle(), state)

    return stage_it


def _failed(stage: Stage, fields: Mapping[str, Any]) -> Run:
    stage.means.recipe("failed", "makes a run fail")
    return _ended("failed", LONG_PROMPT, {})(stage, fields)


def _expired(stage: Stage, fields: Mapping[str, Any]) -> Run:
    recipe = stage.means.recipe("expired", "makes a run take too long")
    run = stage.started(stage.thread(LONG_PROMPT), **{**recipe, **fields})
    return stage.staged(run.outlive(), "expired")


def run_in(reply: Exchange, state: str) -> bool:
    """Whether a reply shows a run in a state."""
    return reply.succeeded and isinstance(reply.json, dict) and reply.json.get("status") == state


_RECIPES: Mapping[str, Callable[[Stage, Mapping[str, Any]], Run]] = {
    "queued": _queued,
    "in_progress": _in_progress,
    "requires_action": _requires_action,
    "cancelling": _cancelling,
    "cancelled": _cancelled,
    "completed": _ended("completed", SHORT_PROMPT, {}),
    "incomplete": _ended("incomplete", LONG_PROMPT, SMALL_LIMIT),
    "failed": _failed,
    "expired": _expired,
}
