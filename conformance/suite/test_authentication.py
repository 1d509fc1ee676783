"""Who is let in: every operation asks for the key, and a key that is refused does nothing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import pytest

from conformance.dialect import UNSET
from conformance.states.stage import SHORT_PROMPT
from conformance.states.strangers import NEAR_MISSES, WRONG_KEY, Intruder, near_miss, never_issued
from conformance.suite import fresh_run, requirement
from conformance.suite.expectations import (
    expect,
    expect_status,
    expect_untouched,
    expect_waiting,
    need,
    need_page,
    need_run,
)
from conformance.suite.refusing import refusing
from conformance.suite.steps import steps_by_now

if TYPE_CHECKING:
    from conformance.client import Client
    from conformance.states.handles import Run, Thread
    from conformance.states.shared import Shared
    from conformance.states.stage import Stage
    from conformance.wire.exchange import Exchange

UNAUTHORISED: Final = (401, 403)

READS: Final = ("list_runs", "retrieve_run")
WRITES: Final = ("create_run", "cancel_run", "modify_run", "submit_tool_outputs")
STEPS: Final = ("list_steps", "retrieve_step")
#: Lists that are asked for with parameters, as a walk does.
PAGES: Final = {"page_of_runs": "list_runs", "page_of_steps": "list_steps"}
PAGE: Final = (("limit", "1"), ("order", "asc"))

#: A name and a password that nobody was given, in the scheme that browsers use.
STRANGER: Final = "Basic bm9ib2R5OndhcyBnaXZlbiB0aGlz"

every_operation = pytest.mark.parametrize("operation", [*READS, *WRITES, *STEPS])
#: Besides, what would be one more run with a good key; that one opens it is what RUN-THREADRUN-001 is about.
every_door = pytest.mark.parametrize(
    "operation", [*READS, *WRITES, *STEPS, *PAGES, "create_thread_and_run", "streamed_run"]
)
every_read = pytest.mark.parametrize("operation", READS)


@dataclass
class Door:
    """One operation on a run that exists, to be knocked at with whatever key."""

    client: Client
    operation: str
    options: dict[str, Any]
    #: Where the id of a thread is put that came of it after all, so that it is cleaned up.
    threads: list[str]

    def knock(self, key: str | None = UNSET, **headers: str) -> Exchange:
        """Call the operation with a key, with none (`None`), or with the target's own."""
        reply = self.client.call(self.operation, **self.options, key=key, headers=headers)
        if self.operation == "create_thread_and_run" and reply.succeeded and isinstance(reply.json, dict):
            self.threads.append(str(reply.json.get("thread_id")))
        return reply

    def must_stay_shut(self, key: str | None, **headers: str) -> Exchange:
        """Expect the operation to be refused for the want of a good key, and to tell of no run."""
        reply = self.knock(key, **headers)
        if reply.status in {404, 405, 501}:
            need(self.knock().status != reply.status, f"the target has no {self.operation}: {reply}")
        expect_status(reply, *UNAUTHORISED)
        expect(not _tells_of_runs(reply), "a refusal without any run in it", reply.json, reply)
        return reply


@pytest.fixture
def door(operation: str, client: Client, stage: Stage, shared: Shared) -> Door:
    """Choose what the operation is called on: a fresh run, unless it would be as it was afterwards."""
    if operation == "streamed_run":
        asked = {"assistant_id": stage.assistant_id, "stream": True}
        return Door(client, "create_run", {"thread_id": stage.thread().id, "json": asked}, stage.means.threads)
    query, operation = PAGE if operation in PAGES else (), PAGES.get(operation, operation)
    if operation == "modify_run":  # which leaves the metadata as it is
        run = shared.run("completed")
    elif operation in STEPS:
        run = refusing(shared)
    elif operation in READS or operation == "create_thread_and_run":
        run = shared.some_run
    else:
        run = stage.started(stage.thread())
    bodies = {
        "create_run": {"assistant_id": stage.assistant_id},
        "create_thread_and_run": stage.run_fields(thread={"messages": [{"role": "user", "content": SHORT_PROMPT}]}),
        "modify_run": {"metadata": run.body.get("metadata")},
        "submit_tool_outputs": {"tool_outputs": [{"tool_call_id": "call_conformance", "output": "42"}]},
    }
    ids = {"thread_id": run.thread_id, "run_id": run.id}
    if operation == "retrieve_step":
        steps = need_page(steps_by_now(run))
        need(steps, "the run has no steps, which RUN-STEP-001 is about")
        ids["step_id"] = steps[0]["id"]
    options = {**ids, "json": bodies.get(operation, UNSET), "query": query}
    return Door(client, operation, options, stage.means.threads)


def intruder(run: Run) -> Intruder:
    """Hand the run over."""
    return Intruder(run.client, run.waits, run.seen)


@requirement("RUN-AUTH-001")
@every_operation
def test_the_bearer_token_is_accepted(door: Door) -> None:
    """The key opens every operation, and not only the one that was asked first."""
    reply = door.knock()

    expect(reply.status not in UNAUTHORISED, "the key is accepted", f"status {reply.status}", reply)


@requirement("RUN-AUTH-002")
@every_door
def test_nothing_is_told_without_a_key(door: Door) -> None:
    """Who shows no key is refused, and the refusal gives no run away."""
    door.must_stay_shut(None)


@requirement("RUN-AUTH-002")
@every_read
def test_a_bearer_of_nothing_has_no_key(door: Door) -> None:
    """The word Bearer alone is no key."""
    door.must_stay_shut(None, authorization="Bearer")


