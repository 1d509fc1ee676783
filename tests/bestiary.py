"""Runs the whole suite against the reference server with a fault, in processes that were forked when all was loaded."""

from __future__ import annotations

import contextlib
import gc
import io
import multiprocessing
import os
import random
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from conformance.items import SESSION
from conformance.reference.faults import FAULTS
from conformance.replay import cassette  # noqa: F401 - loaded before the fork

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
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
        for finding in judging.findings.all:
            if finding.violations:
                self.accused.add(finding.requirement.id)
            if finding.verdict == "error":
                self.errors.add(f"{finding.requirement.id}: {finding.reason}")


def hunt(faults: tuple[str, ...], seed: int = 0, *more: str) -> Hunt:
    """Judge the reference server with these faults, in this process; a seed changes its ids and the cases' order."""
    listener, printed = _Listener(seed or None), io.StringIO()
    chosen = [*(f"--runs-fault={name}" for name in faults), f"--runs-seed={seed}"]
    if any(FAULTS[name].kind == "races" for name in faults):
        chosen.append("--runs-races=10")  # a busy machine lets few requests meet
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


def hunts(many: Iterable[tuple[str, ...]]) -> Iterator[Hunt]:
    """Judge one after the other in as many processes as there are cores, each in one that is thrown away."""
    with _processes() as pool:
        yield from pool.imap(hunt, many)


def repetitions(number: int) -> Iterator[Hunt]:
    """Judge the faithful server so often, each time with other ids and in another order."""
    with _processes() as pool:
        yield from pool.starmap(hunt, [((), seed) for seed in range(1, number + 1)])


def _processes() -> Pool:
    """Processes that start as warm as a session leaves this one: with the cases imported and all that is lazy made."""
    hunt(())
    gc.collect()
    gc.freeze()
    return multiprocessing.get_context("fork").Pool(os.cpu_count(), maxtasksperchild=1)
