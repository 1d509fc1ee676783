"""How requests are refused that cannot be granted."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote

import pytest

from conformance.dialect import UNSET, in_url
from conformance.states.handles import REFUSED_KEY, Run, Thread
from conformance.states.strangers import Misaddressed, beginning_of, never_issued, respelt
from conformance.suite import requirement
from conformance.suite.expectations import (
    expect,
    expect_refused,
    expect_status,
    expect_untouched,
    need,
    need_page,
    need_run,
)
from conformance.wire.exchange import JSON_TYPE

if TYPE_CHECKING:
    from collections.abc import Callable

    from conformance.client import Client
    from conformance.states.stage import Stage
    from conformance.wire.exchange import Exchange

MODIFICATION: Final = {"metadata": {"conformance": "changed"}}
OUTPUTS: Final = {"tool_outputs": [{"tool_call_id": "call_conformance", "output": "42"}]}
BODIES: Final[dict[str, Any]] = {"modify_run": MODIFICATION, "submit_tool_outputs": OUTPUTS}

#: Ids that no target issues, percent-encoded.
MALFORMED: Final = {
    "undefined": "undefined",
    "wrong-prefix": "file_abcdefghijklmnopqrstuvwx",
    "300-characters": "run_" + "a" * 296,
    "unicode": quote("run_ünïcödé☃"),
    "no-utf-8": "run_%FF%FE",
    "null-byte": "run_%00",
    "spaces": "run_%20%20a",
    "percent-sign": "run_%25",
    "encoded-slash": "run_abc%2Fcancel",
    "encoded-traversal": "..%2F..%2F..%2Fassistants",
    "injection": quote("run_' OR '1'='1"),
}

#: Bodies that are no JSON; where a lenient reader would make something of them, they name the assistant.
MALFORMED_BODIES: Final = {
    "nothing": b"",
    "cut-off": b'{"assistant_id": "%s"',
    "trailing-garbage": b'{"assistant_id": "%s"} and more',
    "single-quotes": b"{'assistant_id': '%s'}",
    "form": b"assistant_id=%s",
    "no-utf-8": b'{"assistant_id": "%s", "instructions": "\xff\xfe"}',
}


@requirement("RUN-ERR-003")
def test_an_unknown_run_is_not_found(client: Client, some_run: Run) -> None:
    """A run that never was is answered with 404."""
    reply = client.call("retrieve_run", thread_id=some_run.thread_id, run_id=never_issued(some_run.id))

    _expect_not_found(reply)


@requirement("RUN-ERR-003")
def test_the_letters_of_an_id_have_a_case(client: Client, some_run: Run) -> None:
    """Ids that are written in both cases differ by them, so that another spelling is no run's."""
    reply = client.call("retrieve_run", thread_id=some_run.thread_id, run_id=respelt(some_run.id))

    need(reply.status not in REFUSED_KEY, f"the key was refused: {reply}")
    expect_refused(reply, some_run.seen, because="since no run has this id")


@requirement("RUN-ERR-003")
def test_the_beginning_of_an_id_finds_no_run(client: Client, some_run: Run) -> None:
    """A run has one name, and not all that it begins with."""
    reply = client.call("retrieve_run", thread_id=some_run.thread_id, run_id=beginning_of(some_run.id))

    need(reply.status not in REFUSED_KEY, f"the key was refused: {reply}")
    expect_refused(reply, some_run.seen, because="since no run has this id")


@requirement("RUN-ERR-004")
@pytest.mark.parametrize("operation", ["retrieve_run", "create_run", "cancel_run", "modify_run", "submit_tool_outputs"])
def test_an_unknown_thread_is_not_found(operation: str, client: Client, stage: Stage, some_run: Run) -> None:
    """A thread that never was is answered with 404, and no operation makes it up."""
    body = {**BODIES, "create_run": {"assistant_id": stage.assistant_id}}.get(operation, UNSET)

    thread_id, run_id = never_issued(some_run.thread_id), never_issued(some_run.id)
    reply = client.call(operation, thread_id=thread_id, run_id=run_id, json=body)

    _expect_not_found(reply)


@requirement("RUN-ERR-004")
def test_a_known_run_makes_an_unknown_thread_no_better(client: Client, some_run: Run) -> None:
    """Who has the thread wrong and the run right learns that there is no such thread."""
    reply = client.call("retrieve_run", thread_id=never_issued(some_run.thread_id), run_id=some_run.id)

    need(not reply.succeeded, f"the run was shown, which RUN-ERR-005 is about: {reply}")
    _expect_not_found(reply)


@requirement("RUN-ERR-005")
@pytest.mark.parametrize(
    ("run", "act"),
    [
        pytest.param("completed", Run.retrieve, id="retrieve"),
        pytest.param("in_progress", Run.cancel, id="cancel"),
        pytest.param("completed", lambda run: run.modify({"conformance": "changed"}), id="modify"),
        pytest.param("requires_action", Run.submit, id="submit"),
    ],
    indirect=["run"],
)
def test_a_run_is_out_of_reach_through_another_thread(run: Run, act: Callable[[Run], Exchange], stage: Stage) -> None:
    """A run belongs to its thread: another one, or one that never was, neither shows it nor changes it."""
    other, nowhere, before = stage.thread(), Thread(run.client, never_issued(run.thread_id)), _before(run)

    for thread in (nowhere, other):
        reply = act(Misaddressed(run.client, run.waits, run.seen, thread))
        need(reply.status < 500, f"the server crashed, which other requirements are about: {reply}")
        expect_refused(reply, run.seen, because="since the run belongs to another thread")

    if act is Run.cancel:  # which may take effect later
        run.pause("afterlife", since=reply)
    _expect_untouched(run, before, reply)


