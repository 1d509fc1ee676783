"""Judging components, one after the other, and saying what came out otherwise than it is written."""

from __future__ import annotations

import argparse
import signal
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from conformance.requirements import Side
from tools.peers.running import Children, ToolError
from tools.peers.wording import without_paths
from tools.targets import expectation, page
from tools.targets.components import Place
from tools.targets.fingerprint import fingerprint, is_stale
from tools.targets.installing import Absent
from tools.targets.session import judge

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tools.targets.components import Component
    from tools.targets.session import Measured


def parser(command: str, what: str, components: Mapping[str, Component]) -> argparse.ArgumentParser:
    """The arguments of a command that judges such components; `what` is what they are called."""
    made = argparse.ArgumentParser(prog=f"tox -e {command} --", description=f"Judge {what}s as a user would.")
    made.add_argument("names", nargs="*", metavar=what.upper(), help=f"some of {', '.join(components)}")
    made.add_argument("--times", type=int, default=1, metavar="N", help="judge each N times")
    made.add_argument("--write", action="store_true", help="write what is expected anew")
    made.add_argument("--kept", type=Path, metavar="FOLDER", help="where to install (default: thrown away)")
    return made


def compare(
    components: Mapping[str, Component], asked: argparse.Namespace, expected: Path, side: Side = Side.SERVER
) -> bool:
    """
    Judge components and print, for each, what is to be said of it.

    Args:
        components: What there is, by name.
        asked: What was asked for, by the arguments of `parser`.
        expected: The folder of what is written of them, a TOML file each.
        side: Who is judged.

    Returns:
        Whether all of them are as it is written, or could be written; one that cannot be had here is skipped.
    """
    if unknown := [name for name in asked.names if name not in components]:
        sys.exit(f"there is no {unknown[0]}; there are {', '.join(components)}")
    # Computed before the first session: an expectation is about the cases that the sessions began with.
    fingerprint(side)
    # Told to stop, it leaves by the way that ends the children.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    children, as_written = Children(), True
    with tempfile.TemporaryDirectory(prefix="components-") as folder:
        kept = asked.kept.resolve() if asked.kept else Path(folder) / "kept"
        try:
            for name in asked.names or components:
                component, file = components[name], expected / f"{name}.toml"
                try:
                    sessions = [_session(component, kept, Path(folder), children) for _ in range(asked.times)]
                except Absent as reason:
                    left = asked.write and file.exists()
                    told, fits = f"skipped, {reason}{'; its expectation is not written' if left else ''}", not left
                except ToolError as problem:
                    told, fits = f"not judged: {without_paths(str(problem))}", False
                else:
                    told, fits = _compared(component, file, sessions, side, write=asked.write)
                print(f"{name}: {told}", flush=True)
                as_written &= fits
        finally:
            children.end()
    return as_written


def _session(component: Component, kept: Path, folder: Path, children: Children) -> Measured:
    own = Path(tempfile.mkdtemp(dir=folder))
    with component.serve(Place(kept, own, children)) as target:
        return judge(target, own, children)


def _compared(
    component: Component, file: Path, sessions: list[Measured], side: Side, *, write: bool
) -> tuple[str, bool]:
    """What is to be said of a component, and whether it is as it is written."""
    old = file.read_text("utf-8") if file.exists() else f"# {component.what}\n"
    expected = expectation.read(old, side)
    changed = [list(expectation.changes(expected, session)) for session in sessions]
    lines = [page.verdict(sessions[0]), *dict.fromkeys(line for session in changed for line in session)]
    if write:
        file.write_text(expectation.written(sessions, old, fingerprint(side), side), "utf-8", newline="\n")
        return "\n  ".join([*lines, "written"]), True
    if outdated := is_stale(old, side):
        lines.append("the expectation was written for other requirements or cases: --write brings it up to date")
    return "\n  ".join(lines), not any(changed) and not outdated
