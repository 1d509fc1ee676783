"""Life: where a run begins, what it waits for, how it ends, and what it locks meanwhile."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from conformance.reference.errors import Refusal
from conformance.reference.faults.registry import fault
from conformance.reference.operations import Operations
from conformance.reference.runs import FINAL, Event

if TYPE_CHECKING:
    from collections.abc import Callable

    from conformance.reference.calls import Call
    from conformance.reference.runs import Run


_NOT_FOUND = 404


class Replanned(Operations):
    """A run whose plan is another one from the beginning."""

    def create_run(self, call: Call) -> dict[str, Any]:
        told = super().create_run(call)
        run = self._thread(call).runs[told["id"]]
        run.plan = self.replan(run.plan, run)
        return self.shown(run, call)

    def replan(self, plan: list[Event], run: Run) -> list[Event]:
        """Change the plan of a new run."""
        raise NotImplementedError


def _renamed(plan: list[Event], status: str, other: str) -> list[Event]:
    return [event._replace(status=other) if event.status == status else event for event in plan]


@fault("LIFE-001", "STREAM-008")
class BornWorking(Replanned):
    """A new run is in progress at once."""

    def replan(self, plan: list[Event], run: Run) -> list[Event]:
        return [Event(run.created, "in_progress"), *plan[2:]]


@fault("LIFE-002")
class StuckInTheQueue(Replanned):
    """A run never leaves the queue."""

    def replan(self, plan: list[Event], run: Run) -> list[Event]:
        return [plan[0], Event(run.created + 600, "expired")]


@fault("LIFE-004", "INV-012")
class FinishedFails(Replanned):
    """A completed run fails a second later."""

    def replan(self, plan: list[Event], run: Run) -> list[Event]:
        return [*plan, Event(plan[-1].at + 1.2, "failed")] if plan[-1].status == "completed" else plan


@fault("LIFE-005", "CREATE-020")
class IgnoresTheChoice(Replanned):
    """A run that must call a function completes without calling it."""

    def replan(self, plan: list[Event], run: Run) -> list[Event]:
        return _renamed(plan, "requires_action", "completed")[:3] if run.forced_function() else plan


@fault("LIFE-006", "LIFE-003", "INV-031")
class Impatient(Replanned):
    """A run that requires action goes on by itself after a second."""

    def replan(self, plan: list[Event], run: Run) -> list[Event]:
        if not run.forced_function():
            return plan
        return [*plan[:3], Event(plan[2].at + 1, "in_progress"), Event(plan[2].at + 2, "completed")]


@fault("LIFE-007")
class WaitsForEver(Replanned):
    """A run whose outputs never come does not expire."""

    def replan(self, plan: list[Event], run: Run) -> list[Event]:
        return plan[:3] if run.forced_function() else plan


@fault("LIFE-008")
class WorksForEver(Replanned):
    """A run that takes too long does not expire."""

    def replan(self, plan: list[Event], run: Run) -> list[Event]:
        return plan[:2] if run.settings["model"] == "reference-stalling" else plan


@fault("LIFE-009")
class LimitIsCompletion(Replanned):
    """A run that hits its limit is completed."""

    def replan(self, plan: list[Event], run: Run) -> list[Event]:
        return _renamed(plan, "incomplete", "completed")

    def shown(self, run: Run, call: Call) -> dict[str, Any]:
        told = super().shown(run, call)
        if told["usage"] and told["max_completion_tokens"]:
            spent = told["max_completion_tokens"]
            told["usage"] = {
                **told["usage"],
                "completion_tokens": spent,
                "total_tokens": told["usage"]["prompt_tokens"] + spent,
            }
        return told


@fault("LIFE-010")
class NamesTheOtherLimit(Operations):
    """A run that hit its completion limit names the prompt's."""

    def shown(self, run: Run, call: Call) -> dict[str, Any]:
        told = super().shown(run, call)
        if told["incomplete_details"]:
            told["incomplete_details"] = {"reason": "max_prompt_tokens"}
        return told


@fault("LIFE-011", "STREAM-012", seen="fakeai 0.3.2")
class NoAnswer(Operations):
    """A completed run leaves no message."""

    def list_messages(self, call: Call) -> dict[str, Any]:
        told = super().list_messages(call)
        return {**told, "data": [each for each in told["data"] if not each["run_id"]]}


@fault("LIFE-011")
class AnonymousAnswer(Operations):
    """The answer does not name its run."""

    def list_messages(self, call: Call) -> dict[str, Any]:
        told = super().list_messages(call)
        return {**told, "data": [{**each, "run_id": None} for each in told["data"]]}


class Unlocked(Operations):
    """A server that can forget that a thread is locked."""

    def unlocked(self, call: Call, create: Callable[[Call], dict[str, Any]]) -> dict[str, Any]:
        """Create on a thread as if its runs had all ended."""
        thread = self._thread(call)
        runs, thread.runs = thread.runs, {}
        try:
            return create(call)
        finally:
            thread.runs = {**runs, **thread.runs}


@fault("CREATE-001")
class LocksBeforeLooking(Operations):
    """A create that is refused, since it names no assistant that exists, leaves its thread locked."""

    def create_run(self, call: Call) -> dict[str, Any]:
        locked: set[str] = self.__dict__.setdefault("_locked", set())
        thread = self._thread(call)
        if thread.id in locked:
            raise Refusal(f"Thread {thread.id} already has an active run.")
        try:
            return super().create_run(call)
        except Refusal as refusal:
            if refusal.status == _NOT_FOUND:
                locked.add(thread.id)
            raise


