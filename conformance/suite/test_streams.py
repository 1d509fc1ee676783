"""Streams: what is told of a run as it happens."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final

import pytest

from conformance.invariants.heard import Heard, announced_by, status_in
from conformance.outcomes import Untested
from conformance.states import FINAL
from conformance.states.stage import SHORT_PROMPT
from conformance.states.strangers import never_issued
from conformance.states.streams import first, listen, listen_from_the_thread, told_of
from conformance.suite import requirement
from conformance.suite.conversation import text_of
from conformance.suite.expectations import expect, expect_refused, need, need_page, need_run, shown, status_of
from conformance.suite.settings import need_documented
from conformance.wire.events import STREAM_TYPE
from conformance.wire.exchange import JSON_TYPE
from conformance.wire.faults import faults
from conformance.wire.models import Run as RunModel
from conformance.wire.values import ABSENT, contains, same, shown_apart

if TYPE_CHECKING:
    from conformance.client import Client
    from conformance.states.handles import Run
    from conformance.states.interference import Interfered
    from conformance.states.shared import Shared
    from conformance.states.stage import Stage
    from conformance.states.streams import Listened, Told, ToldCall
    from conformance.wire.exchange import Exchange

#: What the real service showed otherwise in a stream than in a reply.
_SHOWN_OTHERWISE = {"tool_resources"}
_CANCELS = {"cancelling", "cancelled"}
_ENDS = (".completed", ".failed", ".cancelled", ".expired")


#: What a thread and a run that are created and told of with one request have.
_OF_BOTH: Final[dict[str, Any]] = {
    "thread": {"messages": [{"role": "user", "content": SHORT_PROMPT}], "metadata": {"whose": "thread"}},
    "metadata": {"whose": "run"},
    "instructions": "Answer in three words.",
}


@pytest.fixture
def of_both(shared: Shared) -> Exchange:
    """The stream of a thread and its run."""
    return shared.once("thread-and-run-told", lambda: listen_from_the_thread(shared.stage, **_OF_BOTH))


def _kind_of(reply: Exchange) -> str:
    return reply.response.headers.get("content-type", "absent").partition(";")[0].strip().lower()


@requirement("RUN-STREAM-001")
def test_a_stream_says_that_it_is_one(heard: Listened) -> None:
    """Who asks for events gets events, and is told so."""
    expect(_kind_of(heard.stream) == STREAM_TYPE, f"content type {STREAM_TYPE}", _kind_of(heard.stream), heard.stream)


@requirement("RUN-TOOL-014")
def test_submitted_outputs_are_followed_by_the_rest(told_of_a_call: ToldCall) -> None:
    """A run that was streamed until it called a function goes on in a stream, and comes to its end there."""
    rest = told_of_a_call.rest

    need(not rest.refused, f"the outputs are refused, which RUN-TOOL-001 is about: {rest}")
    expect(rest.succeeded, "a stream (2xx)", f"status {rest.status}", told_of_a_call.stream, rest)
    expect(_kind_of(rest) == STREAM_TYPE, f"content type {STREAM_TYPE}", _kind_of(rest), told_of_a_call.stream, rest)
    need(rest.is_stream, f"what came is no stream: {rest}")
    need(Heard(rest).is_closed, "the stream breaks off, which RUN-STREAM-003 is about")
    ids = {str(event.value.get("id")) for event in Heard(rest).of_run}
    expect(ids == {told_of_a_call.run.id}, f"events of {told_of_a_call.run.id}", shown(sorted(ids)), rest)


@requirement("RUN-STREAM-016")
def test_the_last_event_shows_the_run_as_it_is_read(told: Told) -> None:
    """Who heard the end need not ask for it."""
    _expect_as_read(told.stream, told.run.seen, told.run)


@requirement("RUN-STREAM-016")
@pytest.mark.parametrize("stream", ["call", "rest"])
def test_the_last_event_shows_a_run_that_calls_as_it_is_read(stream: str, told_of_a_call: ToldCall) -> None:
    """Who heard of a call need not ask what is wanted, nor later what became of it."""
    run = told_of_a_call.run
    if stream == "call":
        _expect_as_read(told_of_a_call.stream, run.seen, None)
    else:
        _expect_as_read(told_of_a_call.rest, told_of_a_call.ended, run)


@requirement("RUN-STREAM-016")
def test_the_last_event_shows_a_cancelled_run_as_it_is_read(interfered: Interfered) -> None:
    """Who heard that a run was cancelled need not ask when."""
    need(interfered.cancel.succeeded, "the cancel was not accepted, which RUN-CANCEL-001 is about")
    need(Heard(interfered.stream).end == "cancelled", "the stream does not tell of it, which RUN-CANCEL-028 is about")

    _expect_as_read(interfered.stream, interfered.settled, interfered.run)


def _expect_as_read(stream: Exchange, seen: Exchange, run: Run | None) -> None:
    """The last event shows what a read does; where the run rests by now, what changes by itself is nobody's fault."""
    need(Heard(stream).end, "the stream does not tell of the end")
    last = Heard(stream).of_run[-1]

    heard, read = last.value, need_run(seen)
    other_rows = _SHOWN_OTHERWISE | ({"status"} if status_in(last) != announced_by(last) else set())
    other_rows |= {str(fault.path[0]) for fault in faults(dict(heard), RunModel) if fault.path}
    names = [name for name in read if name in heard and name not in other_rows]
    changed = [name for name in names if not same(heard[name], read[name])]
    if changed and run:  # what changes without any doing, or is listed otherwise as well, says nothing of the stream
        again = need_run(run.retrieve())
        listed = next((each for each in need_page(run.thread.list()) if each["id"] == run.id), read)
        changed = [name for name in changed if all(same(read[name], each.get(name)) for each in (again, listed))]
    expect(
        not changed,
        ", ".join(f"{name} {shown(read[name])}" for name in changed),
        ", ".join(f"{name} {shown(heard.get(name, ABSENT))}" for name in changed) + f" in {last.name}",
        seen,
        stream,
    )


