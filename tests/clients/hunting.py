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
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from bestiary import QUIET, _Collector

from conformance.items import ROW, SESSION, scope_name
from conformance.sdk.session import ClientSession
from conformance.settings import Settings
from conformance.states.waits import BUDGETS

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

#: Many hunts wait at any time.
AT_ONCE = 8 * (os.cpu_count() or 1)
#: Seconds that one answer of a client may take; a busy machine is not a client that hangs.
PATIENCE = 15
TESTS = Path(__file__).parent.parent


@dataclass(frozen=True)
class Hunted:
    """What a session against a fault came to."""

    fault: str
    code: int
    accused: frozenset[str]
    errors: frozenset[str]
    untested: frozenset[str]
    text: str


def driver(fault: str = "") -> str:
    """The command that drives the faithful client, or one with a fault."""
    return f"env PYTHONPATH={shlex.quote(str(TESTS))} {shlex.quote(sys.executable)} -m clients {fault}".strip()


def hunts(faults: Iterable[str]) -> Iterator[Hunted]:
    """Judge a client with each of these faults; the empty one is none."""
    items = collected()
    gc.freeze()
    with multiprocessing.get_context("fork").Pool(AT_ONCE, initializer=_items.extend, initargs=(items,)) as pool:
        yield from pool.imap_unordered(hunt, faults)


_items: list[pytest.Item] = []


def collected() -> Sequence[pytest.Item]:
    """The cases about clients."""
    collector = _Collector()
    with contextlib.redirect_stdout(io.StringIO()):
        pytest.main([*QUIET, "-q", f"--runs-sdk={driver()}", f"--runs-wait=driver={PATIENCE}"], plugins=[collector])
    return collector.items


def hunt(fault: str) -> Hunted:
    """Judge a client with a fault, without pytest."""
    config = _items[0].config
    settings = replace(Settings.read(config.getoption, BUDGETS), sdk=driver(fault))
    judging = config.stash[SESSION] = ClientSession(settings, config.invocation_params.dir)
    judging.await_items([(item.stash[ROW], item.nodeid) for item in _items])
    judging.arrive([])
    for item in _items:
        judging.docket.conclude(item.stash[ROW], item.nodeid, _came_to(item, judging))
    judging.close(whole=True)
    found = judging.docket.findings.all
    return Hunted(
        fault,
        judging.docket.findings.exit_code("must"),
        frozenset(each.requirement.id for each in found if each.violations),
        frozenset(f"{each.item}: {each.reason}" for each in found if each.verdict == "error"),
        frozenset(id for id, verdict in judging.docket.findings.verdicts().items() if verdict == "untested"),
        "\n".join(judging.summary()),
    )


def _came_to(item: pytest.Item, judging: ClientSession) -> Exception | None:
    assert isinstance(item, pytest.Function)
    given = dict(item.callspec.params) if hasattr(item, "callspec") else {}
    try:
        with judging.client.scope(scope_name(item)):
            item.function(sdk=judging.conversation(item.stash[ROW]), **given)
    except Exception as problem:  # noqa: BLE001 - whatever ends a case is its outcome
        return problem
    return None