@requirement("RUN-AUTH-003")
@every_door
def test_a_wrong_key_is_refused(door: Door) -> None:
    """A key must be known, not merely look like one."""
    door.must_stay_shut(WRONG_KEY)


@requirement("RUN-AUTH-003")
@every_read
def test_a_wrong_key_of_another_scheme_is_refused(door: Door) -> None:
    """What is shown in another way than a key has to be known just the same."""
    door.must_stay_shut(None, authorization=STRANGER)


@requirement("RUN-AUTH-003")
@pytest.mark.parametrize("what", NEAR_MISSES)
@pytest.mark.parametrize("operation", ["retrieve_run"])
def test_a_key_that_is_almost_right_is_refused(what: str, door: Door, own_key: str) -> None:
    """A key is compared as a whole, to its last character and as it is written."""
    door.must_stay_shut(near_miss(own_key, what))


@requirement("RUN-AUTH-004")
@every_operation
def test_a_wrong_key_is_called_an_invalid_api_key(door: Door) -> None:
    """Clients tell a wrong key from other refusals by the status and by the code of the error."""
    reply = door.knock(WRONG_KEY)

    need(reply.status in UNAUTHORISED, f"the key was not what was refused, which RUN-AUTH-003 is about: {reply}")
    expect_status(reply, 401)
    error = reply.json.get("error") if isinstance(reply.json, dict) else None
    members = error if isinstance(error, dict) else {}
    complete = members.keys() >= {"message", "type", "param", "code"}
    expect(complete, "an error with message, type, param and code", reply.json or "no JSON", reply)
    expect(members["code"] == "invalid_api_key", 'error.code "invalid_api_key"', members["code"], reply)


@requirement("RUN-AUTH-004")
def test_a_wrong_key_is_told_so_before_anything_else(client: Client, some_run: Run) -> None:
    """Whether what is asked for exists is nothing to tell a stranger; the real service looked at the key first."""
    there = client.call("retrieve_run", thread_id=some_run.thread_id, run_id=some_run.id, key=WRONG_KEY)
    need(there.status in UNAUTHORISED, f"the wrong key was not refused, which RUN-AUTH-003 is about: {there}")

    for thread_id in (some_run.thread_id, never_issued(some_run.thread_id)):
        run_id = never_issued(some_run.id)
        reply = client.call("retrieve_run", thread_id=thread_id, run_id=run_id, key=WRONG_KEY)
        expect_status(reply, *UNAUTHORISED)


@requirement("RUN-AUTH-005")
def test_a_wrong_key_creates_no_run(client: Client, stage: Stage) -> None:
    """A refused create leaves no run behind."""
    thread, reply = _refused_create(client, stage)

    _expect_no_runs(thread, reply)


@requirement("RUN-AUTH-005")
@fresh_run("in_progress")
def test_a_wrong_key_cancels_and_creates_nothing_later(run: Run, client: Client, stage: Stage) -> None:
    """A refused cancel does not reach the run a little later either, and neither does a refused create appear."""
    thread, refused = _refused_create(client, stage)
    reply = intruder(run).cancel()

    run.pause("afterlife", since=reply)
    after = run.retrieve()
    status = need_run(after).get("status")
    expect(status not in {"cancelling", "cancelled"}, "a run that nobody cancelled", f"status {status}", reply, after)
    _expect_no_runs(thread, refused)


@requirement("RUN-AUTH-005")
@fresh_run("completed")
def test_a_wrong_key_modifies_no_run(run: Run) -> None:
    """A refused modify leaves the metadata alone."""
    before = run.retrieve()

    intruder(run).modify({"conformance": "intruder"})

    expect_untouched(run, before)


@requirement("RUN-AUTH-005")
@fresh_run("requires_action")
def test_a_wrong_key_submits_no_outputs(run: Run) -> None:
    """A refused submit leaves the run waiting for its outputs, also a little later."""
    run.pause("afterlife", since=run.seen)
    before = run.retrieve()
    status = need_run(before).get("status")
    need(status == "requires_action", f"the run does not wait, which RUN-LIFE-006 is about: {before}")

    reply = intruder(run).submit()

    run.pause("afterlife", since=reply)
    expect_waiting(before, run.retrieve())


@requirement("RUN-AUTH-006")
def test_a_refusal_does_not_repeat_the_key(client: Client, other_thread: Thread) -> None:
    """An error ends up in logs; the key that caused it must not."""
    reply = client.call("list_runs", thread_id=other_thread.id, key=WRONG_KEY)

    need(reply.status >= 400, f"the wrong key was let in, so nothing was refused: {reply}")
    expect(WRONG_KEY.encode() not in reply.response.body, "a body without the key", "the whole key in the body", reply)
    echoing = [name for name, value in reply.response.headers.items() if WRONG_KEY in value]
    expect(not echoing, "headers without the key", echoing, reply)


def _refused_create(client: Client, stage: Stage) -> tuple[Thread, Exchange]:
    thread = stage.thread()
    reply = client.call("create_run", thread_id=thread.id, json={"assistant_id": stage.assistant_id}, key=WRONG_KEY)
    need(not reply.succeeded, f"the wrong key was let in, which RUN-AUTH-003 is about: {reply}")
    return thread, reply


def _expect_no_runs(thread: Thread, reply: Exchange) -> None:
    listed = thread.list()
    runs = [run["id"] for run in need_page(listed)]
    expect(not runs, "no run on the thread", runs, reply, listed)


def _tells_of_runs(reply: Exchange) -> bool:
    body = reply.json
    if not isinstance(body, dict):
        return isinstance(body, list) and bool(body)
    return body.get("object") in {"thread.run", "list"} or bool(body.get("data")) or "assistant_id" in body
