"""Creating a thread and its run with one request."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final

import pytest

from conformance.outcomes import NotClaimed, Untested
from conformance.states import FINAL
from conformance.states.handles import NOT_FOUND, Run
from conformance.states.stage import LONG_PROMPT, SHORT_PROMPT
from conformance.suite import requirement
from conformance.suite.conversation import MESSAGES, text_of
from conformance.suite.expectations import expect, need, need_page, need_run, shown
from conformance.suite.settings import (
    NULLABLE,
    SETTINGS,
    expect_created,
    expect_json,
    expect_shown,
    lost_in,
    need_documented,
)
from conformance.suite.steps import steps_by_now
from conformance.wire.values import contains

if TYPE_CHECKING:
    from conformance.states.shared import Shared
    from conformance.states.stage import Stage
    from conformance.wire.exchange import Exchange

OF_THE_THREAD: Final = {"Thread": "Zoë ☃ 🎉", "empty": "", "shared": "thread"}
OF_THE_RUN: Final = {"Run": "Zoë ☃ 🎉", "none": "", "shared": "run"}
INSTRUCTIONS: Final = "Answer in three words."
#: What may be null.
UNSAID: Final = [name for name in NULLABLE if not name.startswith("additional_")]


@pytest.fixture
def furnished(shared: Shared) -> Exchange:
    """The reply to one request with all that a thread and its run can be created with."""
    thread = {"messages": MESSAGES, "metadata": OF_THE_THREAD}
    fields: dict[str, Any] = {"thread": thread, "metadata": OF_THE_RUN, "instructions": INSTRUCTIONS, **SETTINGS}
    return shared.once("thread-and-run", lambda: shared.stage.create_thread_and_run(**fields))


@pytest.fixture
def made(furnished: Exchange, shared: Shared) -> Exchange:
    """The same; where that is refused, without the settings, and with messages that are texts."""
    if not furnished.refused:
        return furnished
    messages = [{**each, "content": text_of(each)} for each in MESSAGES]
    thread = {"messages": messages, "metadata": OF_THE_THREAD}
    fields: dict[str, Any] = {"thread": thread, "metadata": OF_THE_RUN, "instructions": INSTRUCTIONS}
    return shared.once("plain-thread-and-run", lambda: shared.stage.create_thread_and_run(**fields))


@pytest.fixture
def undecided(shared: Shared) -> Exchange:
    """The reply to one request that says nothing of a thread, and null of all else that can be null."""
    fields: dict[str, Any] = {**dict.fromkeys(UNSAID), "instructions": INSTRUCTIONS}
    return shared.once("run-without-a-thread", lambda: shared.stage.create_thread_and_run(**fields))


@pytest.fixture
def lonely(undecided: Exchange, shared: Shared) -> Exchange:
    """The same; where nothing came of that, with what it says and no more."""
    if isinstance(undecided.json, dict) and undecided.succeeded:
        return undecided
    create = shared.stage.create_thread_and_run
    return shared.once("plain-run-without-a-thread", lambda: create(instructions=INSTRUCTIONS))


@requirement("RUN-THREADRUN-001")
def test_a_thread_and_its_run_are_created(made: Exchange, some_run: Run, stage: Stage) -> None:
    """The run is answered, and names a thread that is there."""
    need(made.status < 500, f"the server crashed, which RUN-ERR-011 is about: {made}")
    expect(made.succeeded, "a run on a new thread (2xx)", f"status {made.status}", some_run.seen, made)

    thread_id = need_run(made).get("thread_id")
    need(thread_id and isinstance(thread_id, str), f"it names no thread, which RUN-SCHEMA-007 is about: {made}")
    read = stage.client.call("retrieve_thread", thread_id=str(thread_id))
    need(read.status not in {405, 501}, f"the target does not show threads: {read}")
    expect(read.succeeded, "the thread (2xx)", f"status {read.status}", made, read)


@requirement("RUN-THREADRUN-001")
def test_every_run_gets_a_thread_of_its_own(made: Exchange, lonely: Exchange) -> None:
    """Two requests are two conversations."""
    one, other = need_run(made).get("thread_id"), need_run(lonely).get("thread_id")
    need(one and other, f"it names no thread, which RUN-SCHEMA-007 is about: {lonely}")

    expect(one != other, f"another thread than {shown(one)}", f"{shown(other)}", made, lonely)


@requirement("RUN-THREADRUN-002")
def test_the_messages_are_the_first_ones_of_the_thread(made: Exchange, stage: Stage) -> None:
    """All of them, in their order, with the roles that they were given."""
    run = _run(stage, made)
    listed = run.thread.messages("asc")
    messages = [each for each in need_page(listed) if (each.get("role"), each.get("run_id")) != ("assistant", run.id)]

    got = [(each.get("role"), text_of(each)) for each in messages]
    wanted = [(each["role"], text_of(each)) for each in MESSAGES]
    expect(got == wanted, f"messages {shown(wanted)}", f"messages {shown(got)}", made, listed)
    metadata = messages[0].get("metadata")
    expect(contains(metadata, MESSAGES[0]["metadata"]), "the metadata of the first", shown(metadata), made, listed)


@requirement("RUN-THREADRUN-003")
def test_a_thread_that_nobody_describes_is_empty(lonely: Exchange, stage: Stage, some_run: Run) -> None:
    """Instructions are enough for a run, and nobody else's words are on its thread."""
    reply = lonely
    need(reply.status < 500, f"the server crashed, which RUN-ERR-011 is about: {reply}")
    expect(reply.succeeded, "a run on an empty thread (2xx)", f"status {reply.status}", some_run.seen, reply)
    listed = _run(stage, reply).thread.messages()
    others = [text_of(each) for each in need_page(listed) if each.get("role") == "user"]
    expect(not others, "no message of the user", f"messages {shown(others)}", reply, listed)


