"""Run the generated tests of openai-python's own repository against the stateless server: `tox -e sdk-tests`."""

from __future__ import annotations

import argparse
import re
import sys
import tarfile
import tempfile
from pathlib import Path

from tools.peers.running import ROOT, Children, ToolError
from tools.targets.installing import Absent, python
from tools.targets.servers import telling

SDK = "openai==3.52.0"
PINS = ("aiohttp==3.14.5", "httpx-aiohttp==0.2.0", "pytest==9.2.0", "pytest-asyncio==1.5.0", "rich==15.0.0")
#: Below tests/api_resources/beta, how many tests there are, all of which pass.
EXPECTED = {
    "threads/test_runs.py": 185,
    "threads/runs/test_steps.py": 50,
    "test_threads.py": 125,
    "threads/test_messages.py": 115,
    "test_assistants.py": 105,
}
_SECONDS = 600


def main() -> int:
    """Read the arguments, run, and print; 0 if all pass that should."""
    parser = argparse.ArgumentParser(prog="tox -e sdk-tests --", description=__doc__)
    parser.add_argument("--kept", type=Path, metavar="FOLDER", help="where to install (default: thrown away)")
    asked = parser.parse_args()
    children = Children()
    with tempfile.TemporaryDirectory(prefix="sdk-") as folder:
        kept = asked.kept.resolve() if asked.kept else Path(folder) / "kept"
        try:
            return int(not _all_pass(Path(folder), kept, children))
        except (Absent, ToolError) as problem:
            print(f"not run: {problem}")
            return 1
        finally:
            children.end()


def _all_pass(folder: Path, kept: Path, children: Children) -> bool:
    programs = python(kept / "sdk", (SDK, *PINS), children)
    source = _source(kept, programs, children)
    command = [sys.executable, "-m", "conformance.reference", "--port=0", "--stateless"]
    as_expected = True
    with telling(command, r"(http://127\.0\.0\.1:\d+/v1)", folder, children, PYTHONPATH=str(ROOT)) as url:
        for name, expected in EXPECTED.items():
            test = [str(programs / "python"), "-m", "pytest", "-q", "-o", "addopts=", "-p", "no:cacheprovider"]
            path = f"tests/api_resources/beta/{name}"
            environment = {"TEST_API_BASE_URL": url, "PYTHONPATH": "", "OPENAI_LOG": ""}
            done = children.run([*test, path], log=folder / "pytest.log", cwd=source, seconds=_SECONDS, **environment)
            passed = int(found[1]) if (found := re.search(r"(\d+) passed", done.text)) else 0
            print(f"{name:28} {passed:4} of {expected} pass", flush=True)
            if done.code or passed != expected:
                as_expected = False
                print(done.text[-2000:])
    return as_expected


def _source(kept: Path, programs: Path, children: Children) -> Path:
    """The source distribution, unpacked; it brings the tests, which the wheel does not."""
    name, _, version = SDK.partition("==")
    folder = kept / f"{name}-{version}"
    if not (folder / "tests").is_dir():
        fetch = [str(programs / "python"), "-m", "pip", "download", "--quiet", "--disable-pip-version-check"]
        what = ["--no-deps", f"--no-binary={name}", f"--dest={kept}", SDK]
        done = children.run([*fetch, *what], log=kept / "pip.log", cwd=kept, seconds=_SECONDS)
        if done.code:
            raise ToolError(f"the source of {SDK} could not be downloaded: {done.text.strip()[-500:]}")
        with tarfile.open(kept / f"{name}-{version}.tar.gz") as archive:
            unpack(archive, kept)
    return folder


def unpack(archive: tarfile.TarFile, folder: Path) -> None:
    """
    Write the regular files of an archive into a folder, and nothing else.

    Python 3.11.2, which Debian 12 has, cannot do this: `extractall` takes a filter from 3.11.4 on.

    Raises:
        ToolError: a file would be written outside of the folder.
    """
    inside = folder.resolve()
    for member in archive:
        content = archive.extractfile(member) if member.isreg() else None
        if content is None:
            continue
        path = (inside / member.name).resolve()
        if not path.is_relative_to(inside):
            raise ToolError(f"the archive has a file outside of its folder: {member.name}")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.read())


if __name__ == "__main__":
    sys.exit(main())
