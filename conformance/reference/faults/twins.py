"""Runs that are streamed, and are not treated like others."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from conformance.reference.errors import Refusal, not_found
from conformance.reference.faults.mishearing import said_in, with_body
from conformance.reference.faults.registry import enter, fault, tells
from conformance.reference.operations import Operations
from conformance.reference.runs import FINAL, Event
from conformance.reference.streams import DONE

if TYPE_CHECKING:
    from collections.abc import Callable

    from conformance.reference.calls import Answer, Call
    from conformance.reference.faults.mishearing import Said as Body
    from conformance.reference.faults.registry import Said
    from conformance.reference.runs import Run

#: Pairs of metadata that a run may have.
_MOST_PAIRS = 16
#: Seconds for which a run that is streamed is not found.
_A_WHILE = 0.6


def _asks_for_a_stream(call: Call) -> bool:
    return (said_in(call) or {}).get("stream") is True


class Streamed(Operations):
    """A server that knows which runs are told of."""

    def create_run(self, call: Call) -> dict[str, Any]:
        told = super().create_run(call)
        if call.stories:
            self._mine = {*getattr(self, "_mine", ()), told["id"]}
        return told

    def is_one(self, id: str) -> bool:
        """Whether a run was streamed from its creation on."""
        return id in getattr(self, "_mine", ())


def _mishears_streams(name: str, does: str, *breaks: str, change: Callable[[Body], Any]) -> None:
    """Enter a fault that hears something else than what was said, where a stream is asked for."""

    def create_run(self: Operations, call: Call) -> dict[str, Any]:
        if _asks_for_a_stream(call) and (body := said_in(call)):
            change(body)
            call = with_body(call, body)
        told: dict[str, Any] = super(behaviour, self).create_run(call)
        return told

    behaviour: Any = type(name, (Operations,), {"create_run": create_run, "__module__": __name__})
    enter(name, does, breaks, behaviour)


def _forgetting(member: str) -> Callable[[Body], Any]:
    """What forgets a member, unless it is one that makes the request wrong."""

    def change(said: Body) -> None:
        if said.get(member) != "hot" and not (member == "metadata" and len(said.get(member) or ()) > _MOST_PAIRS):
            said.pop(member, None)

    return change


for _member, _what in {
    "temperature": "the temperature",
    "top_p": "top_p",
    "metadata": "the metadata",
    "instructions": "the instructions",
    "model": "the model",
    "response_format": "the format of the response",
    "truncation_strategy": "the truncation",
    "parallel_tool_calls": "that one function is to be called at a time",
    "max_prompt_tokens": "the limit of the prompt",
    "max_completion_tokens": "the limit of the completion",
    "additional_instructions": "more instructions",
    "additional_messages": "more messages",
}.items():
    _mishears_streams(
        f"streams-without-{_member.replace('_', '-')}",
        f"Where a stream is asked for, {_what} is not heeded.",
        "STREAM-025",
        change=_forgetting(_member),
    )
_mishears_streams(
    "streams-may-call-anything",
    "Where a stream is asked for, a tool choice of none is taken for auto.",
    "STREAM-025",
    change=lambda said: said.pop("tool_choice") if said.get("tool_choice") == "none" else None,
)
_mishears_streams(
    "streams-take-any-member",
    "Where a stream is asked for, members that nobody knows are taken.",
    "STREAM-020",
    change=lambda said: said.pop("conformance_unknown", None),
)
_mishears_streams(
    "streams-take-any-metadata",
    "Where a stream is asked for, metadata that is too much is cut.",
    "STREAM-020",
    change=lambda said: said.update(metadata=dict(list((said.get("metadata") or {}).items())[:_MOST_PAIRS])),
)


@fault("THREADRUN-006")
class ToldTogetherWithoutWords(Operations):
    """The instructions of a run that is told of with its thread are lost."""

    def create_thread_and_run(self, call: Call) -> dict[str, Any]:
        if _asks_for_a_stream(call) and (body := said_in(call)):
            call = with_body(call, {name: value for name, value in body.items() if name != "instructions"})
        return super().create_thread_and_run(call)


@fault("GET-001")
class CannotReadStreamed(Streamed):
    """A run that is streamed is not found."""

    def retrieve_run(self, call: Call) -> dict[str, Any]:
        if self.is_one(call.ids["run_id"]):
            raise not_found("run", call.ids["run_id"])
        return super().retrieve_run(call)


@fault("GET-003")
class CannotReadStreamedAtOnce(Streamed):
    """A run that is streamed is found a moment later."""

    def retrieve_run(self, call: Call) -> dict[str, Any]:
        if self.is_one(call.ids["run_id"]) and call.now - self._run(call).created < _A_WHILE:
            raise not_found("run", call.ids["run_id"])
        return super().retrieve_run(call)


@fault("PAGE-028")
class CannotListStreamed(Streamed):
    """Runs that are streamed are not listed."""

    def list_runs(self, call: Call) -> dict[str, Any]:
        thread = self._thread(call)
        kept = thread.runs
        thread.runs = {id: run for id, run in kept.items() if not self.is_one(id)}
        try:
            return super().list_runs(call)
        finally:
            thread.runs = kept


@fault("LIFE-017")
class ReadsAsQueuedWhileStreamed(Streamed):
    """A run that is streamed reads as queued until it has ended."""

    def retrieve_run(self, call: Call) -> dict[str, Any]:
        told = super().retrieve_run(call)
        if self.is_one(told["id"]) and told["status"] == "in_progress":
            told |= {"status": "queued", "started_at": None}
        return told


@fault("CANCEL-001")
class CannotCancelStreamed(Streamed):
    """A run that is streamed cannot be cancelled."""

    def cancel_run(self, call: Call) -> dict[str, Any]:
        if self.is_one(call.ids["run_id"]):
            raise Refusal("The run is being streamed.")
        return super().cancel_run(call)


@fault("CANCEL-006")
class StreamedIsCancellingForEver(Streamed):
    """A run that is streamed never comes to rest when it is cancelled."""

    def cancel_run(self, call: Call) -> dict[str, Any]:
        told = super().cancel_run(call)
        if self.is_one(told["id"]):
            run = self._run(call)
            run.plan = [event for event in run.plan if event.status not in FINAL]
        return told


@fault("LIFE-012", "LIFE-013")
class StreamedLocksNothing(Streamed):
    """A run that is streamed does not lock its thread."""

    def create_message(self, call: Call) -> dict[str, Any]:
        return self._unlocked(call, super().create_message)

    def create_run(self, call: Call) -> dict[str, Any]:
        return self._unlocked(call, super().create_run)

    def _unlocked(self, call: Call, do: Callable[[Call], dict[str, Any]]) -> dict[str, Any]:
        thread = self._thread(call)
        hidden = {id: run for id, run in thread.runs.items() if self.is_one(id)}
        for id in hidden:
            del thread.runs[id]
        try:
            return do(call)
        finally:
            thread.runs = {**hidden, **thread.runs}


@fault("LIFE-014")
class StreamedLocksForEver(Streamed):
    """A thread takes no message once a run was streamed there."""

    def create_message(self, call: Call) -> dict[str, Any]:
        if any(self.is_one(id) for id in self._thread(call).runs):
            raise Refusal("The thread has an active run.")
        return super().create_message(call)


@fault("STREAM-017")
class StopsForGoodWhenNobodyListens(Operations):
    """The run stays in progress for ever when its client goes away."""

    def left(self, run: Run, now: float) -> None:
        if not run.is_final(now):
            run.plan = [event for event in run.plan if event.at <= now]


@fault("STREAM-017")
class StopsSoonAfterNobodyListens(Operations):
    """The run is cancelled soon after its client went away."""

    def left(self, run: Run, now: float) -> None:
        if not run.is_final(now):
            run.plan = [*(event for event in run.plan if event.at <= now), Event(now + 0.05, "cancelled")]


@tells("STREAM-016")
def asks_for_nothing(name: str, data: Any, run: Run, said: list[str]) -> list[Said]:
    """The event of a run that requires action does not show which."""
    return [(name, {**data, "required_action": None} if name == "thread.run.requires_action" else data)]


@tells("STREAM-016")
def cancelled_at_no_time(name: str, data: Any, run: Run, said: list[str]) -> list[Said]:
    """The event of a cancelled run does not show when it was cancelled."""
    return [(name, {**data, "cancelled_at": None} if name == "thread.run.cancelled" else data)]


@tells("STREAM-011")
def messages_are_never_in_progress(name: str, data: Any, run: Run, said: list[str]) -> list[Said]:
    """Nothing is said of a message being in progress."""
    return [] if name == "thread.message.in_progress" else [(name, data)]


@tells("STREAM-010")
def steps_are_never_in_progress(name: str, data: Any, run: Run, said: list[str]) -> list[Said]:
    """Nothing is said of a step being in progress."""
    return [] if name == "thread.run.step.in_progress" else [(name, data)]


@tells("TOOL-016")
def tells_of_more_time(name: str, data: Any, run: Run, said: list[str]) -> list[Said]:
    """The stream of submitted outputs says that the run expires later."""
    later = name.startswith("thread.run.") and "thread.run.requires_action" in said and data.get("expires_at")
    return [(name, {**data, "expires_at": data["expires_at"] + 600} if later else data)]


@fault("TOOL-004", "TOOL-005", "TOOL-010")
class TakesAnyOutputsForAStream(Operations):
    """Where a stream is asked for, outputs are not compared with the calls."""

    def submit_tool_outputs(self, call: Call) -> dict[str, Any]:
        body, run = said_in(call) or {}, self._run(call)
        given = body.get("tool_outputs")
        if _asks_for_a_stream(call) and isinstance(given, list) and run.status(call.now) == "requires_action":
            right = [{"tool_call_id": id, "output": "42"} for id in run.awaited()]
            if all(isinstance(each.get("output"), str) for each in given) and body.keys() <= {"tool_outputs", "stream"}:
                known = [each for each in given if each["tool_call_id"] in run.awaited()]
                whole = len(known) == len(given) == len(right)
                call = with_body(call, {**body, "tool_outputs": known if whole else right})
        return super().submit_tool_outputs(call)


@fault("TOOL-007", "TOOL-013", "CANCEL-022")
class TellsNothingOfRunsAtRest(Operations):
    """Outputs for a run that has ended are answered with a stream of nothing."""

    def sent(self, answer: Answer, call: Call) -> Answer:
        answer = super().sent(answer, call)
        if call.operation != "submit_tool_outputs" or answer.status != 400 or not _asks_for_a_stream(call):
            return answer
        if not self._run(call).is_final(call.now):
            return answer
        headers = {**answer.headers, "content-type": "text/event-stream"}
        return replace(answer, status=200, headers=headers, body=b"", frames=(each for each in [self.framed(*DONE)]))


@fault("TOOL-012")
class LosesOutputsThatAreStreamed(Operations):
    """Outputs that are followed by a stream are not kept."""

    def submit_tool_outputs(self, call: Call) -> dict[str, Any]:
        told = super().submit_tool_outputs(call)
        if _asks_for_a_stream(call):
            run = self._run(call)
            run.outputs = dict.fromkeys(run.outputs or {}, "")
        return told


@fault("TOOL-017")
class NobodyIsToldOfAsAMistake(Operations):
    """Outputs for a run that does not exist are a mistake where a stream is asked for, and not one of the address."""

    def submit_tool_outputs(self, call: Call) -> dict[str, Any]:
        if _asks_for_a_stream(call) and call.ids["run_id"] not in self._thread(call).runs:
            raise Refusal("There is no such run.")
        return super().submit_tool_outputs(call)
