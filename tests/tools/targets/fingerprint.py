"""The fingerprint of what an expectation was written for: the requirements of a side, and the cases about them."""

from __future__ import annotations

import contextlib
import hashlib
import io
import os
import shlex
import sys
import tomllib
from functools import cache
from typing import TYPE_CHECKING

import pytest

from conformance.items import ROW
from conformance.requirements import Side, State, catalogue
from tools.peers.running import ROOT

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

#: The key of an expectation that holds the fingerprint.
KEY = "fingerprint"
_DIGITS = 12
#: Options with which pytest collects the cases of a side. Nothing is sent, and no driver is started.
_COLLECTING = {
    Side.SERVER: ("--target-url=reference", "--runs-races=1"),
    Side.CLIENT: (f"--runs-sdk={shlex.quote(sys.executable)}",),
}


@cache
def fingerprint(side: Side = Side.SERVER) -> str:
    """
    Compute the fingerprint of what the suite judges today.

    It depends on the id and the level of each active requirement, and on the name and the requirement of each case.
    It does not depend on titles, and not on the files that the cases are in.
    """
    levels = [f"{id} {row.level}" for id, row in catalogue(side).items() if row.state is State.ACTIVE]
    lines = sorted([*levels, *(f"{id} {name}" for id, name in cases(side))])
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()[:_DIGITS]


def cases(side: Side) -> Sequence[tuple[str, str]]:
    """Collect the cases of a side as pytest does: the requirement and the name of each, with its parameters."""
    collector = _Collector()
    options = [f"--rootdir={ROOT}", f"--config-file={ROOT / 'pyproject.toml'}", *_COLLECTING[side]]
    with contextlib.redirect_stdout(io.StringIO()) as printed, pytest.MonkeyPatch.context() as environment:
        for name in list(os.environ):
            if name == "PYTEST_ADDOPTS" or name.startswith("RUNS_CONFORMANCE_"):
                environment.delenv(name)
        code = pytest.main([*options, "--collect-only", "-q"], plugins=[collector])
    if code:
        raise RuntimeError(printed.getvalue())
    return [(item.stash[ROW].id, item.name) for item in collector.items]


def stale(folder: Path, command: str, side: Side = Side.SERVER) -> str:
    """
    Say which expectations were written for other requirements or cases than those of today.

    Args:
        folder: The expectations, a TOML file each.
        command: What judges their components.
        side: Who is judged.

    Returns:
        The files, and the command that brings them up to date; nothing if all of them are.
    """
    files = [file for file in sorted(folder.glob("*.toml")) if is_stale(file.read_text("utf-8"), side)]
    if not files:
        return ""
    return "\n".join(
        [
            "These expectations were written for other requirements or cases than those of today:",
            *(f"  {file.relative_to(ROOT) if file.is_relative_to(ROOT) else file}" for file in files),
            "This command judges their components again and writes what comes out:",
            f"  {command} --write {' '.join(file.stem for file in files)}",
        ]
    )


def is_stale(text: str, side: Side = Side.SERVER) -> bool:
    """Whether an expectation was written for other requirements or cases than those of today."""
    return bool(tomllib.loads(text).get(KEY) != fingerprint(side))


class _Collector:
    """Keeps what pytest collected."""

    items: Sequence[pytest.Item] = ()

    def pytest_collection_finish(self, session: pytest.Session) -> None:
        self.items = [*session.items]
