"""The one line of verdict: it never says more than was measured."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import threading
import time
from typing import TYPE_CHECKING

import httpx

from support.servers import started

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from support.sessions import Ran

    Judge = Callable[..., Ran]

#: Pytest as it is in a terminal; what a shell runs in the background ignores interrupts.
_INTERRUPTIBLE = """
import signal, sys, pytest
signal.signal(signal.SIGINT, signal.default_int_handler)
sys.exit(pytest.main())
"""
#: Leaves out plugins that load themselves and that no session here uses.
_QUIET = ("-p", "no:schemathesis", "-p", "no:hypothesispytest", "-p", "no:anyio", "-p", "no:cacheprovider")
#: Requests after which a session is at work.
_ENOUGH = 60


def test_what_a_black_box_cannot_show_is_no_conformance(judge: Judge, reference_url: str) -> None:
    ran = judge(f"--target-url={reference_url}", "-k", "test_too_many_requests", OPENAI_API_KEY="sk-reference")

    assert ran.code == 11, ran.text
    assert "verdict: nothing could be measured (1 untested; 1 of " in ran.text


def test_what_is_declared_absent_altogether_is_no_conformance(judge: Judge) -> None:
    ran = judge("--target-url=reference", "--runs-without=streaming", "-k", "RUN-STREAM")

    assert ran.code == 11, ran.text
    assert re.search(r"verdict: nothing could be measured \(\d+ n/a; ", ran.text), ran.text


def test_what_the_first_failure_cut_short_is_no_selection(judge: Judge) -> None:
    ran = judge("--target-url=reference", "--runs-fault=finished-crashes", "-x", "-m", "cancel")

    assert ran.code == 1, ran.text
    assert " requirements were reached)" in ran.text


def test_other_tests_run_where_nothing_of_the_suite_is_selected(judge: Judge, tmp_path: Path, closed_port: int) -> None:
    (tmp_path / "test_mine.py").write_text("def test_mine(): pass\n", "utf-8")

    target = f"--target-url=http://127.0.0.1:{closed_port}/v1"
    ran = judge(target, "test_mine.py", "--pyargs", "conformance", "-k", "test_mine")

    assert ran.code == 0, ran.text
    assert "1 passed" in ran.text


def test_a_selection_is_called_one(judge: Judge) -> None:
    ran = judge("--target-url=reference", "-k", "RUN-CANCEL-011")

    assert ran.code == 0, ran.text
    assert "(1 pass; 1 of " in ran.text


def test_an_empty_url_is_no_target(judge: Judge) -> None:
    ran = judge("--target-url=")

    assert ran.code == 4
    assert "--target-url is empty" in ran.text


def test_an_interrupted_session_has_no_verdict(tmp_path: Path, reference_url: str) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", _INTERRUPTIBLE, "-v", *_QUIET, f"--target-url={reference_url}"],
        cwd=tmp_path,
        env={**os.environ, "OPENAI_API_KEY": "sk-reference"},
        stdout=subprocess.PIPE,
        text=True,
    ) as session:
        assert session.stdout
        next(line for line in session.stdout if "PASSED" in line)
        session.send_signal(signal.SIGINT)
        rest = session.stdout.read()

    assert session.returncode == 2, rest
    assert "verdict: none, the session was interrupted" in rest


def test_a_known_failure_that_holds_is_told_as_such(judge: Judge, tmp_path: Path) -> None:
    (tmp_path / "known-failures.toml").write_text('RUN-CANCEL-011 = { reason = "our issue 7" }\n', "utf-8")

    ran = judge("--target-url=reference", "-k", "RUN-CANCEL-011")

    assert ran.code == 1
    assert "verdict: stale list of known failures: delete from it what holds now" in ran.text


def test_an_acceptance_that_ran_out_is_named(judge: Judge, tmp_path: Path) -> None:
    (tmp_path / "known-failures.toml").write_text('RUN-CANCEL-011 = { reason = "x", until = "2020-01-01" }\n', "utf-8")

    ran = judge("--target-url=reference", "-k", "RUN-CANCEL-011")

    assert "no longer accepted, since the date is past: RUN-CANCEL-011" in ran.text


def test_a_selection_does_not_replace_a_recording(judge: Judge, tmp_path: Path) -> None:
    first = judge("--target-url=reference", "--runs-record=mine", "-k", "RUN-CANCEL-011")
    again = judge("--target-url=reference", "--runs-record=mine", "-k", "RUN-GET-001")

    assert f"recorded in {tmp_path / 'cassettes' / 'mine'}" in first.text, first.text
    assert again.code == 4
    assert "a selection would replace it" in again.text


def test_a_queue_that_never_moves_does_not_hide_the_list(judge: Judge) -> None:
    ran = judge("--target-url=reference", "--runs-fault=stuck-in-the-queue", "--runs-fault=many-runs", "-m", "page")

    untested = ran.text.partition("\nuntested:")[2]
    assert "RUN-PAGE-009" not in untested, ran.text
    assert "RUN-PAGE-015" not in untested, ran.text


def test_a_target_that_goes_away_is_soon_left_alone(judge: Judge) -> None:
    with started() as (url, server):

        def go_away() -> None:
            while len(httpx.get(f"{url.removesuffix('/v1')}/_conformance/journal").json()["data"]) < _ENOUGH:
                time.sleep(0.1)
            server.kill()

        threading.Thread(target=go_away).start()
        ran = judge(f"--target-url={url}", OPENAI_API_KEY="sk-reference")

    assert ran.code in {1, 10}, ran.text
    assert "was not sent: the target answers nothing any more" in ran.text
