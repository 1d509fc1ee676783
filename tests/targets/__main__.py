"""`python -m targets`: judge each component, and say what came out otherwise than it is written."""

from __future__ import annotations

import argparse
import signal
import sys
import tempfile
from pathlib import Path

from peers.running import Children, ToolError
from peers.wording import without_paths

from targets import expectation, page
from targets.components import COMPONENTS, HERE, Component, Place
from targets.installing import Absent
from targets.session import Measured, judge

EXPECTED = HERE / "expected"


def main() -> int:
    """Read the arguments, run, and print."""
    parser = argparse.ArgumentParser(prog="tox -e targets --", description=__doc__)
    parser.add_argument("components", nargs="*", metavar="COMPONENT", help=f"some of {', '.join(COMPONENTS)}")
    parser.add_argument("--times", type=int, default=1, metavar="N", help="judge each N times, on a new server each")
    parser.add_argument("--write", action="store_true", help="write what is expected anew, and the table of the page")
    parser.add_argument("--kept", type=Path, metavar="FOLDER", help="where to install (default: thrown away)")
    asked = parser.parse_args()
    if unknown := [name for name in asked.components if name not in COMPONENTS]:
        parser.error(f"there is no component {unknown[0]}; there are {', '.join(COMPONENTS)}")
    # Told to stop, it leaves by the way that ends the children.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    children, as_written = Children(), True
    with tempfile.TemporaryDirectory(prefix="targets-") as folder:
        kept = asked.kept.resolve() if asked.kept else Path(folder) / "kept"
        try:
            for name in asked.components or COMPONENTS:
                told, fits = _judged(
                    COMPONENTS[name], kept, Path(folder), children, times=asked.times, write=asked.write
                )
                print(f"{name}: {told}", flush=True)  # noqa: T201
                as_written &= fits
        finally:
            children.end()
    if asked.write:
        page.PAGE.write_text(page.written(page.PAGE.read_text("utf-8")), "utf-8", newline="\n")
    return 0 if as_written else 1


def _judged(
    component: Component, kept: Path, folder: Path, children: Children, *, times: int, write: bool
) -> tuple[str, bool]:
    """What is to be said of a component, and whether it is as it is written."""
    try:
        sessions = [_session(component, kept, folder, children) for _ in range(times)]
    except Absent as reason:
        return f"skipped, {reason}", True
    except ToolError as problem:
        return f"not judged: {without_paths(str(problem))}", False
    file = EXPECTED / f"{component.name}.toml"
    if write:
        old = file.read_text("utf-8") if file.exists() else f"# {component.what}\n"
        file.write_text(expectation.written(sessions, old), "utf-8", newline="\n")
        return "written", True
    expected = expectation.read(file.read_text("utf-8"))
    changed = [list(expectation.changes(expected, session)) for session in sessions]
    lines = [page.verdict(sessions[0]), *dict.fromkeys(line for session in changed for line in session)]
    return "\n  ".join(lines), not any(changed)


def _session(component: Component, kept: Path, folder: Path, children: Children) -> Measured:
    own = Path(tempfile.mkdtemp(dir=folder))
    with component.serve(Place(kept, own, children)) as target:
        return judge(target, own, children)


if __name__ == "__main__":
    sys.exit(main())
