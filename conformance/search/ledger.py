"""What a search found, and what it may still spend."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from conformance.outcomes import Violated

if TYPE_CHECKING:
    from collections.abc import Sequence

    from conformance.outcomes import Fault, Violation
    from conformance.search.claims import Claim
    from conformance.wire.exchange import Exchange


#: The round of a sequence, and its number in it, from 0.
Drawn = tuple[int, int]
#: A move by its name, and what it is given.
Move = tuple[str, Mapping[str, Any]]


class Spent(BaseException):
    """A pass has nothing left to spend; no `Exception`, so that nobody takes it for something to be shrunk."""


@dataclass
class Cost:
    """What sequences cost, or may cost; where time can be turned, it costs nothing."""

    requests: float = 0
    runs: float = 0
    seconds: float = 0

    def reaches(self, limit: Cost) -> bool:
        """Whether nothing may be spent any more."""
        return self.requests >= limit.requests or self.runs >= limit.runs or self.seconds >= limit.seconds

    def towards(self, limit: Cost, part: float) -> Cost:
        """As much as has been spent, and a part of what is left."""
        return Cost(
            self.requests + (limit.requests - self.requests) * part,
            self.runs + (limit.runs - self.runs) * part,
            self.seconds + (limit.seconds - self.seconds) * part,
        )


@dataclass
class Found:
    """A broken requirement, with the shortest sequence that was seen to break it."""

    violation: Violation
    #: Where it was first drawn in so short a way.
    drawn: Drawn
    moves: Sequence[Move]


@dataclass
class Ledger:
    """What all sequences of a search came to."""

    limit: Cost
    spent: Cost = field(default_factory=Cost)
    measured: set[str] = field(default_factory=set)
    found: dict[str, Found] = field(default_factory=dict)
    #: The requirement that a sequence is being shrunk for.
    wanted: str | None = None
    #: What ended the search before its time.
    problem: Fault | None = None
    #: What the target was seen to do: take a `run`, take a `message`, say when a run `started`.
    able: set[str] = field(default_factory=set)

    def enter(self, claim: Claim, sequence: Sequence[Exchange], drawn: Drawn, moves: Sequence[Move]) -> None:
        """
        Keep what was measured.

        Raises:
            Violated: it is broken, and what the sequence is being shrunk for.
        """
        self.measured.add(claim.requirement)
        if claim.violation:
            self.file(claim.requirement, claim.violation, sequence, drawn, moves)

    def file(
        self, row: str, violation: Violation, sequence: Sequence[Exchange], drawn: Drawn, moves: Sequence[Move]
    ) -> None:
        """
        Keep a violation, unless it was seen with a shorter sequence.

        Raises:
            Violated: it is what the sequence is being shrunk for.
        """
        told = replace(violation, sequence=condensed(sequence, violation.exchanges))
        known = self.found.get(row)
        if known is None or _length(told) <= _length(known.violation):
            self.found[row] = Found(told, known.drawn if known and self.wanted else drawn, [*moves])
        if row == self.wanted:
            raise Violated(violation)


def condensed(exchanges: Sequence[Exchange], telling: Sequence[Exchange] = ()) -> tuple[Exchange, ...]:
    """The exchanges without those that only poll: of reads of one run in a row the last and the telling."""
    return tuple(
        each
        for each, following in zip(exchanges, [*exchanges[1:], None], strict=True)
        if following is None or each.request != following.request or "run_id" not in each.ids or each in telling
    )


def _length(violation: Violation) -> tuple[int, float]:
    """How much it takes to see a violation: commands, then seconds."""
    last, scope = violation.sequence[-1], violation.sequence[-1].scope
    return len(violation.sequence), last.ended - next(each.at for each in violation.sequence if each.scope == scope)


def told_apart(exchanges: Sequence[Exchange]) -> Sequence[Exchange]:
    """The exchanges without polls that showed what the one before had shown already."""
    kept: list[Exchange] = []
    for each in exchanges:
        if not (kept and each.request == kept[-1].request and each.response.body == kept[-1].response.body):
            kept.append(each)
    return kept
