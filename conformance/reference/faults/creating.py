"""Creating: for whom, on what, in which form; and what is refused that should not be, or the other way round."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from conformance.reference.errors import Refusal
from conformance.reference.faults.mishearing import Mishears, crash, mishears, said_in, with_body
from conformance.reference.faults.registry import fault
from conformance.reference.operations import Operations

if TYPE_CHECKING:
    from conformance.reference.calls import Answer, Call
    from conformance.reference.faults.mishearing import Said

_OK = 200


def _crash() -> None:
    raise crash()


class ForAnybody(Mishears):
    """A server that helps out with an assistant."""

    def helps_out(self, body: Said) -> bool:
        """Whether a request gets an assistant that it does not name."""
        raise NotImplementedError

    def mishear(self, body: Said) -> None:
        if self._store.assistants and self.helps_out(body):
            body["assistant_id"] = next(iter(self._store.assistants))


@fault("CREATE-002")
class RunsForNobody(ForAnybody):
    """A create that names no assistant gets the first one there is."""

    def helps_out(self, body: Said) -> bool:
        return "assistant_id" not in body


@fault("CREATE-002", "SCHEMA-008")
class NullIsTheFirstAssistant(ForAnybody):
    """A create whose assistant is null or empty gets the first one there is."""

    def helps_out(self, body: Said) -> bool:
        return body.get("assistant_id", ...) in (None, "")


@fault("CREATE-003", "SCHEMA-008")
class AnyAssistantWillDo(ForAnybody):
    """A create whose assistant does not exist gets the first one there is."""

    def helps_out(self, body: Said) -> bool:
        return isinstance(id := body.get("assistant_id"), str) and id != "" and id not in self._store.assistants


@fault("CREATE-003")
class NumbersAreAssistants(ForAnybody):
    """A create whose assistant is a number gets the first one there is."""

    def helps_out(self, body: Said) -> bool:
        return isinstance(body.get("assistant_id"), int)


@fault("CREATE-002")
class RefusesAndCreates(Operations):
    """A create that names no assistant is refused, and leaves a run behind."""

    def create_run(self, call: Call) -> dict[str, Any]:
        body = said_in(call)
        if body is not None and "assistant_id" not in body and self._store.assistants:
            super().create_run(with_body(call, {**body, "assistant_id": next(iter(self._store.assistants))}))
        return super().create_run(call)


@fault("CREATE-003", "CREATE-001")
class WrongAssistantLeavesRun(Operations):
    """A create whose assistant does not exist is refused, and leaves a run behind."""

    def create_run(self, call: Call) -> dict[str, Any]:
        body = said_in(call) or {}
        id = body.get("assistant_id")
        if isinstance(id, str) and id and id not in self._store.assistants and self._store.assistants:
            super().create_run(with_body(call, {**body, "assistant_id": next(iter(self._store.assistants))}))
        return super().create_run(call)


mishears(
    "no-assistant-crashes",
    "A create without an assistant is a crash.",
    "CREATE-002",
    change=lambda said: None if "assistant_id" in said else _crash(),
)
mishears(
    "odd-assistant-crashes",
    "A create whose assistant is no text is a crash.",
    "CREATE-003",
    change=lambda said: _crash() if isinstance(said.get("assistant_id"), int | list | dict) else None,
)


@fault("CREATE-003", "CREATE-011", "CREATE-013", "CREATE-014", "CREATE-018", "CREATE-026")
class WrongTypesCrash(Operations):
    """A create with a value of the wrong type is a crash."""

    def create_run(self, call: Call) -> dict[str, Any]:
        try:
            return super().create_run(call)
        except Refusal as refusal:
            wrong = refusal.code == "invalid_type" and refusal.param and (said_in(call) or {}).get("assistant_id")
            raise crash() if wrong else refusal from None


@fault("CREATE-004")
class IgnoresTheUnknown(Operations):
    """A member that a create does not have is ignored."""

    def create_run(self, call: Call) -> dict[str, Any]:
        body = said_in(call) or {}
        while True:
            try:
                return super().create_run(with_body(call, body) if body else call)
            except Refusal as refusal:
                if refusal.code != "unknown_parameter" or refusal.param not in body:
                    raise
                del body[refusal.param]


@fault("CREATE-001", "CREATE-005", "ERR-010", seen="the specifications of Portkey and of Azure's inference")
class WantsTheThread(Operations):
    """A create without thread_id in its body is refused."""

    def create_run(self, call: Call) -> dict[str, Any]:
        body = said_in(call) or {}
        self._thread(call)
        if body and body.pop("thread_id", None) is None:
            raise Refusal("Missing required parameter: 'thread_id'.", param="thread_id")
        return super().create_run(with_body(call, body) if body else call)


@fault("CREATE-027")
class TalksToItself(Operations):
    """A run is created on an empty thread without instructions."""

    def create_run(self, call: Call) -> dict[str, Any]:
        try:
            return super().create_run(call)
        except Refusal as refusal:
            if refusal.code != "invalid_thread":
                raise
            return super().create_run(with_body(call, {**(said_in(call) or {}), "instructions": "Say something."}))


class Streams(Operations):
    """A server that streams what should be one object."""

    def streams(self, body: Said) -> bool:
        """Whether the reply is streamed."""
        raise NotImplementedError

    def sent(self, answer: Answer, call: Call) -> Answer:
        answer = super().sent(answer, call)
        if call.operation != "create_run" or answer.status != _OK or not self.streams(said_in(call) or {}):
            return answer
        told = b" ".join(answer.body.split())
        body = b"event: thread.run.created\ndata: " + told + b"\n\nevent: done\ndata: [DONE]\n\n"
        return replace(answer, headers={**answer.headers, "content-type": "text/event-stream"}, body=body)


@fault("CREATE-028", "HDR-003")
class StreamsWhatIsFalse(Streams):
    """A create that says that it is not to be streamed is streamed."""

    def streams(self, body: Said) -> bool:
        return body.get("stream", ...) is False


@fault("CREATE-028", "HDR-003")
class StreamsWhatIsNull(Streams):
    """A create whose stream is null is streamed."""

    def streams(self, body: Said) -> bool:
        return body.get("stream", ...) is None


@fault("CREATE-029", "PAGE-025")
class CountsByThread(Operations):
    """The runs of each thread are counted from one, which is their id."""

    def create_run(self, call: Call) -> dict[str, Any]:
        told = super().create_run(call)
        runs = self._thread(call).runs
        run = runs.pop(told["id"])
        run.id = f"run_{len(runs) + 1:024}"
        runs[run.id] = run
        return self.shown(run, call)


@fault("CREATE-029", "PAGE-010", "PAGE-011", "INV-038")
class AgesBackwards(Operations):
    """A later run of a thread says that it was created earlier."""

    def create_run(self, call: Call) -> dict[str, Any]:
        told = super().create_run(call)
        thread = self._thread(call)
        run = thread.runs[told["id"]]
        run.created -= 3 * len(thread.runs)
        return self.shown(run, call)
