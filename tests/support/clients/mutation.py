"""Judges the faithful client with a fault, in processes that were forked when the cases had been collected."""

from __future__ import annotations

import contextlib
import gc
import io
import multiprocessing
import os
import shlex
import sys
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import pytest

from conformance.items import ROW, SESSION, scope_name
from conformance.sdk.session import ClientSession
from conformance.settings import Settings
from conformance.states.waits import BUDGETS
from support import ROOT
from support.mutation import QUIET, Collector

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

#: How many clients are judged at once; most of them wait at any time.
AT_ONCE = 16 * (os.cpu_count() or 1)
#: Seconds that one answer of a client may take; a busy machine is not a client that hangs.
PATIENCE = 15


@dataclass(frozen=True)
class Outcome:
    """The result of a session against a client."""

    #: The fault or the variant; empty for the faithful client.
    name: str
    exit_code: int
    accused: frozenset[str]
    errors: frozenset[str]
    untested: frozenset[str]
    text: str


def driver(name: str = "") -> str:
    """The command that drives the faithful client, or one with a fault."""
    tests, python = shlex.quote(str(ROOT / "tests")), shlex.quote(sys.executable)
    return f"env PYTHONPATH={tests} {python} -m support.clients {name}".strip()


def outcomes(names: Iterable[str]) -> Iterator[Outcome]:
    """Judge a client with each of these faults; the empty one is none."""
    items = collected()
    gc.freeze()
    with multiprocessing.get_context("fork").Pool(AT_ONCE, initializer=_items.extend, initargs=(items,)) as pool:
        yield from pool.imap_unordered(run, names)


_items: list[pytest.Item] = []


def collected() -> Sequence[pytest.Item]:
    """The cases about clients."""
    collector = Collector()
    with contextlib.redirect_stdout(io.StringIO()):
        pytest.main([*QUIET, "-q", f"--runs-sdk={driver()}", f"--runs-wait=driver={PATIENCE}"], plugins=[collector])
    return collector.items


def run(name: str) -> Outcome:
    """Judge a client with a fault, without pytest."""
    config = _items[0].config
    settings = replace(Settings.read(config.getoption, BUDGETS), sdk=driver(name))
    session = config.stash[SESSION] = ClientSession(settings, config.invocation_params.dir)
    session.await_items([(item.stash[ROW], item.nodeid) for item in _items])
    session.arrive([])
    for item in _items:
        session.docket.conclude(item.stash[ROW], item.nodeid, _ended_by(item, session))
    session.close(whole=True)
    findings = session.docket.findings
    return Outcome(
        name,
        findings.exit_code("must"),
        accused=frozenset(each.requirement.id for each in findings.all if each.violations),
        errors=frozenset(f"{each.item}: {each.reason}" for each in findings.all if each.verdict == "error"),
        untested=frozenset(id for id, verdict in findings.verdicts().items() if verdict == "untested"),
        text="\n".join(session.summary()),
    )


def _ended_by(item: pytest.Item, session: ClientSession) -> Exception | None:
    assert isinstance(item, pytest.Function)
    given = dict(item.callspec.params) if hasattr(item, "callspec") else {}
    try:
        with session.client.scope(scope_name(item)):
            item.function(sdk=session.conversation(item.stash[ROW]), **given)
    except Exception as problem:  # noqa: BLE001 - whatever ends a case is its outcome
        return problem
    return None
