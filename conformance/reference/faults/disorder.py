"""Events out of their order, and events that show something else than they announce."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from conformance.reference.faults.registry import tells

if TYPE_CHECKING:
    from conformance.reference.faults.registry import Said
    from conformance.reference.runs import Run


@tells("STREAM-011")
def messages_end_after_their_step(name: str, data: Any, run: Run, said: list[str]) -> list[Said]:
    """The end of a message is told after the end of its step."""
    if name == "thread.message.completed":
        run.__dict__["held"] = [(name, data)]
        return []
    return [(name, data), *(run.__dict__.pop("held", []) if name == "thread.run.step.completed" else [])]


@tells("STREAM-011")
def messages_begin_before_their_step(name: str, data: Any, run: Run, said: list[str]) -> list[Said]:
    """The beginning of a message is told before that of its step."""
    begins = name in {"thread.run.step.created", "thread.run.step.in_progress"}
    if begins and data["type"] == "message_creation":
        run.__dict__.setdefault("held", []).append((name, data))
        return []
    return [(name, data), *(run.__dict__.pop("held", []) if name == "thread.message.in_progress" else [])]


@tells("STREAM-011")
def messages_end_in_progress(name: str, data: Any, run: Run, said: list[str]) -> list[Said]:
    """The event of the end of a message shows it in progress."""
    open_ = {"status": "in_progress", "completed_at": None} if name == "thread.message.completed" else {}
    return [(name, {**data, **open_} if open_ else data)]


@tells("STREAM-010")
def steps_end_in_progress(name: str, data: Any, run: Run, said: list[str]) -> list[Said]:
    """The event of the end of a step shows it in progress."""
    open_ = {"status": "in_progress", "completed_at": None, "usage": None}
    return [(name, {**data, **open_} if name == "thread.run.step.completed" else data)]


@tells("STREAM-023", "STREAM-025", "THREADRUN-006")
def unlabelled_at_first(name: str, data: Any, run: Run, said: list[str]) -> list[Said]:
    """The first events of a run show it without its metadata."""
    return [(name, {**data, "metadata": {}} if name in {"thread.run.created", "thread.run.queued"} else data)]


@tells("STREAM-023")
def wordless_at_work(name: str, data: Any, run: Run, said: list[str]) -> list[Said]:
    """The event that a run is in progress shows it without its instructions."""
    return [(name, {**data, "instructions": None} if name == "thread.run.in_progress" else data)]


@tells("STREAM-023")
def steps_of_untold_messages(name: str, data: Any, run: Run, said: list[str]) -> list[Said]:
    """The step that writes names another message than the one that is told."""
    if not name.startswith("thread.run.step.") or data.get("type") != "message_creation":
        return [(name, data)]
    details = {"type": "message_creation", "message_creation": {"message_id": "msg_another"}}
    return [(name, {**data, "step_details": details})]
