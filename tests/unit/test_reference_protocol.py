"""The reference server's manners: methods, paths, and answers that are the same each time; some of it over a socket."""

from __future__ import annotations

import http.client
import json
import time
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlsplit

import pytest

from conformance.reference import Answer, Reference
from support.reference_caller import AUTHORIZED, FUNCTION, HEADERS, LONG, Caller, error, path_of, strict

if TYPE_CHECKING:
    from collections.abc import Iterator

THREAD, RUN = "/threads/thread_x", "/threads/thread_x/runs/run_x"
METHODS = {
    "/assistants": {"GET", "POST"},
    "/assistants/asst_x": {"GET", "POST", "DELETE"},
    "/threads": {"POST"},
    "/threads/runs": {"POST"},
    THREAD: {"GET", "POST", "DELETE"},
    f"{THREAD}/messages": {"GET", "POST"},
    f"{THREAD}/messages/msg_x": {"GET", "POST", "DELETE"},
    f"{THREAD}/runs": {"GET", "POST"},
    RUN: {"GET", "POST"},
    f"{RUN}/cancel": {"POST"},
    f"{RUN}/submit_tool_outputs": {"POST"},
}


@pytest.fixture
def caller() -> Caller:
    return Caller()


# methods and paths


@pytest.mark.parametrize("path", METHODS)
@pytest.mark.parametrize("method", ["GET", "POST", "DELETE", "PUT", "PATCH", "OPTIONS", "TRACE", "get", ""])
def test_a_method_that_a_path_does_not_have_is_refused_with_those_it_has(
    caller: Caller, method: str, path: str
) -> None:
    answer = caller.send(method, path, headers=AUTHORIZED)

    if method in METHODS[path]:
        assert answer.status in {200, 400, 404}
        assert "allow" not in answer.headers
        return
    assert answer.status == 405
    assert set(answer.headers["allow"].split(", ")) == METHODS[path]
    assert error(answer)["type"] == "invalid_request_error"


def test_a_wrong_method_changes_nothing(caller: Caller) -> None:
    run = caller.staged("in_progress")

    for method, below in (("GET", "/cancel"), ("DELETE", ""), ("PUT", ""), ("PATCH", "")):
        assert caller.send(method, path_of(run) + below).status == 405

    assert caller.get(path_of(run)) == run


@pytest.mark.parametrize("path", [*METHODS, "/nowhere"])
def test_head_is_answered_without_a_body(caller: Caller, path: str) -> None:
    for headers, status in ((HEADERS, 404 if path == "/nowhere" else 405), ({}, 401)):
        answer = caller.send("HEAD", path, headers=headers)

        assert answer.status == status
        assert answer.body == b""
        assert answer.headers["content-type"] == "application/json"


@pytest.mark.parametrize(
    "path",
    ["", "/", "/threads/", "//threads", f"{THREAD}/", f"{THREAD}/runs/", f"{RUN}/", f"{RUN}/steps/", f"{RUN}/cancel/",
     "/threads//runs", "/threads/runs/", "/threads/runs/run_x", "/Threads", "/threads?x", "/threads%2Fx", "/%74hreads"],
)  # fmt: skip
def test_a_path_that_leads_nowhere_is_not_found(caller: Caller, path: str) -> None:
    for method in ("GET", "POST", "DELETE"):
        assert caller.refused(method, path, status=404)["code"] == "unknown_url"


def test_ids_may_be_percent_encoded(caller: Caller) -> None:
    run = caller.staged("in_progress")
    thread, id = ("".join(f"%{ord(each):02x}" for each in run[name]) for name in ("thread_id", "id"))

    assert caller.get(f"/threads/{thread}/runs/{id}") == run
    assert caller.get(f"/threads/{quote(run['thread_id'])}/runs")["first_id"] == run["id"]
    assert caller.post(f"/threads/{thread}/runs/{id}/cancel")["id"] == run["id"]


@pytest.mark.parametrize("id", ["%", "%zz", "%ff", "%00", "%F0%9F", "run_%0d%0a", "..", "%2e%2e%2f", "a" * 50_000])
def test_ids_that_mean_nothing_are_not_found(caller: Caller, id: str) -> None:
    caller.refused("GET", f"{caller.thread()}/runs/{id}", status=404)
    caller.refused("GET", f"/threads/{id}/runs")
    caller.refused("GET", f"/threads/thread_{id}/runs", status=404)
    caller.refused("GET", f"/assistants/{id}", status=404)


# the same each time


def session(caller: Caller) -> Iterator[Answer]:
    """Calls that touch everything, and their answers."""
    assistant = caller.assistant()
    thread = caller.thread(LONG)
    run = path_of(caller.create(thread, assistant_id=assistant))
    for method, path in (("GET", run), ("POST", f"{run}/cancel"), ("POST", f"{run}/cancel"), ("GET", f"{thread}/runs")):
        caller.wait(0.7)
        yield caller.send(method, path)
    asking = caller.create(thread, assistant_id=assistant, tools=[FUNCTION], tool_choice="required")
    caller.wait(1)
    yield caller.send("GET", path_of(asking))
    yield caller.send("POST", path_of(asking), {"metadata": {"a": 1}})
    yield caller.send("GET", f"{thread}/messages")
    yield caller.send("GET", "/nowhere")
    yield caller.send("HEAD", thread)
    yield caller.send("GET", thread, headers={})
    yield caller.send("DELETE", thread)


def test_the_same_calls_are_answered_with_the_same_bytes() -> None:
    first, second = (list(session(Caller(seed="x"))) for _ in range(2))

    assert first == second
    assert {answer.status for answer in first} == {200, 400, 401, 404, 405}


