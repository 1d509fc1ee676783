"""`python -m sdks`: judge each SDK, and say what came out otherwise than it is written."""

from __future__ import annotations

import argparse
import signal
import sys
import tempfile
from pathlib import Path

from peers.running import Children, ToolError
from peers.wording import without_paths
from targets import expectation, page
from targets.installing import Absent
from targets.session import judge

from conformance.requirements import Side
from sdks.components import SDKS, Sdk

EXPECTED = Path(__file__).parent / "expected"


def main() -> int:
    """Read the arguments, run, and print."""
    parser = argparse.ArgumentParser(prog="tox -e sdks --", description=__doc__)
    parser.add_argument("sdks", nargs="*", metavar="SDK", help=f"some of {', '.join(SDKS)}")
    parser.add_argument("--times", type=int, default=1, metavar="N", help="judge each N times")
    parser.add_argument("--write", action="store_true", help="write what is expected anew")
    parser.add_argument("--kept", type=Path, metavar="FOLDER", help="where to install (default: thrown away)")
    asked = parser.parse_args()
    if unknown := [name for name in asked.sdks if name not in SDKS]:
        parser.error(f"there is no SDK {unknown[0]}; there are {', '.join(SDKS)}")
    # Told to stop, it leaves by the way that ends the children.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    children, as_written = Children(), True
    with tempfile.TemporaryDirectory(prefix="sdks-") as folder:
        kept = asked.kept.resolve() if asked.kept else Path(folder) / "kept"
        try:
            for name in asked.sdks or SDKS:
                told, fits = _judged(SDKS[name], kept, Path(folder), children, times=asked.times, write=asked.write)
                print(f"{name}: {told}", flush=True)  # noqa: T201
                as_written &= fits
        finally:
            children.end()
    return 0 if as_written else 1


def _judged(sdk: Sdk, kept: Path, folder: Path, children: Children, *, times: int, write: bool) -> tuple[str, bool]:
    """What is to be said of an SDK, and whether it is as it is written."""
    try:
        target = sdk.install(kept, children)
        sessions = [judge(target, Path(tempfile.mkdtemp(dir=folder)), children) for _ in range(times)]
    except Absent as reason:
        return f"skipped, {reason}", True
    except ToolError as problem:
        return f"not judged: {without_paths(str(problem))}", False
    file = EXPECTED / f"{sdk.name}.toml"
    if write:
        old = file.read_text("utf-8") if file.exists() else f"# {sdk.what}\n"
        file.write_text(expectation.written(sessions, old, Side.CLIENT), "utf-8", newline="\n")
        return "written", True
    expected = expectation.read(file.read_text("utf-8"), Side.CLIENT)
    changed = [list(expectation.changes(expected, session)) for session in sessions]
    lines = [page.verdict(sessions[0]), *dict.fromkeys(line for session in changed for line in session)]
    return "\n  ".join(lines), not any(changed)


if __name__ == "__main__":
    sys.exit(main())
