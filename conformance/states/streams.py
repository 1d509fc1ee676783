"""Staging what is told in a stream: runs and submitted outputs whose progress comes as events."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from conformance.outcomes import NotClaimed, Unreachable, Untested
from conformance.states.handles import NOT_FOUND, Run, run_of
from conformance.states.stage import CALL_A_FUNCTION, LONG_PROMPT

if TYPE_CHECKING:
    from collections.abc import Mapping

    from conformance.states.handles import Thread
    from conformance.states.stage import Stage
    from conformance.streams import Stream
    from conformance.wire.events import Event
    from conformance.wire.exchange import Exchange

CAPABILITY = "streaming"
#: How often a state that the run may rush through is tried for.
ATTEMPTS = 3
AT_WORK = "thread.run.in_progress"
#: Seconds after which a run that is not found is looked for again.
_SOON = 0.1


@dataclass(frozen=True)
class Listened:
    """A stream that was heard to its end, the thread of its run, and the event that showed the run first."""

    stream: Exchange
    thread: Thread
    begun: Event


@dataclass(frozen=True)
class Told:
    """A stream that was heard to its end, and its run as it was read afterwards."""

    stream: Exchange
    run: Run


@dataclass(frozen=True)
class ToldCall(Told):
    """
    The same of a run that called its function.

    `rest` is the stream of what came of the outputs, which are by the ids of their calls; `ended` is a read after it.
    """

    rest: Exchange
    outputs: Mapping[str, str]
    ended: Exchange


def listen(stage: Stage, thread: Thread, **fields: Any) -> Stream:
    """
    Ask for a run on a thread as a stream, and hear what comes.

    Raises:
        NotClaimed: the target answers such a request as if it knew no streams.
    """
    stream = ask(stage, thread, **fields)
    if stream.reply and stream.reply.refused and stage.create_run(thread, **fields).succeeded:
        raise _not_streamed(stage, f"a run is created, but not as a stream: {stream.reply}")
    return stream


def ask(stage: Stage, thread: Thread, **fields: Any) -> Stream:
    """Ask for a run on a thread as a stream, and judge nothing."""
    return _asked(stage, "create_run", fields, thread_id=thread.id)


def listen_from_the_thread(stage: Stage, **fields: Any) -> Exchange:
    """Ask for a thread and its run as one stream, and hear it to its end."""
    heard = _asked(stage, "create_thread_and_run", fields)
    reply = heard.finish()
    threads = {event.value.get("thread_id") for event in heard.events if event.shows_run}
    stage.means.threads += [thread for thread in threads if isinstance(thread, str)]
    return reply


def _asked(stage: Stage, operation: str, fields: dict[str, Any], **ids: str) -> Stream:
    if CAPABILITY in stage.client.without:
        raise stage.client.withhold(NotClaimed(f"the target is declared to have no {CAPABILITY}"))
    body = stage.run_fields(stream=True, **fields)
    stage.means.claim()
    try:
        stream = stage.client.listen(operation, json=body, seconds=stage.means.waits.budget("stream"), **ids)
    except NotClaimed:
        stage.means.give_back()
        raise
    if stream.reply and not stream.reply.succeeded:
        stage.means.give_back()
    return stream


def _not_streamed(stage: Stage, problem: str) -> Untested:
    """What to make of an answer that is no stream: only who never streamed anything knows no streams."""
    if any(each.is_stream for each in stage.client.journal):
        return Untested(problem)
    return stage.client.withhold(NotClaimed(problem, optional=CAPABILITY))


def told_of(stage: Stage, thread: Thread, event: Event) -> Run:
    """
    The run that an event shows, read by its id.

    Raises:
        Untested: the event shows none, or it cannot be read.
    """
    id = event.value.get("id") if event.shows_run else event.value.get("run_id")
    if not isinstance(id, str) or not id:
        raise Untested(f"{event.name} does not say which run it is about, which RUN-STREAM-006 is about")
    client, started = stage.client, stage.client.now()
    while (seen := read(stage, thread, event)).status == NOT_FOUND:
        if seen.ended - started > stage.means.waits.budget("appear"):
            raise Untested(f"run {id}, which {event.name} shows, is not found, which RUN-GET-001 is about: {seen}")
        client.wait(_SOON, "appear")
    run = Run(client, stage.means.waits, seen)
    run.itself(seen)
    return run


def read(stage: Stage, thread: Thread, event: Event) -> Exchange:
    """Ask for the run that an event shows, and judge nothing."""
    id = event.value.get("id") if event.shows_run else event.value.get("run_id")
    return stage.client.call("retrieve_run", thread_id=thread.id, run_id=str(id))


def first(stage: Stage, stream: Stream) -> Event:
    """
    The event that shows the run for the first time.

    Raises:
        NotClaimed: what came is the run, and no stream.
        Untested: none does.
    """
    if event := stream.until(lambda event: event.shows_run):
        return event
    reply = stream.finish()
    if reply.succeeded and not reply.is_stream:
        raise _not_streamed(stage, f"the target answers with JSON where a stream is asked for: {reply}")
    row = "RUN-STREAM-003" if reply.succeeded else "RUN-ERR-011"
    raise Untested(f"no stream told of a run, which {row} is about: {reply}")


def listened(stage: Stage, message: str, **fields: Any) -> Listened:
    """Hear of a run from its creation to where it rests or waits."""
    thread = stage.thread(message)
    with listen(stage, thread, **fields) as stream:
        begun = first(stage, stream)
        return Listened(stream.finish(), thread, begun)


def told(stage: Stage, heard: Listened) -> Told:
    """The same with its run."""
    return Told(heard.stream, told_of(stage, heard.thread, heard.begun))


def told_of_a_call(stage: Stage, message: str) -> ToldCall:
    """
    Hear of a run until it waits for the output of its function, submit it, and hear the rest.

    Raises:
        Untested: it never asked for it.
    """
    called = told(stage, listened(stage, message, **CALL_A_FUNCTION))
    run = called.run
    if run.body.get("status") != "requires_action" or not run.waits_for_outputs:
        raise Untested(f"no run that is streamed could be brought into requires_action: {run.seen}")
    outputs = {call: f"{number} \N{DEGREE SIGN}C" for number, call in enumerate(run.tool_call_ids(), 42)}
    rest = submitted(run, outputs_of(outputs))
    return ToldCall(called.stream, run, rest, outputs, run.retrieve())


def outputs_of(outputs: Mapping[str, str]) -> dict[str, Any]:
    """What is submitted with outputs, by the ids of their calls."""
    return {"tool_outputs": [{"tool_call_id": call, "output": output} for call, output in outputs.items()]}


def submitted(run: Run, body: Mapping[str, Any]) -> Exchange:
    """Submit something to a run as a stream, and hear of it to its end."""
    if CAPABILITY in run.client.without:
        raise run.client.withhold(NotClaimed(f"the target is declared to have no {CAPABILITY}"))
    ids = {"thread_id": run.thread_id, "run_id": run.id}
    seconds = run.waits.budget("stream")
    return run.client.listen("submit_tool_outputs", json={**body, "stream": True}, seconds=seconds, **ids).finish()


def at_work(stage: Stage, stream: Stream, thread: Thread, begun: Event) -> Run:
    """The run of a stream, read as soon as the stream says that it works."""
    if begun.name != AT_WORK:
        stream.until(lambda event: event.name == AT_WORK or event.is_last)
    return told_of(stage, thread, begun)


def seen_at_work(stage: Stage, **fields: Any) -> Exchange | None:
    """
    A run that is in_progress, as it was read when its stream said so; None if there is no such stream or moment.

    The stream stays open until the scope ends, for those who take whoever leaves for one who gives up.
    """
    with suppress(Untested, Unreachable), stage.client.in_vain():
        thread = stage.thread(LONG_PROMPT)
        stream = listen(stage, thread, **fields)
        stage.client.keep(stream)
        seen = at_work(stage, stream, thread, first(stage, stream)).seen
        return seen if run_of(seen).get("status") == "in_progress" else None
    return None
