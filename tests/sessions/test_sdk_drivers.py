"""A driver is a stranger: whatever it does ends in an error of its own, in bounded time, and nobody is left behind."""

from __future__ import annotations

import shlex
import subprocess
import sys
import threading
import time
from typing import TYPE_CHECKING

import pytest

from conformance.sdk.driver import Driver
from conformance.sdk.protocol import DriverBroke

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from support.sessions import Ran

    Judge = Callable[..., Ran]

#: A driver that does what it is told in the place of an answer to a call.
DRIVER = """
import json, os, signal, subprocess, sys, time
open({pids!r}, "a").write(str(os.getpid()) + "\\n")
def say(**told):
    print(json.dumps(told), flush=True)
def right(asked):
    say(id=asked["id"], run={{"id": "run_abc123"}}, page={{"ids": [], "has_more": False}}, ids=[], events=[])
for line in sys.stdin:
    asked = json.loads(line)
    if "hello" in asked:
        {hello}
    elif asked["call"] != "cancel_run":
        right(asked)
    else:
        {call}
"""
HELLO = 'say(id=asked["id"], client="a driver")'
#: What may be wrong with an answer, and what is said of it.
WRONG = {
    "dies": ("print('out of memory', file=sys.stderr); sys.exit(3)", "ended with code 3: out of memory"),
    "is-killed": ("os.kill(os.getpid(), signal.SIGKILL)", "ended with code -9"),
    "babbles": ("print('hello, I am a driver', flush=True)", "wrote what is no JSON object"),
    "out-of-turn": ("say(id=asked['id'] - 1, run={})", "answered out of turn"),
    "neither": ("say(id=asked['id'])", "neither a proper run nor an error"),
    "wrong-shape": ("say(id=asked['id'], run=[1])", "neither a proper run nor an error"),
    "unkind": ("say(id=asked['id'], error={'kind': 'bad'})", "an error has a kind"),
    "endless-line": ("print('x' * 10_000_000, flush=True); time.sleep(60)", "wrote what is no JSON object"),
    "floods": ("[print('{}', flush=True) for _ in range(100_000)]", "answered out of turn"),
    "closes-its-output": ("os.close(1); time.sleep(60)", "ended with code None"),
    "dies-in-ruby": (
        r"""sys.stderr.write("d.rb:3:in 'ask': no such method\n\tfrom d.rb:9:in 'main'\n"); sys.exit(1)""",
        "ended with code 1: d.rb:3:in 'ask': no such method",
    ),
    "dies-in-node": (
        r"""sys.stderr.write("d.cjs:3\n^\n\nError: boom\n    at ask (d:3) {\n}\n\nNode.js v22.1.0\n"); sys.exit(1)""",
        "ended with code 1: Error: boom",
    ),
    "raises": ("raise KeyError('id')", "ended with code 1: KeyError: 'id'"),
}
#: How a client may hang whose driver does what it is told.
HANGING = {
    "hangs": "time.sleep(60)",
    "ignores-signals": "signal.signal(signal.SIGTERM, signal.SIG_IGN); time.sleep(60)",
    "leaves-a-child": "subprocess.Popen(['sleep', '60']); time.sleep(60)",
}


@pytest.fixture
def driver(tmp_path: Path) -> Callable[..., str]:
    def made(call: str = "right(asked)", hello: str = HELLO) -> str:
        file = tmp_path / "driver.py"
        file.write_text(DRIVER.format(pids=str(tmp_path / "pids"), hello=hello, call=call), "utf-8")
        return f"--runs-sdk={shlex.join([sys.executable, str(file)])}"

    return made


def nobody_is_left(folder: Path) -> bool:
    """Whether every driver that was started is gone, and whatever shared its group."""
    told = subprocess.run(["ps", "-A", "-o", "pgid=,stat="], capture_output=True, text=True, check=True).stdout
    alive = {group for group, state in (line.split() for line in told.splitlines()) if not state.startswith("Z")}
    return alive.isdisjoint((folder / "pids").read_text("utf-8").split())


@pytest.mark.parametrize("name", WRONG)
def test_a_driver_that_breaks_down_is_an_error_and_starts_again(
    name: str, judge: Judge, driver: Callable[..., str], tmp_path: Path
) -> None:
    call, said = WRONG[name]
    started = time.monotonic()

    selected = "SDK-REQ-003 and every_call and run_id and not stream"
    ran = judge(driver(call), "-q", "--runs-wait=driver=1", "-k", selected)

    assert ran.code == 11, ran.text  # since this driver never sends anything
    assert "SDK-REQ-003" in ran.text.partition("errors, ours or the network's:")[2]
    assert said in ran.text
    assert "Traceback" not in ran.text
    assert "1 failed, 3 skipped" in ran.text  # what comes after is asked again
    assert len((tmp_path / "pids").read_text("utf-8").split()) == 2
    assert time.monotonic() - started < 30
    assert nobody_is_left(tmp_path)


