"""A run: its plan, and what it looks like at a moment. State is derived from the plan and the clock."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

from conformance.reference.arguments import arguments_for
from conformance.reference.steps import steps_of, usage, writing_of

if TYPE_CHECKING:
    from collections.abc import Mapping

#: Seconds after its creation at which a run that is not done expires.
LIFETIME = 600
#: A prompt of more characters than this asks for a long answer.
LONG_PROMPT = 400
FINAL = frozenset({"completed", "incomplete", "failed", "cancelled", "expired"})
_MOMENT_FIELDS = {
    "completed": "completed_at",
    "incomplete": "completed_at",  # the real service sets it for these three
    "expired": "completed_at",
    "failed": "failed_at",
    "cancelled": "cancelled_at",
}


class Event(NamedTuple):
    """From this moment on, in Unix seconds, the run has this status."""

    at: float
    status: str


@dataclass(frozen=True)
class Pace:
    """How long things take, in seconds."""

    start: float = 0.3  # in the queue
    think: float = 0.5  # until a short answer is there
    ask: float = 0.4  # until a function is called
    long: float = 30.0  # until a long answer is there
    limit: float = 0.6  # until a long answer hits its limit
    cancel: float = 0.4  # from cancelling to cancelled
    quick: float = 0.05  # instead of `start` and of `think`, for the model that hurries


@dataclass
class Run:
    """One run. `plan` holds what has happened and what will, unless somebody intervenes."""

    id: str
    thread_id: str
    assistant_id: str
    created: float
    settings: Mapping[str, Any]
    prompt: str
    message_id: str
    call_id: str
    #: One for each stretch in which the model may work: it calls a function, and it writes.
    step_ids: tuple[str, str]
    pace: Pace
    metadata: dict[str, str]
    #: The outputs of its calls, by the id of the call, once they were submitted.
    outputs: dict[str, str] = field(default_factory=dict)
    plan: list[Event] = field(default_factory=list)

    def __post_init__(self) -> None:
        """Make the first plan, by the stimuli that a real model reacts to and by those of the special models."""
        self.plan = [Event(self.created, "queued")]
        pace, model = self.pace, self.settings["model"]
        started = self.created + (pace.quick if model == "reference-quick" else pace.start)
        working = Event(started, "in_progress")
        if model == "reference-stalling":
            self._plan(working)
        elif model == "reference-failing":
            self._plan(working, Event(started + pace.think, "failed"))
        elif self.forced_function():
            self._plan(working, Event(started + pace.ask, "requires_action"))
        elif self.writes_long() and self.settings["max_completion_tokens"] is not None:
            self._plan(working, Event(started + pace.limit, "incomplete"))
        else:
            self._plan(working, Event(started + self.takes, "completed"))

    def status(self, now: float) -> str:
        """The status at a moment."""
        # A machine's clock may be set back, even to before the run's beginning.
        return next((event.status for event in reversed(self.plan) if event.at <= now), "queued")

    def is_final(self, now: float) -> bool:
        """Whether it has come to rest."""
        return self.status(now) in FINAL

    def cancel(self, now: float) -> None:
        """Give up what was planned, and come to rest a little later."""
        self._replan(now, Event(now, "cancelling"), Event(now + self.pace.cancel, "cancelled"))

    def resume(self, now: float, outputs: dict[str, str]) -> None:
        """Take up the work again with the outputs of the functions."""
        self.outputs = outputs
        self._replan(now, Event(now, "queued"))
        started = now + self.pace.start
        self._plan(Event(started, "in_progress"), Event(started + self.takes, "completed"))

    def awaited(self) -> list[str]:
        """The ids of the calls whose outputs it waits for when it requires action."""
        return [call["id"] for call in self.calls()]

    def ended(self, now: float) -> float | None:
        """When it came to rest, if it has."""
        return next((event.at for event in self.plan if event.at <= now and event.status in FINAL), None)

    def view(self, now: float) -> dict[str, Any]:
        """The run as it is sent, with its members in the real service's order."""
        status = self.status(now)
        done = status in FINAL
        past = [event for event in self.plan if event.at <= now]
        moments = {_MOMENT_FIELDS[event.status]: int(event.at) for event in past if event.status in _MOMENT_FIELDS}
        started = [int(event.at) for event in past if event.status == "in_progress"]
        created = int(self.created)
        return {
            "id": self.id,
            "object": "thread.run",
            "created_at": created,
            "assistant_id": self.assistant_id,
            "thread_id": self.thread_id,
            "status": status,
            "started_at": started[-1] if started else None,
            "expires_at": None if done else self.expires_at,
            "cancelled_at": moments.get("cancelled_at"),
            "failed_at": moments.get("failed_at"),
            "completed_at": moments.get("completed_at"),
            "required_action": self._action() if status == "requires_action" else None,
            "last_error": self.error if status == "failed" else None,
            "model": self.settings["model"],
            "instructions": self.settings["instructions"],
            "tools": self.settings["tools"],
            "tool_resources": {},
            "metadata": dict(self.metadata),
            "temperature": self.settings["temperature"],
            "top_p": self.settings["top_p"],
            "reasoning_effort": self.settings["reasoning_effort"],
            "max_completion_tokens": self.settings["max_completion_tokens"],
            "max_prompt_tokens": self.settings["max_prompt_tokens"],
            "truncation_strategy": self.settings["truncation_strategy"],
            "incomplete_details": {"reason": "max_completion_tokens"} if status == "incomplete" else None,
            "usage": usage(steps_of(self, now)) if done else None,
            "response_format": self.settings["response_format"],
            "tool_choice": self.settings["tool_choice"],
            "parallel_tool_calls": self.settings["parallel_tool_calls"],
        }

    @property
    def expires_at(self) -> int:
        """When it is given up unless it has come to rest."""
        return int(self.created) + LIFETIME

    @property
    def error(self) -> dict[str, str]:
        """What it says of its failure."""
        return {"code": "server_error", "message": "The model failed."}

    @property
    def takes(self) -> float:
        """Seconds from the beginning of the work to the end of the answer, if nothing intervenes."""
        if self.settings["model"] == "reference-quick" and not self.forced_function():
            return self.pace.quick
        return self.pace.long if self.writes_long() else self.pace.think

    @property
    def lead(self) -> float:
        """Seconds from the beginning of the work to the first sign of it."""
        return min(self.takes, self.pace.think, self.pace.ask, self.pace.limit) / 5

    def text_at(self, now: float) -> str:
        """What it has written by a moment; the text only grows."""
        writing = writing_of(self, now)
        return writing.text if writing else ""

    def writes_long(self) -> bool:
        """Whether a long answer is asked for."""
        asked = (self.prompt, self.settings["instructions"] or "")
        return len(self.prompt) > LONG_PROMPT or any("count from" in each.lower() for each in asked)

    def falters(self) -> bool:
        """Whether its model comes no further than half of its answer."""
        return self.settings["model"] in {"reference-failing", "reference-stalling"}

    def calls(self) -> list[dict[str, Any]]:
        """The calls that its model makes, as required_action shows them."""
        if (function := self.forced_function()) is None:
            return []
        called = [function]
        if self.settings["tool_choice"] == "required" and self.settings["parallel_tool_calls"]:
            called = [tool["function"] for tool in self.settings["tools"] if tool["type"] == "function"]
        return [
            {
                "id": f"{self.call_id}{number or ''}",
                "type": "function",
                "function": {"name": each["name"], "arguments": arguments_for(each["parameters"])},
            }
            for number, each in enumerate(called)
        ]

    def forced_function(self) -> Mapping[str, Any] | None:
        """The function that the run must call, if its tool choice says so."""
        tools, choice = self.settings["tools"], self.settings["tool_choice"]
        functions: dict[str, Mapping[str, Any]] = {
            tool["function"]["name"]: tool["function"] for tool in tools if tool["type"] == "function"
        }
        if isinstance(choice, dict) and choice["type"] == "function":
            return functions[choice["function"]["name"]]
        return next(iter(functions.values()), None) if choice == "required" else None

    def _replan(self, now: float, *events: Event) -> None:
        self.plan = [event for event in self.plan if event.at <= now]
        self._plan(*events)

    def _plan(self, *events: Event) -> None:
        """Add to the plan; whatever does not come to rest in time expires."""
        expiry = round(self.created + LIFETIME, 3)
        self.plan = [event for event in self.plan if event.status != "expired"]
        # Rounded as clocks are, so that an event is not missed by a fraction of a microsecond.
        self.plan += [Event(round(event.at, 3), event.status) for event in events if event.at < expiry]
        if self.plan[-1].status not in FINAL:
            self.plan.append(Event(expiry, "expired"))

    def _action(self) -> dict[str, Any] | None:
        calls = self.calls()
        return {"type": "submit_tool_outputs", "submit_tool_outputs": {"tool_calls": calls}} if calls else None
