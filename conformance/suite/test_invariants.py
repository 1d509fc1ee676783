"""What must hold in every message of the session, whoever provoked it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from conformance.invariants import invariants
from conformance.outcomes import Noted, Violated
from conformance.requirements import catalogue
from conformance.suite import requirement

if TYPE_CHECKING:
    from conformance.invariants import Invariant
    from conformance.invariants.evidence import Evidence
    from conformance.session import Session


@pytest.mark.parametrize(
    "invariant",
    [pytest.param(each, id=each.name, marks=requirement(each.requirement)) for each in invariants()],
)
@pytest.mark.invariant
def test_every_message(invariant: Invariant, evidence: Evidence, judging: Session) -> None:
    """The invariant holds wherever it applies, and applies somewhere."""
    judgement = invariant.judge(evidence)

    if judgement.violations:
        raise Violated(*judging.search.first(invariant.requirement, judgement.violations))
    if not judgement.measured:
        capability = catalogue()[invariant.requirement].area.capability
        raise judging.client.unseen(_missing(invariant), capability)
    if judgement.notes:
        raise Noted("; ".join(judgement.notes))


def _missing(invariant: Invariant) -> str:
    """What the session did not have, in words for a stranger; the judges of single members are named by them."""
    if invariant.doc:
        return f'nothing in the session could show whether this holds: "{invariant.doc}"'
    return f"no run that the session saw had a {invariant.name.replace('_', ' ')} to look at"
