"""Creating a run: that there is one, what it is created from, and what is answered."""

from __future__ import annotations

from contextlib import suppress
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Final

import pytest

from conformance.outcomes import Untested
from conformance.states.handles import Run, Thread
from conformance.states.strangers import never_issued
from conformance.suite import requirement
from conformance.suite.expectations import (
    expect,
    expect_no_crash,
    expect_refused,
    expect_same,
    need,
    need_page,
    need_run,
    note,
    shown,
)
from conformance.suite.settings import FURNITURE, NULLABLE, bare_of, expect_created, expect_json, speechless_assistant

if TYPE_CHECKING:
    from conformance.client import Client
    from conformance.states.handles import Listing
    from conformance.states.shared import Shared
    from conformance.states.stage import Stage
    from conformance.wire.exchange import Exchange

#: What names no assistant, and what can be no assistant's id, whatever form a target's ids have.
NOTHING: Final = {"null": None, "empty": ""}
NO_ID: Final = {"number": 42, "array": [], "object": {}}
NO_OBJECT: Final[dict[str, Any]] = {"null": None, "array": [], "text": "assistant_id"}
SEARCH_RESULTS: Final = "step_details.tool_calls[*].file_search.results[*].content"


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
def test_settings_make_a_run_as_well(settings: str, shared: Shared) -> None:
    """A run that is created with settings exists too; whether a target has each of them is not judged here."""
    created = shared.created(settings, **FURNITURE[settings])

    need(not created.refused, f"the target refuses {settings}: {created}")
    expect(created.succeeded, "a run (2xx)", f"status {created.status}", created)
    if settings == "limits":
        with suppress(Untested):  # some targets tell only of a completed run what it used, which the invariants judge
            Run(shared.stage.client, shared.stage.means.waits, created).settle()


@requirement("RUN-CREATE-002")
def test_no_run_without_an_assistant(stage: Stage) -> None:
    """Who names no assistant is told so, and has no run to pay for."""
    thread = stage.thread()

    reply = stage.create_run(thread, without=("assistant_id",))

    expect_refused(reply, because="since it names no assistant")
    _expect_no_run(thread, reply)


@requirement("RUN-CREATE-002")
@pytest.mark.parametrize("assistant_id", NOTHING.values(), ids=NOTHING.keys())
def test_nothing_is_no_assistant(assistant_id: object, stage: Stage) -> None:
    """An assistant that is null or empty is none, and no other one steps in."""
    thread = stage.thread()

    reply = stage.create_run(thread, assistant_id=assistant_id)

    expect_refused(reply, because="since it names no assistant")
    _expect_no_run(thread, reply)


@requirement("RUN-CREATE-002")
@pytest.mark.parametrize("body", NO_OBJECT.values(), ids=NO_OBJECT.keys())
def test_what_is_no_object_names_no_assistant(body: object, client: Client, stage: Stage) -> None:
    """Neither does a body that has no members at all, though it is JSON."""
    thread = stage.thread()

    reply = client.call("create_run", thread_id=thread.id, json=body)

    expect_refused(reply, because="since it names no assistant")
    _expect_no_run(thread, reply)


@requirement("RUN-CREATE-003")
@pytest.mark.parametrize("assistant_id", NO_ID.values(), ids=NO_ID.keys())
def test_what_is_no_id_names_no_assistant(assistant_id: object, stage: Stage, some_run: Run) -> None:
    """An assistant is named by its id and by nothing else."""
    need_run(some_run.seen)

    reply = stage.create_run(stage.thread(), assistant_id=assistant_id)

    expect_refused(reply, because="since that is no id")


@requirement("RUN-CREATE-003")
@pytest.mark.parametrize("kind", ["never-issued", "run"])
def test_an_unknown_assistant_has_no_runs(kind: str, stage: Stage, some_run: Run) -> None:
    """A run is not made for an assistant that nobody created, nor for what is something else."""
    thread = stage.thread()

    reply = stage.create_run(thread, assistant_id=some_run.id if kind == "run" else never_issued(stage.assistant_id))

    expect_refused(reply, because="since there is no such assistant")
    _expect_no_run(thread, reply)


