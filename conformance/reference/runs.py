"""A run: its plan, and what it looks like at a moment. State is derived from the plan and the clock."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

from conformance.reference.errors import invalid

if TYPE_CHECKING:
    from collections.abc import Mapping

#: Seconds after its creation at which a run that is not done expires.
LIFETIME = 600
FINAL = frozenset({"completed", "incomplete", "failed", "cancelled", "expired"})
_MOMENT_FIELDS = {
    "completed": "completed_at",
    "incomplete": "completed_at",  # the real service sets it for both
    "failed": "failed_at",
    "cancelled": "cancelled_at",
}


_DEFAULTS: Mapping[str, Any] = {
    "instructions": None,
    "temperature": 1.0,
    "top_p": 1.0,
    "reasoning_effort": None,
    "max_completion_tokens": None,
    "max_prompt_tokens": None,
    "truncation_strategy": {"type": "auto", "last_messages": None},
    "response_format": "auto",
    "tool_choice": "auto",
    "parallel_tool_calls": True,
}
#: What a run takes from its assistant unless its own request says otherwise.
_INHERITED = ("model", "instructions", "tools", "temperature", "top_p", "reasoning_effort", "response_format")


class Event(NamedTuple):
    """From this moment on, in Unix seconds, the run has this status."""

    at: float
    status: str


@dataclass(frozen=True)
class Pace:
    """How long things take, in seconds."""

    start: float = 0.3
    think: float = 0.5
    long: float = 30.0
    limit: float = 0.6
    cancel: float = 0.4
    quick: float = 0.05


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
    pace: Pace
    metadata: dict[str, str]
    plan: list[Event] = field(default_factory=list)

    def __post_init__(self) -> None:
        """Make the first plan from what the run was asked to do."""
        self.plan = [Event(self.created, "queued")]
        self._proceed(self.created)

    def status(self, now: float) -> str:
        """The status at a moment."""
        return next(event.status for event in reversed(self.plan) if event.at <= now)

    def is_final(self, now: float) -> bool:
        """Whether it has come to rest."""
        return self.status(now) in FINAL

    def cancel(self, now: float) -> None:
        """Give up what was planned, and come to rest a little later."""
        self._replan(now, Event(now, "cancelling"), Event(now + self.pace.cancel, "cancelled"))

    def resume(self, now: float) -> None:
        """Take up the work again with the outputs of the functions."""
        self._replan(now, Event(now, "queued"))
        started = now + self.pace.start
        self._plan(Event(started, "in_progress"), Event(started + self.pace.think, "completed"))

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
            "expires_at": None if done else created + LIFETIME,
            "cancelled_at": moments.get("cancelled_at"),
            "failed_at": moments.get("failed_at"),
            "completed_at": moments.get("completed_at"),
            "required_action": self._action() if status == "requires_action" else None,
            "last_error": {"code": "server_error", "message": "The model failed."} if status == "failed" else None,
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
            "usage": self._usage(status, bool(started)) if done else None,
            "response_format": self.settings["response_format"],
            "tool_choice": self.settings["tool_choice"],
            "parallel_tool_calls": self.settings["parallel_tool_calls"],
        }

    def forced_function(self) -> Mapping[str, Any] | None:
        """The function that the run must call, if its tool choice says so."""
        functions = {t["function"]["name"]: t["function"] for t in self.settings["tools"] if t["type"] == "function"}
        choice = self.settings["tool_choice"]
        if isinstance(choice, dict) and choice["type"] == "function":
            return functions[choice["function"]["name"]]
        return next(iter(functions.values()), None) if choice == "required" else None

    def _proceed(self, now: float) -> None:
        """Plan the work from a moment on, by the stimuli that a real provider reacts to."""
        pace, model = self.pace, self.settings["model"]
        quick = model == "reference-quick"
        started = now + (pace.quick if quick else pace.start)
        self._plan(Event(started, "in_progress"))
        if model == "reference-stalling":
            return
        if model == "reference-failing":
            self._plan(Event(started + pace.think, "failed"))
        elif self.forced_function():
            self._plan(Event(started + pace.think, "requires_action"))
        elif not self._is_long():
            self._plan(Event(started + (pace.quick if quick else pace.think), "completed"))
        elif self.settings["max_completion_tokens"] is not None:
            self._plan(Event(started + pace.limit, "incomplete"))
        else:
            self._plan(Event(started + pace.long, "completed"))

    def _replan(self, now: float, *events: Event) -> None:
        self.plan = [event for event in self.plan if event.at <= now]
        self._plan(*events)

    def _plan(self, *events: Event) -> None:
        """Add to the plan; whatever does not come to rest in time expires."""
        expiry = self.created + LIFETIME
        self.plan = [event for event in self.plan if event.status != "expired"]
        self.plan += [event for event in events if event.at < expiry]
        if self.plan[-1].status not in FINAL:
            self.plan.append(Event(expiry, "expired"))

    def _is_long(self) -> bool:
        prompt = f"{self.prompt} {self.settings['instructions'] or ''}".lower()
        return "count from" in prompt or len(prompt) > 400

    def _action(self) -> dict[str, Any]:
        function = self.forced_function() or {"name": "unknown"}
        wanted = function.get("parameters") or {}
        arguments = {name: _example(schema) for name, schema in wanted.get("properties", {}).items()}
        call = {
            "id": self.call_id,
            "type": "function",
            "function": {"name": function["name"], "arguments": json.dumps(arguments, separators=(",", ":"))},
        }
        return {"type": "submit_tool_outputs", "submit_tool_outputs": {"tool_calls": [call]}}

    def _usage(self, status: str, worked: bool) -> dict[str, Any]:
        prompt = len(self.prompt) // 4 + 10 if worked else 0
        completion = {"completed": 12, "incomplete": self.settings["max_completion_tokens"] or 0}.get(status, 0)
        return {
            "prompt_tokens": prompt,
            "completion_tokens": completion,
            "total_tokens": prompt + completion,
            "prompt_token_details": {"cached_tokens": 0},
            "completion_tokens_details": {"reasoning_tokens": 0},
        }


def settings_of(body: Mapping[str, Any], assistant: Mapping[str, Any]) -> dict[str, Any]:
    """
    What a run is created with: the request's values, else the assistant's, else the defaults.

    Raises:
        Refusal: the tool choice names a function that the run does not have.
    """
    given = {name: value for name, value in body.items() if value is not None}
    inherited = {name: assistant[name] for name in _INHERITED if assistant[name] is not None}
    settings = {**_DEFAULTS, **inherited, **{name: given[name] for name in {*_DEFAULTS, *_INHERITED} if name in given}}
    if more := given.get("additional_instructions"):
        settings["instructions"] = "\n\n".join(part for part in (settings["instructions"], more) if part)
    settings["tools"] = [_enriched(tool) for tool in settings["tools"]]
    strategy = settings["truncation_strategy"]
    settings["truncation_strategy"] = {"type": strategy["type"], "last_messages": strategy.get("last_messages")}
    choice = settings["tool_choice"]
    if isinstance(choice, dict):
        offered = [tool["function"]["name"] if tool["type"] == "function" else tool["type"] for tool in settings["tools"]]
        wanted = choice["function"]["name"] if choice["type"] == "function" else choice["type"]
        if wanted not in offered:
            raise invalid("tool_choice", f"the run has no tool '{wanted}'.")
    return settings


def _enriched(tool: Mapping[str, Any]) -> dict[str, Any]:
    """A tool with the members that the real service adds."""
    match tool["type"]:
        case "function":
            empty = {"type": "object", "properties": {}}
            return {"type": "function", "function": {"parameters": empty, "strict": False, **tool["function"]}}
        case "file_search":
            ranking = {"ranker": "default_2024_08_21", "score_threshold": 0.0}
            return {"type": "file_search", "file_search": {"ranking_options": ranking, **tool.get("file_search", {})}}
        case _:
            return dict(tool)


def _example(schema: Mapping[str, Any]) -> Any:
    examples = {"integer": 1, "number": 1.5, "boolean": True, "array": [], "object": {}, "null": None}
    if "enum" in schema:
        return schema["enum"][0]
    kind = schema.get("type")
    return examples.get(kind, "1") if isinstance(kind, str) else "1"
