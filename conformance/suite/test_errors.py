"""How requests are refused that cannot be granted."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote

import pytest

from conformance.dialect import UNSET, in_url
from conformance.states.handles import REFUSED_KEY, Run, Thread
from conformance.states.strangers import Misaddressed, beginning_of, never_issued, respelt
from conformance.suite import fresh_run, requirement
from conformance.suite.expectations import (
    expect,
    expect_refused,
    expect_status,
    expect_untouched,
    need,
    need_run,
)
from conformance.suite.refusing import refusing

if TYPE_CHECKING:
    from collections.abc import Callable

    from conformance.client import Client
    from conformance.states.shared import Shared
    from conformance.states.stage import Stage
    from conformance.wire.exchange import Exchange

MODIFICATION: Final = {"metadata": {"conformance": "changed"}}
OUTPUTS: Final = {"tool_outputs": [{"tool_call_id": "call_conformance", "output": "42"}]}
#: A step of no run.
NO_STEP: Final = "step_abcdefghijklmnopqrstuvwx"
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


@requirement("RUN-ERR-003")
@pytest.mark.parametrize("operation", ["retrieve_run", "list_steps", "retrieve_step"])
def test_an_unknown_run_is_not_found(operation: str, client: Client, some_run: Run) -> None:
    """A run that never was is answered with 404, and so is whoever asks what it did."""
    run_id = never_issued(some_run.id)
    reply = client.call(operation, thread_id=some_run.thread_id, run_id=run_id, step_id=NO_STEP)

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
@pytest.mark.parametrize("misspell", [beginning_of, respelt], ids=["beginning", "other-case"])
def test_what_is_like_the_id_of_a_thread_is_none(misspell: Callable[[str], str], other_thread: Thread) -> None:
    """A thread has one name as well, in one spelling; here it is one without runs."""
    thread = Thread(other_thread.client, misspell(other_thread.id))

    reply = thread.list()

    need(reply.status not in REFUSED_KEY, f"the key was refused: {reply}")
    expect_refused(reply, because="since no thread has this id")


@requirement("RUN-ERR-004")
@pytest.mark.parametrize(
    "operation",
    [
        "retrieve_run",
        "create_run",
        "cancel_run",
        "modify_run",
        "submit_tool_outputs",
        "list_steps",
        "retrieve_step",
    ],
)
def test_an_unknown_thread_is_not_found(operation: str, client: Client, stage: Stage, some_run: Run) -> None:
    """A thread that never was is answered with 404, and no operation makes it up."""
    body = {**BODIES, "create_run": {"assistant_id": stage.assistant_id}}.get(operation, UNSET)

    thread_id, run_id = never_issued(some_run.thread_id), never_issued(some_run.id)
    reply = client.call(operation, thread_id=thread_id, run_id=run_id, step_id=NO_STEP, json=body)

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
        pytest.param("GET", "/threads/{thread}/runs/{id}/steps", id="steps"),
    ],
)
@pytest.mark.parametrize("id", MALFORMED.values(), ids=MALFORMED.keys())
def test_a_malformed_id_is_refused(method: str, path: str, id: str, client: Client, other_thread: Thread) -> None:
    """Whatever stands in the place of an id, the server neither crashes nor lets itself be led elsewhere."""
    reply = client.send(method, path.format(thread=in_url(other_thread.id), id=id))

    expect_refused(reply)


@requirement("RUN-ERR-009")
@pytest.mark.parametrize(
    ("method", "below"),
    [
        pytest.param("PATCH", "", id="PATCH-run"),
        pytest.param("PUT", "", id="PUT-run"),
        pytest.param("POST", "/steps", id="POST-steps"),
        pytest.param("DELETE", "/steps", id="DELETE-steps"),
        pytest.param("DELETE", "", id="DELETE-run"),  # last, since the run may be gone
    ],
)
def test_a_method_that_a_run_does_not_have_does_nothing(method: str, below: str, shared: Shared) -> None:
    """Only the documented methods act; another one is refused, and the run is what it was."""
    _expect_not_allowed(refusing(shared), method, below)


@requirement("RUN-ERR-009")
@fresh_run("in_progress")
@pytest.mark.parametrize("method", ["PUT", "GET"])
def test_nothing_but_a_post_cancels(run: Run, method: str) -> None:
    """Another method does not cancel, however much its path says so."""
    _expect_not_allowed(run, method, "/cancel")


def _expect_not_allowed(run: Run, method: str, below: str) -> None:
    path = f"/threads/{in_url(run.thread_id)}/runs/{in_url(run.id)}{below}"
    before = _before(run)

    reply = run.client.send(method, path, json=MODIFICATION if method in {"PATCH", "PUT"} and not below else UNSET)

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


@requirement("RUN-ERR-010")
def test_too_many_requests_are_refused_in_the_documented_form(stage: Stage) -> None:
    """Where a target offers a way to be refused with a 429, the invariants judge what it says."""
    recipe = stage.means.recipe("rate-limited", "makes a target refuse with 429")

    thread = stage.thread()
    with stage.client.impatient():
        reply = stage.create_run(thread, **recipe)

    expect_status(reply, 429)
