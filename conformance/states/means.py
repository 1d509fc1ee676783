"""What staging may use, and what it has used up or tried in vain."""

from __future__ import annotations

from contextlib import contextmanager
from copy import copy
from dataclasses import dataclass, field
from threading import Lock
from typing import TYPE_CHECKING, Any, NamedTuple

from conformance.outcomes import Fault, Untested
from conformance.states.handles import id_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from conformance.client import Client
    from conformance.states.waits import Waits

DEFAULT_MODEL = "gpt-4o-mini"
#: The name of the assistant, and of the function that runs are told to call.
PROBE = "conformance_probe"


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
