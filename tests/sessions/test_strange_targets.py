"""Whatever a target says, a session ends with a verdict and a sentence, and never with a traceback."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Any

import pytest

from conformance.client import Client, path_to
from conformance.outcomes import Fault, NotClaimed, Unreachable, Untested
from conformance.senders import Reply
from conformance.states.handles import Run
from conformance.states.means import Means
from conformance.states.shared import Shared
from conformance.states.stage import Stage
from conformance.states.visit import leave
from conformance.states.waits import Waits, next_interval
from conformance.wire.exchange import Request, Response
from conformance.wire.journal import Journal
from support.servers import answering, heard, listening, silent

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable
    from pathlib import Path

    from support.sessions import Ran

    Judge = Callable[..., Ran]

JSON = "content-type: application/json"
IDS = {"NUL": "run_\0", "surrogate": "run_\ud800", "100 kB": "x" * 100_000}
MORE_IDS = {"a path": "../..", "a space": " "}


class Told:
    """A target that gives one answer to everything, raises one exception, or asks a function; its clock is turned."""

    def __init__(self, answer: dict[str, Any] | Exception) -> None:
        self.answer, self.clock = answer, 1_763_683_200.0
        self.asked: list[str] = []

    def open(self, scope: str) -> None: ...

    def close(self, scope: str, *, complete: bool) -> None: ...

    def now(self, _scope: str) -> float:
        return self.clock

    def wait(self, seconds: float, _scope: str) -> None:
        self.clock += seconds

    def send(self, request: Request, _scope: str, gate: Callable[[], object] | None = None) -> Reply:
        if gate:
            gate()
        self.asked.append(f"{request.method} {request.path}")
        self.clock += 0.1
        if isinstance(self.answer, Exception):
            raise self.answer
        return Reply(Response(200, {}, json.dumps(self.answer).encode()), self.clock, 0.1)


def staged(answer: dict[str, Any] | Exception, **options: Any) -> tuple[Told, Stage]:
    told = Told(answer)
    return told, Stage(Means(Client(told, Journal(), **options), Waits({}), assistant="asst_1"))


@pytest.mark.parametrize(
    "id",
    [*IDS.values(), *(pytest.param(each, marks=pytest.mark.exhaustive) for each in MORE_IDS.values())],
    ids=[*IDS, *MORE_IDS],
)
def test_no_id_breaks_a_session(judge: Judge, id: str) -> None:
    body = json.dumps({"id": id, "object": "thread.run", "status": "queued", "data": [{"id": id}]}).encode()
    with listening(answering(body, JSON)) as origin:
        ran = judge(f"--target-url={origin}/v1", "-m", "get or err", "--runs-wait=start=0.2", "--junitxml=junit.xml")

    assert ran.code in {1, 10, 11}, ran.text
    assert "Traceback" not in ran.text
    assert "INTERNALERROR" not in ran.text
    assert "UnicodeEncodeError" not in ran.text


@pytest.mark.parametrize("id", ["run_\ud800", "x" * 100_000])
def test_an_id_that_no_url_can_carry_leads_nowhere(id: str) -> None:
    told, stage = staged({})

    for call in (
        lambda: stage.client.call("retrieve_run", thread_id="thread_1", run_id=id),
        lambda: stage.client.call("list_runs", thread_id="thread_1", query=[("after", id)]),
    ):
        with pytest.raises(Untested, match="a URL") as caught:
            call()
        str(caught.value).encode()

    assert told.asked == []


def test_an_id_stays_one_part_of_a_path() -> None:
    assert path_to("/threads/{thread}/x", thread="../a b/?c") == "/threads/..%2Fa%20b%2F%3Fc/x"


def test_no_hint_and_no_time_is_too_large() -> None:
    assert next_interval("finish", 0.0, 0.0, "9" * 5000) == 0.1
    _, stage = staged({"id": "run_1", "expires_at": 10**400})
    seen = stage.client.call("retrieve_run", thread_id="thread_1", run_id="run_1")
    with pytest.raises(Untested, match="no expires_at"):
        Run(stage.client, stage.means.waits, seen).outlive()


def test_a_run_of_no_status_is_not_waited_for() -> None:
    told, stage = staged({"id": "x"})
    run = Run(stage.client, stage.means.waits, stage.client.call("retrieve_run", thread_id="x", run_id="x"))

    took = []
    for _ in range(5):
        started = told.clock
        with pytest.raises(Untested, match="no documented status, which RUN-SCHEMA-009 is about"):
            run.settle()
        took.append(told.clock - started)

    assert max(took) < 5
    assert took[-1] < 0.5  # by then it is known


def test_what_could_not_be_staged_is_told_anew_each_time() -> None:
    _, stage = staged(Unreachable("no answer"))
    shared = Shared(stage)

    caught = []
    for _ in range(3):
        with pytest.raises(Unreachable) as problem:
            _ = shared.listing
        problem.value.args = (f"error: {problem.value}",)  # as the plugin does
        caught.append(problem.value)

    assert [str(each) for each in caught] == ["error: no answer"] * 3
    assert len({id(each) for each in caught}) == 3


def hanging_up(connection: socket.socket) -> None:
    """Make one thread, and hang up on everything else."""
    if b"POST /v1/threads HTTP" in heard(connection):
        connection.sendall(b'HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 11\r\n\r\n{"id": "x"}')


def test_an_error_is_called_one_once(judge: Judge) -> None:
    with listening(hanging_up) as origin:
        ran = judge(f"--target-url={origin}/v1", "-m", "get", "--alluredir=allure", "--junitxml=junit.xml")

    assert "error: no answer" in ran.text, ran.text
    assert "error: error" not in ran.text


def test_requests_that_should_leave_together_do_not_wait_for_one_that_does_not_leave() -> None:
    _, stage = staged({"id": "run_1"}, without={"list"})
    run = Run(stage.client, stage.means.waits, stage.client.call("retrieve_run", thread_id="t", run_id="run_1"))

    started = time.monotonic()
    with pytest.raises(NotClaimed, match="declared to have no list"):
        stage.client.together(run.retrieve, run.thread.list, run.retrieve)

    assert time.monotonic() - started < 5


def _left(told: Told, stage: Stage, *threads: str) -> list[str]:
    stage.means.threads += threads
    journal = stage.client.journal
    for number in (1, 2):
        run = {"id": f"run_{number}", "object": "thread.run", "status": "in_progress"}
        request = Request("POST", "/v1/threads/thread_1/runs")
        response = Response(200, {}, json.dumps(run).encode())
        journal.append(scope="", request=request, response=response, at=0, duration=0)
    leave(stage, journal, (), at_once=2)
    return told.asked


def test_a_clean_up_goes_on_after_a_failure() -> None:
    asked = _left(*staged(Fault("no")), "thread_1", "thread_2")

    assert asked == [
        "POST /v1/threads/thread_1/runs/run_1/cancel",
        "POST /v1/threads/thread_1/runs/run_2/cancel",
        "DELETE /v1/threads/thread_1",
        "DELETE /v1/threads/thread_2",
    ]


def test_a_clean_up_without_cancel_deletes() -> None:
    assert _left(*staged({}, without={"cancel"}), "thread_1") == ["DELETE /v1/threads/thread_1"]


def test_a_clean_up_ends_where_nobody_answers() -> None:
    assert len(_left(*staged(Unreachable("no answer")), *map(str, range(50)))) == 3


def test_a_clean_up_ends_in_time() -> None:
    told, stage = staged({})
    stage.means.waits = Waits({"clean-up": 2.0})

    assert len(_left(told, stage, *map(str, range(50)))) < 30


def test_no_source_is_looked_up_for_what_is_told_in_words(judge: Judge, tmp_path: Path) -> None:
    # It took pytest nine tenths of a session in which most cases fail.
    told = "from _pytest._code.code import TracebackEntry\ndel TracebackEntry.getsource\n"
    (tmp_path / "refusing.py").write_text(told)

    with listening(hanging_up) as origin:
        ran = judge(f"--target-url={origin}/v1", "-m", "get", "-p", "refusing")

    assert ran.code in {10, 11}, ran.text
    assert "error: no answer" in ran.text
    assert "INTERNALERROR" not in ran.text


def test_an_answer_has_a_budget_of_its_own(judge: Judge) -> None:
    with listening(silent) as origin:
        ran = judge(f"--target-url={origin}/v1", "-m", "get", "--runs-wait=answer=0.2")

    assert ran.code == 11, ran.text
    assert "it took over 0.2 s" in ran.text or "Timeout" in ran.text  # a busy machine may not even connect in time
