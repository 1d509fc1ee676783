"""Pytest sessions for tests: as forks of a process that has imported everything, or as processes of their own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from concurrent.futures import Future
from dataclasses import dataclass
from threading import Lock, Thread
from typing import TYPE_CHECKING, Any

from support import ROOT
from support.fork_server import TIMED_OUT

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

#: Seconds after which a session is ended.
_SECONDS = 300
#: Plugins that load themselves and that no session here uses.
_QUIET = ("-p", "no:schemathesis", "-p", "no:hypothesispytest", "-p", "no:anyio", "-p", "no:cacheprovider")


@dataclass(frozen=True)
class Ran:
    """The result of a session: its exit code, all that it printed, its duration, CPU time and peak of memory."""

    code: int
    text: str
    seconds: float = 0.0
    cpu_seconds: float = 0.0
    megabytes: float = 0.0

    @property
    def timed_out(self) -> bool:
        """Whether it was ended since it took too long."""
        return self.code == TIMED_OUT


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
    """Runs sessions as forks of one process, which starts with the first of them; several may run at once."""

    def __init__(self, folder: Path) -> None:
        """Prepare; what sessions print is kept in the folder."""
        self._folder = folder
        self._server: subprocess.Popen[str] | None = None
        self._answers: dict[int, Future[dict[str, Any]]] = {}
        self._lock = Lock()

    def run(self, folder: Path, *arguments: str, **environment: str) -> Ran:
        """
        Run a session in a folder.

        Raises:
            TimeoutError: it was not over in time.
        """
        ran = self.run_within(_SECONDS, folder, *_QUIET, *arguments, environment=_inherited() | environment)
        if ran.timed_out:
            raise TimeoutError(f"the session was not over after {_SECONDS} s: {ran.text}")
        return ran

    def run_within(self, seconds: int, folder: Path, *arguments: str, environment: Mapping[str, str]) -> Ran:
        """
        Run a session in a folder for so many seconds at most, with these arguments and this environment only.

        Raises:
            ValueError: Python reads a variable of the environment only when it starts, and its value is another one.
        """
        if late := sorted(_read_at_start(environment)):
            raise ValueError(f"only a new process reads {', '.join(late)}: use run_as_process")
        with self._lock:
            server = self._server = self._server or self._started()
            number = len(self._answers) + 1
            self._answers[number] = answer = Future[dict[str, Any]]()
            output = self._folder / f"{number}.txt"
            request = {
                "number": number,
                "arguments": arguments,
                "folder": str(folder),
                "environment": dict(environment),
                "output": str(output),
                "seconds": seconds,
            }
            assert server.stdin
            server.stdin.write(json.dumps(request) + "\n")
            server.stdin.flush()
        came = answer.result(seconds + _SECONDS)
        text = output.read_text("utf-8", "replace")
        return Ran(came["code"], text, came["seconds"], came["cpu_seconds"], came["megabytes"])

    def close(self) -> None:
        """End the process."""
        if self._server:
            assert self._server.stdin
            self._server.stdin.close()
            try:
                self._server.wait(_SECONDS)
            finally:
                self._server.kill()

    def _started(self) -> subprocess.Popen[str]:
        command = [sys.executable, "-m", "support.fork_server"]
        # What the process imports it imports in a session of its own: away from the settings and the conftest.py of
        # these tests, which are about other sessions.
        environment = _inherited() | {"PYTHONPATH": str(ROOT / "tests"), "PYTEST_ADDOPTS": " ".join(_QUIET)}
        pipe = subprocess.PIPE
        server = subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True, cwd=self._folder, env=environment)
        Thread(target=self._read, args=(server,), daemon=True).start()
        return server

    def _read(self, server: subprocess.Popen[str]) -> None:
        assert server.stdout
        with server.stdout:
            for line in server.stdout:
                answer = json.loads(line)
                self._answers[answer["number"]].set_result(answer)
        for each in self._answers.values():
            if not each.done():
                each.set_exception(ConnectionError("the process that runs sessions has ended"))


def _read_at_start(environment: Mapping[str, str]) -> list[str]:
    """The variables that Python reads only when it starts, and that have another value than here."""
    names = [name for name in environment if name.startswith("PYTHON") and name != "PYTHONPATH"]
    return [name for name in names if environment[name] != os.environ.get(name)]


def _inherited() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if name != "OPENAI_API_KEY"}
