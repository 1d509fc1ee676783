"""What somebody sees who looks on, and that nothing of it stays."""

from __future__ import annotations

import os
import pty
import re
import signal
import struct
import sys
import termios
import time
from contextlib import suppress
from fcntl import ioctl
from io import StringIO
from threading import Timer
from typing import TYPE_CHECKING

import pytest

from conformance.live import can_move
from conformance.reports.progress import progress
from conformance.watch import Waiting, Watch
from support.servers import serving

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from support.sessions import Ran

    Judge = Callable[..., Ran]

KEY = {"OPENAI_API_KEY": "sk-reference"}
COLUMNS = 100
SECONDS_BETWEEN_SIGNALS = 0.4
#: A selection that waits for a run of some seconds.
SLOW = ("-k", "RUN-LIFE-011 or RUN-GET-001", "--pyargs", "conformance")


@pytest.fixture(scope="module")
def slow_url() -> Iterator[str]:
    """A reference server whose runs take some seconds."""
    with serving("--run-seconds=3") as url:
        yield url


def on_a_terminal(folder: Path, *arguments: str, asked: int = 0, **environment: str) -> tuple[int, str]:
    """The exit code of a session on a terminal that is asked to end so often, and every byte that it wrote there."""
    quiet = ["-p", "no:schemathesis", "-p", "no:hypothesispytest", "-p", "no:anyio", "-p", "no:cacheprovider"]
    command = [sys.executable, "-m", "pytest", *quiet, *arguments]
    kept = {name: value for name, value in os.environ.items() if name not in {"CI", "BUILD_NUMBER"}}
    process, terminal = pty.fork()
    if process == 0:
        os.chdir(folder)
        os.execve(sys.executable, command, {**kept, "TERM": "xterm", **KEY, **environment})
    ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 50, COLUMNS, 0, 0))
    written = b""
    with suppress(OSError):  # the other side was closed
        while piece := os.read(terminal, 65536):
            written += piece
            if asked and b"cases left" in piece:
                for number in range(asked):
                    Timer(number * SECONDS_BETWEEN_SIGNALS, ask, (process,)).start()
                asked = 0
    os.close(terminal)
    return os.waitstatus_to_exitcode(os.waitpid(process, 0)[1]), written.decode()


def ask(process: int) -> None:
    """Ask a process to end, if it has not."""
    with suppress(ProcessLookupError):
        os.kill(process, signal.SIGTERM)


class Screen:
    """A terminal; it knows what pytest and the suite use of its language."""

    def __init__(self, columns: int) -> None:
        self.columns, self.row, self.column = columns, 0, 0
        self.lines: list[list[str]] = []
        self.obey = {"A": self.up, "C": self.forward, "J": self.erase, "K": self.erase_line, "m": self.style}

    def take(self, written: str) -> Screen:
        for command, number, letter, char in re.findall(r"(\x1b\[([\d;]*)([A-Za-z]))|([\s\S])", written):
            while self.row >= len(self.lines):
                self.lines.append([" "] * self.columns)
            if command:
                self.obey[letter](number)
            else:
                self.put(char)
        return self

    def put(self, char: str) -> None:
        if char == "\r":
            self.column = 0
        elif char == "\n":
            self.row += 1
        else:
            if self.column == self.columns:
                self.put("\r")
                self.put("\n")
                self.lines += [[" "] * self.columns] * (self.row == len(self.lines))
            self.lines[self.row][self.column] = char
            self.column += 1

    def up(self, number: str) -> None:
        self.row -= int(number or 1)

    def forward(self, number: str) -> None:
        self.column += int(number or 1)

    def erase(self, _: str) -> None:
        self.erase_line(_)
        del self.lines[self.row + 1 :]

    def erase_line(self, _: str) -> None:
        self.lines[self.row][self.column :] = [" "] * (self.columns - self.column)

    def style(self, _: str) -> None:
        """Colours are not looked at."""


def shown(written: str) -> list[str]:
    """The lines that a terminal shows in the end."""
    return ["".join(line).rstrip() for line in Screen(COLUMNS).take(written).lines]


def results(lines: list[str]) -> list[str]:
    """The lines that say what came of the items."""
    return [" ".join(line.split()) for line in lines if re.search(r"\[ *\d+%\]", line)]


@pytest.mark.parametrize(
    "how",
    [(), ("-v",), pytest.param(("-q",), marks=pytest.mark.exhaustive)],
    ids=["dots", "names", "quiet"],
)
def test_a_terminal_shows_what_is_waited_for_and_then_what_a_pipe_shows(
    judge: Judge, tmp_path: Path, slow_url: str, how: tuple[str, ...]
) -> None:
    piped = judge(*SLOW, f"--target-url={slow_url}", *how, **KEY)

    code, written = on_a_terminal(tmp_path, *SLOW, f"--target-url={slow_url}", *how)

    assert (code, piped.code) == (0, 0), written
    assert re.search(r"\d+ of \d+ cases left; waiting for finish of \S.* [1-4] of 120 s", written)
    assert "cases left" not in piped.text
    screen = shown(written)
    assert not any("waiting for" in line for line in screen)
    wanted = [line for row in piped.text.splitlines() for line in wrapped(row)]
    assert results(screen) == results(wanted) != []
    assert "\x1b[?25l" not in written  # the cursor is never hidden