@requirement("RUN-ERR-006")
@pytest.mark.parametrize(
    ("method", "path"),
    [
        pytest.param("GET", "/threads/{id}/runs", id="list"),
        pytest.param("GET", "/threads/{thread}/runs/{id}", id="retrieve"),
        pytest.param("POST", "/threads/{thread}/runs/{id}/cancel", id="cancel"),
    ],
)
@pytest.mark.parametrize("id", MALFORMED.values(), ids=MALFORMED.keys())
def test_a_malformed_id_is_refused(method: str, path: str, id: str, client: Client, other_thread: Thread) -> None:
    """Whatever stands in the place of an id, the server neither crashes nor lets itself be led elsewhere."""
    reply = client.send(method, path.format(thread=in_url(other_thread.id), id=id))

    expect_refused(reply)


@requirement("RUN-ERR-007")
@pytest.mark.parametrize("body", MALFORMED_BODIES.values(), ids=MALFORMED_BODIES.keys())
def test_a_body_that_is_no_json_is_refused(body: bytes, client: Client, stage: Stage) -> None:
    """A garbled create is the client's mistake: it is refused as such, and creates nothing."""
    thread = stage.thread()
    content = body.replace(b"%s", stage.assistant_id.encode())

    reply = client.call("create_run", thread_id=thread.id, content=content, content_type=JSON_TYPE)

    expect_refused(reply)
    _expect_no_runs(thread, reply)


@requirement("RUN-ERR-008")
@pytest.mark.parametrize(
    "content_type", ["text/plain", "application/x-www-form-urlencoded"], ids=["plain-text", "form"]
)
def test_a_body_that_is_not_called_json_is_refused(content_type: str, client: Client, stage: Stage) -> None:
    """A body is read as what its content type says, and JSON is the only one that is taken."""
    thread = stage.thread()
    content = json.dumps({"assistant_id": stage.assistant_id}).encode()

    reply = client.call("create_run", thread_id=thread.id, content=content, content_type=content_type)

    expect_refused(reply)
    _expect_no_runs(thread, reply)


@requirement("RUN-ERR-009")
@pytest.mark.parametrize(
    ("run", "method", "below"),
    [
        pytest.param("completed", "DELETE", "", id="DELETE-run"),
        pytest.param("completed", "PATCH", "", id="PATCH-run"),
        pytest.param("in_progress", "PUT", "/cancel", id="PUT-cancel"),
        pytest.param("in_progress", "GET", "/cancel", id="GET-cancel"),
    ],
    indirect=["run"],
)
def test_a_method_that_the_api_does_not_have_does_nothing(run: Run, method: str, below: str, client: Client) -> None:
    """Only the documented methods act; another one is refused, and the run is what it was."""
    path = f"/threads/{in_url(run.thread_id)}/runs/{in_url(run.id)}{below}"

    before = _before(run)

    reply = client.send(method, path, json=MODIFICATION if method == "PATCH" else UNSET)

    expect_status(reply, 404, 405)
    _expect_untouched(run, before, reply)


def _expect_not_found(reply: Exchange) -> None:
    need(reply.status not in {401, 403, 405, 501}, f"the key was refused, or there is no such operation: {reply}")
    expect_status(reply, 404)


def _before(run: Run) -> Exchange:
    """Look at a run before something is done to it; one in progress may move meanwhile."""
    return run.seen if run.body.get("status") == "in_progress" else run.retrieve()


def _expect_untouched(run: Run, before: Exchange, reply: Exchange) -> None:
    """Expect the run as it was before, apart from what an in_progress one does by itself."""
    after = run.retrieve()
    need(after.status < 500, f"the server crashed, which RUN-ERR-011 is about: {after}")
    expect(after.succeeded, "the run, still there (2xx)", f"status {after.status}", run.seen, reply, after)
    if run.body.get("status") != "in_progress":
        return expect_untouched(run, before)
    status = need_run(after).get("status")
    uncancelled = status not in {"cancelling", "cancelled"}
    return expect(uncancelled, "a run that was not cancelled", f"status {status}", run.seen, reply, after)


def _expect_no_runs(thread: Thread, reply: Exchange) -> None:
    listed = thread.list()
    runs = [run["id"] for run in need_page(listed)]
    expect(not runs, "no run on the thread", runs, reply, listed)


@requirement("RUN-ERR-010")
def test_too_many_requests_are_refused_in_the_documented_form(stage: Stage) -> None:
    """Where a target offers a way to be refused with a 429, the invariants judge what it says."""
    recipe = stage.means.recipe("rate-limited", "makes a target refuse with 429")

    thread = stage.thread()
    with stage.client.impatient():
        reply = stage.create_run(thread, **recipe)

    expect_status(reply, 429)
