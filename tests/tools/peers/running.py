"""Child processes: each with a time limit, and none that survives."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import threading
import time
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

ROOT = Path(__file__).parents[3]
KEY = "sk-reference"
#: Seconds between two looks at a log.
_LOOK = 0.05
#: Seconds that a process has to end by itself once it is asked to.
_GRACE = 5


class ToolError(Exception):
    """A tool that could not be run; no finding of its own."""


@dataclass(frozen=True)
class Done:
    """A process that ended by itself."""

    code: int
    text: str


class Children:
    """The processes under way."""

    def __init__(self) -> None:
        self._alive: set[subprocess.Popen[bytes]] = set()
        self._lock = threading.Lock()
        self._over = False

    def run(self, command: Sequence[str], *, log: Path, cwd: Path, seconds: float, **env: str) -> Done:
        """
        Run a process to its end.

        Args:
            command: Program and arguments.
            log: What it prints is written here.
            cwd: Where it runs.
            seconds: How long it may take.
            env: Added to its environment.

        Raises:
            ToolError: it took too long.
        """
        with self.started(command, log=log, cwd=cwd, **env) as process:
            try:
                code = process.wait(seconds)
            except subprocess.TimeoutExpired:
                raise ToolError(f"took more than {seconds:.0f} s") from None
        return Done(code, log.read_text("utf-8", errors="replace"))

    @contextmanager
    def started(self, command: Sequence[str], *, log: Path, cwd: Path, **env: str) -> Iterator[subprocess.Popen[bytes]]:
        """Start a process, and end it at the end of the block."""
        with log.open("wb") as written:
            with self._lock:
                if self._over:
                    raise ToolError("interrupted")
                process = subprocess.Popen(
                    command,
                    cwd=cwd,
                    env=_environment(env),
                    stdin=subprocess.DEVNULL,
                    stdout=written,
                    stderr=subprocess.STDOUT,
                    start_new_session=True,
                )
                self._alive.add(process)
            try:
                yield process
            finally:
                _end(process)
                self._alive.discard(process)

    def end(self) -> None:
        """End whatever is under way, and start nothing more."""
        with self._lock:
            self._over = True
        for process in list(self._alive):
            _end(process)


def awaited(log: Path, pattern: str, process: subprocess.Popen[bytes], *, seconds: float) -> str:
    """
    Wait until a process has printed something.

    Args:
        log: Where it prints.
        pattern: What to look for, with one group.
        process: Who prints.
        seconds: How long it may take.

    Raises:
        ToolError: it ended, or took too long.
    """
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        over = process.poll() is not None
        if found := re.search(pattern, log.read_text("utf-8", errors="replace")):
            return found[1]
        if over:
            break
        time.sleep(_LOOK)
    raise ToolError(f"did not start: {log.read_text('utf-8', errors='replace')[-300:]}")


def _environment(more: Mapping[str, str]) -> dict[str, str]:
    """The environment of a child: no proxy stands between tools and servers on loopback, and no colours are printed."""
    return {**os.environ, "OPENAI_API_KEY": KEY, "NO_PROXY": "127.0.0.1", "NO_COLOR": "1", **more}


def _end(process: subprocess.Popen[bytes]) -> None:
    """End a process and its own children, which share its group; the handle is ours, so the id cannot be another's."""
    for sign in (signal.SIGTERM, signal.SIGKILL):
        if process.poll() is not None:
            return
        with suppress(ProcessLookupError):
            os.killpg(process.pid, sign)
        with suppress(subprocess.TimeoutExpired):
            process.wait(_GRACE)
