"""Requests that say nothing, are called otherwise or go astray: what becomes of them beside a create."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from conformance.reference.faults.mishearing import crash
from conformance.reference.faults.registry import fault
from conformance.reference.operations import Operations

if TYPE_CHECKING:
    from conformance.reference.calls import Answer, Call


class Garbled(Operations):
    """A server that falls over a body that is no JSON, at one operation."""

    at = ""

    def sent(self, answer: Answer, call: Call) -> Answer:
        answer = super().sent(answer, call)
        garbled = call.operation == self.at and b"no valid JSON" in answer.body
        return replace(answer, status=500) if garbled else answer


@fault("ERR-007")
class GarbledChangesCrash(Garbled):
    """A change of a run that is no JSON is a crash."""

    at = "modify_run"


@fault("ERR-007")
class GarbledThreadAndRunCrash(Garbled):
    """A request for a thread and its run that is no JSON is a crash."""

    at = "create_thread_and_run"


@fault("ERR-007")
class HalfACharacterCrashes(Operations):
    """Half a surrogate pair in the metadata of a new run is a crash."""

    def create_run(self, call: Call) -> dict[str, Any]:
        if b"\\ud800" in call.body:
            raise crash()
        return super().create_run(call)


def _called_json(call: Call) -> Call:
    return replace(call, headers={**call.headers, "content-type": "application/json"}) if call.body else call


@fault("ERR-008")
class ChangesOfAnyType(Operations):
    """A change of a run is read as JSON, whatever it is called."""

    def modify_run(self, call: Call) -> dict[str, Any]:
        return super().modify_run(_called_json(call))


@fault("ERR-008")
class OutputsOfAnyType(Operations):
    """Outputs are read as JSON, whatever they are called."""

    def submit_tool_outputs(self, call: Call) -> dict[str, Any]:
        return super().submit_tool_outputs(_called_json(call))


@fault("ERR-008")
class ThreadAndRunOfAnyType(Operations):
    """A request for a thread and its run is read as JSON, whatever it is called."""

    def create_thread_and_run(self, call: Call) -> dict[str, Any]:
        return super().create_thread_and_run(_called_json(call))


class Obliging(Operations):
    """A server that answers 200 to a method that a path does not have."""

    said = b""

    def sent(self, answer: Answer, call: Call) -> Answer:
        answer = super().sent(answer, call)
        return replace(answer, status=200) if self.said in answer.body and answer.status == 405 else answer


@fault("ERR-009")
class PutsRuns(Obliging):
    """A PUT of a run is answered 200."""

    said = b"to PUT on"


@fault("ERR-009")
class PostsSteps(Obliging):
    """A POST to the steps of a run is answered 200."""

    said = b"/steps"


@fault("CREATE-002")
class NullBodyCrashes(Operations):
    """A create whose body is null is a crash."""

    def create_run(self, call: Call) -> dict[str, Any]:
        if call.body == b"null":
            raise crash()
        return super().create_run(call)


@fault("CREATE-013")
class DepthCrashes(Operations):
    """A create with fifty arrays within each other is a crash."""

    def create_run(self, call: Call) -> dict[str, Any]:
        if call.body.count(b"[") > 50:
            raise crash()
        return super().create_run(call)


@fault("PAGE-009", "STEP-024")
class HugeLimitsCrash(Operations):
    """A limit of more digits than an integer has bits for is a crash."""

    def _page(self, items: Any, call: Call, what: str) -> dict[str, Any]:
        if any(name == "limit" and len(value) > 18 for name, value in call.query):
            raise crash()
        return super()._page(items, call, what)
