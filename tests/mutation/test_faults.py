"""Each fault is found by the requirements that it declares and by no others; each requirement has a fault."""

from __future__ import annotations

import random
import time
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from conformance.reference.faults import FAULTS
from conformance.requirements import Level, State, catalogue
from support.fault_sets import affected_by, changes_since, read_map, selected, smallest, write_map
from support.mutation import (
    Outcome,
    grouped_outcomes,
    outcomes,
    outcomes_with_pytest,
    partial_outcomes,
    repetitions,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

#: Requirements that only report what a target does; whatever would be wrong is another row's.
NOTES = {
    "RUN-CANCEL-030",
    "RUN-HDR-004",
    "RUN-INV-017",
    "RUN-INV-025",
    "RUN-INV-034",
    "RUN-MODIFY-005",
    "RUN-MODIFY-007",
    "RUN-SCHEMA-014",
    "RUN-SCHEMA-046",
    "RUN-STEP-004",
    "RUN-STEP-021",
    "RUN-STREAM-019",
}
pytestmark = pytest.mark.xdist_group("server faults")

PAIRS, SEED = 20, 20_260_101
#: How many faults a session of the default tier is run against at most.
GROUP = 3
BREAKS = {name: fault.breaks for name, fault in FAULTS.items()}


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Each fault of the session's fault set by itself."""
    if "fault" in metafunc.fixturenames:
        chosen = selected(metafunc.config, BREAKS)
        metafunc.parametrize("fault", [name for name in FAULTS if name in chosen])


@pytest.fixture(scope="module")
def found(request: pytest.FixtureRequest) -> Iterator[dict[str, Outcome]]:
    """The outcome of every selected fault by itself."""
    params = (getattr(getattr(item, "callspec", None), "params", {}) for item in request.session.items)
    names = [each["fault"] for each in params if each.get("fault") in FAULTS]
    started = time.monotonic()
    option = request.config.option
    one_by_one = option.all or option.keyword or option.changed is not None
    found = outcomes((name,) for name in names) if one_by_one else grouped_outcomes(groups_of(names), read_map())
    outcome_of = {each.faults[0]: each for each in found}
    seconds, requests = time.monotonic() - started, sum(each.requests for each in outcome_of.values())
    yield outcome_of
    print(f"\n{len(outcome_of)} faults in {seconds:.0f} s, {requests / max(len(outcome_of), 1):.0f} requests each")
    if outcome_of.keys() == FAULTS.keys() and not any(each.text for each in outcome_of.values()):
        write_map({name: each.killers for name, each in outcome_of.items()})


def test_every_requirement_has_a_fault() -> None:
    broken = frozenset[str]().union(*BREAKS.values())
    active = {id for id, row in catalogue().items() if row.state is State.ACTIVE}

    assert active - broken == NOTES
    assert all(catalogue()[id].level is Level.MAY for id in NOTES)
    assert broken - active == set()


def test_each_fault_has_a_description() -> None:
    assert all(fault.does.endswith(".") for fault in FAULTS.values())


def test_a_fault_is_found_by_its_requirements_and_no_others(fault: str, found: dict[str, Outcome]) -> None:
    outcome = found[fault]

    assert outcome.accused == FAULTS[fault].breaks, outcome.text
    assert outcome.errors == set()
    assert outcome.exit_code in _exit_codes(fault)


def test_a_changed_case_accuses_no_other_fault(request: pytest.FixtureRequest) -> None:
    """A changed case may find faults that it did not find before, so it is run against all of them."""
    if request.config.option.changed is None:
        pytest.skip("only with --changed")
    affected = affected_by(changes_since(request.config.option.changed))
    others = [name for name in FAULTS if name not in selected(request.config, BREAKS)] if affected.cases else []

    accused = {each.faults[0]: each.accused for each in partial_outcomes([(name,) for name in others], affected.cases)}

    assert {name: rows - BREAKS[name] for name, rows in accused.items() if rows - BREAKS[name]} == {}


def test_a_session_of_pytest_finds_the_same(request: pytest.FixtureRequest) -> None:
    drawn = random.Random(SEED).sample([name for name, each in FAULTS.items() if each.kind != "races"], 20)
    drawn = drawn if request.config.option.all else drawn[:4]

    without, found = list(outcomes((name,) for name in drawn)), outcomes_with_pytest((name,) for name in drawn)

    assert [replace(each, text="") for each in without] == [replace(each, text="") for each in found]


@pytest.mark.exhaustive
def test_what_ran_before_in_a_process_changes_no_outcome() -> None:
    drawn = random.Random(SEED + 1).sample([name for name, each in FAULTS.items() if each.kind != "races"], 24)

    forwards = {each.faults: each for each in outcomes((name,) for name in drawn)}
    backwards = {each.faults: each for each in outcomes((name,) for name in reversed(drawn))}

    assert forwards == backwards


def test_one_fault_does_not_hide_another(request: pytest.FixtureRequest) -> None:
    found = sorted(name for name, rows in BREAKS.items() if rows and not _hides_others(name))
    drawn = random.Random(SEED)
    pairs = [tuple(drawn.sample(found, 2)) for _ in range(PAIRS)]
    pairs = pairs if request.config.option.all else pairs[:4]

    hidden = {
        each.faults: [name for name in each.faults if not BREAKS[name] & each.accused] for each in outcomes(pairs)
    }

    assert {pair: names for pair, names in hidden.items() if names} == {}


def test_the_faithful_server_is_clean_in_any_order(request: pytest.FixtureRequest) -> None:
    found = list(repetitions(20 if request.config.option.all else 4))

    assert {each.exit_code for each in found} == {0}
    assert {each.accused | each.errors for each in found} == {frozenset()}


def test_the_smallest_fault_set_breaks_every_row_that_all_faults_break() -> None:
    chosen = smallest(BREAKS)

    assert frozenset().union(*(BREAKS[name] for name in chosen)) == frozenset().union(*BREAKS.values())
    assert len(chosen) < len(FAULTS) / 2


def groups_of(names: Iterable[str]) -> list[tuple[str, ...]]:
    """Groups of faults whose rows differ and have one level, so that a session against a group shows each of them."""
    groups, alone = list[list[str]](), list[str]()
    for name in names:
        if not BREAKS[name] or _hides_others(name) or FAULTS[name].policy or FAULTS[name].kind == "races":
            alone.append(name)
        elif group := next((group for group in groups if _fits(name, group)), None):
            group.append(name)
        else:
            groups.append([name])
    return [tuple(group) for group in (*groups, *([name] for name in alone))]


def _fits(name: str, group: Sequence[str]) -> bool:
    alike = all(_exit_codes(name) == _exit_codes(other) for other in group)
    apart = all(BREAKS[name].isdisjoint(BREAKS[other]) and FAULTS[name].kind != FAULTS[other].kind for other in group)
    return len(group) < GROUP and alike and apart


def _exit_codes(name: str) -> set[int]:
    """A broken MUST fails the session; a broken SHOULD leaves it complete or incomplete."""
    return {1} if any(catalogue()[id].level is Level.MUST for id in BREAKS[name]) else {0, 10}


def _hides_others(name: str) -> bool:
    """Whether a fault takes away what most cases build on, so that they cannot measure anything else."""
    return bool(BREAKS[name] & {"RUN-SCHEMA-001", "RUN-SCHEMA-002", "RUN-SCHEMA-009", "RUN-CREATE-001"})
