"""A line of progress beneath pytest's output on a terminal, or now and then among it elsewhere."""

from __future__ import annotations

import os
import re
import sys
import time
import unicodedata
from contextlib import suppress
from threading import Event, RLock, Thread
from typing import TYPE_CHECKING, Any, TextIO

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

#: Seconds of silence after which a line says what is waited for, where nothing can move.
SILENCE = 30.0
#: Seconds between two looks.
INTERVAL = 0.25
#: Seconds without anything new after which the line appears.
_QUIET = 1.0
_ERASE_BELOW = "\x1b[J"
_STYLES = re.compile(r"\x1b\[[0-9;]*[A-Za-z]|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)")
_LEAST_WIDTH = 20
#: What CI systems set.
_CI = ("CI", "BUILD_NUMBER")


def can_move(file: TextIO, environment: Mapping[str, str]) -> bool:
    """Whether a line may be written over: somebody looks at a terminal that understands how."""
    if sys.platform == "win32" or any(environment.get(name, "") not in {"", "0", "false"} for name in _CI):
        return False
    return file.isatty() and environment.get("TERM", "dumb") not in {"", "dumb"}


class Live:
    """Looks on in a thread of its own, and tells what it sees; pytest's own output stays as it is."""

    def __init__(self, writer: Any, tell: Callable[[], str], *, moving: bool) -> None:
        """
        Prepare.

        Args:
            writer: pytest's terminal writer.
            tell: What there is to say now; nothing if it is empty.
            moving: Whether the line stands beneath the output and moves with it.
        """
        self._writer, self._tell, self._moving = writer, tell, moving
        self._file: TextIO = writer._file  # noqa: SLF001 - the one thing that everything of pytest's goes through
        # While an item runs, pytest's capture turns the usual one elsewhere.
        self._own = os.fdopen(os.dup(self._file.fileno()), "w", encoding="utf-8", errors="replace")
        self._line, self._last, self._shown = "", time.monotonic(), ""
        self._lock, self._over = RLock(), Event()
        self._thread = Thread(target=self._look_on, name="progress", daemon=True)

    def begin(self) -> None:
        """Begin to look on."""
        self._writer._file = self  # noqa: SLF001
        self._thread.start()

    def end(self) -> None:
        """Leave the terminal as if nobody had looked on."""
        self._over.set()
        if self._thread.is_alive():
            self._thread.join(1.0)
        with self._lock, suppress(OSError, ValueError):
            self._erase()
            if self._writer._file is self:  # noqa: SLF001
                self._writer._file = self._file  # noqa: SLF001
            self._own.close()

    def wipe(self) -> None:
        """Take the line away at once, whoever may be writing, since the process ends."""
        if self._shown:
            with suppress(OSError, ValueError):
                os.write(self._own.fileno(), f"{_ERASE_BELOW}\r\n".encode())

    def write(self, text: str) -> int:
        """Write what pytest writes, and remember the line that it is in."""
        with self._lock:
            self._erase()
            before, newline, after = text.rpartition("\n")
            self._line = after if newline else self._line + before + after
            self._last = time.monotonic()
            written = self._file.write(text)
            self._file.flush()  # so that nothing of it comes after what is written past it
            return written

    def flush(self) -> None:
        """Nothing is kept back."""
        self._file.flush()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._file, name)

    def _look_on(self) -> None:
        with suppress(OSError, ValueError):  # nobody looks any more
            while not self._over.wait(INTERVAL):
                silent = time.monotonic() - self._last
                if silent < (_QUIET if self._moving else SILENCE):
                    continue
                told = self._tell()
                with self._lock:
                    if self._over.is_set() or time.monotonic() - self._last < _QUIET:
                        continue
                    if told != self._shown:
                        self._erase()
                        self._draw(told)

    def _draw(self, told: str) -> None:
        if told and self._moving:
            self._draw_beneath(told)
        elif told:
            self._say(told)

    def _draw_beneath(self, told: str) -> None:
        """Write the line beneath the one that pytest is in, and return to where that ends."""
        width = os.get_terminal_size(self._own.fileno()).columns
        at = _width(self._line) % width if width else 0
        if width < _LEAST_WIDTH or (at == 0 and self._line):  # nobody knows in which line the cursor is
            return
        line = told if len(told) < width else f"{told[: width - 4]}..."
        forward = f"\x1b[{at}C" if at else ""
        self._own.write(f"\r\n{line}\r\x1b[A{forward}")
        self._own.flush()
        self._shown = told

    def _erase(self) -> None:
        if self._shown:
            self._shown = ""
            self._own.write(_ERASE_BELOW)
            self._own.flush()

    def _say(self, told: str) -> None:
        """Write a line among pytest's; the one that it stands in is begun again after it."""
        apart = "\n" if self._line else ""
        self._own.write(f"{apart}conformance: {told}\n{self._line}")
        self._own.flush()
        self._last = time.monotonic()


def _width(line: str) -> int:
    """Columns that a line takes."""
    plain = _STYLES.sub("", line.rpartition("\r")[2])
    wide = sum(unicodedata.east_asian_width(char) in {"W", "F"} for char in plain)
    return len(plain) + wide - sum(unicodedata.combining(char) != 0 for char in plain)
