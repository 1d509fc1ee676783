"""The commands of a failure: they make what the last of them needs, and show the violation once more."""

from __future__ import annotations

import os
import re
import subprocess
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from conformance.outcomes import Violation
from conformance.reference import DEFAULT_KEY
from conformance.reports.reproduction import sequence_of
from conformance.wire.exchange import Exchange, Request, Response
from support.servers import serving

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from support.sessions import Ran

_SERVING = re.compile(r"python -m conformance\.reference --port 8000(?P<options>.*?)   # in another shell")


def commands_of(text: str, row: str) -> list[str]:
    """The commands that the first failure of a row prints."""
    told = re.search(rf"^{row}  .*?^  reproduce  (.*?)^  (?:why|expected) ", text, re.MULTILINE | re.DOTALL)
    assert told, text
    return [line.strip() for line in told[1].strip().splitlines()]


@pytest.mark.parametrize(
    ("fault", "row", "shown"),
    [
        (
            "cancelling-is-the-last-word",
            "RUN-CANCEL-028",
            "event: thread.run.cancelling(?!.*event: thread.run.cancelled)",
        ),
        ("comes-back", "RUN-LIFE-004", '"status": "completed"'),
        ("outputs-by-position", "RUN-TOOL-012", '"output": "the output of'),
        *(
            pytest.param(*each, marks=pytest.mark.exhaustive)
            for each in (
                ("cancels-the-waiting", "RUN-CANCEL-017", 'HTTP/1.1 200.*"status": "cancelling"'),
                ("cancels-the-waiting", "RUN-CANCEL-018", 'HTTP/1.1 200.*"status": "cancelling"'),
                ("ignores-the-unknown", "RUN-CREATE-004", 'HTTP/1.1 200.*"status": "queued"'),
                ("drops-a-tool", "RUN-CREATE-011", 'HTTP/1.1 200.*"status": "queued"'),
                ("outputs-revive", "RUN-TOOL-007", "event: thread.run.queued.*event: thread.run.completed"),
                ("labels-the-run-as-the-thread", "RUN-THREADRUN-004", '"shared": "thread"'),
            )
        ),
    ],
)
def test_a_failure_on_the_reference_server_can_be_seen_again(
    fault: str, row: str, shown: str, judge: Callable[..., Ran], tmp_path: Path
) -> None:
    served, *commands = commands_of(
        judge("--target-url=reference", "--pyargs", "conformance", f"--runs-fault={fault}", "-k", row).text, row
    )

    found = _SERVING.match(served)
    assert found, served
    with serving(*found["options"].split()) as url:
        script = "\n".join(commands).replace("http://127.0.0.1:8000/v1", url)
        done = subprocess.run(
            ["bash", "-c", script],
            env={**os.environ, "OPENAI_API_KEY": DEFAULT_KEY},
            capture_output=True,
            text=True,
            check=False,
            cwd=tmp_path,
        )

    last = done.stdout[done.stdout.rfind("HTTP/1.1 ") :] if "HTTP/1.1" in done.stdout else done.stdout
    assert re.search(shown, last if "event:" not in done.stdout else done.stdout, re.DOTALL), script + done.stdout


def test_a_failure_of_a_url_is_seen_again_where_it_was_seen(judge: Callable[..., Ran], tmp_path: Path) -> None:
    key = {"OPENAI_API_KEY": DEFAULT_KEY}
    with serving("--fault=ignores-the-unknown", "--fault=no-object") as url:
        ran = judge(f"--target-url={url}", "--pyargs", "conformance", "-k", "RUN-CREATE-004 or RUN-PAGE-001", **key)
        written, read = commands_of(ran.text, "RUN-CREATE-004"), commands_of(ran.text, "RUN-PAGE-001")
        for commands in (written, read):
            done = subprocess.run(
                ["bash", "-c", "\n".join(commands)],
                env={**os.environ, **key},
                capture_output=True,
                text=True,
                check=True,
                cwd=tmp_path,
            )
            assert done.stdout

    assert [line.partition("=")[0] for line in written[:-1]] == ["assistant", "thread"]
    assert [line.split()[:3] for line in read] == [["curl", "-X", "GET"]]


def test_requests_that_met_are_not_told_one_after_the_other() -> None:
    made = Request("POST", "/v1/threads", body=b"{}")
    asked = Request("POST", "/v1/threads/thread_1/runs", body=b"{}")
    thread = Exchange(1, "races/one", made, Response(200, {}, b'{"id": "thread_1"}'), 1.0, 0.1)
    met = Exchange(2, "races/one", asked, Response(500), 1.2, 0.1)

    assert sequence_of(Violation("", "", (met,)), [thread, met], lasting=True) == ()
    alone = [replace(each, scope="cases/one") for each in (thread, met)]
    assert sequence_of(Violation("", "", (alone[1],)), alone, lasting=True) == alone
