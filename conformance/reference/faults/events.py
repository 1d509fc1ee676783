"""The events of a stream: which there are, in what order, and what they carry."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from conformance.reference.faults.registry import tells

if TYPE_CHECKING:
    from conformance.reference.faults.registry import Said
    from conformance.reference.runs import Run

_DELTA, _STEP_DELTA = "thread.message.delta", "thread.run.step.delta"


def _shows_run(name: str) -> bool:
    return name.startswith("thread.run.") and ".step." not in name


@tells("STREAM-006")
def messages_of_another_kind(name: str, data: Any, run: Run, said: list[str]) -> list[Said]:
    """Messages that are being written say that they are something else."""
    return [(name, {**data, "object": "message"} if name == "thread.message.in_progress" else data)]


@tells("STREAM-006")
def milliseconds_in_streams(name: str, data: Any, run: Run, said: list[str]) -> list[Said]:
    """Events show the beginning of the run in milliseconds."""
    if not _shows_run(name) or not data.get("started_at"):
        return [(name, data)]
    return [(name, {**data, "started_at": data["started_at"] * 1000} if name != "thread.run.completed" else data)]


@tells("STREAM-006")
def deltas_without_a_place(name: str, data: Any, run: Run, said: list[str]) -> list[Said]:
    """The parts of a delta do not say where they belong."""
    if name != _DELTA:
        return [(name, data)]
    content = [
        {member: value for member, value in part.items() if member != "index"} for part in data["delta"]["content"]
    ]
    return [(name, {**data, "delta": {"content": content}})]


@tells("STREAM-006")
def deltas_are_text(name: str, data: Any, run: Run, said: list[str]) -> list[Said]:
    """The delta of a step is a text."""
    return [(name, {**data, "delta": str(data["delta"])} if name == _STEP_DELTA else data)]


@tells("STREAM-006")
def steps_show_runs(name: str, data: Any, run: Run, said: list[str]) -> list[Said]:
    """The end of a step shows its run."""
    if name != "thread.run.step.completed" or data["type"] == "tool_calls":
        return [(name, data)]
    return [(name, {"id": data["id"], "object": "thread.run", "status": "completed"})]


@tells("STREAM-006")
def messages_without_content(name: str, data: Any, run: Run, said: list[str]) -> list[Said]:
    """A message that begins has no content at all."""
    return [(name, {**data, "content": None} if name == "thread.message.created" else data)]


@tells("STREAM-007")
def announces_the_next_status(name: str, data: Any, run: Run, said: list[str]) -> list[Said]:
    """The event of a run in progress shows it queued."""
    return [(name, {**data, "status": "queued"} if name == "thread.run.in_progress" else data)]


@tells("STREAM-007")
def completes_in_progress(name: str, data: Any, run: Run, said: list[str]) -> list[Said]:
    """The event that a run is completed shows it in progress."""
    early = name == "thread.run.completed"
    return [(name, {**data, "status": "in_progress"} if early else data)]


@tells("STREAM-008")
def no_created_event(name: str, data: Any, run: Run, said: list[str]) -> list[Said]:
    """Nothing is said of the creation."""
    return [] if name == "thread.run.created" else [(name, data)]


@tells("STREAM-008")
def no_queued_event(name: str, data: Any, run: Run, said: list[str]) -> list[Said]:
    """Nothing is said of the queue."""
    created = name == "thread.run.queued" and "thread.run.requires_action" not in said
    return [] if created else [(name, data)]


@tells("STREAM-008")
def says_nothing_of_the_end(name: str, data: Any, run: Run, said: list[str]) -> list[Said]:
    """The run never ends in its stream."""
    return [] if name == "thread.run.completed" else [(name, data)]


@tells("STREAM-008")
def completes_twice(name: str, data: Any, run: Run, said: list[str]) -> list[Said]:
    """The end of a run is told twice."""
    return [(name, data)] * (2 if name == "thread.run.completed" else 1)


@tells("THREADRUN-007")
def threads_without_a_word(name: str, data: Any, run: Run, said: list[str]) -> list[Said]:
    """Nothing is said of a thread that is created with its run."""
    return [] if name == "thread.created" else [(name, data)]


@tells("THREADRUN-007")
def threads_after_their_run(name: str, data: Any, run: Run, said: list[str]) -> list[Said]:
    """A thread that is created with its run is told of after it."""
    if name not in {"thread.created", "thread.run.queued"}:
        return [(name, data)]
    if name == "thread.created":
        run.__dict__["thread"] = (name, data)
        return []
    return [(name, data), *filter(None, [run.__dict__.pop("thread", None)])]


@tells("STREAM-009")
def never_in_progress(name: str, data: Any, run: Run, said: list[str]) -> list[Said]:
    """Nothing is said of the run being in progress."""
    return [] if name == "thread.run.in_progress" else [(name, data)]


@tells("STREAM-010")
def steps_begin_without_a_word(name: str, data: Any, run: Run, said: list[str]) -> list[Said]:
    """Nothing is said of the creation of steps."""
    return [] if name == "thread.run.step.created" else [(name, data)]


@tells("STREAM-010")
def steps_never_end(name: str, data: Any, run: Run, said: list[str]) -> list[Said]:
    """The step that writes never ends."""
    ends = name == "thread.run.step.completed" and data["type"] == "message_creation"
    return [] if ends else [(name, data)]


@tells("STREAM-010")
def steps_end_twice(name: str, data: Any, run: Run, said: list[str]) -> list[Said]:
    """The step that writes ends twice."""
    ends = name == "thread.run.step.completed" and data["type"] == "message_creation"
    return [(name, data)] * (2 if ends else 1)


@tells("STREAM-011")
def messages_begin_with_their_text(name: str, data: Any, run: Run, said: list[str]) -> list[Said]:
    """Nothing is said of the beginning of messages."""
    return [] if name in {"thread.message.created", "thread.message.in_progress"} else [(name, data)]


@tells("STREAM-011")
def messages_never_end(name: str, data: Any, run: Run, said: list[str]) -> list[Said]:
    """Messages never end."""
    return [] if name == "thread.message.completed" else [(name, data)]


@tells("STREAM-011")
def messages_end_before_their_text(name: str, data: Any, run: Run, said: list[str]) -> list[Said]:
    """The end of a message is told, and then its first words once more."""
    first = {"id": run.message_id, "object": _DELTA, "delta": {"content": []}}
    return [(name, data), *([(_DELTA, first)] if name == "thread.message.completed" else [])]


@tells("STREAM-012")
def loses_a_delta(name: str, data: Any, run: Run, said: list[str]) -> list[Said]:
    """The third delta of a message is lost."""
    return [] if name == _DELTA and said.count(_DELTA) == 2 else [(name, data)]


@tells("STREAM-012")
def repeats_a_delta(name: str, data: Any, run: Run, said: list[str]) -> list[Said]:
    """The second delta of a message is sent twice."""
    return [(name, data)] * (2 if name == _DELTA and said.count(_DELTA) == 1 else 1)


@tells("STREAM-012")
def trims_deltas(name: str, data: Any, run: Run, said: list[str]) -> list[Said]:
    """Deltas lose the spaces around them."""
    if name != _DELTA:
        return [(name, data)]
    part = data["delta"]["content"][0]
    part = {**part, "text": {**part["text"], "value": part["text"]["value"].strip()}}
    return [(name, {**data, "delta": {"content": [part]}})]


@tells("STREAM-012")
def stores_another_text(name: str, data: Any, run: Run, said: list[str]) -> list[Said]:
    """The message that is told is not the one that is stored."""
    if name not in {_DELTA, "thread.message.completed"}:
        return [(name, data)]
    content = data["delta"]["content"] if name == _DELTA else data["content"]
    content = [{**part, "text": {**part["text"], "value": part["text"]["value"].upper()}} for part in content]
    return [(name, {**data, "delta": {"content": content}} if name == _DELTA else {**data, "content": content})]


@tells("STREAM-015")
def loses_the_first_arguments(name: str, data: Any, run: Run, said: list[str]) -> list[Said]:
    """The first piece of the arguments of a call is lost."""
    return [] if name == _STEP_DELTA and said.count(_STEP_DELTA) == 1 else [(name, data)]


@tells("STREAM-015")
def repeats_arguments(name: str, data: Any, run: Run, said: list[str]) -> list[Said]:
    """A piece of the arguments of a call is sent twice."""
    return [(name, data)] * (2 if name == _STEP_DELTA and said.count(_STEP_DELTA) == 1 else 1)


@tells("STREAM-022")
def usage_before_the_end(name: str, data: Any, run: Run, said: list[str]) -> list[Said]:
    """A run in progress tells of its usage, in its stream."""
    used = {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2}
    return [(name, {**data, "usage": used} if name == "thread.run.in_progress" else data)]


@tells("STREAM-023")
def events_with_times_of_their_own(name: str, data: Any, run: Run, said: list[str]) -> list[Said]:
    """Each event of a run was created when it was sent."""
    later = len([each for each in said if _shows_run(each)])
    return [(name, {**data, "created_at": data["created_at"] + later} if name == "thread.run.in_progress" else data)]


@tells("STREAM-023")
def steps_of_another_run(name: str, data: Any, run: Run, said: list[str]) -> list[Said]:
    """The steps in a stream name another run."""
    return [(name, {**data, "run_id": "run_another"} if name == "thread.run.step.created" else data)]


@tells("STREAM-023")
def messages_of_another_thread(name: str, data: Any, run: Run, said: list[str]) -> list[Said]:
    """The messages in a stream name another thread."""
    return [(name, {**data, "thread_id": "thread_another"} if name.startswith("thread.message.c") else data)]