@pytest.mark.parametrize(("asked", "code"), [(1, 2), (2, 128 + signal.SIGTERM)], ids=["once", "twice"])
def test_nothing_stays_of_a_session_that_is_asked_to_end(tmp_path: Path, asked: int, code: int) -> None:
    with serving("--run-seconds=30", "--latency=300") as url:
        ended, written = on_a_terminal(tmp_path, *SLOW, f"--target-url={url}", asked=asked)

    assert ended == code, written
    assert "waiting for" in written
    assert not any("waiting for" in line for line in shown(written))
    assert "Traceback" not in written
    assert ("the session was interrupted" in written) == (asked == 1)


def wrapped(line: str) -> list[str]:
    """A line as it stands on a terminal."""
    return [line[at : at + COLUMNS] for at in range(0, len(line), COLUMNS)] or [""]


@pytest.mark.parametrize(
    ("how", "environment"),
    [
        ((), {"TERM": "dumb"}),
        pytest.param((), {"CI": "true"}, marks=pytest.mark.exhaustive),
        (("-q", "-q"), {}),
        (("--target-url=reference",), {}),
        pytest.param(("--runs-replay=reference",), {}, marks=pytest.mark.exhaustive),
    ],
    ids=["dumb", "ci", "quieter", "in process", "replay"],
)
def test_nothing_moves_where_nobody_wants_it(
    tmp_path: Path, slow_url: str, how: tuple[str, ...], environment: dict[str, str]
) -> None:
    live = [] if any(each.startswith("--") for each in how) else [f"--target-url={slow_url}"]

    code, written = on_a_terminal(tmp_path, *SLOW, *live, *how, **environment)

    assert code == 0, written
    assert "waiting for" not in written
    assert "\x1b[A" not in written


def test_a_pipe_is_told_now_and_then_and_every_line_stays_whole(judge: Judge, tmp_path: Path, slow_url: str) -> None:
    (tmp_path / "conftest.py").write_text("import conformance.live\nconformance.live.SILENCE = 1.0\n", "utf-8")
    (tmp_path / "test_mine.py").write_text("def test_mine():\n    pass\n", "utf-8")
    command = ("test_mine.py", *SLOW[2:], "-k", "mine or RUN-LIFE-011", f"--target-url={slow_url}")

    ran = judge(*command, **KEY)

    assert ran.code == 0, ran.text
    lines = ran.text.splitlines()
    (first, *more) = [at for at, line in enumerate(lines) if line.startswith("conformance: ") and "waiting for" in line]
    assert more
    assert re.fullmatch(r"conformance: \d+ of \d+ cases left; waiting for finish of .* of 120 s.*", lines[first])
    assert lines[first - 1] == lines[first + 1] or lines[first - 1] == ""
    assert "\x1b" not in ran.text
    assert sum(line.count(".") for line in results(lines)) > 1


def test_a_wait_is_told_with_all_of_its_polls() -> None:
    watch = Watch()
    for _ in range(4):
        watch.begin("cases/test_x/test_y[z]", "finish", 0.05)
        time.sleep(0.05)
    watch.begin("subjects/completed", "start", 5.0)

    (first, second) = watch.now()
    assert (first.name, first.scope) == ("finish", "cases/test_x/test_y[z]")
    assert first.seconds >= 0.2
    assert second.seconds < first.seconds
    watch.end("cases/test_x/test_y[z]")
    assert [each.name for each in watch.now()] == ["start"]


def test_an_answer_is_waited_for_only_if_it_takes_its_time(monkeypatch: pytest.MonkeyPatch) -> None:
    watch, now = Watch(), [100.0]
    monkeypatch.setattr("conformance.watch.time.monotonic", lambda: now[0])
    with watch.asking("subjects/arrival"):
        assert list(watch.now()) == []
        now[0] += 2
        assert [(each.name, each.seconds) for each in watch.now()] == [("answer", 2.0)]
    assert list(watch.now()) == []


def test_the_line_says_what_how_long_and_what_is_left() -> None:
    waits = [
        Waiting(name="finish", scope="subjects/completed", seconds=12.4),
        Waiting(name="start", scope="cases/test_cancel/test_it[queued]", seconds=3),
        Waiting(name="answer", scope="clean-up", seconds=2),
        Waiting(name="work", scope="sequences/7", seconds=1),
    ]

    told = progress(waits, {"finish": 120.0, "start": 30.0, "answer": 60.0, "work": 4.0}.__getitem__, 3, 70)

    assert told == (
        "3 of 70 cases left; waiting for finish of the subject completed 12 of 120 s, "
        "start of test_it[queued] 3 of 30 s, answer of the session 2 of 60 s, and 1 more"
    )
    assert progress([], lambda _: 0.0, 3, 70) == ""
    assert not can_move(StringIO(), {"TERM": "xterm"})
