"""Creating a run."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final

import pytest

from conformance.outcomes import Untested
from conformance.states.handles import Run
from conformance.states.stage import CALL_A_FUNCTION
from conformance.states.strangers import never_issued
from conformance.suite import requirement
from conformance.suite.expectations import expect, need, need_page, need_run

if TYPE_CHECKING:
    from conformance.client import Client
    from conformance.states.stage import Stage

FILE_SEARCH: Final[dict[str, Any]] = {
    "max_num_results": 7,
    "ranking_options": {"ranker": "default_2024_08_21", "score_threshold": 0.5},
}
#: Settings whose shape in the reply is judged by the invariants; each is small enough for any model.
FURNITURE: Final[dict[str, dict[str, Any]]] = {
    "metadata": {"metadata": {"k" * 64: "v" * 512, **{f"key {n}": str(n) for n in range(15)}}},
    "tools": {
        "tools": [
            {"type": "code_interpreter"},
            {"type": "file_search", "file_search": FILE_SEARCH},
            *CALL_A_FUNCTION["tools"],
        ]
    },
    "json_schema": {
        "response_format": {
            "type": "json_schema",
            "json_schema": {"name": "answer", "schema": {"type": "object", "properties": {}}},
        },
    },
    "json_object": {"response_format": {"type": "json_object"}, "instructions": "Answer in JSON."},
    "limits": {
        "max_prompt_tokens": 1000,
        "max_completion_tokens": 1000,
        "truncation_strategy": {"type": "last_messages", "last_messages": 3},
    },
}


@requirement("RUN-CREATE-001")
def test_a_refused_create_does_not_stand_in_the_way(client: Client, stage: Stage) -> None:
    """Who got the assistant wrong asks again, and the thread is as free as before."""
    thread = stage.thread()
    refused = client.call("create_run", thread_id=thread.id, json={"assistant_id": never_issued(stage.assistant_id)})
    need(refused.refused, f"a run of an unknown assistant is not refused: {refused}")

    reply = stage.create_run(thread)

    expect(reply.succeeded, "a run", f"status {reply.status}", refused, reply)


@requirement("RUN-CREATE-001")
def test_an_assistant_and_a_thread_make_a_run(client: Client, stage: Stage) -> None:
    """A create is accepted, and the run that it returns exists."""
    thread = stage.thread()

    created = stage.create_run(thread)

    expect(created.succeeded, "a run (2xx)", f"status {created.status}", created)
    run_id = need_run(created)["id"]
    read = client.call("retrieve_run", thread_id=thread.id, run_id=run_id)
    if not read.succeeded:  # the list tells a run that was never made from one that only cannot be read
        listed = thread.list()
        ids = [run["id"] for run in need_page(listed)]
        expect(run_id in ids, f"run {run_id} on its thread", ids, created, read, listed)


@requirement("RUN-CREATE-001")
@pytest.mark.parametrize("settings", FURNITURE)
def test_settings_make_a_run_as_well(settings: str, stage: Stage) -> None:
    """A run that is created with settings exists too; whether a target has each of them is not judged here."""
    created = stage.create_run(stage.thread(), **FURNITURE[settings])

    need(not created.refused, f"the target refuses {settings}: {created}")
    expect(created.succeeded, "a run (2xx)", f"status {created.status}", created)
    if settings == "limits":
        with suppress(Untested):  # some targets tell only of a completed run what it used, which the invariants judge
            Run(stage.client, stage.means.waits, created).settle()
