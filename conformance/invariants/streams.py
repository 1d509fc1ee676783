"""What must hold of every stream as a whole: its framing, its end, and what it says of the run."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Any, Final

from conformance.invariants.heard import MADE_WITH, Heard, announced_by, message_of, status_in, streams
from conformance.invariants.histories import moves
from conformance.invariants.judging import Answer, Broken, Remark, invariant
from conformance.invariants.sightings import FINAL
from conformance.wire.events import DONE, DONE_DATA, NAMELESS
from conformance.wire.models import STATUSES
from conformance.wire.values import ABSENT, NOT_JSON, same, shown, shown_apart

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from conformance.wire.events import Event

_RUN: Final = ("created", "queued", "in_progress", "requires_action", "cancelling", *sorted(FINAL))
_STEP: Final = ("created", "in_progress", "delta", "completed", "failed", "cancelled", "expired")
_MESSAGE: Final = ("created", "in_progress", "delta", "completed", "incomplete")
#: The documented names of events.
NAMES: Final = frozenset(
    {
        *("thread.created", "error", DONE),
        *(f"thread.run.{name}" for name in _RUN),
        *(f"thread.run.step.{name}" for name in _STEP),
        *(f"thread.message.{name}" for name in _MESSAGE),
    }
)
#: Members by which the events of one run are known to be of one run.
_IDENTITY: Final = ("id", "created_at", "thread_id", "assistant_id")
#: Seconds of a stream within which nobody could tell whether its events came as they happened.
_SHORT: Final = 3.0
#: Seconds within which a stream should begin.
_SOON: Final = 15.0


def _has_events(stream: Heard) -> bool:
    return bool(stream.events)


def _tells_of_run(stream: Heard) -> bool:
    return bool(stream.of_run)


def _shows_run(stream: Heard) -> bool:
    return bool(stream.runs)


def _names(events: list[Event]) -> str:
    return ", ".join(event.name.removeprefix("thread.") for event in events) or "nothing"


@invariant("RUN-STREAM-021", streams, lambda stream: bool(stream.exchange.response.body))
def the_framing_is_kept(stream: Heard) -> Answer:
    """Every line is a field, a comment or empty, all is UTF-8, and the answer ends as HTTP has it."""
    try:
        stream.exchange.response.body.decode()
    except UnicodeDecodeError as problem:
        if not stream.cut:
            return Broken("events in UTF-8", str(problem))
    if stream.torn:
        return Broken("an answer that ends after its last event, in its last chunk", stream.torn)
    expected = "lines that begin with event:, data:, id:, retry: or a colon"
    return Broken(expected, f"a line {shown(stream.strays[0])}") if stream.strays and not stream.cut else None


@invariant("RUN-STREAM-002", streams, _has_events)
def events_have_a_name_and_data(stream: Heard) -> Answer:
    """Each event has a name, and data in JSON."""
    for place, event in enumerate(stream.told, 1):
        if event.name == NAMELESS:
            return Broken("a name for each event", f"event {place} has none")
        if event.json is NOT_JSON and not stream.strays:
            return Broken("data in JSON", f"event {place}, {event.name}, with the data {shown(event.data)}")
    return None


@invariant("RUN-STREAM-003", streams, lambda stream: not (stream.was_left or stream.goes_on or stream.failed))
def the_last_event_is_done(stream: Heard) -> Answer:
    """Whoever listens is told that it is over."""
    if any((event.name, event.data) == (DONE, DONE_DATA) for event in stream.events):
        return None
    last = stream.events[-1] if stream.events else None
    found = f"the event {last.name} with the data {shown(last.data)} as the last" if last else "no event"
    return Broken(f"the event {DONE} with the data {DONE_DATA}", f"{found}{f'; {stream.cut}' if stream.cut else ''}")


@invariant("RUN-STREAM-004", streams, lambda stream: len(stream.told) < len(stream.events))
def nothing_follows_done(stream: Heard) -> Answer:
    """What is over is over."""
    more = list(stream.events[len(stream.told) + 1 :])
    return Broken("nothing after the last event", f"{_names(more)} after it") if more else None


@invariant("RUN-STREAM-005", streams, _has_events)
def names_are_documented(stream: Heard) -> Answer:
    """Clients know all names of events."""
    unknown = sorted({event.name for event in stream.told} - NAMES - {NAMELESS})
    return Broken("documented names of events", ", ".join(unknown)) if unknown else None


@invariant("RUN-STREAM-007", streams, _shows_run)
def names_and_statuses_agree(stream: Heard) -> Answer:
    """An event that announces a status shows it; where the event incomplete is not known, completed stands for it."""
    for event in stream.runs:
        announced, status = event.name.removeprefix("thread.run."), status_in(event)
        right = {"completed", "incomplete"} if announced == "completed" else {announced}
        if event.name in NAMES and announced != "created" and status not in right:
            return Broken(f"status {' or '.join(sorted(right))} in {event.name}", f"status {status}")
    return None


@invariant("RUN-STREAM-008", streams, _tells_of_run)
def a_run_is_told_from_beginning_to_end(stream: Heard) -> Answer:
    """First that it was created, then that it is queued; last an end, and none before."""
    names = [event.name.removeprefix("thread.run.") for event in stream.of_run]
    if stream.begins_run and names[:2] != ["created", "queued"][: len(names) if stream.was_left else 2]:
        return Broken("created and queued first", _names(list(stream.of_run[:3])))
    if not (stream.end or stream.cut or stream.broken_off or stream.failed):
        return Broken("a status at which a run rests last", f"{names[-1]} last")
    ends = [place for place, event in enumerate(stream.of_run) if announced_by(event) in FINAL]
    if ends and ends[0] < len(names) - 1:
        return Broken("nothing of the run after its end", f"{names[ends[0] + 1]} after {names[ends[0]]}")
    return None


@invariant("RUN-STREAM-009", streams, _tells_of_run)
def no_status_is_skipped(stream: Heard) -> Answer:
    """Each status of the run leads to the next one that is told."""
    seen = [status for event in stream.of_run if (status := announced_by(event)) in STATUSES]
    for before, after in pairwise(seen):
        if before not in FINAL and before != after and after not in moves(before):
            return Broken(f"a status that {before} leads to", f"{after} right after it")
    return None


@invariant("RUN-STREAM-019", streams)
def errors_are_told(stream: Heard) -> Answer:
    """Whether a stream ended with an error."""
    errors = [event for event in stream.told if event.name == "error"]
    return Remark(f"an error event was seen: {shown(errors[0].data)}" if errors else "no error event was seen")


@invariant("RUN-STREAM-022", streams, lambda stream: bool(stream.runs) and "usage" not in stream.doubtful)
def usage_comes_with_the_end(stream: Heard) -> Answer:
    """What is not final is not told."""
    for event in stream.runs:
        if announced_by(event) not in FINAL and event.value.get("usage") is not None:
            return Broken(f"usage null in {event.name}", f"usage {shown(event.value['usage'])}")
    return None


@invariant("RUN-STREAM-023", streams, lambda stream: len(stream.runs) > 1)
def events_are_of_one_run(stream: Heard) -> Answer:
    """Neither the run nor what belongs to it changes its identity."""
    first = {name: stream.runs[0].value.get(name) for name in _IDENTITY if name not in stream.doubtful}
    for event in stream.runs:
        for name, was in first.items():
            if not same(was, is_ := event.value.get(name)):
                return Broken(f"{name} {shown(was)} in {event.name}", f"{name} {shown(is_)}")
    for event, name, was in _references(stream, first):
        if event.value[name] != was:
            return Broken(f"{name} {shown(was)} in {event.name}", f"{name} {shown(event.value[name])}")
    return _made_otherwise(stream) or _untold(stream)


def _made_otherwise(stream: Heard) -> Answer:
    """Whether an event shows the run as made of something else; what the last one shows is another row's business."""
    first, *more = stream.runs
    for event in more:
        if announced_by(event) not in FINAL:
            for name in MADE_WITH:
                was, is_ = first.value.get(name, ABSENT), event.value.get(name, ABSENT)
                if ABSENT not in (was, is_) and name not in stream.doubtful and not same(was, is_):
                    expected, actual = shown_apart(was, is_)
                    return Broken(f"{name} {expected} in {event.name}", f"{name} {actual}")
    return None


