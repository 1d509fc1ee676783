"""
Runs the whole suite against the reference server with a fault, in processes that were forked when all was loaded.

Most runs do without pytest: the items that it collected once are carried out as on a URL, one after the other, which
takes half the time. A test compares both ways.
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
    from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
    from multiprocessing.pool import Pool

    from conformance.requirements import Requirement
    from conformance.verdicts import Finding

#: Plugins that a session does without when nobody reads what it prints as it goes.
_IDLE = (
    "schemathesis hypothesispytest anyio cacheprovider faulthandler logging doctest unraisableexception threadexception"
)
QUIET = ("-s", *(f"-pno:{plugin}" for plugin in _IDLE.split()))
#: How many runs a process carries out before another takes its place.
_RUNS_PER_PROCESS = 8


@dataclass(frozen=True)
class Outcome:
    """The result of a session against some faults."""

    faults: tuple[str, ...]
    exit_code: int
    #: The requirements with violations, and those with an error of the suite.
    accused: frozenset[str]
    errors: frozenset[str]
    #: The items with violations, each as its file and function.
    killers: frozenset[str]
    requests: int
    #: The summary; empty where exactly the declared requirements were accused.
    text: str


def run_with_pytest(faults: tuple[str, ...], seed: int = 0, *more: str) -> Outcome:
    """Judge the reference server with these faults, in this process; a seed changes its ids and the cases' order."""
    observer, printed = _Observer(seed or None), io.StringIO()
    chosen = [*(f"--runs-fault={name}" for name in faults), f"--runs-seed={seed}", *_races(faults)]
    with contextlib.redirect_stdout(printed), contextlib.redirect_stderr(printed):
        code = pytest.main([*QUIET, "-q", "--target-url=reference", *chosen, *more], plugins=[observer])
    return _outcome(faults, int(code), observer.findings, observer.requests, printed.getvalue())


def run(faults: tuple[str, ...], only: Collection[str] | None = None) -> Outcome:
    """
    Judge the reference server with these faults, without pytest.

    Args:
        faults: Their names.
        only: The cases to carry out, each as its file and function, besides all invariants; by default all cases.
    """
    items = _collected(*_races(faults))
    if only is not None:
        items = [item for item in items if item.function in only or item.scope.startswith("invariants/")]
    config = items[0].case.config
    settings = replace(Settings.read(config.getoption, BUDGETS), faults=faults)
    try:
        session = config.stash[SESSION] = Session(settings, config.invocation_params.dir)
    except TypeError as problem:  # these faults exclude each other
        return Outcome(faults, 4, frozenset(), frozenset({str(problem)}), frozenset(), 0, str(problem))
    session.await_items([(item.row, item.id) for item in items])
    session.arrive([item.row for item in items])
    for item in items:
        if not session.docket.excuse(item.row, item.id, race=item.is_race):
            session.docket.conclude(item.row, item.id, item.carried_out(session))
    session.close(whole=True)
    found = session.docket.findings
    outcome = _outcome(faults, found.exit_code(settings.gate), found.all, len(session.journal), "")
    if outcome.accused == frozenset[str]().union(*(FAULTS[name].breaks for name in faults)) and not outcome.errors:
        return outcome
    return replace(outcome, text="\n".join(session.summary()))


def outcomes(many: Iterable[tuple[str, ...]]) -> Iterator[Outcome]:
    """Judge one after the other in as many processes as there are cores."""
    with _processes() as pool:
        yield from pool.imap(run, many)


def grouped_outcomes(groups: Iterable[tuple[str, ...]], killers: Mapping[str, Collection[str]]) -> Iterator[Outcome]:
    """
    Judge several faults in one session, and each fault of a group alone where that shows something else.

    A group shows the same as its faults alone if exactly their rows are accused, by exactly the cases and invariants
    that found them alone in the last run of all faults.

    Args:
        groups: Faults that break other rows each.
        killers: What found each fault in that run.
    """
    left = list[str]()
    for outcome in outcomes(groups):
        known = frozenset[str]().union(*(killers.get(name, ()) for name in outcome.faults))
        if outcome.text or (len(outcome.faults) > 1 and outcome.killers != known):
            left += outcome.faults
        else:
            for name in outcome.faults:
                yield replace(outcome, faults=(name,), accused=FAULTS[name].breaks)
    yield from outcomes((name,) for name in left)