@requirement("RUN-STREAM-012")
def test_what_was_heard_is_what_is_stored(told: Told) -> None:
    """The text that was told word by word is the one on the thread."""
    ends = [event for event in told.stream.events if event.name == "thread.message.completed"]
    need(ends, "no message was told of to its end")
    heard = {event.value.get("id"): text_of(event.value) for event in ends}

    listed = told.run.thread.messages()

    stored = {message["id"]: text_of(message) for message in need_page(listed)}
    for id, text in heard.items():
        wanted, got = shown_apart(text, stored.get(id, ABSENT))
        expect(stored.get(id) == text, f"message {id} with {wanted}", got, told.stream, listed)


@requirement("RUN-STREAM-013")
def test_a_call_ends_the_stream(told_of_a_call: ToldCall) -> None:
    """Nobody goes on listening while it is his turn."""
    stream = Heard(told_of_a_call.stream)
    need(stream.is_closed, "the stream breaks off, which RUN-STREAM-003 is about")

    names = [event.name for event in stream.told]
    expect(
        names[-1:] == ["thread.run.requires_action"],
        "thread.run.requires_action last",
        shown(names[-2:]),
        stream.exchange,
    )


@requirement("RUN-STREAM-014")
def test_the_rest_begins_with_the_end_of_the_call(told_of_a_call: ToldCall) -> None:
    """First the step that waited is done, then the run is queued and goes on."""
    rest = Heard(told_of_a_call.rest)
    need(told_of_a_call.rest.is_stream, "the outputs are not followed by a stream, which RUN-TOOL-014 is about")
    need(rest.is_closed, "the stream breaks off, which RUN-STREAM-003 is about")

    names = [event.name.removeprefix("thread.run.") for event in rest.told if event.name.startswith("thread.run.")]
    first = next((name for name in names if not name.startswith("step.") or name.endswith(_ENDS)), "nothing")
    expect(first.startswith("step."), "the end of a step first", f"{first} first", rest.exchange)


@requirement("RUN-THREADRUN-007")
def test_a_new_thread_is_told_of_first(heard: Listened, of_both: Exchange) -> None:
    """Who let the thread be created as well learns of it before its run."""
    need(heard.stream.is_stream, "the target does not stream")

    stream = Heard(of_both)

    need(stream.is_readable, f"what came cannot be read, which other requirements are about: {of_both}")
    need(stream.exchange.is_stream and stream.told, f"no stream told of a thread and its run: {stream.exchange}")
    first = stream.told[0]
    expect(first.name == "thread.created", "thread.created first", f"{first.name} first", stream.exchange)
    threads = {str(event.value.get("thread_id")) for event in stream.told}
    expect(
        first.value.get("id") in threads, f"events of {first.value.get('id')}", shown(sorted(threads)), stream.exchange
    )


