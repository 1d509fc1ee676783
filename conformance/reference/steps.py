"""What a run has done so far: its steps, and the text that it writes. Derived from its plan and the clock."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

    from conformance.reference.runs import Event, Run

_ANSWER: Final = ["Hello,", "this", "is", "the", "whole", "answer", "of", "the", "reference", "server."]
#: The answer to who asks for a long one.
_LONG_ANSWER: Final = [f"{number}," for number in range(1, 300)] + ["300."]
#: Tokens of a call, and of an answer that nothing cut.
_CALL_TOKENS: Final = 4
_ANSWER_TOKENS: Final = 12
#: Seconds between two words, at least.
_SHORTEST_PAUSE: Final = 0.001
#: What a step comes to when its run ends; one whose text is cut has done what it could.
_OUTCOMES: Final = {
    "completed": "completed",
    "incomplete": "completed",
    "failed": "failed",
    "cancelled": "cancelled",
    "expired": "expired",
}
_REASONS: Final = {
    "incomplete": "max_tokens",
    "failed": "run_failed",
    "cancelled": "run_cancelled",
    "expired": "run_expired",
}


@dataclass(frozen=True)
class Step:
    """One step of a run, as it is at a moment."""

    run: Run
    id: str
    type: str
    begun: float
    #: What ended it, if something has: the end of its run, or the run's return to the queue with the outputs.
    end: Event | None
    #: Whether its calls wait for their outputs, or did.
    asked: bool

    @property
    def status(self) -> str:
        """One of the five statuses of steps."""
        return _OUTCOMES.get(self.end.status, "completed") if self.end else "in_progress"

    @property
    def tokens(self) -> tuple[int, int]:
        """Of the prompt and of the completion; those of what was broken off are not counted."""
        completion = _CALL_TOKENS if self.type == "tool_calls" else _ANSWER_TOKENS
        if self.end and self.end.status == "incomplete":
            completion = self.run.settings["max_completion_tokens"] or 0
        return len(self.run.prompt) // 4 + 10, completion if self.status == "completed" else 0

    @property
    def details(self) -> Any:
        """What it did."""
        if self.type == "message_creation":
            return {"message_id": self.run.message_id}
        return [_with_output(call, self.run.outputs) for call in self.run.calls()] if self.asked else []

    def view(self) -> dict[str, Any]:
        """The step as it is sent, with its members in the real service's order."""
        moments = {self.status: int(self.end.at)} if self.end else {}
        return {
            "id": self.id,
            "object": "thread.run.step",
            "created_at": int(self.begun),
            "run_id": self.run.id,
            "assistant_id": self.run.assistant_id,
            "thread_id": self.run.thread_id,
            "type": self.type,
            "status": self.status,
            "cancelled_at": moments.get("cancelled"),
            "completed_at": moments.get("completed"),
            "expires_at": None if self.end else self.run.expires_at,
            "failed_at": moments.get("failed"),
            "last_error": self.run.error if self.status == "failed" else None,
            "step_details": {"type": self.type, self.type: self.details},
            "usage": usage([self]) if self.end else None,
        }


def steps_of(run: Run, now: float) -> list[Step]:
    """The steps that a run has begun by a moment, oldest first: one for each stretch in which the model worked."""
    return list(_steps(run, now))


def _steps(run: Run, now: float) -> Iterator[Step]:
    types = ["tool_calls", "message_creation"] if run.forced_function() else ["message_creation"]
    starts = [index for index, event in enumerate(run.plan) if event.status == "in_progress"]
    for id, type, start in zip(run.step_ids, types, starts, strict=False):
        begun, rest = round(run.plan[start].at + run.lead, 3), run.plan[start + 1 :]
        if begun <= now and not (rest and rest[0].at < begun):  # else it was cancelled before its first word
            past = [event for event in rest if event.at <= now]
            ends = _OUTCOMES.keys() | ({"queued"} if type == "tool_calls" else set())
            end = next((event for event in past if event.status in ends), None)
            yield Step(run, id, type, begun, end, any(event.status == "requires_action" for event in past))


def _with_output(call: dict[str, Any], outputs: dict[str, str]) -> dict[str, Any]:
    return {**call, "function": {**call["function"], "output": outputs.get(call["id"])}}


def usage(steps: list[Step]) -> dict[str, Any]:
    """The tokens of some steps, as they are sent."""
    prompt, completion = (sum(step.tokens[part] for step in steps) for part in (0, 1))
    return {
        "prompt_tokens": prompt,
        "completion_tokens": completion,
        "total_tokens": prompt + completion,
        "prompt_token_details": {"cached_tokens": 0},
        "completion_tokens_details": {"reasoning_tokens": 0},
    }


@dataclass(frozen=True)
class Writing:
    """What a run has written by a moment."""

    text: str
    begun: float
    end: Event | None

    @property
    def reason(self) -> str | None:
        """Why the text is not whole, if that is settled."""
        return _REASONS.get(self.end.status) if self.end else None


def writing_of(run: Run, now: float) -> Writing | None:
    """What a run has written by a moment, word by word, if it has begun to write."""
    step = next((step for step in _steps(run, now) if step.type == "message_creation"), None)
    if step is None:
        return None
    words = _LONG_ANSWER if run.writes_long() else _ANSWER
    if step.end and step.end.status == "completed":
        return Writing(" ".join(words), step.begun, step.end)
    # Who is cancelled stops at once, although it takes a while until the run has come to rest.
    stops = [event.at for event in run.plan if step.begun < event.at <= now]
    pause = max((run.takes - run.lead) / len(words), _SHORTEST_PAUSE)
    written = int((min([now, *stops]) - step.begun) / pause + 1e-6)  # what a float lacks is no word less
    most = len(words) // 2 if run.falters() else len(words)
    return Writing(" ".join(words[: min(written, most)]), step.begun, step.end)
