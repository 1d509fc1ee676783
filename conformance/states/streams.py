"""Staging what is told in a stream: runs and submitted outputs whose progress comes as events."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from conformance.outcomes import NotClaimed, Unreachable, Untested
from conformance.states.handles import NOT_FOUND, Run, run_of
from conformance.states.stage import CALL_A_FUNCTION, LONG_PROMPT

if TYPE_CHECKING:
    from conformance.states.handles import Thread
    from conformance.states.stage import Stage
    from conformance.streams import Stream
    from conformance.wire.events import Event
    from conformance.wire.exchange import Exchange

CAPABILITY = "streaming"
_AT_WORK = "thread.run.in_progress"
#: How often a state that the run may rush through is tried for.
ATTEMPTS = 3
#: Seconds after which a run that is not found is looked for again.
_SOON = 0.1


@dataclass(frozen=True)
class Told:
    """A stream that was heard to its end, and its run as it was read afterwards."""

    stream: Exchange
    run: Run


@dataclass(frozen=True)
class ToldCall(Told):
    """The same of a run that called its function; `rest` is the stream of what came of the output."""

    rest: Exchange


def listen(stage: Stage, thread: Thread, **fields: Any) -> Stream:
    """
    Ask for a run on a thread as a stream, and hear what comes.

    Raises:
        NotClaimed: the target answers such a request as if it knew no streams.
    """
    stream = _asked(stage, "create_run", fields, thread_id=thread.id)
    if stream.reply and stream.reply.refused and stage.create_run(thread, **fields).succeeded:
        raise _not_streamed(stage, f"a run is created, but not as a stream: {stream.reply}")
    return stream


def listen_from_the_thread(stage: Stage, message: str) -> Exchange:
    """Ask for a thread and its run as one stream, and hear it to its end."""
    heard = _asked(stage, "create_thread_and_run", {"thread": {"messages": [{"role": "user", "content": message}]}})
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
    while (seen := client.call("retrieve_run", thread_id=thread.id, run_id=id)).status == NOT_FOUND:
        if seen.ended - started > stage.means.waits.budget("appear"):
            break
        client.wait(_SOON, "appear")
    run = Run(client, stage.means.waits, seen)
    run.itself(seen)
    return run


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


def told(stage: Stage, message: str, **fields: Any) -> Told:
    """Hear of a run from its creation to where it rests or waits."""
    thread = stage.thread(message)
    with listen(stage, thread, **fields) as stream:
        begun = first(stage, stream)
        heard = stream.finish()
    return Told(heard, told_of(stage, thread, begun))


def told_of_a_call(stage: Stage, message: str) -> ToldCall:
    """
    Hear of a run until it waits for the output of its function, submit it, and hear the rest.

    Raises:
        Untested: it never asked for it.
    """
    called = told(stage, message, **CALL_A_FUNCTION)
    run = called.run
    if run.body.get("status") != "requires_action" or not run.waits_for_outputs:
        raise Untested(f"no run that is streamed could be brought into requires_action: {run.seen}")
    return ToldCall(called.stream, run, submitted(stage, run))


def submitted(stage: Stage, run: Run) -> Exchange:
    """Submit the outputs that a run waits for, and hear of it to its end."""
    outputs = [{"tool_call_id": call, "output": "42"} for call in dict.fromkeys(run.tool_call_ids())]
    return stage.client.listen(
        "submit_tool_outputs",
        thread_id=run.thread_id,
        run_id=run.id,
        json={"tool_outputs": outputs, "stream": True},
        seconds=stage.means.waits.budget("stream"),
    ).finish()


def _at_work(stage: Stage, stream: Stream, thread: Thread) -> Run:
    """The run of a stream, read as soon as the stream says that it works."""
    begun = first(stage, stream)
    if begun.name != _AT_WORK:
        stream.until(lambda event: event.name == _AT_WORK or event.is_last)
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
        seen = _at_work(stage, stream, thread).seen
        return seen if run_of(seen).get("status") == "in_progress" else None
    return None


def told_of_a_cancel(stage: Stage, message: str) -> Told:
    """
    Hear of a run that is cancelled while it works; the run is shown by the reply to the cancel.

    Raises:
        NotClaimed: where a create awaits the end, nobody sees a run at work.
        Untested: it was not in progress, or the cancel was not granted, or came too late.
    """
    for attempt in range(1, ATTEMPTS + 1):
        thread = stage.thread(message)
        with listen(stage, thread) as stream:
            run = _at_work(stage, stream, thread)
            at_work = run.body.get("status") == "in_progress"
            if not at_work and attempt < ATTEMPTS:
                continue
            if not at_work and stage.means.synchronous:
                raise stage.client.withhold(NotClaimed("the profile says that a create awaits the end"))
            stage.staged(run.seen, "in_progress")
            cancel = run.cancel()
            if not cancel.succeeded:
                raise Untested(f"the cancel of an in_progress run was not accepted: {cancel}")
            heard = stream.finish()
        settled = run.settle("cancel")
        if run.itself(settled).get("status") == "cancelled":
            break
    else:
        raise Untested(f"each cancel came too late: {settled}", gates=False)
    return Told(heard, Run(stage.client, stage.means.waits, cancel))
