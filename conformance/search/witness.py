"""The invariants as a search asks them: which requirements a number of exchanges breaks."""

from __future__ import annotations

from typing import TYPE_CHECKING

from conformance.invariants import invariants
from conformance.invariants.evidence import Evidence

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from conformance.outcomes import Violation
    from conformance.wire.exchange import Exchange


def broken_invariants(exchanges: Sequence[Exchange], row: str | None = None) -> Iterator[tuple[str, Violation]]:
    """Each requirement, or the one that is asked for, with each violation of it by an invariant."""
    evidence = Evidence(exchanges)
    for each in invariants():
        if row in {None, each.requirement}:
            for violation in each.judge(evidence).violations:
                yield each.requirement, violation