@requirement("RUN-CREATE-005")
def test_the_thread_is_named_by_the_path_alone(stage: Stage, shared: Shared) -> None:
    """A create is not refused because the body does not repeat the thread."""
    reply = bare_of(shared)
    if reply.succeeded:
        return

    thread = stage.thread()
    repeated = stage.create_run(thread, thread_id=thread.id)

    need(repeated.succeeded, f"no run can be created at all, which RUN-CREATE-001 is about: {repeated}")
    expect(reply.succeeded, "a run without thread_id in the body", f"status {reply.status}", repeated, reply)


@requirement("RUN-CREATE-027")
def test_there_is_no_run_about_nothing(stage: Stage, shared: Shared, some_run: Run) -> None:
    """A thread without messages and an assistant without instructions leave the model nothing to go by."""
    need_run(some_run.seen)
    assistant = speechless_assistant(shared)

    reply = stage.create_run(stage.thread(None), assistant_id=assistant)

    if reply.succeeded:
        told = stage.client.call("retrieve_assistant", assistant_id=assistant).json
        own = told.get("instructions") if isinstance(told, dict) else None
        need(not own, f"assistants that are given no instructions have some: {shown(own)}")
    expect_refused(reply, because="since there are neither messages nor instructions")


@requirement("RUN-CREATE-028")
def test_a_run_that_is_not_to_be_streamed_comes_as_json(shared: Shared, some_run: Run) -> None:
    """Who says stream false waits for one object."""
    reply = expect_created(some_run, shared.created("unstreamed", stream=False), "stream false")

    expect_json(reply)


@requirement("RUN-CREATE-028")
def test_a_stream_that_is_null_is_not_asked_for(shared: Shared) -> None:
    """Null is no stream, and neither is nothing at all."""
    plain, nulls = bare_of(shared), shared.created("nulls", **dict.fromkeys(NULLABLE))
    expect_json(plain)
    need(nulls.succeeded, f"null is refused, which RUN-CREATE-030 is about: {nulls}")

    expect_json(nulls)


@requirement("RUN-CREATE-029")
def test_every_run_has_an_id_of_its_own(listing: Listing, some_run: Run, shared: Shared) -> None:
    """No two runs share an id, be they on one thread or on several."""
    bare = bare_of(shared)
    runs = [run.seen for run in listing.runs] + [some_run.seen, bare]

    ids = [need_run(seen)["id"] for seen in runs]
    expect(len({*ids}) == len(ids), f"{len(ids)} ids", f"{len({*ids})} among {shown(ids)}", *runs)


@requirement("RUN-CREATE-029")
def test_a_later_run_was_not_created_earlier(listing: Listing) -> None:
    """The runs of a thread say that they were created in the order in which they were."""
    for one, other in pairwise(listing.runs):
        first, second = one.body.get("created_at"), other.body.get("created_at")
        need(isinstance(first, int) and isinstance(second, int), f"it does not say when it was created: {other.seen}")
        assert isinstance(first, int)
        assert isinstance(second, int)
        expect(first <= second, f"created_at {first} or later", f"created_at {second}", one.seen, other.seen)


@requirement("RUN-CREATE-030")
def test_null_is_as_good_as_nothing(shared: Shared, some_run: Run) -> None:
    """Typed clients write null for what their users left out: that run is like any other."""
    plain = bare_of(shared)
    need_run(plain)

    nulls = expect_created(some_run, shared.created("nulls", **dict.fromkeys(NULLABLE)), "null for what is not set")

    told, other = need_run(plain), need_run(nulls)
    said = [
        name for name in NULLABLE if name in told and not (_is_default(told[name]) and _is_default(other.get(name)))
    ]
    expect_same(plain, nulls, fields=said)


@requirement("RUN-CREATE-031")
def test_results_of_file_search_may_be_asked_for(shared: Shared) -> None:
    """Whether the parameter is known may be as it will, as long as the server keeps its composure."""
    reply = shared.created("included", query=[("include[]", SEARCH_RESULTS)])

    expect_no_crash(reply)
    note(f"include[] for the results of file search is {'accepted' if reply.succeeded else 'refused'}")


def _is_default(value: object) -> bool:
    """Whether a member says nothing: it is null or empty, or shows the default that null stands for."""
    return value in (None, {}, "auto", 1) or (isinstance(value, dict) and value.get("type") == "auto")


def _expect_no_run(thread: Thread, reply: Exchange) -> None:
    listed = thread.list()
    ids = [run["id"] for run in need_page(listed)]
    expect(not ids, "no run on the thread", ids, reply, listed)
