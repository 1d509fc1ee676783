"""Cancelling: what is granted, what is refused, and what comes of it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from conformance.reference.errors import Refusal
from conformance.reference.faults.registry import fault
from conformance.reference.operations import CANCELLABLE, Operations
from conformance.reference.runs import FINAL, Event

if TYPE_CHECKING:
    from conformance.reference.calls import Call
    from conformance.reference.runs import Run

_WAITING = frozenset({"queued", "requires_action"})


@fault("CANCEL-001", "CANCEL-020", "CANCEL-032")
class CancelsNothing(Operations):
    """No run can be cancelled."""

    def cancel_run(self, call: Call) -> dict[str, Any]:
        raise Refusal(f"Cannot cancel run with status '{self._run(call).status(call.now)}'.")


@fault("CANCEL-001")
class CancelsOnlyTheFirstStretch(Operations):
    """A run that went on with its outputs cannot be cancelled any more."""

    def cancel_run(self, call: Call) -> dict[str, Any]:
        run = self._run(call)
        went_on = [event.status for event in run.plan if event.at <= call.now].count("in_progress") > 1
        if went_on and not run.is_final(call.now):
            raise Refusal("Cannot cancel run with status 'in_progress'.")
        return super().cancel_run(call)


@fault("CANCEL-019", "LIFE-003")
class CancelsBeforeReading(Operations):
    """A cancel with a garbled body is refused, and carried out."""

    def cancel_run(self, call: Call) -> dict[str, Any]:
        if self._run(call).status(call.now) == "in_progress":
            super().cancel_run(replace(call, body=b""))
            call.json(lambda *_: None, optional=True)
            return self.shown(self._run(call), call)
        return super().cancel_run(call)


@fault("CANCEL-003", "CANCEL-010")
class PretendsToCancel(Operations):
    """The cancel is answered 200, and the run works on."""

    def cancel_run(self, call: Call) -> dict[str, Any]:
        run = self._run(call)
        return self.shown(run, call) if run.status(call.now) == "in_progress" else super().cancel_run(call)


@fault("CANCEL-003")
class AnswersBeforeCancelling(Operations):
    """The reply to the cancel still shows the run in progress."""

    def cancel_run(self, call: Call) -> dict[str, Any]:
        before = self.shown(self._run(call), call)
        super().cancel_run(call)
        return before


@fault("CANCEL-002")
class AnswersWithAnotherRun(Operations):
    """The reply to the cancel has another id."""

    def cancel_run(self, call: Call) -> dict[str, Any]:
        return {**super().cancel_run(call), "id": "run_another"}


@fault("CANCEL-001", "SCHEMA-001")
class CancelSaysNothing(Operations):
    """The reply to the cancel only says that it was done."""

    def cancel_run(self, call: Call) -> dict[str, Any]:
        super().cancel_run(call)
        return {"cancelled": True}


@fault("CANCEL-006")
class NeverRests(Operations):
    """A cancelled run stays cancelling."""

    def cancel_run(self, call: Call) -> dict[str, Any]:
        told = super().cancel_run(call)
        run = self._run(call)
        run.plan = [event for event in run.plan if event.status != "cancelled"]
        return told


@fault("LIFE-004", seen="fakeai 0.3.2")
class ComesBack(Operations):
    """A cancelled run is completed a second later, since the work went on."""

    def cancel_run(self, call: Call) -> dict[str, Any]:
        told = super().cancel_run(call)
        run = self._run(call)
        run.plan = [*run.plan[:-1], *run.plan[-1:], Event(call.now + 1.5, "completed")]
        return told


@fault("CANCEL-031", seen="fakeai 0.3.2")
class CancelsTheFinishedSilently(Operations):
    """The cancel of a finished run is answered 200, with the run unchanged."""

    def cancel_run(self, call: Call) -> dict[str, Any]:
        run = self._run(call)
        done = run.status(call.now) in FINAL - {"cancelled"}
        return self.shown(run, call) if done else super().cancel_run(call)


@fault("CANCEL-011", "CANCEL-031", "LIFE-004", "CANCEL-008")
class CancelsTheFinished(Operations):
    """A finished run is cancelled."""

    def cancel_run(self, call: Call) -> dict[str, Any]:
        run = self._run(call)
        if run.status(call.now) not in FINAL - {"cancelled"}:
            return super().cancel_run(call)
        run.plan.append(Event(call.now, "cancelled"))
        return self.shown(run, call)


@fault("CANCEL-011", "LIFE-004", "CANCEL-008")
class RefusesAndCancels(Operations):
    """The cancel of a finished run is refused, and carried out."""

    def cancel_run(self, call: Call) -> dict[str, Any]:
        run = self._run(call)
        if run.status(call.now) in FINAL - {"cancelled"}:
            run.plan.append(Event(call.now, "cancelled"))
        return super().cancel_run(call)


@fault("CANCEL-012")
class CompletedIsAConflict(Operations):
    """The cancel of a completed run is answered 409."""

    def cancel_run(self, call: Call) -> dict[str, Any]:
        if self._run(call).status(call.now) == "completed":
            raise Refusal("Too late.", status=409)
        return super().cancel_run(call)


@fault("CANCEL-016")
class FailedIsAConflict(Operations):
    """The cancel of a failed run is answered 409."""

    def cancel_run(self, call: Call) -> dict[str, Any]:
        if self._run(call).status(call.now) == "failed":
            raise Refusal("Too late.", status=409)
        return super().cancel_run(call)


@fault("CANCEL-031")
class FinishedCrashes(Operations):
    """The cancel of a finished run is answered 500."""

    def cancel_run(self, call: Call) -> dict[str, Any]:
        if self._run(call).status(call.now) in FINAL - {"cancelled"}:
            raise Refusal("Oops.", status=500, kind="server_error")
        return super().cancel_run(call)


@fault("CANCEL-013")
class CancelsAgain(Operations):
    """The cancel of a cancelled run is answered 200."""

    def cancel_run(self, call: Call) -> dict[str, Any]:
        run = self._run(call)
        return self.shown(run, call) if run.status(call.now) == "cancelled" else super().cancel_run(call)


@fault("CANCEL-014", "CANCEL-013", "INV-030")
class CancelsAnew(Operations):
    """The cancel of a cancelled run moves cancelled_at."""

    def cancel_run(self, call: Call) -> dict[str, Any]:
        run = self._run(call)
        if run.status(call.now) != "cancelled":
            return super().cancel_run(call)
        run.plan[-1] = Event(call.now, "cancelled")
        return self.shown(run, call)


@fault("CANCEL-015")
class CancelsWhileCancelling(Operations):
    """The cancel of a run that is being cancelled is answered 200."""

    def cancel_run(self, call: Call) -> dict[str, Any]:
        run = self._run(call)
        return self.shown(run, call) if run.status(call.now) == "cancelling" else super().cancel_run(call)


@fault("CANCEL-017", "CANCEL-018")
class CancelsTheWaiting(Operations):
    """Runs that are queued or require action are cancelled, as the real service was seen to do."""

    _cancellable = CANCELLABLE["observed"]

    def __init__(self, *given: Any) -> None:
        super().__init__(*given)
        self._cancellable = CANCELLABLE["observed"]


@fault("CANCEL-019", "LIFE-003")
class RefusesAndFails(Operations):
    """The refused cancel of a run that requires action makes it fail."""

    def cancel_run(self, call: Call) -> dict[str, Any]:
        run = self._run(call)
        if run.status(call.now) == "requires_action":
            run.plan = [*(event for event in run.plan if event.at <= call.now), Event(call.now, "failed")]
            raise Refusal("Cannot cancel run with status 'requires_action'.")
        return super().cancel_run(call)


@fault("CANCEL-020")
class WantsAnObject(Operations):
    """A cancel without a body is answered 400."""

    def cancel_run(self, call: Call) -> dict[str, Any]:
        self._run(call)
        if not call.body:
            raise Refusal("We could not parse the JSON body of your request.")
        return super().cancel_run(call)


@fault("CANCEL-020")
class WantsNoType(Operations):
    """A cancel with a JSON content type and nothing behind it is answered 500."""

    def cancel_run(self, call: Call) -> dict[str, Any]:
        if not call.body and "content-type" in call.headers:
            raise Refusal("Oops.", status=500, kind="server_error")
        return super().cancel_run(call)


@fault("CANCEL-032")
class WantsNoObject(Operations):
    """A cancel with an empty object is answered 400."""

    def cancel_run(self, call: Call) -> dict[str, Any]:
        if call.body:
            raise Refusal("No body was expected.")
        return super().cancel_run(call)


@fault("CANCEL-021")
class UnknownIsBadRequest(Operations):
    """The cancel of an unknown run is answered 400."""

    def cancel_run(self, call: Call) -> dict[str, Any]:
        try:
            return super().cancel_run(call)
        except Refusal as refusal:
            if refusal.status == 404 and call.ids["thread_id"] in self._store.threads:
                raise Refusal(refusal.message) from None
            raise


@fault("CANCEL-022")
class TakesLateOutputs(Operations):
    """Outputs for a cancelled run are accepted, and dropped."""

    def submit_tool_outputs(self, call: Call) -> dict[str, Any]:
        run = self._run(call)
        done = run.status(call.now) == "cancelled"
        return self.shown(run, call) if done else super().submit_tool_outputs(call)


@fault("CANCEL-023")
class CancelledLocks(Operations):
    """A cancelled run goes on locking its thread."""

    def create_run(self, call: Call) -> dict[str, Any]:
        self._need_unlocked(call)
        return super().create_run(call)

    def create_message(self, call: Call) -> dict[str, Any]:
        self._need_unlocked(call)
        return super().create_message(call)

    def _need_unlocked(self, call: Call) -> None:
        if any(run.status(call.now) == "cancelled" for run in self._thread(call).runs.values()):
            raise Refusal("The thread is locked.")


@fault("CANCEL-029", "INV-029")
class ForgetsInstructions(Operations):
    """A cancel drops the instructions of the run."""

    def cancel_run(self, call: Call) -> dict[str, Any]:
        super().cancel_run(call)
        run = self._run(call)
        run.settings = {**run.settings, "instructions": None}
        return self.shown(run, call)


@fault("CANCEL-010", "LIFE-016", "STREAM-007")
class CancelsLater(Operations):
    """Right after the cancel the run is still read as in progress."""

    def shown(self, run: Run, call: Call) -> dict[str, Any]:
        told = super().shown(run, call)
        if told["status"] == "cancelling" and call.operation != "cancel_run":
            told["status"] = "in_progress"
        return told


@fault("CANCEL-006", "CANCEL-026")
class CancelledIsFailed(Operations):
    """A cancelled run ends as failed."""

    def cancel_run(self, call: Call) -> dict[str, Any]:
        told = super().cancel_run(call)
        run = self._run(call)
        run.plan = [event._replace(status="failed") if event.status == "cancelled" else event for event in run.plan]
        return told


@fault()
class CancelsAtOnce(Operations):
    """A run is cancelled at once, and never seen cancelling, which is as right."""

    def cancel_run(self, call: Call) -> dict[str, Any]:
        super().cancel_run(call)
        run = self._run(call)
        run.plan[-2:] = [Event(call.now, "cancelled")]
        return self.shown(run, call)


@fault("CANCEL-011", "LIFE-004", "CANCEL-008")
class RefusesAndCancelsLater(Operations):
    """The cancel of a failed, incomplete or expired run is refused, and carried out a second later."""

    def cancel_run(self, call: Call) -> dict[str, Any]:
        run = self._run(call)
        if run.status(call.now) in FINAL - {"cancelled", "completed"}:
            run.plan.append(Event(call.now + 1, "cancelled"))
        return super().cancel_run(call)


@fault("LIFE-016")
class SecondCancelRevives(Operations):
    """The second cancel is refused, and puts the run back to work."""

    def cancel_run(self, call: Call) -> dict[str, Any]:
        run = self._run(call)
        if run.status(call.now) == "cancelling":
            run.plan[-1] = Event(call.now, "in_progress")
            run.plan.append(Event(call.now + run.pace.long, "completed"))
            raise Refusal("Cannot cancel run with status 'cancelling'.")
        return super().cancel_run(call)


class Counting(Operations):
    """A server that remembers how often it refused to cancel a run."""

    def __init__(self, *given: Any) -> None:
        super().__init__(*given)
        self._refusals: dict[str, int] = {}

    def cancel_run(self, call: Call) -> dict[str, Any]:
        try:
            return super().cancel_run(call)
        except Refusal:
            run = self._run(call)
            times = self._refusals[run.id] = self._refusals.get(run.id, 0) + 1
            if times > 1 and self.crashes(run.status(call.now)):
                raise Refusal("Oops.", status=500, kind="server_error") from None
            raise

    def crashes(self, status: str) -> bool:
        """Whether to refuse a second time is more than it can bear."""
        raise NotImplementedError


@fault("CANCEL-013")
class ThirdCancelCrashes(Counting):
    """The third cancel of a run is answered 500."""

    def crashes(self, status: str) -> bool:
        return status == "cancelled"


@fault("CANCEL-031")
class SecondLateCancelCrashes(Counting):
    """The second cancel of a finished run is answered 500."""

    def crashes(self, status: str) -> bool:
        return status in FINAL - {"cancelled"}


@fault("CANCEL-023")
class UnlocksLate(CancelledLocks):
    """A cancelled run goes on locking its thread for a second and a half."""

    def _need_unlocked(self, call: Call) -> None:
        ended = [(run, run.ended(call.now)) for run in self._thread(call).runs.values()]
        if any(run.status(call.now) == "cancelled" and call.now - (at or 0) < 1.5 for run, at in ended):
            raise Refusal("The thread is locked.")


@fault("LIFE-004")
class LaterRunCompletesIt(Operations):
    """A later run on the thread of a cancelled one completes that as well."""

    def create_run(self, call: Call) -> dict[str, Any]:
        told = super().create_run(call)
        for run in self._thread(call).runs.values():
            if run.status(call.now) == "cancelled":
                run.plan.append(Event(call.now + 1, "completed"))
        return told


@fault("LIFE-004")
class LaterMessageFailsIt(Operations):
    """A later message on the thread of a cancelled run makes that fail."""

    def create_message(self, call: Call) -> dict[str, Any]:
        told = super().create_message(call)
        for run in self._thread(call).runs.values():
            if run.status(call.now) == "cancelled":
                run.plan.append(Event(call.now, "failed"))
        return told


@fault("LIFE-004")
class ListsRunAhead(Operations):
    """A run that is cancelling is listed as cancelled."""

    def shown(self, run: Run, call: Call) -> dict[str, Any]:
        ahead = call.operation == "list_runs" and run.status(call.now) == "cancelling"
        return super().shown(run, replace(call, now=run.plan[-1].at) if ahead else call)


@fault("GET-001")
class ForgetsTheUnsuccessful(Operations):
    """A cancelled, failed or incomplete run cannot be read any more."""

    def retrieve_run(self, call: Call) -> dict[str, Any]:
        if self._run(call).status(call.now) in {"cancelled", "failed", "incomplete"}:
            raise Refusal("No such run.", status=404)
        return super().retrieve_run(call)
