"""Runs that come with their threads, and are created by other rules than runs alone."""

from __future__ import annotations

import json
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from conformance.reference.errors import Refusal
from conformance.reference.faults.mishearing import crash, said_in, with_body
from conformance.reference.faults.registry import fault
from conformance.reference.operations import Operations

if TYPE_CHECKING:
    from conformance.reference.calls import Answer, Call


class WithItsThread(Operations):
    """A server that creates a run with its thread otherwise than a run alone."""

    def create_thread_and_run(self, call: Call) -> dict[str, Any]:
        try:
            return super().create_thread_and_run(call)
        except Refusal as refusal:
            return self.refused(call, refusal)

    def refused(self, call: Call, refusal: Refusal) -> dict[str, Any]:
        """Answer what the faithful server refuses."""
        raise NotImplementedError


@fault("THREADRUN-008")
class TakesAnySetting(WithItsThread):
    """A setting that makes no sense is ignored where the thread comes with the run."""

    def refused(self, call: Call, refusal: Refusal) -> dict[str, Any]:
        body, name = said_in(call) or {}, str(refusal.param).partition(".")[0].partition("[")[0]
        if name == "assistant_id" or name not in body:
            raise refusal
        del body[name]
        return self.create_thread_and_run(with_body(call, body))


@fault("THREADRUN-008")
class CrashesForNobody(WithItsThread):
    """A thread and a run for an unknown assistant are a crash."""

    def refused(self, call: Call, refusal: Refusal) -> dict[str, Any]:
        raise crash() if refusal.status == 404 else refusal


@fault("THREADRUN-008")
class ThreadAndRunAboutNothing(WithItsThread):
    """A run on an empty thread that comes with it needs no instructions."""

    def refused(self, call: Call, refusal: Refusal) -> dict[str, Any]:
        if refusal.code != "invalid_thread":
            raise refusal
        return super().create_thread_and_run(with_body(call, {**(said_in(call) or {}), "instructions": "Say it."}))


@fault("THREADRUN-008")
class RefusesOtherwise(WithItsThread):
    """A wrong setting is answered 422 where the thread comes with the run, and 400 otherwise."""

    def refused(self, call: Call, refusal: Refusal) -> dict[str, Any]:
        raise Refusal(refusal.message, status=422) if refusal.status == 400 else refusal


@fault("THREADRUN-008", "SCHEMA-008")
class NoNameIsTheFirst(WithItsThread):
    """A thread and a run for an assistant whose name is empty are created for the first one there is."""

    def refused(self, call: Call, refusal: Refusal) -> dict[str, Any]:
        body = said_in(call) or {}
        with suppress(StopIteration):
            if body.get("assistant_id") == "":
                first = next(iter(self._store.assistants))
                return super().create_thread_and_run(with_body(call, {**body, "assistant_id": first}))
        raise refusal


@fault("CREATE-028", "HDR-003")
class StreamsNullWithItsThread(Operations):
    """A thread and a run are streamed where stream is null."""

    def sent(self, answer: Answer, call: Call) -> Answer:
        answer = super().sent(answer, call)
        null = call.operation == "create_thread_and_run" and (said_in(call) or {}).get("stream", ...) is None
        if not null or answer.status >= 400:
            return answer
        told = json.dumps(json.loads(answer.body)).encode()
        body = b"event: thread.run.created\ndata: " + told + b"\n\nevent: done\ndata: [DONE]\n\n"
        return replace(answer, headers={**answer.headers, "content-type": "text/event-stream"}, body=body)


@fault("CREATE-030")
class NoNullWithItsThread(Operations):
    """What is null is refused where the thread comes with the run."""

    def create_thread_and_run(self, call: Call) -> dict[str, Any]:
        body = said_in(call) or {}
        if name := next((name for name in body if body[name] is None and name != "assistant_id"), None):
            raise Refusal(f"Invalid type for '{name}': null.", param=name)
        return super().create_thread_and_run(call)
