"""Cases that are carried out side by side, and are told of one after the other."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import threading
import time
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, urlsplit

import pytest

from conformance.reference.app import Reference
from conformance.reference.clock import SystemClock
from support.servers import serving

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from support.sessions import Ran

    Judge = Callable[..., Ran]

KEY = {"OPENAI_API_KEY": "sk-reference"}
TOO_MANY = b'{"error": {"message": "Slow down.", "type": "requests", "param": null, "code": "rate_limit_exceeded"}}'


def _verdicts(ran: Ran) -> dict[str, str]:
    """The outcome of each item, as pytest's verbose output tells it."""
    return dict(re.findall(r"^\S*?(test_\w+\.py::\S+) (?:- )?([A-Z]+)", ran.text, re.MULTILINE))


def test_the_verdicts_are_those_of_one_case_after_another(judge: Judge) -> None:
    with serving("--fault=milliseconds", "--fault=unknown-run-is-bad-request") as url:
        chosen = (f"--target-url={url}", "-v", "-k", "test_errors or a_run_in_progress or test_invariants")
        together, alone = judge(*chosen, **KEY), judge(*chosen, "--runs-max-concurrency=1", **KEY)

    assert together.code == alone.code == 1, together.text
    assert len(_verdicts(alone)) > 100
    assert _verdicts(together) == _verdicts(alone)


@pytest.mark.exhaustive
def test_waits_overlap(judge: Judge, reference_url: str) -> None:
    ran = judge(f"--target-url={reference_url}", "-k", "later or changes_nothing", **KEY)

    assert ran.code == 0, ran.text
    waits, still = re.search(r"^waits, .*: (.*); .* stood still for ([\d.]+) s", ran.text, re.MULTILINE).groups()  # type: ignore[union-attr]
    assert sum(map(float, re.findall(r"[\d.]+(?= s)", waits))) > 2 * float(still)


def test_a_set_up_that_fails_leaves_its_case_untested(judge: Judge, reference_url: str) -> None:
    ran = judge(f"--target-url={reference_url}", "--runs-max-runs=1", "-m", "cancel", "-rs", **KEY)

    assert ran.code == 10, ran.text
    assert "untested: --runs-max-runs=1 leaves no room for 1 more" in ran.text


RERUN = """
from _pytest.runner import runtestprotocol

def pytest_runtest_protocol(item, nextitem):
    runtestprotocol(item, nextitem=nextitem, log=False)
"""

AROUND = """
import pytest

@pytest.fixture(autouse=True)
def around(request, judging):
    before = len(judging.journal.of("cases/test_cancel/" + request.node.name))
    yield
    print("sent inside:", before == 0 and len(judging.journal.of("cases/test_cancel/" + request.node.name)) > 0)
"""


def test_an_item_that_is_run_again_is_measured_again(judge: Judge, reference_url: str, tmp_path: Path) -> None:
    (tmp_path / "rerun.py").write_text(RERUN, "utf-8")
    chosen = ("-p", "rerun", "-k", "a_run_in_progress_is_cancelled")

    ran = judge(f"--target-url={reference_url}", *chosen, PYTHONPATH=str(tmp_path), **KEY)

    assert "1 passed" in ran.text, ran.text
    assert "KeyError" not in ran.text


def test_a_case_runs_within_somebody_elses_fixture(judge: Judge, reference_url: str, tmp_path: Path) -> None:
    (tmp_path / "around.py").write_text(AROUND, "utf-8")
    chosen = ("-p", "around", "-s", "-k", "a_run_in_progress_is_cancelled")

    ran = judge(f"--target-url={reference_url}", *chosen, PYTHONPATH=str(tmp_path), **KEY)

    assert "sent inside: True" in ran.text, ran.text


def test_nothing_is_sent_where_the_collection_broke(judge: Judge, tmp_path: Path, closed_port: int) -> None:
    (tmp_path / "test_broken.py").write_text("import nothing_of_that_name\n", "utf-8")

    ran = judge("--pyargs", "conformance", "test_broken.py", f"--target-url=http://127.0.0.1:{closed_port}/v1", **KEY)

    assert ran.code == 2, ran.text
    assert "there is no server" not in ran.text


@pytest.mark.exhaustive
def test_a_target_that_takes_few_requests_a_second_is_not_accused(judge: Judge) -> None:
    with throttling(10) as url:
        ran = judge(f"--target-url={url}", "--runs-gate=should", "-k", "CANCEL-026 or CANCEL-027 or GET", **KEY)

    assert ran.code == 0, ran.text
    assert "throttled" in ran.text


def test_an_interruption_ends_at_once_and_tells_what_was_measured(reference_url: str, tmp_path: Path) -> None:
    quiet = ("-p", "no:schemathesis", "-p", "no:hypothesispytest", "-p", "no:anyio")
    command = [sys.executable, "-m", "pytest", *quiet, f"--target-url={reference_url}", "-v"]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, text=True, cwd=tmp_path, env={**os.environ, **KEY}, start_new_session=True
    ) as session:
        try:
            assert session.stdout
            for line in session.stdout:
                if "PASSED" in line:
                    break
            session.send_signal(signal.SIGINT)
            started = time.monotonic()
            told = session.stdout.read()
        finally:
            session.kill()

    assert time.monotonic() - started < 10
    assert session.returncode == 2
    assert re.search(r"verdict: none, the session was interrupted \((\d+) pass", told), told


@contextmanager
def throttling(a_second: int) -> Iterator[str]:
    """The reference server, refusing what comes faster than so many requests a second."""
    reference, lock = Reference(clock=SystemClock()), threading.Lock()
    bucket = [float(a_second), time.monotonic()]

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            body = self.rfile.read(int(self.headers.get("content-length") or 0))
            with lock:
                now = time.monotonic()
                bucket[:] = [min(a_second, bucket[0] + (now - bucket[1]) * a_second) - 1, now]
                if bucket[0] < 0:
                    bucket[0] += 1
                    status, headers, answer = 429, {"content-type": "application/json"}, TOO_MANY
                else:
                    url = urlsplit(self.path)
                    sent = {name.lower(): value for name, value in self.headers.items()}
                    query = parse_qsl(url.query, keep_blank_values=True)
                    given = reference.handle(self.command, url.path, query, sent, body)
                    status, headers, answer = given.status, dict(given.headers), given.body
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("content-length", str(len(answer)))
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(answer)

        do_POST = do_DELETE = do_HEAD = do_GET

        def log_message(self, format: str, *args: object) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}/v1"
        finally:
            server.shutdown()
            thread.join()
