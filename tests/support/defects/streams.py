"""For each invariant about streams: defects that it finds, and nobody else."""

from __future__ import annotations

from copy import deepcopy
from typing import TYPE_CHECKING, Any

from conformance.wire.exchange import BROKEN
from support.defects.steps import calls, step
from support.journals import ASSISTANT, RUN, T0, THREAD, Defect, Events, Finding, Told, put, read, run

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from support.journals import Story

_DONE = ("done", "[DONE]")


def message(text: str = "", status: str = "in_progress", **members: Any) -> dict[str, Any]:
    """A message as a stream shows it."""
    content = [{"type": "text", "text": {"value": text, "annotations": []}}] if text else []
    bare = {"id": "msg_abc", "object": "thread.message", "created_at": T0 + 3, "role": "assistant", "status": status}
    return {**bare, "run_id": RUN, "thread_id": THREAD, "content": content, **members}


def delta(text: str) -> tuple[str, Any]:
    """A piece of the message."""
    part = {"index": 0, "type": "text", "text": {"value": text}}
    return "thread.message.delta", {"id": "msg_abc", "object": "thread.message.delta", "delta": {"content": [part]}}


def arguments(index: int, text: str, **named: str) -> tuple[str, Any]:
    """A piece of the arguments of a call."""
    call = {"index": index, "type": "function", **named, "function": {"arguments": text}}
    value = {"step_details": {"type": "tool_calls", "tool_calls": [call]}}
    return "thread.run.step.delta", {"id": "step_abc", "object": "thread.run.step.delta", "delta": value}


def _begun() -> list[tuple[str, Any]]:
    return [
        ("thread.run.created", run("queued")),
        ("thread.run.queued", run("queued")),
        ("thread.run.in_progress", run("in_progress")),
        ("thread.run.step.created", step("in_progress")),
        ("thread.run.step.in_progress", step("in_progress")),
    ]


def asked(events: list[tuple[str, Any]], operation: str = "create_run", **how: Any) -> Told:
    """A stream is asked for, and these events come."""
    headers = {"content-type": "text/event-stream; charset=utf-8"}
    body = {"assistant_id": ASSISTANT, "stream": True}
    return Told(operation, Events(events), asked=body, headers=headers, duration=2.0, **how)


def answered() -> Story:
    """A run that answers is told of."""
    return [
        read(),
        asked(
            [
                *_begun(),
                ("thread.message.created", message()),
                ("thread.message.in_progress", message()),
                delta("Hello"),
                delta(" you."),
                ("thread.message.completed", message("Hello you.", "completed")),
                ("thread.run.step.completed", step("completed")),
                ("thread.run.completed", run("completed")),
                _DONE,
            ]
        ),
    ]


def paced() -> Story:
    """The same, in two pieces."""
    story = answered()
    size = len(story[-1].exchange(1).response.body)
    story[-1].pieces = ((2500, 0.5), (size - 2500, 9.0))
    return story


def waiting() -> Story:
    """A run that calls functions is told of."""
    begun = [(name, {**data, "step_details": calls(None)} if "step" in name else data) for name, data in _begun()]
    pieces = [
        arguments(0, "", id="call_1"),
        arguments(0, '{"a":'),
        arguments(0, " 1}"),
        arguments(1, '{"a": 2}', id="call_2"),
    ]
    return [read(), asked([*begun, *pieces, ("thread.run.requires_action", run("requires_action")), _DONE])]


def no_json() -> Story:
    """A run calls a function with what is no JSON, which it may."""
    story = waiting()
    story[-1].body[7] = arguments(0, " 1")
    action = story[-1].body[-2][1]["required_action"]
    action["submit_tool_outputs"]["tool_calls"][0]["function"]["arguments"] = '{"a": 1'
    return story


def resumed() -> Story:
    """A run goes on with its outputs."""
    tail = answered()[-1].body[2:]
    queued = [("thread.run.step.completed", step("completed", calls("3"), id="step_before"))]
    return [read(), asked([*queued, ("thread.run.queued", run("queued")), *tail], "submit_tool_outputs")]


def _raw(change: Callable[[bytes], bytes]) -> Callable[[Story], None]:
    def spoil(story: Story) -> None:
        story[-1].body = change(story[-1].exchange(1).response.body)

    return spoil


def _without(name: str) -> Callable[[Story], None]:
    def spoil(story: Story) -> None:
        story[-1].body = Events(event for event in story[-1].body if event[0] != name)

    return spoil


def _twice(name: str) -> Callable[[Story], None]:
    def spoil(story: Story) -> None:
        story[-1].body = Events(
            each for event in story[-1].body for each in ([event, deepcopy(event)] if event[0] == name else [event])
        )

    return spoil


def _moved(place: int, to: int) -> Callable[[Story], None]:
    """Tell an event earlier or later than it happened."""
    return lambda story: story[-1].body.insert(to, story[-1].body.pop(place))


def _named(old: str, new: str) -> Callable[[Story], None]:
    def spoil(story: Story) -> None:
        story[-1].body = Events((new if name == old else name, data) for name, data in story[-1].body)

    return spoil


def _data(place: int, path: str, value: Any) -> Callable[[Story], None]:
    """Change a member of the data of an event."""
    return lambda story: put(path, value)([Told("", story[-1].body[place][1])])


def _at_once(story: Story) -> None:
    size = len(story[-1].exchange(1).response.body)
    story[-1].pieces = ((size, 9.0), (0, 9.0))


def _late(story: Story) -> None:
    size = len(story[-1].exchange(1).response.body)
    story[-1].pieces = ((2500, 40.0), (size - 2500, 90.0))


