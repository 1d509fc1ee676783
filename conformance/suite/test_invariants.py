"""What must hold in every message of the session, whoever provoked it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from conformance.invariants import invariants
from conformance.outcomes import Noted, Untested, Violated
from conformance.suite import requirement

if TYPE_CHECKING:
    from conformance.invariants import Invariant
    from conformance.invariants.evidence import Evidence


@pytest.mark.parametrize(
    "invariant",
    [pytest.param(each, id=each.name, marks=requirement(each.requirement)) for each in invariants()],
)
@pytest.mark.invariant
def test_every_message(invariant: Invariant, evidence: Evidence) -> None:
    """The invariant holds wherever it applies, and applies somewhere."""
    judgement = invariant.judge(evidence)

    if judgement.violations:
        raise Violated(*judgement.violations)
    if not judgement.measured:
        raise Untested("no message of the session was of the kind that it is about")
    if judgement.notes:
        raise Noted("; ".join(judgement.notes))
