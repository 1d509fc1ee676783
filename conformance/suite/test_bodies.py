"""Bodies that say nothing: what is no JSON, or not called so, is refused, whatever it is sent to."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

import pytest

from conformance.states.strangers import never_issued
from conformance.suite import requirement
from conformance.suite.expectations import expect, expect_no_crash, expect_refused, expect_untouched, need, need_page
from conformance.suite.refusing import refusing
from conformance.wire.exchange import JSON_TYPE

if TYPE_CHECKING:
    from conformance.client import Client
    from conformance.states.handles import Thread
    from conformance.states.shared import Shared
    from conformance.states.stage import Stage
    from conformance.wire.exchange import Exchange

#: Bodies that are no JSON; where a lenient reader would make something of them, they name the assistant.
MALFORMED: Final = {
    "nothing": b"",
    "cut-off": b'{"assistant_id": "%s"',
    "trailing-garbage": b'{"assistant_id": "%s"} and more',
    "single-quotes": b"{'assistant_id': '%s'}",
    "form": b"assistant_id=%s",
    "no-utf-8": b'{"assistant_id": "%s", "instructions": "\xff\xfe"}',
}
#: A change, and the same cut off.
CHANGE: Final = b'{"metadata": {"conformance": "changed"}}'
PLAIN: Final = "text/plain"


@requirement("RUN-ERR-007")
@pytest.mark.parametrize("body", MALFORMED.values(), ids=MALFORMED.keys())
def test_a_body_that_is_no_json_is_refused(body: bytes, client: Client, stage: Stage) -> None:
    """A garbled create is the client's mistake: it is refused as such, and creates nothing."""
    thread = stage.thread()
    content = body.replace(b"%s", stage.assistant_id.encode())

    reply = client.call("create_run", thread_id=thread.id, content=content, content_type=JSON_TYPE)

    expect_refused(reply)
    _expect_no_runs(thread, reply)


@requirement("RUN-ERR-007")
def test_half_a_character_is_no_crash(stage: Stage) -> None:
    """Half a surrogate pair can be written in JSON and is no text; what else is wrong keeps this from being a run."""
    wrong: dict[str, Any] = {"assistant_id": never_issued(stage.assistant_id), "conformance_unknown": 1}

    reply = stage.create_run(stage.thread(), metadata={"key": "\ud800"}, **wrong)

    need(not reply.succeeded, f"an unknown assistant has runs, which RUN-CREATE-003 is about: {reply}")
    expect_no_crash(reply)


@requirement("RUN-ERR-007")
@pytest.mark.parametrize("body", ["nothing", "cut-off"])
def test_a_thread_and_run_that_are_no_json_are_refused(body: str, client: Client, stage: Stage) -> None:
    """So is a garbled request for both at once."""
    content = MALFORMED[body].replace(b"%s", stage.assistant_id.encode())

    expect_refused(client.call("create_thread_and_run", content=content, content_type=JSON_TYPE))


@requirement("RUN-ERR-007")
def test_a_change_that_is_no_json_is_refused(shared: Shared) -> None:
    """So is a garbled change, and the run keeps the metadata that it has."""
    _expect_no_change(shared, content=CHANGE[:-1], content_type=JSON_TYPE)


@requirement("RUN-ERR-008")
@pytest.mark.parametrize("content_type", [PLAIN, "application/x-www-form-urlencoded"], ids=["plain-text", "form"])
def test_a_body_that_is_not_called_json_is_refused(content_type: str, client: Client, stage: Stage) -> None:
    """A body is read as what its content type says, and JSON is the only one that is taken."""
    thread = stage.thread()
    content = json.dumps({"assistant_id": stage.assistant_id}).encode()

    reply = client.call("create_run", thread_id=thread.id, content=content, content_type=content_type)

    expect_refused(reply)
    _expect_no_runs(thread, reply)


@requirement("RUN-ERR-008")
def test_a_thread_and_run_that_are_not_called_json_are_refused(stage: Stage) -> None:
    """So is a request for both at once."""
    content = json.dumps(stage.run_fields(instructions="Answer in one word.")).encode()

    reply = stage.client.call("create_thread_and_run", content=content, content_type=PLAIN)

    if reply.succeeded and isinstance(reply.json, dict):
        stage.means.threads.append(str(reply.json.get("thread_id")))
    expect_refused(reply)


@requirement("RUN-ERR-008")
def test_a_change_that_is_not_called_json_is_refused(shared: Shared) -> None:
    """So is a change, and the run keeps the metadata that it has."""
    _expect_no_change(shared, content=CHANGE, content_type=PLAIN)


def _expect_no_change(shared: Shared, **body: Any) -> None:
    run = refusing(shared)
    before = run.retrieve()
    need(before.succeeded, f"the run is not shown: {before}")

    reply = run.client.call("modify_run", thread_id=run.thread_id, run_id=run.id, **body)

    expect_refused(reply, before)
    expect_untouched(run, before, fields=("metadata",))


def _expect_no_runs(thread: Thread, reply: Exchange) -> None:
    listed = thread.list()
    runs = [run["id"] for run in need_page(listed)]
    expect(not runs, "no run on the thread", runs, reply, listed)
