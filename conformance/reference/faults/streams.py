"""Streams as a whole: how they are framed, where they begin and end, and what they do to the run."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from conformance.reference.errors import Refusal
from conformance.reference.faults.registry import fault, tells
from conformance.reference.operations import Operations
from conformance.reference.streams import DONE

if TYPE_CHECKING:
    from conformance.reference.calls import Answer, Call
    from conformance.reference.faults.registry import Said
    from conformance.reference.runs import Run


@fault("STREAM-001", "TOOL-014")
class StreamsAreCalledJson(Operations):
    """Streams say that they are JSON."""

    def sent(self, answer: Answer, call: Call) -> Answer:
        answer = super().sent(answer, call)
        if answer.frames is None:
            return answer
        return replace(answer, headers={**answer.headers, "content-type": "application/json"})


@fault("TOOL-014")
class SubmitsAreNotStreamed(Operations):
    """Outputs are answered with the run, although a stream was asked for."""

    def submit_tool_outputs(self, call: Call) -> dict[str, Any]:
        shown = super().submit_tool_outputs(call)
        call.stories.clear()
        return shown


@fault("STREAM-020")
class RefusesInAStream(Operations):
    """What is wrong with a request is told as an event, after a 200."""

    def sent(self, answer: Answer, call: Call) -> Answer:
        answer = super().sent(answer, call)
        if answer.status != 400 or b'"stream": true' not in call.body:
            return answer
        told = (self.framed("error", json.loads(answer.body)["error"]), self.framed(*DONE))
        headers = {**answer.headers, "content-type": "text/event-stream"}
        return replace(answer, status=200, headers=headers, body=b"", frames=(each for each in told))


@fault("STREAM-020", "ERR-001")
class RefusesStreamsInWords(Operations):
    """What is wrong with a request for a stream is answered as text."""

    def sent(self, answer: Answer, call: Call) -> Answer:
        answer = super().sent(answer, call)
        if answer.status < 400 or b'"stream": true' not in call.body:
            return answer
        return replace(answer, headers={**answer.headers, "content-type": "text/plain"})


@fault("STREAM-017")
class StopsWhenNobodyListens(Operations):
    """The run is cancelled when its client goes away."""

    def left(self, run: Run, now: float) -> None:
        if not run.is_final(now):
            run.cancel(now)


@fault("STREAM-021")
class PrettyEvents(Operations):
    """The data of events is indented, and its lines are sent as they are."""

    def framed(self, name: str, data: Any) -> bytes:
        text = data if isinstance(data, str) else json.dumps(data, indent=2)
        return f"event: {name}\ndata: {text}\n\n".encode()


@fault("STREAM-021")
class LinesOfJson(Operations):
    """Events are lines of JSON, apart from the last one."""

    def framed(self, name: str, data: Any) -> bytes:
        return super().framed(name, data) if (name, data) == DONE else json.dumps({name: data}).encode() + b"\n\n"


@fault("STREAM-002")
class EventsWithoutNames(Operations):
    """Only the last event has a name."""

    def framed(self, name: str, data: Any) -> bytes:
        framed = super().framed(name, data)
        return framed if (name, data) == DONE else framed.partition(b"\n")[2]


@fault("STREAM-002")
class DataInPython(Operations):
    """The data of deltas is what Python prints."""

    def framed(self, name: str, data: Any) -> bytes:
        return super().framed(name, repr(data) if name.endswith(".delta") else data)


@fault("STREAM-003")
class NoBlankLineAtTheEnd(Operations):
    """The last event is not closed by a blank line."""

    def framed(self, name: str, data: Any) -> bytes:
        framed = super().framed(name, data)
        return framed.rstrip() if (name, data) == DONE else framed


@tells("STREAM-003")
def never_done(name: str, data: Any, run: Run, said: list[str]) -> list[Said]:
    """The stream just ends."""
    return [] if (name, data) == DONE else [(name, data)]


@tells("STREAM-003")
def done_without_a_word(name: str, data: Any, run: Run, said: list[str]) -> list[Said]:
    """The last event has an empty object as data."""
    return [("done", {})] if (name, data) == DONE else [(name, data)]


@tells("STREAM-003")
def done_without_a_name(name: str, data: Any, run: Run, said: list[str]) -> list[Said]:
    """The last event has the name of no event."""
    return [("message", data)] if (name, data) == DONE else [(name, data)]


@tells("STREAM-004")
def done_twice(name: str, data: Any, run: Run, said: list[str]) -> list[Said]:
    """The end is told twice."""
    return [(name, data)] * 2 if (name, data) == DONE else [(name, data)]


@tells("STREAM-004")
def speaks_after_done(name: str, data: Any, run: Run, said: list[str]) -> list[Said]:
    """After the end the run is shown once more."""
    return [(name, data), ("thread.run.completed", {})] if (name, data) == DONE else [(name, data)]


@tells("STREAM-003", "STREAM-008")
def done_when_asked(name: str, data: Any, run: Run, said: list[str]) -> list[Said]:
    """The stream ends in the middle of the work."""
    return [(name, data)] if "thread.run.in_progress" not in said else []


@tells("STREAM-005")
def heartbeats(name: str, data: Any, run: Run, said: list[str]) -> list[Said]:
    """An event of its own tells that the stream is alive."""
    return [("ping", {}), (name, data)] if name == "thread.run.in_progress" else [(name, data)]


@tells("STREAM-005", "STREAM-014")
def steps_of_threads(name: str, data: Any, run: Run, said: list[str]) -> list[Said]:
    """The events of steps have names of their own."""
    return [(name.replace("thread.run.step.", "thread.step."), data)]


@tells("STREAM-024")
def all_at_once(name: str, data: Any, run: Run, said: list[str]) -> list[Said]:
    """Everything is told when all is over."""
    held: list[Said] = run.__dict__.setdefault("held", [])
    held.append((name, data))
    if (name, data) != DONE:
        return []
    told = list(held)
    held.clear()
    return told


@tells("STREAM-018")
def cancels_in_silence(name: str, data: Any, run: Run, said: list[str]) -> list[Said]:
    """The stream of a cancelled run ends without saying why."""
    return [] if name in {"thread.run.cancelling", "thread.run.cancelled"} else [(name, data)]


@tells("CANCEL-028")
def cancelling_is_the_last_word(name: str, data: Any, run: Run, said: list[str]) -> list[Said]:
    """Who was told that a run is being cancelled is not told that it was."""
    return [] if name == "thread.run.cancelled" else [(name, data)]


@tells("CANCEL-028")
def cancelled_means_completed(name: str, data: Any, run: Run, said: list[str]) -> list[Said]:
    """The stream of a cancelled run ends as if it had been completed."""
    if name != "thread.run.cancelled":
        return [(name, data)]
    return [("thread.run.completed", {**data, "status": "completed"})]


@tells("STREAM-013", "STREAM-008")
def asks_and_goes_on(name: str, data: Any, run: Run, said: list[str]) -> list[Said]:
    """A run that waits for outputs is shown to be in progress again."""
    if name != "thread.run.requires_action":
        return [(name, data)]
    return [(name, data), ("thread.run.in_progress", {**data, "status": "in_progress"})]


@tells("STREAM-013", "STREAM-008")
def does_not_say_that_it_waits(name: str, data: Any, run: Run, said: list[str]) -> list[Said]:
    """The stream of a run that waits for outputs ends without saying so."""
    return [] if name == "thread.run.requires_action" else [(name, data)]


@tells("STREAM-014")
def forgets_the_step_that_waited(name: str, data: Any, run: Run, said: list[str]) -> list[Said]:
    """After the outputs nothing is said of the step that waited for them."""
    waited = name == "thread.run.step.completed" and data["type"] == "tool_calls"
    return [] if waited else [(name, data)]


@tells("STREAM-016")
def tells_other_tokens(name: str, data: Any, run: Run, said: list[str]) -> list[Said]:
    """The last event tells of a token more than was used."""
    if name != "thread.run.completed":
        return [(name, data)]
    more = {each: data["usage"][each] + 1 for each in ("prompt_tokens", "total_tokens")}
    return [(name, {**data, "usage": {**data["usage"], **more}})]


@tells("STREAM-016")
def forgets_the_metadata(name: str, data: Any, run: Run, said: list[str]) -> list[Said]:
    """The last event shows the run without its metadata."""
    return [(name, {**data, "metadata": {}} if name == "thread.run.completed" else data)]


@tells("STREAM-016")
def shows_no_moment_of_the_end(name: str, data: Any, run: Run, said: list[str]) -> list[Said]:
    """The last event does not say when the run was completed."""
    return [(name, {**data, "completed_at": None} if name == "thread.run.completed" else data)]


@fault("ERR-011")
class StreamsCrash(Operations):
    """Who asks for a stream gets a server error."""

    def create_run(self, call: Call) -> dict[str, Any]:
        shown = super().create_run(call)
        if call.stories:
            raise Refusal("The server had an error.", status=500, kind="server_error")
        return shown