@requirement("RUN-CREATE-030")
def test_null_is_as_good_as_nothing(undecided: Exchange, lonely: Exchange, some_run: Run) -> None:
    """Typed clients write null for what their users left out, here as well."""
    need(lonely.succeeded, f"there is no run, which RUN-THREADRUN-003 is about: {lonely}")

    expect_created(some_run, undecided, "null for what is not set")


@requirement("RUN-CREATE-028")
def test_a_stream_that_is_null_is_not_asked_for(undecided: Exchange) -> None:
    """Null is no stream, here as well."""
    need(undecided.succeeded, f"null is refused, which RUN-CREATE-030 is about: {undecided}")

    expect_json(undecided)


@requirement("RUN-THREADRUN-004")
@pytest.mark.parametrize("whose", ["thread", "run", "run-later"])
def test_thread_and_run_have_metadata_of_their_own(whose: str, made: Exchange, stage: Stage) -> None:
    """What was said of the one is not said of the other, nor lost."""
    run = _run(stage, made)
    reply, wanted = made, OF_THE_RUN
    if whose == "thread":
        reply, wanted = stage.client.call("retrieve_thread", thread_id=run.thread_id), OF_THE_THREAD
    elif whose == "run-later":
        reply = run.retrieve()

    body = reply.json
    need(reply.succeeded and isinstance(body, dict), f"the {whose} is not shown: {reply}")
    need("metadata" in body, f"the {whose} shows no metadata: {reply}")
    if whose != "thread":
        need_documented(body, ["metadata"], reply)
    expect(body.get("metadata") == wanted, f"metadata {shown(wanted)}", shown(body.get("metadata")), made, reply)


@requirement("RUN-THREADRUN-006")
def test_the_run_is_read_like_any_other(made: Exchange, stage: Stage, some_run: Run) -> None:
    """It is what was asked for, and is found by its id on the thread that it names."""
    run = _run(stage, made)
    expect_shown(made, {"instructions": INSTRUCTIONS})

    read = run.retrieve()
    if read.status == NOT_FOUND:  # how soon a new run is found is RUN-GET-003's business
        run.pause("appear", since=read)
        read = run.retrieve()
    need(read.succeeded or some_run.retrieve().succeeded, "no run can be read, which RUN-GET-001 is about")
    expect(read.succeeded, "the run (2xx)", f"status {read.status}", made, read)
    expect(need_run(read)["id"] == run.id, f"run {run.id}", f"run {need_run(read)['id']}", made, read)


@requirement("RUN-THREADRUN-006")
def test_the_run_has_its_settings_like_any_other(furnished: Exchange, made: Exchange, shared: Shared) -> None:
    """What a run is created with counts, whether its thread is there already or comes with it."""
    need(made.succeeded, f"there is no run, which RUN-THREADRUN-001 is about: {made}")
    if furnished.succeeded and not lost_in(need_run(furnished), SETTINGS):
        return

    usual = shared.created("like-thread-and-run", **SETTINGS)
    need(usual.succeeded, f"a run on a thread that is there is refused with these settings as well: {usual}")
    expect(furnished.succeeded, "a run with these settings (2xx)", f"status {furnished.status}", usual, furnished)
    kept = {name: value for name, value in SETTINGS.items() if name not in lost_in(need_run(usual), SETTINGS)}
    expect_shown(furnished, kept, usual)


