"""Every requirement is proven by a fault that breaks it; each fault is told by its own requirements and no others."""

from __future__ import annotations

import random
import time
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from bestiary import Hunt, hunts, repetitions, thorough_hunts

from conformance.reference.faults import FAULTS
from conformance.requirements import Level, State, catalogue

if TYPE_CHECKING:
    from collections.abc import Iterator

#: Requirements that only remark on what a target does; whatever would be wrong is another row's.
REMARKS = {
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
PAIRS, SEED = 20, 20_260_101


@pytest.fixture(scope="module")
def hunted() -> Iterator[dict[str, Hunt]]:
    """The outcome of every fault by itself."""
    started = time.monotonic()
    found = {hunt.faults[0]: hunt for hunt in hunts((name,) for name in FAULTS)}
    requests = sum(hunt.requests for hunt in found.values())
    yield found
    print(f"\n{len(found)} faults in {time.monotonic() - started:.0f} s, {requests / len(found):.0f} requests each")


def test_every_requirement_has_a_fault() -> None:
    broken = frozenset[str]().union(*(fault.breaks for fault in FAULTS.values()))
    active = {id for id, row in catalogue().items() if row.state is State.ACTIVE}

    assert active - broken == REMARKS
    assert all(catalogue()[id].level is Level.MAY for id in REMARKS)
    assert broken - active == set()


def test_the_bestiary_is_large_and_says_what_it_does() -> None:
    assert len(FAULTS) >= 150
    assert all(fault.does.endswith(".") for fault in FAULTS.values())


@pytest.mark.parametrize("name", FAULTS)
def test_a_fault_is_told_by_its_requirements_and_no_others(name: str, hunted: dict[str, Hunt]) -> None:
    hunt = hunted[name]

    assert hunt.accused == FAULTS[name].breaks, hunt.text
    assert hunt.errors == set()
    assert hunt.code in _codes(name)


def test_a_session_of_pytest_finds_the_same(hunted: dict[str, Hunt]) -> None:
    drawn = random.Random(SEED).sample([name for name, each in FAULTS.items() if each.kind != "races"], 20)

    found = {hunt.faults[0]: hunt for hunt in thorough_hunts((name,) for name in drawn)}

    for name, swift in ((name, hunted[name]) for name in drawn):
        assert replace(swift, text="") == replace(found[name], text="")


def test_one_fault_does_not_hide_another() -> None:
    told = sorted(name for name, fault in FAULTS.items() if fault.breaks and not _blinding(name))
    drawn = random.Random(SEED)
    pairs = [tuple(drawn.sample(told, 2)) for _ in range(PAIRS)]

    hidden = {
        hunt.faults: [name for name in hunt.faults if not FAULTS[name].breaks & hunt.accused] for hunt in hunts(pairs)
    }

    assert {pair: names for pair, names in hidden.items() if names} == {}


def test_the_faithful_server_is_clean_in_any_order() -> None:
    found = list(repetitions(20))

    assert [hunt.code for hunt in found] == [0] * 20
    assert [hunt.accused | hunt.errors for hunt in found] == [frozenset()] * 20


def _codes(name: str) -> set[int]:
    """A broken MUST fails the session; anything less at most leaves it incomplete."""
    return {1} if any(catalogue()[id].level is Level.MUST for id in FAULTS[name].breaks) else {0, 10}


def _blinding(name: str) -> bool:
    """Whether a fault takes away what most cases build on, so that they cannot measure anything else."""
    return bool(FAULTS[name].breaks & {"RUN-SCHEMA-001", "RUN-SCHEMA-002", "RUN-SCHEMA-009", "RUN-CREATE-001"})