@fault("LIFE-012", "INV-037")
class UnlocksOnOutputs(Unlocked):
    """A run that went on with its outputs locks its thread no longer."""

    def create_run(self, call: Call) -> dict[str, Any]:
        active = self._thread(call).active(call.now)
        went_on = active and "requires_action" in {event.status for event in active.plan if event.at < call.now}
        if active and went_on and active.status(call.now) != "requires_action":
            return self.unlocked(call, super().create_run)
        return super().create_run(call)


@fault("LIFE-012", "INV-037", seen="fakeai 0.3.2")
class ManyRuns(Unlocked):
    """A thread takes a second run while one is active."""

    def create_run(self, call: Call) -> dict[str, Any]:
        return self.unlocked(call, super().create_run)


@fault("LIFE-012", "INV-037")
class RefusesAndRuns(Unlocked):
    """The second run on a thread is refused, and made."""

    def create_run(self, call: Call) -> dict[str, Any]:
        if not self._thread(call).active(call.now):
            return super().create_run(call)
        self.unlocked(call, super().create_run)
        raise Refusal("The thread has an active run.")


@fault("LIFE-013", seen="fakeai 0.3.2")
class InterruptsRuns(Unlocked):
    """A thread takes messages while a run is active."""

    def create_message(self, call: Call) -> dict[str, Any]:
        return self.unlocked(call, super().create_message)


@fault("LIFE-014")
class FailedLocks(Operations):
    """A failed or expired run goes on locking its thread."""

    def create_run(self, call: Call) -> dict[str, Any]:
        if any(run.status(call.now) in {"failed", "expired"} for run in self._thread(call).runs.values()):
            raise Refusal("The thread is locked.")
        return super().create_run(call)


@fault("LIFE-015")
class OneAtATime(Operations):
    """A run locks every thread for messages of the same assistant."""

    def create_message(self, call: Call) -> dict[str, Any]:
        everywhere = (
            run for thread in self._store.threads.values() for run in thread.runs.values() if thread.scope == call.scope
        )
        if any(run.status(call.now) == "requires_action" for run in everywhere):
            raise Refusal("Busy.")
        return super().create_message(call)


@fault("LIFE-016")
class WorksWhileCancelling(Operations):
    """A run that is being cancelled is at work for a moment again."""

    def cancel_run(self, call: Call) -> dict[str, Any]:
        told = super().cancel_run(call)
        self._run(call).plan[-1] = Event(call.now + 1.2, "cancelled")
        return told

    def shown(self, run: Run, call: Call) -> dict[str, Any]:
        told = super().shown(run, call)
        if told["status"] == "cancelling" and 0.06 <= call.now - run.plan[-2].at < 0.8:
            told["status"] = "in_progress"
        return told


@fault("LIFE-017", "STREAM-009")
class QueuesAgain(Replanned):
    """A run in progress is queued again before it completes."""

    def replan(self, plan: list[Event], run: Run) -> list[Event]:
        if plan[-1].status != "completed":
            return plan
        return [*plan[:2], Event(plan[-1].at, "queued"), Event(plan[-1].at + 0.3, "completed")]


@fault("INV-029", "STREAM-025")
class TurnsTheTools(Operations):
    """The tools of a run are dropped once it has ended."""

    def shown(self, run: Run, call: Call) -> dict[str, Any]:
        told = super().shown(run, call)
        return {**told, "tools": []} if told["status"] in FINAL else told


@fault("GET-003")
class AppearsLater(Operations):
    """A new run cannot be read for a fifth of a second."""

    def retrieve_run(self, call: Call) -> dict[str, Any]:
        run = self._run(call)
        if call.now - run.created < 0.2:
            raise Refusal("No run found.", status=404)
        return self.shown(run, call)


@fault()
class HurriesOn(Replanned):
    """A run is taken out of the queue before anybody can ask for more, which is as right."""

    def replan(self, plan: list[Event], run: Run) -> list[Event]:
        return [plan[0], plan[1]._replace(at=run.created + 0.01), *plan[2:]]


@fault("LIFE-012", "LIFE-013", "INV-037")
class CancellingUnlocks(Unlocked):
    """A run that is being cancelled does not lock its thread any more."""

    def create_run(self, call: Call) -> dict[str, Any]:
        return self.unlocked(call, super().create_run) if self._is_cancelling(call) else super().create_run(call)

    def create_message(self, call: Call) -> dict[str, Any]:
        create = super().create_message
        return self.unlocked(call, create) if self._is_cancelling(call) else create(call)

    def _is_cancelling(self, call: Call) -> bool:
        return any(run.status(call.now) == "cancelling" for run in self._thread(call).runs.values())


@fault("LIFE-012", "INV-037")
class LocksForItsAssistant(Unlocked):
    """A thread takes a second run while one of another assistant is active."""

    def create_run(self, call: Call) -> dict[str, Any]:
        active = self._thread(call).active(call.now)
        other = active is not None and active.assistant_id.encode() not in call.body
        return self.unlocked(call, super().create_run) if other else super().create_run(call)


@fault("LIFE-013")
class AssistantsInterrupt(Unlocked):
    """A thread takes messages of the role assistant while a run is active."""

    def create_message(self, call: Call) -> dict[str, Any]:
        create = super().create_message
        return self.unlocked(call, create) if b'"assistant"' in call.body else create(call)


@fault("LIFE-018")
class ExpiresEarly(Replanned):
    """A run that waits for outputs expires after ten seconds, while its expires_at says 600."""

    def replan(self, plan: list[Event], run: Run) -> list[Event]:
        return [*plan[:3], Event(plan[2].at + 10, "expired")] if run.forced_function() else plan