DEFECTS: Mapping[str, Sequence[Defect | Finding]] = {
    "the_framing_is_kept": [
        Defect(answered, _raw(lambda body: body.replace(b"\n\n", b"\n{}\n\n", 1)), "lines that begin", "{}"),
        Defect(answered, _raw(lambda body: body.replace(b'"role": "assistant"', b'"role": "\xff"')), "UTF-8", "utf-8"),
        Defect(answered, lambda story: setattr(story[-1], "cut", f"{BROKEN}: it was closed"), "last chunk", "closed"),
    ],
    "events_have_a_name_and_data": [
        Defect(answered, _raw(lambda body: body.replace(b"event: thread.message.delta\n", b"", 1)), "a name", "none"),
        Defect(answered, _raw(lambda body: body.replace(b'data: {"id": "step', b'data: {id: "step', 1)), "JSON", "id"),
    ],
    "the_last_event_is_done": [
        Defect(answered, _without("done"), "done", "thread.run.completed"),
        Defect(answered, _named("done", "end"), "done", "end"),
        Defect(answered, lambda story: setattr(story[-1], "body", b""), "done", "no event"),
    ],
    "nothing_follows_done": [Defect(answered, _twice("done"), "nothing after", "done")],
    "names_are_documented": [
        Defect(answered, lambda story: story[-1].body.insert(3, ("ping", {})), "documented", "ping")
    ],
    "names_and_statuses_agree": [
        Defect(answered, _data(2, "status", "queued"), "status in_progress", "status queued"),
        Defect(answered, _data(-2, "status", "in_progress"), "status completed", "status in_progress"),
    ],
    "a_run_is_told_from_beginning_to_end": [
        Defect(answered, _without("thread.run.created"), "created and queued first", "queued"),
        Defect(answered, _without("thread.run.completed"), "rests", "in_progress last"),
        Defect(answered, _twice("thread.run.completed"), "nothing of the run", "completed after completed"),
        Defect(waiting, _without("thread.run.requires_action"), "rests", "in_progress last"),
    ],
    "no_status_is_skipped": [
        Defect(answered, _without("thread.run.in_progress"), "queued leads to", "completed"),
        Defect(resumed, _without("thread.run.in_progress"), "queued leads to", "completed"),
    ],
    "errors_are_told": [
        Finding(answered, "no error event was seen"),
        Finding(
            lambda: [
                read(),
                asked([*_begun()[:2], ("thread.run.failed", run("failed")), ("error", {"message": "No."}), _DONE]),
            ],
            'an error event was seen: "{\\"message\\": \\"No.\\"}"',
        ),
    ],
    "usage_comes_with_the_end": [Defect(answered, _data(2, "usage", {}), "usage null", "{}")],
    "events_are_of_one_run": [
        Defect(answered, _data(2, "created_at", T0 + 1), "created_at", str(T0 + 1)),
        Defect(answered, _data(3, "run_id", "run_xyz"), "run_id", "run_xyz"),
        Defect(answered, _data(5, "thread_id", "thread_xyz"), "thread_id", "thread_xyz"),
        Defect(answered, _data(2, "instructions", "Be long."), "instructions", "Be long."),
        Defect(answered, _data(10, "step_details.message_creation.message_id", "msg_xyz"), "msg_abc", "msg_xyz"),
    ],
    "messages_are_told_within_their_step": [
        Defect(answered, _moved(5, 3), "the creation of step_abc before its message", "thread.message.created"),
        Defect(answered, _moved(9, 10), "nothing of message msg_abc after the end", "thread.message.completed"),
    ],
    "it_begins_soon": [
        Defect(paced, _at_once, "as they happen", "nothing for 9.0 s"),
        Defect(paced, _late, "a first event within", "40.0 s"),
    ],
    "events_carry_what_they_announce": [
        Defect(answered, _data(5, "object", "message"), "thread.message", "message"),
        Defect(answered, _data(3, "step_details", None), "step_details", "null"),
        Defect(answered, _data(2, "started_at", "now"), "thread.run.in_progress", "started_at"),
        Defect(answered, _data(0, "object", None), "thread.run", "null"),
    ],
    "steps_begin_and_end": [
        Defect(answered, _without("thread.run.step.created"), "created first", "in_progress"),
        Defect(answered, _without("thread.run.step.in_progress"), "in_progress of step_abc", "created, completed"),
        Defect(answered, _without("thread.run.step.completed"), "an end of step_abc", "in_progress last"),
        Defect(answered, _twice("thread.run.step.completed"), "nothing of step_abc", "completed"),
    ],
    "messages_begin_and_end": [
        Defect(answered, _without("thread.message.created"), "created first", "in_progress"),
        Defect(answered, _without("thread.message.in_progress"), "in_progress of msg_abc", "created, delta"),
        Defect(answered, _without("thread.message.completed"), "an end of msg_abc", "delta last"),
        Defect(answered, _data(9, "status", "in_progress"), "status completed", "in_progress"),
    ],
    "deltas_add_up_to_the_message": [
        Defect(answered, _data(7, "delta.content.0.text.value", "Hallo"), "Hello you.", "Hallo you."),
        Defect(answered, lambda story: story[-1].body.pop(8), "Hello you.", "Hello"),
    ],
    "arguments_add_up_to_the_call": [
        Defect(no_json, lambda story: story[-1].body.pop(6), "a\\", " 1"),
        Defect(waiting, lambda story: story[-1].body.pop(7), "a\\", "{"),
        Defect(waiting, _data(8, "delta.step_details.tool_calls.0.function.arguments", "{}"), "call_2", "{}"),
    ],
}
