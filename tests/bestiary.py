"""
Runs the whole suite against the reference server with a fault, in processes that were forked when all was loaded.

Most hunts do without pytest: the items that it collected once are carried out as on a URL, one after the other, which
takes half the time. A test sees to it that both ways come to the same.
"""

from __future__ import annotations

import contextlib
import gc
import io
import multiprocessing
import os
import random
from dataclasses import dataclass, replace
from functools import cache
from typing import TYPE_CHECKING

import pytest

from conformance.cases import Case
from conformance.items import ROW, SESSION, has, scope_name
from conformance.reference.faults import FAULTS
from conformance.replay import cassette  # noqa: F401 - loaded before the fork
from conformance.session import Session
from conformance.settings import Settings
from conformance.states.waits import BUDGETS

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from multiprocessing.pool import Pool

#: Plugins that a session does without when nobody reads what it prints as it goes.
_IDLE = (
    "schemathesis hypothesispytest anyio cacheprovider faulthandler logging doctest unraisableexception threadexception"
)
QUIET = ("-s", *(f"-pno:{plugin}" for plugin in _IDLE.split()))


@dataclass(frozen=True)
class Hunt:
    """What a session against some faults came to."""

    faults: tuple[str, ...]
    code: int
    #: The requirements with violations, and those with an error of ours.
    accused: frozenset[str]
    errors: frozenset[str]
    requests: int
    text: str


class _Listener:
    """Shuffles the cases if it is told to, and hears what the session found before it is over."""

    def __init__(self, order: int | None) -> None:
        self.order = order
        self.accused: set[str] = set()
        self.errors: set[str] = set()
        self.requests = 0

    @pytest.hookimpl(trylast=True)
    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        if self.order is not None:
            random.Random(self.order).shuffle(items)
            items.sort(key=lambda item: item.get_closest_marker("invariant") is not None)

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        judging = session.config.stash.get(SESSION, None)
        if judging is None:
            return
        self.requests = len(judging.journal)
        for finding in judging.docket.findings.all:
            if finding.violations:
                self.accused.add(finding.requirement.id)
            if finding.verdict == "error":
                self.errors.add(f"{finding.requirement.id}: {finding.reason}")


def hunt(faults: tuple[str, ...], seed: int = 0, *more: str) -> Hunt:
    """Judge the reference server with these faults, in this process; a seed changes its ids and the cases' order."""
    listener, printed = _Listener(seed or None), io.StringIO()
    chosen = [*(f"--runs-fault={name}" for name in faults), f"--runs-seed={seed}"]
    chosen += _races(faults)
    with contextlib.redirect_stdout(printed), contextlib.redirect_stderr(printed):
        code = pytest.main([*QUIET, "-q", "--target-url=reference", *chosen, *more], plugins=[listener])
    return Hunt(
        faults,
        int(code),
        frozenset(listener.accused),
        frozenset(listener.errors),
        listener.requests,
        printed.getvalue(),
    )


class _Collector:
    """Keeps what pytest collected, and ends the session there."""

    items: Sequence[pytest.Item] = ()

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        self.items = list(session.items)
        return True


@cache
def _collected(*more: str) -> Sequence[pytest.Item]:
    collector = _Collector()
    with contextlib.redirect_stdout(io.StringIO()):
        pytest.main([*QUIET, "-q", "--target-url=reference", *more], plugins=[collector])
    return collector.items


def swift_hunt(faults: tuple[str, ...]) -> Hunt:
    """Judge the reference server with these faults, without pytest."""
    items = _collected(*_races(faults))
    config = items[0].config
    settings = replace(Settings.read(config.getoption, BUDGETS), faults=faults)
    judging = config.stash[SESSION] = Session(settings, config.invocation_params.dir)
    judging.await_items([(item.stash[ROW], item.nodeid) for item in items])
    judging.arrive([item.stash[ROW] for item in items])
    for item in items:
        if not judging.docket.excuse(item.stash[ROW], item.nodeid, race=has(item, "race")):
            judging.docket.conclude(item.stash[ROW], item.nodeid, _came_to(item, judging))
    judging.close(whole=True)
    found = judging.docket.findings.all
    return Hunt(
        faults,
        judging.docket.findings.exit_code(settings.gate),
        frozenset(each.requirement.id for each in found if each.violations),
        frozenset(f"{each.requirement.id}: {each.reason}" for each in found if each.verdict == "error"),
        len(judging.journal),
        "\n".join(judging.summary()),
    )


def _came_to(item: pytest.Item, judging: Session) -> Exception | None:
    assert isinstance(item, pytest.Function)
    case = Case(item, scope_name(item), 1)
    case.carry_out(case.attempts[0], judging.client)
    return case.attempts[0].outcome


def _races(faults: tuple[str, ...]) -> tuple[str, ...]:
    """A busy machine lets few requests meet, so races are tried for more often where one is to be found."""
    return ("--runs-races=10",) if any(FAULTS[name].kind == "races" for name in faults) else ()


def hunts(many: Iterable[tuple[str, ...]]) -> Iterator[Hunt]:
    """Judge one after the other in as many processes as there are cores."""
    with _processes() as pool:
        yield from pool.imap(swift_hunt, many)


def thorough_hunts(many: Iterable[tuple[str, ...]]) -> Iterator[Hunt]:
    """The same with a session of pytest for each, in a process that is thrown away."""
    with _processes() as pool:
        yield from pool.imap(hunt, many)


def repetitions(number: int) -> Iterator[Hunt]:
    """Judge the faithful server so often, each time with other ids and in another order."""
    with _processes() as pool:
        yield from pool.starmap(hunt, [((), seed) for seed in range(1, number + 1)])


def _processes() -> Pool:
    """Processes that start as warm as a session leaves this one: with the cases imported and all that is lazy made."""
    hunt(())
    for kind in ((), ("--runs-races=10",)):
        _collected(*kind)
    gc.collect()
    gc.freeze()
    # A process ends with its hunt, so that collecting its garbage is a tenth of the work for nothing.
    return multiprocessing.get_context("fork").Pool(os.cpu_count(), initializer=gc.disable, maxtasksperchild=1)