@requirement("RUN-THREADRUN-006")
def test_a_run_that_is_told_of_with_its_thread_is_what_was_asked_for(heard: Listened, of_both: Exchange) -> None:
    """What is said of thread and run counts in a stream as well."""
    need(heard.stream.is_stream and of_both.is_stream, f"no stream told of a thread and its run: {of_both}")

    for event in [*Heard(of_both).told[:1], *Heard(of_both).of_run[:1]]:
        wanted = _OF_BOTH["thread"] if event.name == "thread.created" else _OF_BOTH if event.shows_run else {}
        for name in ("metadata", "instructions"):
            if name in wanted and name in event.value:
                got = event.value[name]
                if event.shows_run:
                    need_documented(dict(event.value), (name,), of_both)
                kept = contains(got, wanted[name])
                expect(kept, f"{name} {shown(wanted[name])} in {event.name}", shown(got), of_both)


@requirement("RUN-STREAM-017")
def test_a_client_that_goes_away_stops_nothing(told: Told, stage: Stage) -> None:
    """The run is the server's, and goes on when nobody listens."""
    thread = stage.thread(SHORT_PROMPT)

    with listen(stage, thread) as stream:
        begun = first(stage, stream)

    run = told_of(stage, thread, begun)
    if run.body.get("status") in FINAL:
        raise Untested(f"the run had ended before the client went away: {run.seen}", gates=False)
    patience = run.waits.budget("start") + 3 * told.stream.duration
    with suppress(Untested):  # whether it comes to rest is what is judged here
        run.until(lambda body: body.get("status") in FINAL, "finish", "came to rest", within=patience)
    seen = run.retrieve()
    status = status_of(seen)
    if status not in FINAL:
        need(seen.ended - run.seen.ended >= run.waits.budget("start"), f"it did not come to rest: {seen}")
    within = f" within {seen.ended - run.seen.ended:.0f} s" if status not in FINAL else ""
    expect(status == "completed", f"status completed{within}", f"status {status}", stream.leave(), seen)


@requirement("RUN-STREAM-018")
def test_a_cancel_is_announced(interfered: Interfered) -> None:
    """Who listens hears that the run was cancelled, in whatever words."""
    stream, cancel = Heard(interfered.stream), interfered.cancel
    need(cancel.succeeded, "the cancel was not accepted, which RUN-CANCEL-001 is about")
    need(stream.is_closed, "the stream breaks off, which RUN-STREAM-003 is about")

    told = {status_in(event) for event in stream.of_run}
    expect(told & _CANCELS, "cancelling or cancelled", shown(sorted(told)), cancel, stream.exchange)


@requirement("RUN-CANCEL-028")
def test_the_stream_of_a_cancelled_run_ends_with_it(interfered: Interfered) -> None:
    """Who was told that the run is being cancelled is told that it was."""
    stream, cancel = Heard(interfered.stream), interfered.cancel
    need(cancel.succeeded, "the cancel was not accepted, which RUN-CANCEL-001 is about")
    need(
        need_run(interfered.settled).get("status") == "cancelled",
        "it never came to rest, which RUN-CANCEL-006 is about",
    )
    need({status_in(event) for event in stream.of_run} & _CANCELS, "no cancel was announced")

    last = stream.of_run[-1].name
    expect(stream.end == "cancelled", "thread.run.cancelled last", f"{last} last", cancel, stream.exchange)


@requirement("RUN-STREAM-020")
@pytest.mark.parametrize("wrong", ["assistant", "temperature", "member", "metadata", "tool choice", "thread"])
def test_a_wrong_request_is_refused_in_json(wrong: str, heard: Listened, stage: Stage, client: Client) -> None:
    """What cannot be done is said before anything is told."""
    need(heard.stream.is_stream, "the target does not stream")
    right = stage.run_fields()
    strange: dict[str, Any] = {
        "assistant": {"assistant_id": never_issued(stage.assistant_id)},
        "temperature": {"assistant_id": stage.assistant_id, "temperature": "hot"},
        "member": {**right, "conformance_unknown": True},
        "metadata": {**right, "metadata": {f"key {n}": str(n) for n in range(17)}},
        "tool choice": {**right, "tool_choice": {"type": "function", "function": {"name": "conformance_of_nobody"}}},
        "thread": right,
    }[wrong]

    thread, asked = stage.thread().id, {**strange, "stream": True}
    thread = never_issued(thread) if wrong == "thread" else thread
    twin = client.call("create_run", thread_id=thread, json=strange)
    need(twin.refused, f"the {wrong} is not refused without a stream either: {twin}")
    need(_kind_of(twin) == JSON_TYPE, f"what is refused without a stream is not refused in JSON either: {twin}")

    reply = client.listen("create_run", thread_id=thread, json=asked, seconds=10).finish()

    expect_refused(reply, because=f"the {wrong} makes no sense")
    expect(_kind_of(reply) == JSON_TYPE, f"content type {JSON_TYPE}", f"content type {_kind_of(reply)}", reply)
