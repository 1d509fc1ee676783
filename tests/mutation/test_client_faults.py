"""Each client fault is found by the requirements that it declares and by no others; each requirement has a fault."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest

from conformance.requirements import Level, Side, State, catalogue
from support.clients.faults import FAULTS
from support.clients.innocents import INNOCENTS
from support.clients.mutation import Outcome, outcomes
from support.fault_sets import affects_clients, changes_since, smallest

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.xdist_group("client faults")

FAITHFUL = ""
#: Every eighth.
FEW_VARIANTS = list(INNOCENTS)[::8]
BREAKS = {name: fault.breaks for name, fault in FAULTS.items()}


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Each fault of the session's fault set by itself."""
    if "fault" in metafunc.fixturenames:
        option = metafunc.config.option
        if option.all or option.keyword:
            chosen = set(BREAKS)
        elif option.changed is not None:
            chosen = set(BREAKS) if affects_clients(changes_since(option.changed)) else set()
        else:
            chosen = smallest(BREAKS)
        metafunc.parametrize("fault", [name for name in FAULTS if name in chosen])


@pytest.fixture(scope="module")
def found(request: pytest.FixtureRequest) -> Iterator[dict[str, Outcome]]:
    """The outcome of every selected client, by its name."""
    items = [item for item in request.session.items if "found" in getattr(item, "fixturenames", ())]
    params = (getattr(getattr(item, "callspec", None), "params", {}) for item in items)
    names = {each.get("fault", each.get("variant", FAITHFUL)) for each in params}
    started = time.monotonic()
    outcome_of = {each.name: each for each in outcomes(sorted(name for name in names if name in _CLIENTS))}
    yield outcome_of
    print(f"\n{len(outcome_of)} clients in {time.monotonic() - started:.0f} s")


_CLIENTS = {FAITHFUL, *FAULTS, *INNOCENTS}


def test_every_requirement_for_clients_has_a_fault() -> None:
    broken = frozenset[str]().union(*BREAKS.values())

    assert broken == {id for id, row in catalogue(Side.CLIENT).items() if row.state is State.ACTIVE}


def test_the_faithful_client_is_clean(found: dict[str, Outcome]) -> None:
    faithful = found[FAITHFUL]

    result = (faithful.exit_code, faithful.accused, faithful.errors, faithful.untested)
    assert result == (0, set(), set(), set()), faithful.text


@pytest.mark.parametrize(
    "variant",
    [pytest.param(name, marks=() if name in FEW_VARIANTS else pytest.mark.exhaustive) for name in INNOCENTS],
)
def test_a_conforming_variant_is_accused_of_nothing(variant: str, found: dict[str, Outcome]) -> None:
    outcome = found[variant]

    assert (outcome.exit_code, outcome.accused, outcome.errors) == (0, set(), set()), outcome.text


def test_a_wrong_client_is_found_by_its_requirements_and_no_others(fault: str, found: dict[str, Outcome]) -> None:
    outcome = found[fault]

    assert outcome.accused == BREAKS[fault], outcome.text
    assert outcome.errors == set()
    rows = catalogue(Side.CLIENT)
    assert outcome.exit_code == 1 or all(rows[id].level is not Level.MUST for id in BREAKS[fault])
