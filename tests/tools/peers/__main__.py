"""`python -m tools.peers`: run every tool against every drawn fault, print the tables, write the page if requested."""

from __future__ import annotations

import argparse
import signal
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from tools.peers import drawing, dredd, fuzzer, npm, ours, page, prism
from tools.peers.running import Children, ToolError
from tools.peers.tables import Result, Session
from tools.peers.targets import served
from tools.peers.wording import without_paths

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from conformance.reference.faults import Fault
    from tools.peers.targets import Target

    Judge = Callable[[Target, Path, Children], frozenset[str]]

#: Sessions at once; most of their time they wait, ours and the proxy's client for runs to end.
_AT_ONCE = 6
#: Sessions of each tool on the faithful server, so that what it reports only now and then is not taken for a find.
_FAITHFUL = 3
_NAMES = (ours.NAME, fuzzer.NAME, prism.NAME, dredd.NAME)


def main() -> None:
    """Read the arguments, run, and print."""
    parser = argparse.ArgumentParser(prog="tox -e peers --", description=__doc__)
    parser.add_argument("--faults", type=int, default=drawing.FULL, help=f"how many (default: {drawing.FULL})")
    parser.add_argument("--only", action="append", choices=_NAMES, help="this tool; can be given several times")
    parser.add_argument("--write", action="store_true", help="write docs/peers.md; only a whole table is written")
    asked = parser.parse_args()
    if asked.write and (asked.only or asked.faults < drawing.FULL):
        parser.error("only a whole table is written: leave out --only and --faults")
    names = [name for name in _NAMES if name in (asked.only or _NAMES)]
    faults = drawing.draw(asked.faults)
    # Told to stop, it leaves by the way that ends the children.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    children = Children()
    with tempfile.TemporaryDirectory(prefix="peers-") as folder:
        try:
            results = compare(faults, names, Path(folder), children)
        finally:
            children.end()
    told = page.measured(results, faults)
    print(told)
    if asked.write:
        page.PAGE.write_text(page.written(page.PAGE.read_text("utf-8"), told), "utf-8", newline="\n")


def compare(faults: list[Fault], names: list[str], folder: Path, children: Children) -> list[Result]:
    """Run these tools, first each by itself on the faithful server, then all sessions side by side."""
    tools = {name: _tool(name, folder, children) for name in names}
    absent = {name: str(tool) for name, (_, tool) in tools.items() if isinstance(tool, ToolError)}
    judges = {name: tool for name, (_, tool) in tools.items() if not isinstance(tool, ToolError)}
    results = {name: Result(name, version, absent=absent.get(name, "")) for name, (version, _) in tools.items()}
    alone = [(name, session(judge, None, folder, children)) for name, judge in judges.items()]
    # Fault by fault and not tool by tool, so that those which compute and those which wait run side by side.
    wanted = [(name, fault) for fault in (*[None] * (_FAITHFUL - 1), *faults) for name in judges]
    sessions = [*alone, *_sessions(wanted, judges, folder, children)]
    for name in judges:
        results[name] = replace(results[name], sessions=[told for by, told in sessions if by == name])
    # What is new is looked at twice; the second look is the comparison's own, and not counted for the tool.
    doubtful = [(name, fault) for fault in faults for name in judges if fault.name in results[name].suspected]
    repeats = _sessions(doubtful, judges, folder, children)
    return [replace(result, repeats=[told for by, told in repeats if by == name]) for name, result in results.items()]


def _sessions(
    wanted: Sequence[tuple[str, Fault | None]], judges: dict[str, Judge], folder: Path, children: Children
) -> list[tuple[str, Session]]:
    """Several at once; each with the name of its tool."""
    pool = ThreadPoolExecutor(_AT_ONCE)
    done = []
    try:
        under_way = [(name, pool.submit(session, judges[name], fault, folder, children)) for name, fault in wanted]
        for number, (name, future) in enumerate(under_way):
            done.append((name, future.result()))
            print(f"{number + 1} of {len(under_way)}: {name}", file=sys.stderr, flush=True)
    except BaseException:
        children.end()
        raise
    finally:
        pool.shutdown(cancel_futures=True)
    return done


def session(judge: Judge, fault: Fault | None, folder: Path, children: Children) -> Session:
    """One tool on one server."""
    own = Path(tempfile.mkdtemp(dir=folder))
    failures, problem, requests, seconds = frozenset[str](), "", 0, 0.0
    try:
        with served(fault, own, children) as target:
            started = time.monotonic()
            try:
                failures = judge(target, own, children)
            finally:
                seconds, requests = time.monotonic() - started, target.requests
    except Exception as error:  # noqa: BLE001 - whatever breaks one session must not end the others
        kind = "" if isinstance(error, ToolError) else f"{type(error).__name__}: "
        problem = without_paths(f"{kind}{error}")
    return Session(fault.name if fault else None, failures, requests, seconds, problem)


def _tool(name: str, folder: Path, children: Children) -> tuple[str, Judge | ToolError]:
    """The version of a tool, and what runs it or why it cannot be run."""
    if name == ours.NAME:
        return ours.told_version(), ours.judge
    if name == fuzzer.NAME:
        return fuzzer.told_version(), fuzzer.judge
    tool = prism if name == prism.NAME else dredd
    try:
        program = npm.installed(tool.PACKAGE, tool.VERSION, tool.PROGRAM, folder / tool.PROGRAM, children)
    except ToolError as problem:
        return tool.VERSION, problem
    return tool.VERSION, partial(tool.judge, program)


if __name__ == "__main__":
    main()