def test_another_seed_gives_other_ids() -> None:
    first, second = (Caller(seed=seed).create() for seed in ("x", "y"))

    assert first["id"] != second["id"]
    assert {**first, "id": 0, "thread_id": 0, "assistant_id": 0} == {
        **second,
        "id": 0,
        "thread_id": 0,
        "assistant_id": 0,
    }


def test_a_further_scope_shifts_no_id_and_no_time_of_another() -> None:
    alone = list(session(Caller(scope="a")))

    server = Reference()
    other, calls = Caller(server, "b"), session(Caller(server, "a"))
    together = []
    for answer in calls:
        together.append(answer)
        other.staged("cancelled")
        other.wait(1234)

    assert together == alone


def test_scopes_do_not_share_ids_or_clocks() -> None:
    server = Reference()
    first, second = Caller(server, "a"), Caller(server, "b")
    run = first.create()

    second.wait(3600)

    assert second.create()["id"] != run["id"]
    assert server.now("b") - server.now("a") > 3599
    assert first.get(path_of(run))["status"] == "queued"


def test_who_waits_for_a_thread_of_another_scope_sees_it_move() -> None:
    server = Reference()
    run = Caller(server, "owner").create()
    reader = Caller(server, "reader")
    assert reader.get(path_of(run))["status"] == "queued"

    reader.wait(2)

    assert reader.get(path_of(run))["status"] == "completed"


# over a socket


class Line:
    """A connection that stays open, and knows nothing of HTTP but what the standard library knows."""

    def __init__(self, url: str) -> None:
        self.connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=10)

    def send(self, method: str, path: str, body: Any = None, headers: dict[str, str] = HEADERS) -> Answer:
        sent = json.dumps(body).encode() if isinstance(body, dict) else body
        self.connection.request(method, f"/v1{path}", sent, headers, encode_chunked=False)
        reply = self.connection.getresponse()
        return Answer(reply.status, {name.lower(): value for name, value in reply.getheaders()}, reply.read())

    def post(self, path: str, body: Any = None) -> dict[str, Any]:
        answer = self.send("POST", path, body)
        assert answer.status == 200, answer.body
        return dict(strict(answer.body))


@pytest.fixture
def line(reference_url: str) -> Iterator[Line]:
    line = Line(reference_url)
    yield line
    line.connection.close()


def started(line: Line, **members: Any) -> dict[str, Any]:
    assistant = line.post("/assistants", {"model": "gpt-4o"})["id"]
    thread = line.post("/threads", {"messages": [LONG]})["id"]
    return line.post(f"/threads/{thread}/runs", {"assistant_id": assistant, **members})


def settled(line: Line, run: dict[str, Any]) -> dict[str, Any]:
    """The run, once it has left the queue and is not being cancelled."""
    for _ in range(100):
        seen = strict(line.send("GET", path_of(run)).body)
        if seen["status"] not in {"queued", "cancelling"}:
            return dict(seen)
        time.sleep(0.02)
    raise AssertionError(seen)


def test_a_run_is_created_and_cancelled_over_a_socket(line: Line) -> None:
    run = started(line)
    assert run["status"] == "queued"
    assert run["created_at"] == pytest.approx(time.time(), abs=60)
    assert settled(line, run)["status"] == "in_progress"

    assert line.post(f"{path_of(run)}/cancel")["status"] == "cancelling"
    assert settled(line, run)["status"] == "cancelled"
    assert line.send("DELETE", f"/threads/{run['thread_id']}").status == 200


def test_a_queued_run_is_cancelled_over_a_socket_where_the_policy_says_so(observed_url: str) -> None:
    line = Line(observed_url)
    run = started(line)

    assert line.post(f"{path_of(run)}/cancel")["status"] == "cancelling"
    line.connection.close()


def test_head_leaves_the_connection_in_step(line: Line) -> None:
    for _ in range(3):
        answer = line.send("HEAD", "/threads")
        assert (answer.status, answer.body) == (405, b"")
        assert answer.headers["allow"] == "POST"
        assert line.send("GET", "/nowhere").status == 404


def test_encoded_ids_and_broken_queries_come_through_a_socket(line: Line) -> None:
    run = started(line)
    path = "/".join("".join(f"%{ord(each):02X}" for each in run[name]) for name in ("thread_id", "id"))

    assert strict(line.send("GET", f"/threads/{path.replace('/', '/runs/')}").body)["id"] == run["id"]
    for query in (
        "limit=%ff",
        "limit=%",
        "order=%F0%9F",
        "after=%00",
        "limit=1;2",
        "limit",
        "order=",
        "before=a&before=b",
    ):
        answer = line.send("GET", f"/threads/{run['thread_id']}/runs?{query}")
        assert answer.status == 400, query
        assert error(answer)["param"] == query.partition("=")[0]
    assert line.send("GET", f"/threads/{run['thread_id']}/runs?&&=&=1&after=&%ff=%ff").status == 200


def test_a_body_that_is_too_large_is_refused_and_the_next_request_served(line: Line) -> None:
    thread = line.post("/threads")["id"]
    fits = {"role": "user", "content": "x" * 1_000_000}

    assert line.send("POST", f"/threads/{thread}/messages", fits).status == 200
    answer = line.send("POST", f"/threads/{thread}/messages", {**fits, "content": "x" * 1_048_577})
    assert answer.status == 413
    assert error(answer)["type"] == "invalid_request_error"
    assert line.send("GET", f"/threads/{thread}").status == 200


def test_no_json_over_a_socket_is_no_crash(line: Line) -> None:
    for body in (b"\xff\xfe", b"[" * 100_000, b'{"model": ' + b"9" * 5000 + b"}", b'{"model": "\\ud800"', b"\0"):
        assert line.send("POST", "/assistants", body).status == 400
    assert line.send("POST", "/assistants", b'{"model": "\\ud800"}').status == 200
