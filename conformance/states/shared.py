"""Read-only subjects: staged once a session, each in a scope of its own, and never changed by a case."""

from __future__ import annotations

from contextlib import nullcontext
from copy import copy
from dataclasses import dataclass, field
from threading import Lock
from typing import TYPE_CHECKING, Any, TypeVar

from conformance.outcomes import Fault, Untested
from conformance.states.handles import Listing, Run, Thread, run_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from conformance.states.stage import Stage

T = TypeVar("T")


@dataclass
class Shared:
    """Subjects that many cases only read."""

    stage: Stage
    _staged: dict[str, Any] = field(default_factory=dict)
    _locks: dict[str, Lock] = field(default_factory=dict)
    _lock: Lock = field(default_factory=Lock)

    def run(self, state: str) -> Run:
        """A run in a state that it will not leave by itself."""
        return self._once(state, lambda: self.stage.run(state))  # type: ignore[no-any-return]

    @property
    def some_run(self) -> Run:
        """A run that exists, in whatever state it may be."""
        return self._once("some_run", lambda: self.stage.started(self.stage.thread()))  # type: ignore[no-any-return]

    @property
    def listing(self) -> Listing:
        """A thread with five runs, finished if the target finishes them."""
        return self._once("listing", self._fill)  # type: ignore[no-any-return]

    @property
    def tied_listing(self) -> Listing:
        """A thread with five runs, created as quickly as the target permits, and finished if it finishes them."""
        return self._once("tied_listing", self._fill_quickly)  # type: ignore[no-any-return]

    @property
    def long_listing(self) -> Listing:
        """A thread with one run more than a default page, where so many may be made."""
        return self._once("long_listing", self._fill_long)  # type: ignore[no-any-return]

    @property
    def other_thread(self) -> Thread:
        """A thread with one message and no run."""
        return self._once("other_thread", self.stage.thread)  # type: ignore[no-any-return]

    @property
    def other_assistant(self) -> str:
        """An assistant that no other case has a run with."""
        return self._once("other_assistant", self.stage.means.new_assistant)  # type: ignore[no-any-return]

    def subject(self, name: str, make: Callable[[], T]) -> T:
        """Whatever else several cases only read, made once, in a scope of its own."""
        return self._once(name, make)  # type: ignore[no-any-return]

    def _fill(self) -> Listing:
        """Created a second apart, since their times tell the order."""
        thread, runs = self.stage.thread(), list[Run]()
        for _ in range(5):
            if runs:
                runs[-1].pause("apart")
            runs += self.stage.fill(thread, 1)
        return Listing(thread, tuple(runs))

    def _fill_long(self) -> Listing:
        thread = self.stage.thread()
        return Listing(thread, tuple(self.stage.fill(thread, 21, optional=True)))

    def _fill_quickly(self) -> Listing:
        thread, runs = self.stage.thread(), list[Run]()
        for _ in range(5):
            reply = self.stage.hurried(thread)
            if reply.refused and runs:  # the lock of an active run: wait for it, then ask again
                self.stage.brought_to_rest(runs[-1])
                reply = self.stage.hurried(thread)
            run_of(reply)
            runs.append(Run(self.stage.client, self.stage.means.waits, reply))
        return Listing(thread, tuple(self.stage.brought_to_rest(run) for run in runs))

    def _once(self, name: str, make: Callable[[], Any]) -> Any:
        """Stage at first use; what could not be staged stays so for the session."""
        with self._lock:
            lock = self._locks.setdefault(name, Lock())
        with self.stage.client.idling() if lock.locked() else nullcontext(), lock:
            if name not in self._staged:
                _ = self.stage.assistant_id  # in its own scope, before this one opens
                try:
                    with self.stage.client.scope(f"subjects/{name}"):
                        self._staged[name] = make()
                except (Untested, Fault) as problem:
                    self._staged[name] = problem
        if isinstance(self._staged[name], Exception):
            raise copy(self._staged[name])
        return self._staged[name]