def _untold(stream: Heard) -> Answer:
    """Whether a step has written a message, and others were told of instead."""
    messages = stream.about("thread.message.")
    ends = [event for event in stream.told if event.name == "thread.run.step.completed"]
    for event in ends:
        if messages and (id := message_of(event)) and id not in messages:
            return Broken(f"the message of {event.value.get('id')} among {shown([*messages])}", f"message {shown(id)}")
    return None


def _references(stream: Heard, run: Mapping[str, Any]) -> Iterator[tuple[Event, str, Any]]:
    """Where steps and messages name their run and its thread: the event, the member, and what it should be."""
    for event in stream.told:
        if event.name.startswith(("thread.run.step.", "thread.message.")):
            for name, wanted in (("run_id", "id"), ("thread_id", "thread_id")):
                if event.value.get(name) is not None and wanted in run:
                    yield event, name, run[wanted]


@invariant("RUN-STREAM-024", streams, lambda stream: bool(stream.exchange.response.pieces and stream.told))
def it_begins_soon(stream: Heard) -> Answer:
    """Events come as they happen, and not all together when all is over."""
    first, last = stream.events[0].at, stream.events[-1].at
    if first > _SOON:
        return Broken(f"a first event within {_SOON:g} s", f"the first after {first:.1f} s")
    if last > _SHORT and first > last * 3 / 4:
        return Broken("events as they happen", f"nothing for {first:.1f} s, and all of it within {last - first:.1f} s")
    return None
