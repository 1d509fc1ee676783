"""Outputs of functions: which are taken, which are refused, and what becomes of the run."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from conformance.reference.errors import Refusal
from conformance.reference.faults.registry import fault
from conformance.reference.operations import Operations
from conformance.reference.runs import FINAL, Run

if TYPE_CHECKING:
    from conformance.reference.calls import Call

_NOT_FOUND = 404
_WAITING = "requires_action"


def _oops() -> Refusal:
    return Refusal("Oops.", status=500, kind="server_error")


def _read(call: Call) -> Any:
    """Whatever the body is; None if it is no JSON."""
    try:
        return json.loads(call.body)
    except ValueError:
        return None


class Submits(Operations):
    """A server that does something of its own with outputs."""

    #: The outputs of the last submit that are texts, by the id of their call.
    given: dict[str, str]

    def submit_tool_outputs(self, call: Call) -> dict[str, Any]:
        run, body = self._run(call), _read(call)
        listed = body.get("tool_outputs") if isinstance(body, dict) else None
        given = [each for each in listed if isinstance(each, dict)] if isinstance(listed, list) else []
        outputs = {each.get("tool_call_id"): each.get("output") for each in given}
        self.given = {str(id): output for id, output in outputs.items() if isinstance(output, str)}
        return self.submit(call, run, body, outputs)

    def submit(self, call: Call, run: Run, body: Any, given: dict[Any, Any]) -> dict[str, Any]:
        """Answer a submit; `given` are the outputs by call."""
        raise NotImplementedError

    def ordinarily(self, call: Call) -> dict[str, Any]:
        """As the faithful server does."""
        return super().submit_tool_outputs(call)

    def go_on(self, run: Run, call: Call) -> dict[str, Any]:
        """Resume the run, whatever was submitted."""
        if b'"stream": true' in call.body:
            call.stories.append(self._story(run, call))
        run.resume(call.now, self.given)
        return self.shown(run, call)


@fault("TOOL-001")
class TakesNoOutputs(Submits):
    """Outputs are refused, all of them and always."""

    def submit(self, call: Call, run: Run, body: Any, given: dict[Any, Any]) -> dict[str, Any]:
        raise Refusal(f'Runs in status "{run.status(call.now)}" do not accept tool outputs.')


@fault("TOOL-001")
class OutputsOfAnotherRun(Submits):
    """Outputs are answered with a run of another id."""

    def submit(self, call: Call, run: Run, body: Any, given: dict[Any, Any]) -> dict[str, Any]:
        return {**self.ordinarily(call), "id": "run_another"}


@fault("TOOL-001", "SCHEMA-001")
class OutputsSayNothing(Submits):
    """The reply to outputs only says that they were taken."""

    def submit(self, call: Call, run: Run, body: Any, given: dict[Any, Any]) -> dict[str, Any]:
        self.ordinarily(call)
        return {"submitted": True}


@fault("TOOL-001")
class OneMistakeIsEnough(Submits):
    """A run of which something wrong was asked takes no outputs any more."""

    def submit(self, call: Call, run: Run, body: Any, given: dict[Any, Any]) -> dict[str, Any]:
        mistaken: set[str] = self.__dict__.setdefault("_mistaken", set())
        if run.id in mistaken:
            raise Refusal("The outputs of this run were wrong.")
        try:
            return self.ordinarily(call)
        except Refusal:
            mistaken.add(run.id)
            raise


@fault("TOOL-002", "TOOL-003", "TOOL-013")
class KeepsAsking(Submits):
    """Outputs are taken, and the run waits on for them."""

    def submit(self, call: Call, run: Run, body: Any, given: dict[Any, Any]) -> dict[str, Any]:
        before = list(run.plan)
        self.ordinarily(call)
        run.plan = before
        return self.shown(run, call)


@fault("TOOL-002")
class AnswersBeforeTheOutputs(Submits):
    """The reply to outputs shows the run as it was before them."""

    def submit(self, call: Call, run: Run, body: Any, given: dict[Any, Any]) -> dict[str, Any]:
        before = self.shown(run, call)
        self.ordinarily(call)
        return before


@fault("TOOL-003")
class QueuesForEver(Submits):
    """A run with its outputs stays in the queue."""

    def submit(self, call: Call, run: Run, body: Any, given: dict[Any, Any]) -> dict[str, Any]:
        told = self.ordinarily(call)
        run.plan = [event for event in run.plan if event.at <= call.now]
        return told


@fault("TOOL-003")
class WorksOnForEver(Submits):
    """A run with its outputs stays at work."""

    def submit(self, call: Call, run: Run, body: Any, given: dict[Any, Any]) -> dict[str, Any]:
        told = self.ordinarily(call)
        run.plan = [event for event in run.plan if event.status not in FINAL]
        return told


@fault("TOOL-004")
class TakesSomeOutputs(Submits):
    """The outputs of some of the calls are enough."""

    def submit(self, call: Call, run: Run, body: Any, given: dict[Any, Any]) -> dict[str, Any]:
        some = bool(given) and given.keys() < set(run.awaited())
        return self.go_on(run, call) if some and run.status(call.now) == _WAITING else self.ordinarily(call)


@fault("TOOL-004")
class KeepsSomeOutputs(Submits):
    """The outputs of some of the calls are taken, and the others waited for."""

    def submit(self, call: Call, run: Run, body: Any, given: dict[Any, Any]) -> dict[str, Any]:
        some = bool(given) and given.keys() < set(run.awaited())
        return self.shown(run, call) if some and run.status(call.now) == _WAITING else self.ordinarily(call)


@fault("TOOL-004")
class ForgetsTheAnsweredCall(Submits):
    """The outputs of some of the calls are refused, and these calls not waited for any more."""

    def submit(self, call: Call, run: Run, body: Any, given: dict[Any, Any]) -> dict[str, Any]:
        if given and given.keys() < set(run.awaited()):
            self.__dict__.setdefault("_given", set()).update(given)
        return self.ordinarily(call)

    def shown(self, run: Run, call: Call) -> dict[str, Any]:
        told = super().shown(run, call)
        if told["required_action"]:
            outputs = told["required_action"]["submit_tool_outputs"]
            outputs["tool_calls"] = [
                each for each in outputs["tool_calls"] if each["id"] not in self.__dict__.get("_given", ())
            ]
        return told


@fault("TOOL-005", "TOOL-012")
class TakesUnknownCalls(Submits):
    """Outputs are taken whatever calls they name, if they are as many."""

    def submit(self, call: Call, run: Run, body: Any, given: dict[Any, Any]) -> dict[str, Any]:
        if run.status(call.now) != _WAITING or len(given) != len(run.awaited()):
            return self.ordinarily(call)
        named = [
            {"tool_call_id": id, "output": output} for id, output in zip(run.awaited(), given.values(), strict=True)
        ]
        return self.ordinarily(replace(call, body=json.dumps({**body, "tool_outputs": named}).encode()))


@fault("TOOL-005")
class TakesCallsOfOthers(Submits):
    """Outputs are taken for the call of any run."""

    def submit(self, call: Call, run: Run, body: Any, given: dict[Any, Any]) -> dict[str, Any]:
        threads = self._store.threads.values()
        calls = {each.call_id for thread in threads for each in thread.runs.values() if each.forced_function()}
        others = bool(given) and given.keys() <= calls - set(run.awaited())
        return self.go_on(run, call) if others and run.status(call.now) == _WAITING else self.ordinarily(call)


@fault("TOOL-005")
class DropsUnknownCalls(Submits):
    """Outputs for calls that the run did not make are ignored where the others are complete."""

    def submit(self, call: Call, run: Run, body: Any, given: dict[Any, Any]) -> dict[str, Any]:
        more = given.keys() > set(run.awaited())
        return self.go_on(run, call) if more and run.status(call.now) == _WAITING else self.ordinarily(call)


@fault("TOOL-005", "ERR-011")
class UnknownCallCrashes(Submits):
    """The output of an unknown call is a crash."""

    def submit(self, call: Call, run: Run, body: Any, given: dict[Any, Any]) -> dict[str, Any]:
        if run.status(call.now) == _WAITING and not given.keys() <= set(run.awaited()):
            raise _oops()
        return self.ordinarily(call)


@fault("TOOL-006", "ERR-011")
class TwoOutputsCrash(Submits):
    """Two outputs for one call are a crash."""

    def submit(self, call: Call, run: Run, body: Any, given: dict[Any, Any]) -> dict[str, Any]:
        if given and len(body["tool_outputs"]) > len(given):
            raise _oops()
        return self.ordinarily(call)


@fault()
class LastOutputWins(Submits):
    """Of two outputs for one call the last one counts, which is as right."""

    def submit(self, call: Call, run: Run, body: Any, given: dict[Any, Any]) -> dict[str, Any]:
        if given and len(body["tool_outputs"]) > len(given):
            body["tool_outputs"] = [{"tool_call_id": id, "output": output} for id, output in given.items()]
            return self.ordinarily(replace(call, body=json.dumps(body).encode()))
        return self.ordinarily(call)


@fault("TOOL-007")
class IgnoresOutputsAfterTheEnd(Submits):
    """Outputs for a run that ended without asking for any are answered 200, and dropped."""

    def submit(self, call: Call, run: Run, body: Any, given: dict[Any, Any]) -> dict[str, Any]:
        ended = run.status(call.now) in FINAL - {"cancelled"} and not run.forced_function()
        return self.shown(run, call) if ended else self.ordinarily(call)


@fault("TOOL-007", "LIFE-004", "INV-008", "INV-014")
class OutputsRevive(Submits):
    """A run that ended without asking for outputs takes some, and is queued again."""

    def submit(self, call: Call, run: Run, body: Any, given: dict[Any, Any]) -> dict[str, Any]:
        ended = run.status(call.now) in FINAL - {"cancelled"} and not run.forced_function()
        return self.go_on(run, call) if ended else self.ordinarily(call)


@fault("LIFE-004", "INV-014")
class RefusedOutputsRevive(Submits):
    """Outputs for a completed run are refused, and it is queued again."""

    def submit(self, call: Call, run: Run, body: Any, given: dict[Any, Any]) -> dict[str, Any]:
        if run.status(call.now) == "completed" and not run.forced_function():
            self.go_on(run, call)
            raise Refusal("Runs that are completed do not accept tool outputs.")
        return self.ordinarily(call)


@fault("TOOL-007", "ERR-011")
class OutputsCrashTheFinished(Submits):
    """Outputs for a failed or incomplete run are a crash."""

    def submit(self, call: Call, run: Run, body: Any, given: dict[Any, Any]) -> dict[str, Any]:
        if run.status(call.now) in {"failed", "incomplete"}:
            raise _oops()
        return self.ordinarily(call)


@fault("TOOL-007")
class WorkTakesOutputs(Submits):
    """A run at work that asked for nothing takes outputs."""

    def submit(self, call: Call, run: Run, body: Any, given: dict[Any, Any]) -> dict[str, Any]:
        works = run.status(call.now) == "in_progress" and not run.forced_function()
        return self.shown(run, call) if works else self.ordinarily(call)
