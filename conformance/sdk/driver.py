"""The process of a driver: asked one thing at a time, never trusted, and ended by its own handle."""

from __future__ import annotations

import os
import queue
import signal
import subprocess
import time
from contextlib import suppress
from threading import Thread
from typing import TYPE_CHECKING, Any, Final

from conformance.sdk.protocol import Answer, DriverBroke, Hello, greeting, read_answer, read_hello, written
from conformance.wire.values import cut

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path
    from typing import IO

#: Bytes of a line that a driver may write, and of its last words on stderr that are told.
_LONGEST_LINE: Final = 4 * 1024 * 1024
_LAST_WORDS: Final = 600
#: Lines that may wait to be read; a driver that writes more is not listened to until they are.
_WAITING: Final = 16
#: Seconds that a driver has to end once its input is closed, and after each signal.
_GRACE: Final = 1.0
#: Seconds between two looks at whether the readers of its output have come to their end.
_MOMENT: Final = 0.01
#: Breakdowns in a row after which a driver is not started again.
_ENOUGH: Final = 3
#: Settings that would change what a client does, or give it a key that is none of its business.
_PRIVATE: Final = ("OPENAI_", "AZURE_")


class Driver:
    """A driver, started when it is first asked and again after a breakdown."""

    def __init__(self, command: Sequence[str], folder: Path, patience: float) -> None:
        """
        Prepare.

        Args:
            command: The program and its arguments.
            folder: Where it runs.
            patience: Seconds that one answer may take.
        """
        self._command, self._folder, self._patience = command, folder, patience
        self._process: subprocess.Popen[bytes] | None = None
        self._lines: queue.Queue[bytes | None] = queue.Queue(_WAITING)
        self._words = bytearray()
        self._readers: list[Thread] = []
        self._number = 0
        self._breakdowns = 0

    def hello(self) -> Hello:
        """
        Start it, and hear whom it drives.

        Raises:
            DriverBroke: it cannot be started, or does not keep to the protocol.
        """
        try:
            self._process = subprocess.Popen(  # noqa: S603 - it is what the user asked for
                self._command,
                cwd=self._folder,
                env=_environment(),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                start_new_session=True,
            )
        except OSError as problem:
            raise DriverBroke(f"the driver cannot be started: {problem}") from None
        self._lines, self._words = queue.Queue(_WAITING), bytearray()
        assert self._process.stdout  # it was asked for
        assert self._process.stderr
        self._readers = [
            Thread(target=_deliver, args=(self._process.stdout, self._lines), daemon=True),
            Thread(target=_remember, args=(self._process.stderr, self._words), daemon=True),
        ]
        for each in self._readers:
            each.start()
        number = self._next()
        try:
            return read_hello(self._asked(greeting(number)), number)
        except DriverBroke:
            self.end()
            raise

    def ask(self, call: str, arguments: Mapping[str, Any], client: Mapping[str, Any]) -> Answer:
        """
        Have it make a call.

        Args:
            call: A key of `RESULTS`.
            arguments: Those of the call.
            client: How the client is to be set up: `base_url`, `api_key`, `timeout` in seconds, `retries`.

        Raises:
            DriverBroke: it did not keep to the protocol; it is ended, and started again for the next call.
        """
        if self._process is None:
            if self._breakdowns >= _ENOUGH:
                raise DriverBroke(f"the driver broke down {_ENOUGH} times in a row, and is not started again")
            self._breakdowns += 1
            self.hello()
        number = self._next()
        try:
            line = self._asked({"id": number, "call": call, "arguments": arguments, "client": client})
            answer = read_answer(line, number, call)
        except DriverBroke:
            self.end()
            self._breakdowns = max(self._breakdowns, 1)
            raise
        self._breakdowns = 0
        return answer

    def end(self) -> None:
        """End it and what it started, which share a group; the handle is ours, so the id cannot be another's."""
        process, self._process = self._process, None
        if process is None:
            return
        assert process.stdin
        with suppress(OSError):
            process.stdin.close()
        for sign in (None, signal.SIGTERM, signal.SIGKILL):
            if sign is not None:
                with suppress(ProcessLookupError):
                    os.killpg(process.pid, sign)
            with suppress(subprocess.TimeoutExpired):
                process.wait(_GRACE)
                break
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)  # what it left behind in its group
        until = time.monotonic() + _GRACE
        while any(each.is_alive() for each in self._readers) and time.monotonic() < until:
            with suppress(queue.Empty):  # who delivers lines comes to its end once there is room for them
                self._lines.get(timeout=_MOMENT)
        for pipe in (process.stdout, process.stderr):
            if pipe and not any(each.is_alive() for each in self._readers):
                pipe.close()

    def _next(self) -> int:
        self._number += 1
        return self._number

    def _asked(self, message: Mapping[str, Any]) -> bytes:
        """Write a line, and wait for one."""
        process = self._process
        assert process
        assert process.stdin
        if not self._lines.empty() and self._lines.queue[0] is not None:
            raise DriverBroke(f"the driver wrote without being asked: {_quoted(self._lines.get_nowait())}")
        with suppress(OSError):  # it died, and its last words are more telling
            process.stdin.write(written(message))
            process.stdin.flush()
        try:
            line = self._lines.get(timeout=self._patience)
        except queue.Empty:
            raise DriverBroke(f"the driver did not answer within {self._patience:g} s{self._told()}") from None
        if line is None:
            with suppress(subprocess.TimeoutExpired):
                process.wait(_GRACE)
            raise DriverBroke(f"the driver ended with code {process.poll()}{self._told()}")
        return line

    def _told(self) -> str:
        """The last line that it wrote on stderr, where it wrote any."""
        time.sleep(0.02)  # so that what reads it comes to its end
        lines = self._words.decode("utf-8", "replace").strip().splitlines()
        return f": {cut(lines[-1], 300)}" if lines else ""


def _deliver(stdout: IO[bytes], lines: queue.Queue[bytes | None]) -> None:
    for line in _lines(stdout):
        lines.put(line)
    lines.put(None)


def _lines(stdout: IO[bytes]) -> Iterator[bytes]:
    with suppress(OSError, ValueError):
        while line := stdout.readline(_LONGEST_LINE):
            yield line


def _remember(stderr: IO[bytes], words: bytearray) -> None:
    with suppress(OSError, ValueError):
        while piece := os.read(stderr.fileno(), 65536):
            words += piece
            del words[:-_LAST_WORDS]


def _quoted(line: bytes | None) -> str:
    return ascii(cut((line or b"").decode("utf-8", "replace").strip()))


def _environment() -> dict[str, str]:
    """The environment of a driver: nothing of it speaks of another service, nor stands between it and loopback."""
    kept = {name: value for name, value in os.environ.items() if not name.upper().startswith(_PRIVATE)}
    return {**kept, "NO_PROXY": "127.0.0.1,localhost", "no_proxy": "127.0.0.1,localhost", "PYTHONIOENCODING": "utf-8"}
