"""The search: one pass that collects what is broken, then one for each broken requirement that shrinks its sequence."""

from __future__ import annotations

from contextlib import contextmanager, suppress
from itertools import count
from typing import TYPE_CHECKING, Any, Final

from conformance.outcomes import Untested, Violated
from conformance.search.ledger import Cost, Ledger, Spent, told_apart
from conformance.search.listing import ListingMoves
from conformance.search.moves import SIMPLEST
from conformance.search.witness import broken_invariants
from conformance.states.generated import drawing

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from conformance.outcomes import Violation
    from conformance.search.ledger import Drawn, Move
    from conformance.states.stage import Stage
    from conformance.wire.exchange import Exchange

SCOPE: Final = "sequences"
#: Rounds of draws to collect what is broken, the sequences of each, and the moves of a sequence. After ten sequences
#: hypothesis begins to draw variations of what it has drawn, so that several short rounds show more than a long one.
ROUNDS: Final = 6
SEQUENCES: Final = 10
STEPS: Final = 15
#: What all sequences together may cost on a target where nothing does, and on any other; its seconds are a wait.
FREE: Final = Cost(40_000, 6_000, float("inf"))
LIVE: Final = Cost(1_500, 100)
#: The part of it that collecting may take.
COLLECTING: Final = 0.6
#: Requirements whose sequences are shrunk; a target that breaks more has enough to do.
SHRUNK: Final = 12
#: Requests that shrinking one sequence may take.
SHRINKING: Final = 2_000


class Search:
    """Made when a session begins, and begun by the first item that needs it."""

    def __init__(self, stage: Stage, *, seed: int, replayed: bool, applies: Callable[[str], bool]) -> None:
        """
        Prepare a search.

        Args:
            stage: Stages its threads and runs.
            seed: What the draws are made from.
            replayed: Whether the target is a recording, which has no sequences.
            applies: Whether anybody wants to know about a requirement.
        """
        self._stage, self._seed, self._replayed, self._applies = stage, seed, replayed, applies
        self._numbers = count(1)
        self._courses: dict[str, ListingMoves] = {}
        self._begun = False
        self.ledger = Ledger(Cost())

    def judge(self, row: str) -> None:
        """
        Say what the sequences came to for a requirement.

        Raises:
            Violated: they broke it.
            Untested: none of them measured it.
            Fault: the target went away.
        """
        if self._replayed:
            raise Untested("random sequences are not recorded", gates=False)
        with self._stage.client.impatient():  # time that passes would blur what is certain
            self._run()
        if row in self.ledger.found:
            raise Violated(self.ledger.found[row].violation)
        if row not in self.ledger.measured:
            if self.ledger.problem:
                raise self.ledger.problem
            raise Untested("no random sequence led to where it could be measured", gates=False)

    def first(self, row: str, violations: Sequence[Violation]) -> Sequence[Violation]:
        """The violations of a requirement, first the one with the sequence that it was shrunk to, if there is one."""
        found = self.ledger.found.get(row)
        return (found.violation, *violations) if found and violations else violations

    def _run(self) -> None:
        if self._begun:
            return
        self._begun = True
        means = self._stage.means
        whole = FREE if means.free else Cost(LIVE.requests, LIVE.runs, means.waits.budget("search"))
        self._preface = self._assistant()
        collecting = Cost().towards(whole, COLLECTING)
        for number in range(ROUNDS):
            self._pass(number, self.ledger.spent.towards(collecting, 1 / (ROUNDS - number)))
        self._collect_invariants()
        broken = [row for row in self.ledger.found if self._applies(row)][:SHRUNK]
        for left, row in zip(range(len(broken), 0, -1), broken, strict=True):
            limit = self.ledger.spent.towards(whole, 1 / left)
            limit.requests = min(limit.requests, self.ledger.spent.requests + SHRINKING)
            with suppress(Spent):
                self._simplify(row, limit)
            if not self.ledger.problem:
                self._pass(self.ledger.found[row].drawn[0], limit, row)

    def _simplify(self, row: str, limit: Cost) -> None:
        """
        Leave out what is not needed to break a row, and make simpler what is left, one thing after the other.

        What a state machine draws hangs together, so that hypothesis by itself takes many more requests to get there.
        """
        self.ledger.limit = limit
        left: Sequence[Move] = self.ledger.found[row].moves
        for place in reversed(range(len(left))):
            if broke := self._replay(row, [*left[:place], *left[place + 1 :]]):
                left = broke
        for place in range(len(left)):
            for argument, simplest in SIMPLEST.items():
                name, given = left[place]
                if given.get(argument, simplest) != simplest:
                    simpler = (name, {**given, argument: simplest})
                    left = self._replay(row, [*left[:place], simpler, *left[place + 1 :]]) or left

    def _replay(self, row: str, moves: Sequence[Move]) -> Sequence[Move]:
        """Make moves again, as many as it takes to break a row; none if they do not."""
        self.ledger.wanted = row
        with self._course(self.ledger.found[row].drawn) as course:
            try:
                for name, given in moves:
                    course.make(name, **given)
                    course.check()
            except Violated:
                return course.moves
            finally:
                self.ledger.wanted = None
        return []

    def _pass(self, number: int, limit: Cost, row: str | None = None) -> None:
        """Draw the sequences of a round; with a row, from the shortest that breaks it on, shrinking that."""
        import hypothesis
        from hypothesis.errors import Flaky
        from hypothesis.stateful import run_state_machine_as_test

        from conformance.search.machine import Machine

        ledger, numbers = self.ledger, count()
        ledger.limit, ledger.wanted = limit, row
        first = ledger.found[row].drawn[1] if row else 0

        def begin() -> Machine:
            each = next(numbers)
            return Machine(self._course((number, each)) if each >= first else None)

        phases = [hypothesis.Phase.generate, *([hypothesis.Phase.shrink] if row else [])]
        settings = drawing(max_examples=SEQUENCES, stateful_step_count=STEPS, phases=phases, report_multiple_bugs=False)
        machines: Any = hypothesis.seed(f"{self._seed}/{number}")(begin)
        with suppress(Spent, Violated, Flaky):  # the ledger has what was found, also where it did not happen again
            run_state_machine_as_test(machines, settings=settings)
        ledger.wanted = None

    @contextmanager
    def _course(self, drawn: Drawn) -> Iterator[ListingMoves]:
        scope = f"{SCOPE}/{next(self._numbers)}"
        self._courses[scope] = course = ListingMoves(self._stage, self.ledger, scope, drawn, self._preface)
        with self._stage.client.within(scope):
            yield course

    def _assistant(self) -> Sequence[Exchange]:
        """What creates the assistant of all runs, if the session made one."""
        id = self._stage.assistant_id
        made = self._stage.client.journal.of("subjects/assistant")
        return [each for each in made if each.succeeded and each.json.get("id") == id]

    def _collect_invariants(self) -> None:
        """File which invariants the sequences broke, each by the first sequence that did."""
        journal = self._stage.client.journal
        sequences = [journal.of(scope) for scope in self._courses]
        seen = [each for sequence in sequences for each in told_apart(sequence)]
        for row, violation in broken_invariants([*self._preface, *seen]):
            telling = violation.exchanges[-1]
            until = [each for each in journal.of(telling.scope) if each.number <= telling.number]
            course = self._courses[telling.scope]
            self.ledger.file(row, violation, [*self._preface, *until], course.drawn, course.moves)
