"""Creating a run."""

from __future__ import annotations

from typing import TYPE_CHECKING

from conformance.suite import requirement
from conformance.suite.expectations import expect, need_page, need_run

if TYPE_CHECKING:
    from conformance.client import Client
    from conformance.states.stage import Stage


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
