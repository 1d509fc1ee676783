"""How a single step is found, and what a right server may do in a way of its own."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from conformance.reference.errors import Refusal, not_found
from conformance.reference.faults.registry import fault
from conformance.reference.faults.step_shapes import functions
from conformance.reference.operations import Operations
from conformance.reference.steps import steps_of

if TYPE_CHECKING:
    from conformance.reference.calls import Call
    from conformance.reference.runs import Run
    from conformance.reference.steps import Step


@fault("STEP-017")
class StepWithoutUsage(Operations):
    """A step by itself does not say what it used."""

    def retrieve_run_step(self, call: Call) -> dict[str, Any]:
        return {**super().retrieve_run_step(call), "usage": None}


@fault("STEP-017")
class StepIsListedOnly(Operations):
    """A step is on the list, and not found by itself."""

    def retrieve_run_step(self, call: Call) -> dict[str, Any]:
        raise not_found("run step", call.ids["step_id"])


@fault("STEP-017")
class StepWrapped(Operations):
    """A step by itself is wrapped in an object."""

    def retrieve_run_step(self, call: Call) -> dict[str, Any]:
        return {"data": super().retrieve_run_step(call)}


@fault("STEP-017", "STEP-018")
class AnyStepWillDo(Operations):
    """Whatever step is asked for, the first one is returned."""

    def retrieve_run_step(self, call: Call) -> dict[str, Any]:
        steps = self.list_run_steps(replace(call, query=[("order", "asc")]))["data"]
        return dict(steps[0]) if steps else super().retrieve_run_step(call)


class _Unknown(Operations):
    """A step that does not exist is answered otherwise."""

    status = 0

    def retrieve_run_step(self, call: Call) -> dict[str, Any]:
        try:
            return super().retrieve_run_step(call)
        except Refusal:
            raise Refusal("There is no such step.", status=self.status) from None


@fault("STEP-018", "ERR-003", "ERR-004")
class UnknownStepIsWrong(_Unknown):
    """A step that does not exist is a bad request."""

    status = 400


@fault("STEP-018", "ERR-003", "ERR-004")
class UnknownStepCrashes(_Unknown):
    """A step that does not exist crashes the server."""

    status = 500


@fault("STEP-019")
class StepThroughAnyRun(Operations):
    """A step is found through any run of its server."""

    def retrieve_run_step(self, call: Call) -> dict[str, Any]:
        owner = next((run for run in _runs(self) if call.ids["step_id"] in run.step_ids), None)
        ids = {**call.ids, "run_id": owner.id, "thread_id": owner.thread_id} if owner else call.ids
        # The thread that is addressed may live by another clock, on which the step is yet to come.
        return super().retrieve_run_step(replace(call, ids=ids, now=call.now + 3600))


@fault("STEP-019")
class StepsThroughAnyThread(Operations):
    """The steps of a run are listed, and found, through any thread."""

    def list_run_steps(self, call: Call) -> dict[str, Any]:
        return super().list_run_steps(self._home(call))

    def retrieve_run_step(self, call: Call) -> dict[str, Any]:
        return super().retrieve_run_step(self._home(call))

    def _home(self, call: Call) -> Call:
        owner = next((run for run in _runs(self) if run.id == call.ids["run_id"]), None)
        return replace(call, ids={**call.ids, "thread_id": owner.thread_id}) if owner else call


@fault("STEP-017", "STEP-023")
class StepsShareTheirId(Operations):
    """All steps of a run have one id."""

    def shown_step(self, step: Step, call: Call) -> dict[str, Any]:
        return {**super().shown_step(step, call), "id": step.run.step_ids[0]}


@fault()
class StepsNumbered(Operations):
    """The steps of each run are numbered from one."""

    def shown_step(self, step: Step, call: Call) -> dict[str, Any]:
        return {**super().shown_step(step, call), "id": str(step.run.step_ids.index(step.id) + 1)}

    def retrieve_run_step(self, call: Call) -> dict[str, Any]:
        ids, number = self._run(call).step_ids, call.ids["step_id"]
        id = ids[int(number) - 1] if number in {"1", "2"} else number
        return super().retrieve_run_step(replace(call, ids={**call.ids, "step_id": id}))


@fault()
class StepsAreToldLate(Operations):
    """What becomes of a step is told a second later."""

    def list_run_steps(self, call: Call) -> dict[str, Any]:
        return super().list_run_steps(replace(call, now=call.now - 1))

    def retrieve_run_step(self, call: Call) -> dict[str, Any]:
        return super().retrieve_run_step(replace(call, now=call.now - 1))


@fault()
class StepsOfTheSchema(Operations):
    """A step has what the schema requires, and more, and its arguments are spaced otherwise."""

    def shown_step(self, step: Step, call: Call) -> dict[str, Any]:
        told = {**super().shown_step(step, call), "metadata": {}, "expired_at": None, "model": "gpt-4o"}
        del told["expires_at"]
        spaced = functions(lambda function: function.update(arguments=function["arguments"].replace(":", ": ")))
        spaced(told, step, call)
        return told


@fault()
class NoStepsAtAll(Operations):
    """Steps can be neither listed nor read, since there is no such operation."""

    def list_run_steps(self, call: Call) -> dict[str, Any]:
        raise Refusal("There are no steps here.", status=405, headers={"allow": ""})

    def retrieve_run_step(self, call: Call) -> dict[str, Any]:
        return self.list_run_steps(call)


@fault()
class MessagesWithoutStatus(Operations):
    """A message does not say what became of it, as the real service did not in its lists."""

    def list_messages(self, call: Call) -> dict[str, Any]:
        told = super().list_messages(call)
        later = {"status", "incomplete_details", "incomplete_at", "completed_at"}
        return {**told, "data": [{name: each[name] for name in each if name not in later} for each in told["data"]]}


def _runs(operations: Operations) -> list[Run]:
    return [run for thread in operations._store.threads.values() for run in thread.runs.values()]  # noqa: SLF001


@fault("STEP-019")
class StepsInOneHeap(Operations):
    """A step is found through every run of its thread."""

    def retrieve_run_step(self, call: Call) -> dict[str, Any]:
        for run in self._thread(call).runs.values():
            for step in steps_of(run, call.now):
                if step.id == call.ids["step_id"]:
                    return self.shown_step(step, call)
        return super().retrieve_run_step(call)
