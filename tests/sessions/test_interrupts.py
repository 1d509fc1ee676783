"""Being asked to end: once with a clean-up and a summary, twice at once, and always without a traceback."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from threading import Event
from typing import TYPE_CHECKING

import pytest

from conformance.signals import Interrupts
from support.servers import answering, heard, listening, silent

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from support.sessions import Ran

    Judge = Callable[..., Ran]

RUN = {
    "id": "run_1",
    "object": "thread.run",
    "thread_id": "thread_1",
    "assistant_id": "asst_1",
    "status": "in_progress",
    "created_at": 1,
}
SIGNALS = pytest.mark.parametrize("asking", [signal.SIGTERM, signal.SIGINT], ids=lambda each: each.name)


@dataclass
class Target:
    """A server whose runs never end, and that may never let anybody clean up."""

    lets_clean_up: bool
    asked: list[str] = field(default_factory=list)
    #: Set once a run is being watched, and once somebody tries to clean up.
    working: Event = field(default_factory=Event)
    cleaning: Event = field(default_factory=Event)

    def talk(self, connection: socket.socket) -> None:
        while request := heard(connection).decode("latin-1"):
            method, path, *_ = request.split()
            self.asked.append(f"{method} {path}")
            if method == "GET" and "/runs/" in path:
                self.working.set()
            if method == "DELETE":
                self.cleaning.set()
                if not self.lets_clean_up:
                    silent(connection)
            kind = "run" if "/runs" in path else "asst" if "assistants" in path else "thread"
            body = json.dumps(RUN if kind == "run" else {"id": f"{kind}_1", "object": kind}).encode()
            head = f"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {len(body)}\r\n"
            connection.sendall(head.encode() + b"connection: close\r\n\r\n" + body)
            return


@contextmanager
def session(target: Target, folder: Path, *arguments: str) -> Iterator[subprocess.Popen[str]]:
    """A session that waits for a run of the target."""
    with listening(target.talk) as origin:
        quiet = ("-p", "no:schemathesis", "-p", "no:hypothesispytest", "-p", "no:anyio", "-p", "no:cacheprovider")
        command = [sys.executable, "-m", "pytest", *quiet]
        selected = [f"--target-url={origin}/v1", "-k", "RUN-LIFE-011", *arguments]
        environment = {**os.environ, "OPENAI_API_KEY": "sk-planted"}
        with subprocess.Popen(
            [*command, *selected],
            cwd=folder,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        ) as process:
            try:
                assert target.working.wait(30)
                time.sleep(0.5)
                yield process
            finally:
                process.kill()


@SIGNALS
def test_one_signal_ends_a_session_in_order(tmp_path: Path, asking: signal.Signals) -> None:
    target = Target(lets_clean_up=True)
    with session(target, tmp_path, "--junitxml=junit.xml") as process:
        process.send_signal(asking)
        text = process.communicate(timeout=40)[0]

    assert process.returncode == 2, text
    assert "verdict: none, the session was interrupted" in text
    assert "Traceback" not in text
    assert "DELETE /v1/threads/thread_1" in target.asked
    assert any(each.endswith("/cancel") for each in target.asked)
    assert (tmp_path / "junit.xml").exists()


@SIGNALS
def test_a_second_signal_ends_it_at_once(tmp_path: Path, asking: signal.Signals) -> None:
    target = Target(lets_clean_up=False)
    with session(target, tmp_path) as process:
        process.send_signal(asking)
        assert target.cleaning.wait(30)
        began = time.monotonic()
        process.send_signal(asking)
        text = process.communicate(timeout=40)[0]

    assert process.returncode == 128 + asking
    assert time.monotonic() - began < 3
    assert "Traceback" not in text


@pytest.mark.exhaustive
def test_who_does_not_wait_for_the_clean_up_gets_the_summary(tmp_path: Path) -> None:
    target = Target(lets_clean_up=False)
    with session(target, tmp_path, "--runs-wait=finish=0", "--runs-wait=start=0") as process:
        assert target.cleaning.wait(60)
        process.send_signal(signal.SIGTERM)
        text = process.communicate(timeout=40)[0]

    assert process.returncode == 2, text
    assert "verdict: none, the session was interrupted" in text
    assert "Traceback" not in text


def test_what_others_took_over_stays_theirs() -> None:
    mine = signal.signal(signal.SIGTERM, lambda *_: None)
    try:
        theirs = signal.getsignal(signal.SIGTERM)
        interrupts = Interrupts()
        interrupts.begin()
        assert signal.getsignal(signal.SIGTERM) is theirs
        assert signal.getsignal(signal.SIGINT) is not signal.default_int_handler
        interrupts.end()
        assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
        assert signal.getsignal(signal.SIGTERM) is theirs
    finally:
        signal.signal(signal.SIGTERM, mine)


@pytest.mark.parametrize(
    "how",
    [(), pytest.param(("-q",), marks=pytest.mark.exhaustive), ("-q", "-q"), ("--no-summary",)],
    ids=str,
)
def test_nothing_to_measure_is_one_sentence(judge: Judge, closed_port: int, how: tuple[str, ...]) -> None:
    ran = judge(f"--target-url=http://127.0.0.1:{closed_port}/v1", *how)

    assert ran.code == 11, ran.text
    (told,) = [line for line in ran.text.splitlines() if "no server" in line]
    assert told.startswith("ERROR: nothing could be measured: there is no server at http://127.0.0.1:")
    assert "outcomes.Exit" not in ran.text


def test_that_sentence_holds_no_secret(judge: Judge) -> None:
    with listening(answering(b"{}", "content-type: text/html", status=401)) as origin:
        ran = judge(f"--target-url={origin}/v1", OPENAI_API_KEY="sk-planted-secret")

    assert ran.code == 11, ran.text
    assert "ERROR: nothing could be measured" in ran.text
    assert "sk-planted-secret" not in ran.text
