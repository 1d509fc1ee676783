"""What must hold of the steps and messages in a stream: they begin and end, and their pieces add up."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Any, Final

from conformance.invariants.heard import Heard, message_of, streams
from conformance.invariants.judging import Answer, Broken, invariant
from conformance.wire.calls import calls_in, function_of
from conformance.wire.values import NOT_JSON, parse, same, shown, shown_apart

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from conformance.wire.events import Event

_STEP, _MESSAGE = "thread.run.step.", "thread.message."
_ENDS: Final = {
    _STEP: frozenset({"completed", "failed", "cancelled", "expired"}),
    _MESSAGE: frozenset({"completed", "incomplete"}),
}


def _life(stream: Heard, kind: str) -> Answer:
    """Whether each step or message begins once, goes on, and ends once, unless it is the run that was stopped."""
    waits = any(event.name == "thread.run.requires_action" for event in stream.of_run)
    unfinished = bool(stream.cut) or stream.broken_off or stream.failed or waits or not stream.end
    for id, events in stream.about(kind).items():
        names = [event.name.removeprefix(kind) for event in events]
        if not stream.begins_run and len(names) == 1 and names[0] in _ENDS[kind]:
            continue  # it began before the outputs were submitted
        if names[0] != "created":
            return Broken(f"created first of {id}", f"{', '.join(names[:3])} first")
        if len(names) > 1 and names[1] != "in_progress":
            return Broken(f"in_progress of {id} right after created", f"{', '.join(names[:3])} first")
        ends = [place for place, name in enumerate(names) if name in _ENDS[kind]]
        if not (ends or unfinished):
            return Broken(f"an end of {id}", f"{names[-1]} last")
        if late := names[ends[0] + 1 :] if ends else []:
            return Broken(f"nothing of {id} after {names[ends[0]]}", ", ".join(late))
        status = events[ends[0]].value.get("status") if ends else None
        if isinstance(status, str) and status != names[ends[0]]:
            return Broken(f"status {names[ends[0]]} in {events[ends[0]].name}", f"status {shown(status)}")
    return None


@invariant("RUN-STREAM-010", streams, lambda stream: stream.is_readable and bool(stream.about(_STEP)))
def steps_begin_and_end(stream: Heard) -> Answer:
    """Whoever follows the steps sees each from its beginning to its end."""
    return _life(stream, _STEP)


@invariant("RUN-STREAM-011", streams, lambda stream: stream.is_readable and bool(stream.about(_MESSAGE)))
def messages_begin_and_end(stream: Heard) -> Answer:
    """Whoever follows the messages sees each from its beginning to its end."""
    return _life(stream, _MESSAGE)


def _writers(stream: Heard) -> Mapping[str, str]:
    """The steps that write messages of which something is told, by the id of the message."""
    told, messages = stream.about(_STEP).items(), stream.about(_MESSAGE)
    return {message: step for step, events in told if (message := message_of(events[0])) in messages}


@invariant(
    "RUN-STREAM-011",
    streams,
    lambda stream: stream.is_readable and not stream.broken_off and bool(_writers(stream)),
)
def messages_are_told_within_their_step(stream: Heard) -> Answer:
    """The step begins before its message does, and ends after it."""
    numbers = {id(event): number for number, event in enumerate(stream.told)}
    for message, step in _writers(stream).items():
        of_step, of_message = stream.about(_STEP)[step], stream.about(_MESSAGE)[message]
        first, last = of_message[0], of_message[-1]
        if of_step[0].name == f"{_STEP}created" and numbers[id(first)] < numbers[id(of_step[0])]:
            return Broken(f"the creation of {step} before its message {message}", f"{first.name} before it")
        end = next((event for event in of_step if event.name.removeprefix(_STEP) in _ENDS[_STEP]), None)
        if end and numbers[id(last)] > numbers[id(end)]:
            return Broken(f"nothing of message {message} after the end of its step {step}", f"{last.name} after it")
    return None


def _texts(content: Any) -> dict[int, str]:
    """The texts of a message or of a delta, by their place."""
    found = dict[int, str]()
    for place, part in enumerate(content if isinstance(content, list) else []):
        text = part.get("text") if isinstance(part, dict) else None
        value = text.get("value") if isinstance(text, dict) else None
        index = part.get("index", place) if isinstance(part, dict) else place
        if isinstance(value, str) and type(index) is int:
            found[index] = found.get(index, "") + value
    return found


def _added_up(events: Sequence[Event]) -> Mapping[int, str]:
    pieces: defaultdict[int, list[str]] = defaultdict(list)
    for event in events:
        delta = event.value.get("delta")
        for index, text in _texts(delta.get("content") if isinstance(delta, dict) else None).items():
            pieces[index].append(text)
    return {index: "".join(texts) for index, texts in pieces.items()}


def _whole_messages(stream: Heard) -> Iterator[tuple[str, Sequence[Event], Event]]:
    """Messages that were told from beginning to end: the id, the deltas, and the end."""
    for id, events in stream.about(_MESSAGE).items():
        last = events[-1]
        if last.name.removeprefix(_MESSAGE) in _ENDS[_MESSAGE]:
            yield id, [event for event in events if event.name.endswith(".delta")], last


@invariant("RUN-STREAM-012", streams, lambda stream: stream.is_readable and any(_whole_messages(stream)))
def deltas_add_up_to_the_message(stream: Heard) -> Answer:
    """The pieces of a text are the text."""
    for id, deltas, last in _whole_messages(stream):
        added, whole = _added_up(deltas), _texts(last.value.get("content"))
        for place in sorted({*whole, *added}):
            if (came := added.get(place, "")) != (text := whole.get(place, "")):
                expected, actual = shown_apart(text, came)
                return Broken(f"deltas of {id} that add up to {expected}", actual)
    return None


def _arguments(stream: Heard) -> Mapping[str, str]:
    """The arguments of each call that came bit by bit, by the id of the call."""
    ids, pieces = dict[tuple[str, Any], str](), defaultdict[tuple[str, Any], list[str]](list)
    for step, events in stream.about(_STEP).items():
        for call in (call for event in events for call in _calls(event)):
            place = step, call.get("index")
            if isinstance(call.get("id"), str):
                ids[place] = call["id"]
            if isinstance(piece := function_of(call).get("arguments"), str):
                pieces[place].append(piece)
    return {id: "".join(pieces[place]) for place, id in ids.items()}


def _calls(event: Event) -> Iterator[Mapping[str, Any]]:
    delta = event.value.get("delta")
    details = delta.get("step_details") if isinstance(delta, dict) else None
    calls = details.get("tool_calls") if isinstance(details, dict) else None
    return (call for call in (calls if isinstance(calls, list) else []) if isinstance(call, dict))


def _asked(stream: Heard) -> Mapping[str, str]:
    """The arguments of each call that the run is left waiting for, by the id of the call."""
    calls = calls_in(stream.of_run[-1].value) if stream.end == "requires_action" else []
    whole = {str(call["id"]): function_of(call).get("arguments") for call in calls if call.get("id")}
    return {id: arguments for id, arguments in whole.items() if isinstance(arguments, str)}


def _comes_in_pieces(stream: Heard) -> bool:
    """Whether steps are told of that call functions, and whatever pieces they come in can be put together."""
    steps = stream.about(_STEP)
    deltas = [event for events in steps.values() for event in events if event.name.endswith(".delta")]
    return bool(steps and _asked(stream)) and all(isinstance(event.value.get("delta"), dict) for event in deltas)


@invariant("RUN-STREAM-015", streams, lambda stream: stream.is_readable and _comes_in_pieces(stream))
def arguments_add_up_to_the_call(stream: Heard) -> Answer:
    """The pieces of the arguments are the arguments."""
    added = _arguments(stream)
    for id, whole in _asked(stream).items():
        if (came := added.get(id, "")) != whole and not _means_the_same(came, whole):
            return Broken(f"deltas of {id} that add up to {shown(whole)}", shown(came))
    return None


def _means_the_same(one: str, other: str) -> bool:
    """Whether two texts are one JSON value, however it is spaced; what is no JSON means nothing."""
    value = parse(one.encode())
    return value is not NOT_JSON and same(value, parse(other.encode()))
