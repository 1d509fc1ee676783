"""Read-only subjects: staged once a session, each in a scope of its own, and never changed by a case."""

from __future__ import annotations

from contextlib import nullcontext
from copy import copy
from dataclasses import dataclass, field
from threading import Lock
from typing import TYPE_CHECKING, Any, TypeVar

from conformance.outcomes import Fault, Untested
from conformance.states import streams
from conformance.states.handles import Listing, Run, Thread, run_of
from conformance.states.interference import interfered
from conformance.states.stage import LONG_PROMPT, SHORT_PROMPT
from conformance.states.subjects import called, interrupted

if TYPE_CHECKING:
    from collections.abc import Callable

    from conformance.states.interference import Interfered
    from conformance.states.stage import Stage
    from conformance.states.streams import Listened, Told, ToldCall
    from conformance.states.subjects import Called, Interrupted
    from conformance.wire.exchange import Exchange

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
        return self.once(state, lambda: self.stage.run(state))

    @property
    def some_run(self) -> Run:
        """A run that exists, in whatever state it may be."""
        return self.once("some_run", lambda: self.stage.started(self.stage.thread()))

    @property
    def listing(self) -> Listing:
        """A thread with five runs, finished if the target finishes them."""
        return self.once("listing", self._fill)

    @property
    def tied_listing(self) -> Listing:
        """A thread with five runs, created as quickly as the target permits, and finished if it finishes them."""
        return self.once("tied_listing", self._fill_quickly)

    @property
    def long_listing(self) -> Listing:
        """A thread with one run more than a default page, where so many may be made."""
        return self.once("long_listing", self._fill_long)

    @property
    def told(self) -> Told:
        """A run that was told of from its creation to its end."""
        heard = self.heard
        return self.once("told", lambda: streams.told(self.stage, heard))

    @property
    def heard(self) -> Listened:
        """The stream of it alone, which can be heard where the run cannot be read."""
        return self.once("heard", lambda: streams.listened(self.stage, SHORT_PROMPT))

    @property
    def told_of_a_call(self) -> ToldCall:
        """A run that was told of until it called its function, and was then given the output: both streams."""
        return self.once("told_of_a_call", lambda: streams.told_of_a_call(self.stage, SHORT_PROMPT))

    @property
    def interfered(self) -> Interfered:
        """A run that was told of, and read, disturbed and cancelled while it worked."""
        return self.once("interfered", lambda: interfered(self.stage, LONG_PROMPT))

    @property
    def called(self) -> Called:
        """A run that called a function, took its output, and answered."""
        return self.once("called", lambda: called(self.stage))

    @property
    def interrupted(self) -> Interrupted:
        """A run that was cancelled while it wrote a long answer."""
        return self.once("interrupted", lambda: interrupted(self.stage))

    @property
    def other_thread(self) -> Thread:
        """A thread with one message and no run."""
        return self.once("other_thread", self.stage.thread)

    @property
    def other_assistant(self) -> str:
        """An assistant that no other case has a run with."""
        return self.once("other_assistant", self.stage.means.new_assistant)

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
                if not self.stage.means.free:  # its own end would come later than in the second that they are to share
                    runs[-1].cancel()
                self.stage.brought_to_rest(runs[-1])
                reply = self.stage.hurried(thread)
            run_of(reply)
            runs.append(Run(self.stage.client, self.stage.means.waits, reply))
        return Listing(thread, tuple(self.stage.brought_to_rest(run) for run in runs))

    def created(self, name: str, **fields: Any) -> Exchange:
        """The answer to a create with such fields, as `Stage.create_run` takes them, asked for once a session."""
        return self.once(f"created-{name}", lambda: self.stage.create_run(self.stage.thread(), **fields))

    def once(self, name: str, make: Callable[[], T]) -> T:
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
        return self._staged[name]  # type: ignore[no-any-return]
