"""What is forgotten of a run that comes with its thread, although any other run has it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from conformance.reference.errors import not_found
from conformance.reference.faults.mishearing import said_in, with_body
from conformance.reference.faults.registry import enter, fault
from conformance.reference.operations import Operations

if TYPE_CHECKING:
    from conformance.reference.calls import Call
    from conformance.reference.faults.mishearing import Said

_SETTINGS: Final = (
    "tools",
    "tool_choice",
    "parallel_tool_calls",
    "temperature",
    "top_p",
    "max_prompt_tokens",
    "max_completion_tokens",
    "truncation_strategy",
    "response_format",
)


def _forgets(member: str) -> None:
    """Enter a fault that hears a request for a thread and its run without one of its members."""

    def create_thread_and_run(self: Operations, call: Call) -> dict[str, Any]:
        body = said_in(call) or {}
        if member in body:
            rest = {name: value for name, value in body.items() if name not in {member, _needs(member)}}
            call = with_body(call, rest)
        told: dict[str, Any] = super(behaviour, self).create_thread_and_run(call)
        return told

    members = {"create_thread_and_run": create_thread_and_run, "__module__": __name__}
    behaviour: Any = type(member, (Operations,), members)
    does = f"The {member} of a run that comes with its thread is ignored."
    # What is not looked at is not refused either.
    lax = ("THREADRUN-008",) if member not in {"parallel_tool_calls", "max_completion_tokens"} else ()
    enter(f"{member.replace('_', '-')}-forgotten-together", does, ("THREADRUN-006", *lax), behaviour)


def _needs(member: str) -> str:
    """What makes no sense without a member."""
    return "tool_choice" if member == "tools" else ""


for _member in _SETTINGS:
    _forgets(_member)


@fault("THREADRUN-002")
class LosesPartsTogether(Operations):
    """The content of messages that come with a thread and its run is lost where it comes in parts."""

    def create_thread_and_run(self, call: Call) -> dict[str, Any]:
        body = said_in(call) or {}
        thread = body.get("thread")
        if isinstance(thread, dict) and isinstance(thread.get("messages"), list):
            call = with_body(call, {**body, "thread": {**thread, "messages": without_parts(thread["messages"])}})
        return super().create_thread_and_run(call)


class Together(Operations):
    """A server that treats runs otherwise that came with their threads."""

    def create_thread_and_run(self, call: Call) -> dict[str, Any]:
        told = super().create_thread_and_run(call)
        self.__dict__.setdefault("_together", set()).add(told["thread_id"])
        return told

    def came_together(self, call: Call) -> bool:
        """Whether the thread of a request came with its run."""
        return call.ids["thread_id"] in self.__dict__.get("_together", ())


@fault("THREADRUN-006")
class UnlockedTogether(Together):
    """A run that came with its thread does not keep messages off it."""

    def create_message(self, call: Call) -> dict[str, Any]:
        if self.came_together(call) and (body := said_in(call)):
            return self._write(self._thread(call), body, call).view()
        return super().create_message(call)


@fault("THREADRUN-006")
class NoStepsTogether(Together):
    """The steps of a run that came with its thread are not found."""

    def list_run_steps(self, call: Call) -> dict[str, Any]:
        if self.came_together(call):
            raise not_found("run", call.ids["run_id"])
        return super().list_run_steps(call)


def without_parts(messages: list[Said]) -> list[Said]:
    """Messages with no more than a remark in the place of content that comes in parts."""
    return [
        {**each, "content": "(no text)"} if isinstance(each.get("content"), list) and each["content"] else each
        for each in messages
    ]
