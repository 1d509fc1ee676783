"""Haunted: what is left of a run where it should not be, and what moves when somebody looks."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from conformance.reference.errors import Refusal
from conformance.reference.faults.registry import fault
from conformance.reference.operations import Operations
from conformance.reference.runs import Event

if TYPE_CHECKING:
    from conformance.reference.calls import Call
    from conformance.reference.runs import Run


@fault("ERR-003")
class FoundInAnyCase(Operations):
    """A run is found by its id in capitals or in small letters."""

    def _run(self, call: Call) -> Run:
        wanted = call.ids["run_id"].lower()
        found = [run for id, run in self._thread(call).runs.items() if id.lower() == wanted]
        return found[0] if found else super()._run(call)


class Buried(Operations):
    """A server that remembers the threads that were deleted."""

    def delete_thread(self, call: Call) -> dict[str, Any]:
        thread = self._thread(call)
        self.__dict__.setdefault("_deleted", {})[thread.id] = thread
        return super().delete_thread(call)

    def cancel_run(self, call: Call) -> dict[str, Any]:
        thread = self.__dict__.get("_deleted", {}).get(call.ids["thread_id"])
        return self.raised(thread.runs[call.ids["run_id"]], call) if thread else super().cancel_run(call)

    def raised(self, run: Run, call: Call) -> dict[str, Any]:
        """Answer the cancel of a run whose thread was deleted."""
        raise NotImplementedError


@fault("CANCEL-021")
class CancelsTheDeleted(Buried):
    """The run of a deleted thread is cancelled."""

    def raised(self, run: Run, call: Call) -> dict[str, Any]:
        run.cancel(call.now)
        return self.shown(run, call)


@fault("CANCEL-021")
class CancelOfTheDeletedCrashes(Buried):
    """The cancel of a run of a deleted thread is a crash."""

    def raised(self, run: Run, call: Call) -> dict[str, Any]:
        raise Refusal("Oops.", status=500, kind="server_error")


class Orphaned(Operations):
    """A server that looks the assistant of a run up when it shows the run."""

    _operation = ""

    def shown(self, run: Run, call: Call) -> dict[str, Any]:
        if run.assistant_id not in self._store.assistants and call.operation == self._operation:
            raise Refusal("Oops.", status=500, kind="server_error")
        return super().shown(run, call)


@fault("ERR-011")
class OrphanCannotBeRead(Orphaned):
    """A run whose assistant was deleted cannot be read: it is a crash."""

    _operation = "retrieve_run"


@fault("ERR-011")
class OrphanCannotBeListed(Orphaned):
    """A list with a run whose assistant was deleted is a crash."""

    _operation = "list_runs"


@fault("CANCEL-023", "LIFE-003")
class CancelSticksToTheThread(Operations):
    """The run after a cancelled one is cancelled as soon as it is at work."""

    def create_run(self, call: Call) -> dict[str, Any]:
        told = super().create_run(call)
        runs = self._thread(call).runs
        if any(run.status(call.now) == "cancelled" for run in runs.values()):
            run = runs[told["id"]]
            run.plan = [*run.plan[:2], Event(run.plan[1].at + 0.1, "cancelled")]
        return told


@fault("LIFE-014")
class IncompleteLocks(Operations):
    """A run that hit its limit goes on locking its thread."""

    def create_run(self, call: Call) -> dict[str, Any]:
        if any(run.status(call.now) == "incomplete" for run in self._thread(call).runs.values()):
            raise Refusal("The thread is locked.")
        return super().create_run(call)


@fault("LIFE-014")
class IncompleteKeepsMessagesOff(Operations):
    """A run that hit its limit goes on keeping messages off its thread."""

    def create_message(self, call: Call) -> dict[str, Any]:
        if any(run.status(call.now) == "incomplete" for run in self._thread(call).runs.values()):
            raise Refusal("The thread is locked.")
        return super().create_message(call)


class Watched(Operations):
    """A server whose runs move only when somebody reads them."""

    def shown(self, run: Run, call: Call) -> dict[str, Any]:
        looks: dict[str, float] = self.__dict__.setdefault("_looks", {})
        if call.operation != "list_runs":
            looks[run.id] = call.now
        return super().shown(run, replace(call, now=min(call.now, looks.get(run.id, call.now))))


@fault("GET-002")
class MovesWhenRead(Watched):
    """A run gets on only when it is read by itself; lists show it as it was then."""


@fault("CANCEL-006")
class SecondCancelIsForgotten(Operations):
    """A run that went on with its outputs is cancelling until its work is done, and completed then."""

    def cancel_run(self, call: Call) -> dict[str, Any]:
        run = self._run(call)
        end = run.plan[-1]
        went_on = [event.status for event in run.plan if event.at <= call.now].count("in_progress") > 1
        told = super().cancel_run(call)
        if went_on and end.at > run.plan[-1].at:
            run.plan[-1] = end
        return told