@pytest.mark.parametrize("name", HANGING)
def test_a_client_that_hangs_is_told_by_a_requirement(
    name: str, judge: Judge, driver: Callable[..., str], tmp_path: Path
) -> None:
    ran = judge(driver(HANGING[name]), "-q", "--runs-wait=driver=1", "-k", "SDK-REQ-002 or SDK-TIME-006")

    assert ran.code == 1, ran.text
    assert "SDK-TIME-006  MUST end every call" in ran.text
    assert "actual     none within 1 s" in ran.text
    assert '"call": "cancel_run"' in ran.text
    assert "-k 'SDK-REQ-001 or SDK-TIME-006'" in ran.text
    assert len((tmp_path / "pids").read_text("utf-8").split()) == 2
    assert nobody_is_left(tmp_path)


def test_a_client_that_hangs_often_is_asked_no_more(judge: Judge, driver: Callable[..., str], tmp_path: Path) -> None:
    ran = judge(driver("time.sleep(60)"), "-q", "--runs-wait=driver=1", "-k", "cancel or SDK-ERR or SDK-TIME-006")

    assert "SDK-TIME-006" in ran.text.partition("broken:")[2]
    assert "several calls did not end, so that nothing more is asked" in ran.text
    assert len((tmp_path / "pids").read_text("utf-8").split()) == 3
    assert nobody_is_left(tmp_path)


def test_nobody_listens_to_a_driver_that_was_ended(tmp_path: Path) -> None:
    flood = DRIVER.format(pids=str(tmp_path / "pids"), hello=HELLO, call="print('{}\\n' * 20_000, flush=True)")
    (tmp_path / "driver.py").write_text(flood, "utf-8")
    before = threading.active_count()
    driver = Driver([sys.executable, str(tmp_path / "driver.py")], tmp_path, patience=10)

    driver.hello()
    with pytest.raises(DriverBroke):
        driver.ask("cancel_run", {}, {})

    assert threading.active_count() == before


def test_a_driver_that_speaks_unasked_is_an_error(judge: Judge, driver: Callable[..., str]) -> None:
    ran = judge(driver("right(asked); right(asked); time.sleep(0.2)"), "-q", "-k", "SDK-REQ-012 or SDK-REQ-013")

    assert "the driver wrote without being asked" in ran.text


def test_a_driver_that_keeps_breaking_down_is_given_up(
    judge: Judge, driver: Callable[..., str], tmp_path: Path
) -> None:
    ran = judge(driver("sys.exit(3)"), "-q", "-k", "SDK-REQ-012 or SDK-REQ-013 or SDK-RETRY-005")

    assert "not started again" not in ran.text  # calls between them are answered
    hopeless = judge(driver("sys.exit(3)"), "-q", "-k", "SDK-REQ-012 or SDK-RETRY-009 or cancel_run")
    assert "broke down 3 times in a row, and is not started again" in hopeless.text
    assert nobody_is_left(tmp_path)


@pytest.mark.parametrize(
    ("hello", "said"),
    [
        ("sys.exit('No module named openai')", "ended with code 1: No module named openai"),
        ("print('hello', flush=True)", "wrote what is no JSON object"),
        ("say(id=asked['id'])", "does not say whom it drives"),
        ("say(id=asked['id'], client='x', lacks={'everything': 'no time'})", "nothing is called everything"),
        ("say(id=asked['id'], client='x', lacks={'retries': ''})", "no object of names and reasons"),
        ("time.sleep(60)", "did not answer within 1 s"),
    ],
    ids=["dies", "babbles", "nameless", "unknown-lack", "lack-without-reason", "hangs"],
)
def test_without_a_client_nothing_is_measured(
    hello: str, said: str, judge: Judge, driver: Callable[..., str], tmp_path: Path
) -> None:
    ran = judge(driver(hello=hello), "-q", "--runs-wait=driver=1")

    assert ran.code == 11, ran.text
    assert said in ran.text
    assert "there is no client to judge" in ran.text
    assert nobody_is_left(tmp_path)


def test_what_a_driver_says_of_itself_moves_no_cursor(judge: Judge, driver: Callable[..., str]) -> None:
    hello = "say(id=asked['id'], client='a\\x1b[2J driver', lacks={'poll_run': '\\x1b]0;x\\x07 no'})"

    ran = judge(driver(hello=hello), "-q", "-k", "SDK-POLL-002")

    assert "a?[2J driver" in ran.text, ran.text
    assert "\x1b" not in ran.text


@pytest.mark.parametrize("sdk", ["no-such-driver", "'unbalanced", " "])
def test_a_driver_that_is_none_is_a_wrong_option(sdk: str, judge: Judge) -> None:
    ran = judge(f"--runs-sdk={sdk}")

    assert ran.code == 4
    assert "--runs-sdk" in ran.text


def test_a_driver_is_given_no_key_of_the_user(judge: Judge, driver: Callable[..., str], tmp_path: Path) -> None:
    secret = "sk-planted-and-never-shown"
    call = f"open({str(tmp_path / 'environment')!r}, 'w').write(str(os.environ)); right(asked)"

    judge(driver(call), "-q", "-k", "SDK-REQ-012", OPENAI_API_KEY=secret, OPENAI_BASE_URL="http://192.0.2.1")

    told = (tmp_path / "environment").read_text("utf-8")
    assert "PATH" in told
    assert secret not in told
    assert "192.0.2.1" not in told
