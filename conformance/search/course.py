"""One sequence under way: its threads and runs, how they are looked up, and where what is claimed of them goes."""

from __future__ import annotations

from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from itertools import islice
from typing import TYPE_CHECKING, Any, Final

from conformance.outcomes import Fault, Untested
from conformance.search.claims import claim, told
from conformance.search.known import KnownRun, KnownThread, status_in
from conformance.search.ledger import Spent
from conformance.search.lives import expiry_claims
from conformance.search.witness import broken_invariants
from conformance.states import ACTIVE, FINAL
from conformance.states.handles import NOT_FOUND, Run, run_of
from conformance.states.lists import items_of
from conformance.states.waits import BUDGETS, Waits

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from conformance.search.claims import Claim
    from conformance.search.ledger import Drawn, Ledger, Move
    from conformance.states.stage import Stage
    from conformance.wire.exchange import Exchange

_TOO_MANY: Final = 429


@dataclass
class Course:
    """What one sequence has done so far."""

    stage: Stage
    ledger: Ledger
    scope: str
    drawn: Drawn
    #: What it builds on: the creation of the assistant, if the session made one.
    preface: Sequence[Exchange]
    #: The moves that it was made of, each by its name, with what it was given.
    moves: list[Move] = field(default_factory=list)
    threads: list[KnownThread] = field(default_factory=list)
    #: Whether time has passed since the last exchange.
    _waited: bool = False
    _accounted: int = 0

    def __post_init__(self) -> None:
        """Polls give up before the search has no time left."""
        left = self.ledger.limit.seconds - self.ledger.spent.seconds
        budget = self.stage.means.waits.budget
        self.waits = Waits({name: min(budget(name), left) for name in BUDGETS})
        self._before = self.ledger.spent.seconds

    @property
    def exchanges(self) -> Sequence[Exchange]:
        """Everything that it sent, in order."""
        return self.stage.client.journal.of(self.scope)

    @property
    def runs(self) -> list[KnownRun]:
        """All its runs, oldest first."""
        return sorted((run for thread in self.threads for run in thread.runs), key=lambda run: run.created.number)

    def make(self, name: str, **given: Any) -> None:
        """Make a move by its name."""
        self.moves.append((name, given))
        getattr(self, name)(**given)

    @contextmanager
    def move(self) -> Iterator[None]:
        """
        One move: where something is missing that it builds on, it ends without a word.

        Raises:
            Spent: the budget is, or the target is gone.
        """
        if self.ledger.spent.reaches(self.ledger.limit):
            raise Spent
        try:
            yield
        except Untested:
            pass
        except Fault as problem:
            self.ledger.problem = problem
            raise Spent from problem
        finally:
            self._account()

    def say(self, claims: Iterable[Claim]) -> None:
        """Enter what the model says."""
        for each in claims:
            self.ledger.enter(each, [*self.preface, *self.exchanges], self.drawn, self.moves)

    def check(self) -> None:
        """Where the sequence is being shrunk for an invariant, see whether it has broken it by now."""
        if self.ledger.wanted:
            for row, violation in broken_invariants([*self.preface, *self.exchanges], self.ledger.wanted):
                self.ledger.file(row, violation, [*self.preface, *self.exchanges], self.drawn, self.moves)

    def need_patience(self, reply: Exchange) -> Exchange:
        """A reply that says something; too many requests at once say nothing about any of them."""
        if reply.status == _TOO_MANY:
            raise Untested(f"the target asks for patience: {reply}")
        return reply

    def pause(self, seconds: float, wait: str) -> None:
        """Let time pass."""
        self._waited = True
        self.stage.client.wait(seconds, wait)

    def known(self, thread: KnownThread, created: Exchange) -> KnownRun:
        """Take in the run that a create returned; one that cannot be told makes the thread unclear."""
        try:
            run = KnownRun(Run(self.stage.client, self.waits, created), thread, created)
            _ = run.status, run.handle.id
        except Untested:
            thread.lost = True
            raise
        thread.add(run)
        return run

    def read(self, run: KnownRun) -> Exchange:
        """Read a run, and judge that it is there; what the reply shows is not taken over yet."""
        created_just_now = not run.found and self.exchanges[-1] is run.created and not self._waited
        reply = self.need_patience(run.handle.retrieve())
        if reply.status == NOT_FOUND:
            reply = self._missing(run, reply)
        elif created_just_now and reply.succeeded:
            self.say([claim("RUN-GET-003", True, "the run (2xx)", told(reply), reply)])
        self._waited = False
        shown = run_of(reply)["id"]
        itself = shown == run.handle.id
        self.say([claim("RUN-GET-001", itself, f"run {run.handle.id}", f"run {shown}", run.seen, reply)])
        if not itself:
            raise Untested("which run that is nobody knows")
        if not run.found:
            run.found = True
            self.say([claim("RUN-CREATE-001", True, "a run", "a run", run.created, reply)])
        status_in(reply)
        if run_of(reply).get("started_at") is not None:
            self.ledger.able.add("started")
        return reply

    def look(self, run: KnownRun) -> Exchange:
        """Read a run, take over what the reply shows, and judge what became of it."""
        before, reply = run.status, self.read(run)
        run.see(reply)
        self.say(expiry_claims(before, run))
        return reply

    def fresh(self, run: KnownRun) -> None:
        """Make sure that nothing has happened since the run was last seen."""
        if self._waited or self.exchanges[-1] is not run.seen:
            self.look(run)

    def settle(self, run: KnownRun, until: Iterable[str], wait: str) -> bool | None:
        """
        Poll a run.

        Args:
            run: The run.
            until: The states that end it.
            wait: Its name; it has the budget.

        Returns:
            Whether the run came into one of the states in time, or None where nobody can say.
        """
        begun, states = len(self.exchanges), frozenset(until)
        with suppress(Untested):  # whether it came there is told below
            run.handle.until(lambda body: body.get("status") in states, wait, "came there")
        if not run.found and self.exchanges[begun - 1] is run.created and not self._waited:
            self.say(self._appearance(run, self.exchanges[begun:]))
        self._waited = False
        for each in self.exchanges[begun:]:
            if each.succeeded and run_of(each)["id"] == run.handle.id:
                run.found = True
                run.see(each)
        if run.status in states:
            return True
        polled = self.exchanges[begun:]
        budget = self.stage.means.waits.budget(wait)
        waited = bool(polled) and run.seen is polled[-1] and run.seen.ended - polled[0].at >= budget
        return False if waited and not run.astray else None

    def active(self, threads: Iterable[KnownThread]) -> list[KnownRun]:
        """The runs of these threads that are active still, looked up now."""
        found = []
        for run in [run for thread in threads for run in thread.runs if run.status not in FINAL]:
            self.look(run)
            if run.status in ACTIVE:
                found.append(run)
        return found

    def _appearance(self, run: KnownRun, polls: Sequence[Exchange]) -> Iterator[Claim]:
        """Judge whether the first read of a run found it, where a later one did."""
        if any(each.succeeded for each in polls) and (polls[0].succeeded or polls[0].status == NOT_FOUND):
            first = polls[0]
            yield claim("RUN-GET-003", first.succeeded, "the run (2xx)", told(first), run.created, first)

    def _missing(self, run: KnownRun, reply: Exchange) -> Exchange:
        """A run that is not found: it may appear later, be on the list at least, or not exist at all."""
        run.handle.pause("appear")
        again = run.handle.retrieve()
        history = (run.created, reply)
        if again.succeeded:
            if not run.found:
                self.say([claim("RUN-GET-003", False, "the run (2xx)", told(reply), *history)])
            return again
        listed = run.thread.handle.list()
        ids = [each["id"] for each in items_of(listed)]
        if run.handle.id in ids:
            self.say([claim("RUN-GET-001", False, "the run (2xx)", told(again), *history, listed, again)])
        elif not run.found:
            expected = f"run {run.handle.id} on its thread"
            self.say([claim("RUN-CREATE-001", False, expected, told(again), run.created, listed, again)])
        raise Untested("the run is gone")

    def _account(self) -> None:
        new = list(islice(self.exchanges, self._accounted, None))
        spent = self.ledger.spent
        self._accounted += len(new)
        spent.requests += len(new)
        spent.runs += sum(each.succeeded and each.ids.keys() == {"thread_id"} for each in new if _creates(each))
        if new:
            spent.seconds = self._before + new[-1].ended - self.exchanges[0].at


def _creates(exchange: Exchange) -> bool:
    return exchange.operation is not None and exchange.operation.name == "create_run"
