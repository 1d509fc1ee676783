"""Each invariant holds of what a faithful server says, and finds each defect that it is there for, and no other."""

from __future__ import annotations

import pytest

from conformance.invariants import Invariant, invariants
from conformance.requirements import Level, catalogue
from support.defects import messages, runs, schema, steps, streams
from support.journals import Defect, Finding, broken, evidence, judgements

TABLE = {
    **schema.DEFECTS,
    **runs.DEFECTS,
    **messages.DEFECTS,
    **steps.DEFECTS,
    **streams.DEFECTS,
}
BY_NAME = {each.name: each for each in invariants()}
DEFECTS = [
    pytest.param(BY_NAME[name], entry, id=f"{name}-{number}")
    for name, entries in TABLE.items()
    for number, entry in enumerate(entries)
    if isinstance(entry, Defect)
]
FINDINGS = [
    pytest.param(BY_NAME[name], entry, id=f"{name}-{number}")
    for name, entries in TABLE.items()
    for number, entry in enumerate(entries)
    if isinstance(entry, Finding)
]


def test_every_invariant_has_a_defect_that_it_finds() -> None:
    assert len(BY_NAME) == len(invariants())
    assert {name for name, entries in TABLE.items() if not entries} == set()
    assert set(TABLE) == set(BY_NAME)


def test_only_what_is_a_may_goes_without_a_defect() -> None:
    judging_nobody = {name for name, entries in TABLE.items() if not any(isinstance(each, Defect) for each in entries)}

    assert {catalogue()[BY_NAME[name].requirement].level for name in judging_nobody} == {Level.MAY}


@pytest.mark.parametrize(("invariant", "defect"), DEFECTS)
def test_a_defect_breaks_its_requirement_and_no_other(invariant: Invariant, defect: Defect) -> None:
    faithful, spoiled = defect.story(), defect.story()
    assert invariant.judge(evidence(faithful)).measured
    assert broken(faithful) == set()

    defect.change(spoiled)

    violations = invariant.judge(evidence(spoiled)).violations
    assert len(violations) >= 1
    assert any(defect.expected in each.expected and defect.actual in each.actual for each in violations), violations
    assert all(each.exchanges for each in violations)
    assert broken(spoiled) == {invariant.requirement}


@pytest.mark.parametrize(("invariant", "finding"), FINDINGS)
def test_what_is_free_is_noted_and_not_judged(invariant: Invariant, finding: Finding) -> None:
    said = judgements(finding.story())

    assert said[invariant.name].measured
    assert said[invariant.name].notes == (() if finding.note is None else (finding.note,))
    assert not any(each.violations for each in said.values())
