"""Every requirement for clients is proven by a fault that breaks it; each fault is told by its own and no others."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest
from clients.faults import FAULTS
from clients.hunting import Hunted, hunts
from clients.innocents import INNOCENTS

from conformance.requirements import Level, Side, State, catalogue

if TYPE_CHECKING:
    from collections.abc import Iterator

FAITHFUL = ""


@pytest.fixture(scope="module")
def hunted() -> Iterator[dict[str, Hunted]]:
    """The outcome of every fault by itself, and of none."""
    started = time.monotonic()
    found = {each.fault: each for each in hunts([FAITHFUL, *FAULTS, *INNOCENTS])}
    yield found
    print(f"\n{len(found)} clients in {time.monotonic() - started:.0f} s")


def test_every_requirement_for_clients_has_a_fault() -> None:
    broken = frozenset[str]().union(*(fault.breaks for fault in FAULTS.values()))

    assert broken == {id for id, row in catalogue(Side.CLIENT).items() if row.state is State.ACTIVE}


def test_the_faithful_client_is_clean(hunted: dict[str, Hunted]) -> None:
    faithful = hunted[FAITHFUL]

    assert (faithful.code, faithful.accused, faithful.errors, faithful.untested) == (0, set(), set(), set()), (
        faithful.text
    )


@pytest.mark.parametrize("name", INNOCENTS)
def test_a_client_may_be_right_in_another_way(name: str, hunted: dict[str, Hunted]) -> None:
    found = hunted[name]

    assert (found.code, found.accused, found.errors) == (0, set(), set()), found.text


@pytest.mark.parametrize("name", FAULTS)
def test_a_wrong_client_is_told_by_its_requirements_and_no_others(name: str, hunted: dict[str, Hunted]) -> None:
    fault, found = FAULTS[name], hunted[name]

    assert found.accused == fault.breaks, found.text
    assert found.errors == set()
    rows = catalogue(Side.CLIENT)
    assert found.code == 1 or all(rows[id].level is not Level.MUST for id in fault.breaks)
