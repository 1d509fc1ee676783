"""The process of a driver: asked one thing at a time, never trusted, and ended by its own handle."""

from __future__ import annotations

import os
import queue
import re
import signal
import subprocess
import time
from contextlib import suppress
from threading import Thread
from typing import TYPE_CHECKING, Any, Final

from conformance.sdk.protocol import Answer, CallHangs, DriverBroke, Hello, greeting, read_answer, read_hello, written
from conformance.wire.values import cut

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path
    from typing import IO

#: Bytes of a line that a driver may write, and of its last words on stderr that are told.
_LONGEST_LINE: Final = 4 * 1024 * 1024
_LAST_WORDS: Final = 16 * 1024
#: Lines of a backtrace, and what runtimes write below it; what is left last says what is wrong.
_TELLS_NOTHING: Final = re.compile(r"\W*|\s.*|Node\.js v\S+|exit status \d+|goroutine \d+ .*|\S+\(.*\)")
#: Lines that may wait to be read; a driver that writes more is not listened to until they are.
_WAITING: Final = 16
#: Seconds that a driver has to end once its input is closed, and after each signal.
_GRACE: Final = 1.0
#: Seconds that what is on its way from its stderr may take.
_LINGERS: Final = 0.1
#: Seconds between two looks at whether the readers of its output have come to their end.
_MOMENT: Final = 0.01
#: Breakdowns in a row, and calls that did not end, after which a driver is not started again.
_ENOUGH: Final = 3
#: What part of its patience a driver is given that let a call hang before.
_ONCE_BITTEN: Final = 0.25
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
        self._hung = 0

    @property
    def hopeless(self) -> bool:
        """Whether so many calls did not end that nothing more is asked."""
        return self._hung >= _ENOUGH

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
            return read_hello(self._asked(greeting(number), self._patience), number)
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
            CallHangs: it lives, and does not answer.
            DriverBroke: it did not keep to the protocol; it is ended, and started again for the next call.
        """
        if self._process is None:
            if self._breakdowns >= _ENOUGH:
                raise DriverBroke(f"the driver broke down {_ENOUGH} times in a row, and is not started again")
            self._breakdowns += 1
            self.hello()
        number = self._next()
        try:
            message = {"id": number, "call": call, "arguments": arguments, "client": client}
            line = self._asked(message, self._patience * (_ONCE_BITTEN if self._hung else 1))
            answer = read_answer(line, number, call)
        except CallHangs:
            self.end()
            self._breakdowns, self._hung = 0, self._hung + 1
            raise
        except DriverBroke:
            self.end()
            self._breakdowns = max(self._breakdowns, 1)
            raise
        self._breakdowns = 0
        return answer

    def end(self) -> None:
        """
        End it and what it started, which share a group.

        Nobody else is given the id of a group while somebody is left in it, nor that of a child nobody has waited for.
        Only in the moment between the end of both and the last signal could it be another's.
        """
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

    def _asked(self, message: Mapping[str, Any], patience: float) -> bytes:
        """Write a line, and wait for one so many seconds."""
        process = self._process
        assert process
        assert process.stdin
        if not self._lines.empty() and self._lines.queue[0] is not None:
            raise DriverBroke(f"the driver wrote without being asked: {_quoted(self._lines.get_nowait())}")
        with suppress(OSError):  # it died, and its last words are more telling
            process.stdin.write(written(message))
            process.stdin.flush()
        try:
            line = self._lines.get(timeout=patience)
        except queue.Empty:
            told = f"the driver did not answer within {patience:g} s{self._told()}"
            hangs = process.poll() is None and "call" in message
            raise (CallHangs(told, patience) if hangs else DriverBroke(told)) from None
        if line is None:
            with suppress(subprocess.TimeoutExpired):
                process.wait(_GRACE)
            raise DriverBroke(f"the driver ended with code {process.poll()}{self._told()}")
        return line

    def _told(self) -> str:
        """The last line that it wrote on stderr and that is no part of a backtrace, where it wrote any."""
        self._readers[1].join(_LINGERS)
        lines = [line for line in self._words.decode("utf-8", "replace").splitlines() if line.strip()]
        telling = [line for line in lines if not _TELLS_NOTHING.fullmatch(line)] or lines
        return f": {cut(telling[-1].strip(), 300)}" if telling else ""


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
