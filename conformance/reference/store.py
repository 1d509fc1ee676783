"""What the server keeps: assistants, and threads with their messages and runs."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from threading import Lock
from typing import TYPE_CHECKING, Any

from conformance.reference.steps import writing_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from conformance.reference.runs import Run


@dataclass(frozen=True)
class Message:
    """One message of a thread."""

    id: str
    created: float
    role: str
    text: str
    thread_id: str
    assistant_id: str | None = None
    run_id: str | None = None
    metadata: Mapping[str, str] = field(default_factory=dict)
    status: str = "completed"
    #: When it was completed, or left incomplete for a reason; at once if nothing else is said.
    ended: float | None = None
    reason: str | None = None

    def view(self) -> dict[str, Any]:
        """The message as it is sent, with its members in the order of the real service's events."""
        moment = int(self.created if self.ended is None else self.ended)
        text = [{"type": "text", "text": {"value": self.text, "annotations": []}}]
        return {
            "id": self.id,
            "object": "thread.message",
            "created_at": int(self.created),
            "assistant_id": self.assistant_id,
            "thread_id": self.thread_id,
            "run_id": self.run_id,
            "status": self.status,
            "incomplete_details": {"reason": self.reason} if self.reason else None,
            "incomplete_at": moment if self.status == "incomplete" else None,
            "completed_at": moment if self.status == "completed" else None,
            "role": self.role,
            "content": text if self.text or self.status == "completed" else [],
            "attachments": [],
            "metadata": dict(self.metadata),
        }


@dataclass
class Thread:
    """A thread, and the scope by whose clock it lives."""

    id: str
    scope: str
    created: float
    metadata: dict[str, str]
    written: list[Message] = field(default_factory=list)
    runs: dict[str, Run] = field(default_factory=dict)
    #: What the metadata of messages was changed to, and which messages were deleted, by their ids.
    changed: dict[str, dict[str, str]] = field(default_factory=dict)
    deleted: set[str] = field(default_factory=set)

    def view(self) -> dict[str, Any]:
        """The thread as it is sent."""
        return {
            "id": self.id,
            "object": "thread",
            "created_at": int(self.created),
            "metadata": self.metadata,
            "tool_resources": {},
        }

    def messages(self, now: float) -> list[Message]:
        """Its messages at a moment, oldest first: those that were written, and the answers of its runs."""
        messages = sorted([*self.written, *self._answers(now)], key=lambda message: message.created)
        if not (self.changed or self.deleted):
            return messages
        kept = [each for each in messages if each.id not in self.deleted]
        return [replace(each, metadata=self.changed.get(each.id, each.metadata)) for each in kept]

    def active(self, now: float) -> Run | None:
        """The run that locks it, if one does."""
        return next((run for run in self.runs.values() if not run.is_final(now)), None)

    def _answers(self, now: float) -> Iterator[Message]:
        return (answer for run in self.runs.values() if (answer := answer_of(run, now)))


def answer_of(run: Run, now: float) -> Message | None:
    """The message that a run writes, from the moment when it begins to."""
    if (writing := writing_of(run, now)) is None:
        return None
    status = ("incomplete" if writing.reason else "completed") if writing.end else "in_progress"
    return Message(
        run.message_id,
        writing.begun,
        "assistant",
        writing.text,
        run.thread_id,
        run.assistant_id,
        run.id,
        status=status,
        ended=writing.end.at if writing.end else None,
        reason=writing.reason,
    )


def assistant_of(id: str, now: float, body: Mapping[str, Any]) -> dict[str, Any]:
    """A new assistant as it is kept and sent, from the body of the request that creates it."""
    return {
        "id": id,
        "object": "assistant",
        "created_at": int(now),
        "name": body.get("name"),
        "description": body.get("description"),
        "model": body["model"],
        "instructions": body.get("instructions"),
        "tools": body.get("tools", []),
        "top_p": body.get("top_p"),
        "temperature": body.get("temperature"),
        "reasoning_effort": body.get("reasoning_effort"),
        "tool_resources": {},
        "metadata": body.get("metadata") or {},
        "response_format": body.get("response_format") or "auto",
    }


@dataclass
class Store:
    """Everything, by id."""

    assistants: dict[str, dict[str, Any]] = field(default_factory=dict)
    threads: dict[str, Thread] = field(default_factory=dict)
    #: Held by the request that is being answered.
    lock: Lock = field(default_factory=Lock, repr=False)
