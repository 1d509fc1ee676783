"""Pytest sessions for tests: as forks of a process that has imported everything, or as processes of their own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from threading import Lock
from typing import TYPE_CHECKING

from support import ROOT
from support.fork_server import TIMED_OUT

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

#: Seconds after which a session is ended.
_SECONDS = 300
#: Plugins that load themselves and that no session here uses.
_QUIET = ("-p", "no:schemathesis", "-p", "no:hypothesispytest", "-p", "no:cacheprovider")


@dataclass(frozen=True)
class Ran:
    """What a session came to: its exit code and all that it printed."""

    code: int
    text: str


def run_as_process(folder: Path, *arguments: str, **environment: str) -> Ran:
    """Run a session as a process; for tests of imports, of processes, or of another copy of the package."""
    done = subprocess.run(
        [sys.executable, "-m", "pytest", *_QUIET, *arguments],
        cwd=folder,
        env=_inherited() | environment,
        capture_output=True,
        text=True,
        timeout=_SECONDS,
        check=False,
    )
    return Ran(done.returncode, done.stdout + done.stderr)


class ForkedSessions:
    """Runs sessions as forks of one process, which starts with the first of them."""

    def __init__(self, folder: Path) -> None:
        """Prepare; what sessions print is kept in the folder."""
        self._folder = folder
        self._server: subprocess.Popen[str] | None = None
        self._lock = Lock()
        self._number = 0

    def run(self, folder: Path, *arguments: str, **environment: str) -> Ran:
        """Run a session in a folder."""
        with self._lock:
            self._number += 1
            output = self._folder / f"{self._number}.txt"
            code = self._ask(
                {
                    "arguments": [*_QUIET, *arguments],
                    "folder": str(folder),
                    "environment": _inherited() | environment,
                    "output": str(output),
                    "seconds": _SECONDS,
                }
            )
        if code == TIMED_OUT:
            raise TimeoutError(f"the session was not over after {_SECONDS} s: {output.read_text('utf-8', 'replace')}")
        return Ran(code, output.read_text("utf-8", "replace"))

    def _ask(self, request: Mapping[str, object]) -> int:
        if self._server is None:
            command = [sys.executable, "-m", "support.fork_server"]
            self._server = subprocess.Popen(
                command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
                cwd=ROOT / "tests",
                env=_inherited(),
            )
        assert self._server.stdin
        assert self._server.stdout
        self._server.stdin.write(json.dumps(request) + "\n")
        self._server.stdin.flush()
        return int(self._server.stdout.readline())

    def close(self) -> None:
        """End the process."""
        if self._server:
            self._server.communicate(timeout=10)


def _inherited() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if name != "OPENAI_API_KEY"}