@requirement("RUN-THREADRUN-006")
def test_the_run_is_listed_like_any_other(made: Exchange, stage: Stage, some_run: Run) -> None:
    """It is the one run of its thread."""
    run = _run(stage, made)
    run.pause("appear", since=made)

    listed = run.thread.list()

    ids = [each["id"] for each in need_page(listed)]
    others = [each["id"] for each in need_page(some_run.thread.list())] if ids != [run.id] else [some_run.id]
    need(others == [some_run.id], "other runs are listed wrongly too, which other requirements are about")
    expect(ids == [run.id], f"run {run.id} and no other", f"runs {shown(ids)}", made, listed)


@requirement("RUN-THREADRUN-006")
def test_the_run_is_cancelled_like_any_other(stage: Stage, shared: Shared) -> None:
    """While it works it keeps words off its thread, and can be cancelled."""
    if stage.means.synchronous:
        raise stage.client.withhold(NotClaimed("the profile says that a create awaits the end: no run is in_progress"))
    thread = {"messages": [{"role": "user", "content": LONG_PROMPT}]}
    run = _run(stage, stage.create_thread_and_run(thread=thread))
    seen = run.until(lambda body: body.get("status") != "queued", "start", "left the queue")
    need(need_run(seen).get("status") == "in_progress", f"it was not seen at work: {seen}")

    message = run.thread.add_message("Wait, one more thing.")
    reply = run.cancel()

    if reply.refused:
        status = need_run(run.retrieve()).get("status")
        need(status not in FINAL, f"the run was {status} before the cancel arrived")
    if not reply.succeeded:
        shared.run("cancelled")  # or none can be cancelled, which RUN-CANCEL-001 is about
    expect(reply.succeeded, "a success (2xx)", f"status {reply.status}", seen, reply)
    with suppress(Untested):  # the invariants judge where it goes
        run.settle("cancel")
    if message.succeeded:  # no thread may be locked, which RUN-LIFE-013 is about
        need(stage.run("in_progress").thread.add_message("Wait.").refused, "no thread is locked")
    expect(not message.succeeded, "no new message (4xx)", f"status {message.status}", seen, message, reply)


@requirement("RUN-THREADRUN-006")
def test_the_run_releases_its_thread_like_any_other(stage: Stage) -> None:
    """Once it has ended, the conversation goes on where it was."""
    thread = {"messages": [{"role": "user", "content": SHORT_PROMPT}]}
    run = _run(stage, stage.create_thread_and_run(thread=thread, **_quick(stage)))
    ended = run.settle()

    message = run.thread.add_message("Say hello.")

    if not message.succeeded:
        other = stage.run("completed").thread.add_message("Say hello.")
        need(other.succeeded, f"no thread is released, which RUN-LIFE-014 is about: {other}")
    expect(message.succeeded, "a new message (2xx)", f"status {message.status}", ended, message)


@requirement("RUN-THREADRUN-006")
def test_the_run_has_its_steps_like_any_other(made: Exchange, stage: Stage, shared: Shared) -> None:
    """What it did can be read, once it has ended."""
    run = _run(stage, made)
    ended = run.settle()
    need(need_run(ended).get("status") == "completed", f"it did not complete: {ended}")

    run.pause("afterlife", since=ended)
    listed = run.steps.list()

    usual = steps_by_now(shared.run("completed"))
    need(need_page(usual), f"no run has steps, which RUN-STEP-001 is about: {usual}")
    told = f"status {listed.status}" if not listed.succeeded else "none"
    expect(listed.succeeded and need_page(listed), "the steps of the run", told, ended, usual, listed)


def _run(stage: Stage, reply: Exchange) -> Run:
    """The run, on a thread that is there."""
    need(isinstance(need_run(reply).get("thread_id"), str), f"it names no thread, which other rows are about: {reply}")
    run = Run(stage.client, stage.means.waits, reply)
    thread = stage.client.call("retrieve_thread", thread_id=run.thread_id)
    need(thread.status != NOT_FOUND, f"its thread is not there, which RUN-THREADRUN-001 is about: {thread}")
    return run


def _quick(stage: Stage) -> dict[str, Any]:
    return dict(stage.means.recipes.get("quick", {}))