def partial_outcomes(many: Iterable[tuple[str, ...]], only: Collection[str]) -> Iterator[Outcome]:
    """The same with some of the cases only, as `run` takes them."""
    with _processes() as pool:
        yield from pool.starmap(run, [(faults, only) for faults in many])


def outcomes_with_pytest(many: Iterable[tuple[str, ...]]) -> Iterator[Outcome]:
    """The same with a session of pytest for each."""
    with _processes(runs=1) as pool:
        yield from pool.imap(run_with_pytest, many)


def repetitions(number: int) -> Iterator[Outcome]:
    """Judge the faithful server so often, each time with other ids and in another order."""
    with _processes(runs=1) as pool:
        yield from pool.starmap(run_with_pytest, [((), seed) for seed in range(1, number + 1)])


class Collector:
    """Keeps what pytest collected, and ends the session there."""

    items: Sequence[pytest.Item] = ()

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        self.items = list(session.items)
        return True


class _Observer:
    """Shuffles the cases if a seed is given, and keeps the findings before the session is over."""

    def __init__(self, seed: int | None) -> None:
        self._seed = seed
        self.findings: Sequence[Finding] = ()
        self.requests = 0

    @pytest.hookimpl(trylast=True)
    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        if self._seed is not None:
            random.Random(self._seed).shuffle(items)
            items.sort(key=lambda item: item.get_closest_marker("invariant") is not None)

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        if conformance_session := session.config.stash.get(SESSION, None):
            self.requests = len(conformance_session.journal)
            self.findings = conformance_session.docket.findings.all


@dataclass(frozen=True)
class _Item:
    """An item of pytest, with what is looked up once for all runs."""

    case: pytest.Function
    id: str
    row: Requirement
    scope: str
    is_race: bool

    @property
    def function(self) -> str:
        """Its file and function."""
        return function_of(self.id)

    def carried_out(self, session: Session) -> Exception | None:
        """What ends it, unless it runs to its end."""
        case = Case(self.case, self.scope, 1)
        case.carry_out(case.attempts[0], session.client)
        return case.attempts[0].outcome


def function_of(item: str) -> str:
    """The file and the function of an item, without its folder; of an invariant its name as well."""
    path, _, name = item.partition("::")
    file = path.rpartition("/")[2]
    return f"{file}::{name if file == 'test_invariants.py' else name.partition('[')[0]}"


@cache
def _collected(*more: str) -> Sequence[_Item]:
    collector = Collector()
    with contextlib.redirect_stdout(io.StringIO()):
        pytest.main([*QUIET, "-q", "--target-url=reference", *more], plugins=[collector])
    return [
        _Item(item, item.nodeid, item.stash[ROW], scope_name(item), has(item, "race"))
        for item in collector.items
        if isinstance(item, pytest.Function)
    ]


def _outcome(faults: tuple[str, ...], code: int, findings: Iterable[Finding], requests: int, text: str) -> Outcome:
    found = list(findings)
    broken = [each for each in found if each.violations]
    return Outcome(
        faults,
        code,
        accused=frozenset(each.requirement.id for each in broken),
        errors=frozenset(f"{each.requirement.id}: {each.reason}" for each in found if each.verdict == "error"),
        killers=frozenset(function_of(each.item) for each in broken),
        requests=requests,
        text=text,
    )


def _races(faults: tuple[str, ...]) -> tuple[str, ...]:
    """A busy machine lets few requests meet, so races are tried for more often where one is to be found."""
    return ("--runs-races=10",) if any(FAULTS[name].kind == "races" for name in faults) else ()


def _processes(runs: int = _RUNS_PER_PROCESS) -> Pool:
    """Processes that start as warm as a session leaves this one: with the cases imported and all that is lazy made."""
    run_with_pytest(())
    for kind in ((), ("--runs-races=10",)):
        _collected(*kind)
    gc.collect()
    gc.freeze()
    # A process ends after a few runs, so that collecting its garbage would be a tenth of the work for nothing.
    return multiprocessing.get_context("fork").Pool(os.cpu_count(), initializer=gc.disable, maxtasksperchild=runs)
