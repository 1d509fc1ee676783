"""Races: what shows only when requests meet, each other or the end of the run."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from conformance.reference.errors import Refusal
from conformance.reference.faults.life import Unlocked
from conformance.reference.faults.registry import fault
from conformance.reference.operations import Operations
from conformance.reference.runs import Event

if TYPE_CHECKING:
    from conformance.reference.calls import Call
    from conformance.reference.runs import Run

#: Seconds for which a request that is being answered lets others in.
_MEANWHILE = 0.005
#: Seconds before its end in which a run is about to end.
_ABOUT = 0.2


class Interleaved(Operations):
    """A server that answers other requests in the midst of one."""

    def let_others_in(self) -> None:
        """Answer who waits; what was read before may be out of date then."""
        self._store.lock.release()
        try:
            time.sleep(_MEANWHILE)
        finally:
            self._store.lock.acquire()

    def meets(self, call: Call, operation: str) -> bool:
        """Whether another call of this operation on the same run is under way."""
        under_way: list[Call] = self.__dict__.setdefault("_under_way", [])
        under_way.append(call)
        try:
            self.let_others_in()
            return any(each is not call and each.operation == operation and each.ids == call.ids for each in under_way)
        finally:
            self.let_others_in()  # the others must still see this one
            under_way.remove(call)

    def submit_once(self, call: Call) -> dict[str, Any]:
        """Take outputs, unless others were taken meanwhile, perhaps a moment after this call came."""
        if [event.status for event in self._run(call).plan].count("queued") > 1:
            raise Refusal("The run has its outputs.")
        return super().submit_tool_outputs(call)


@fault("LIFE-012")
class BothCreatesWin(Interleaved, Unlocked):
    """Of two creates at once on a thread, each sees no other active run."""

    def create_run(self, call: Call) -> dict[str, Any]:
        if self._thread(call).active(call.now):
            return super().create_run(call)
        self.let_others_in()
        return self.unlocked(call, super().create_run)


@fault("CANCEL-034", "LIFE-016")
class ModifyUndoesTheCancel(Interleaved):
    """A change of metadata writes back the whole run as it was read, and a cancel meanwhile is lost."""

    def modify_run(self, call: Call) -> dict[str, Any]:
        run = self._run(call)
        if run.is_final(call.now):
            return super().modify_run(call)
        read = list(run.plan)
        self.let_others_in()
        run.plan = read
        return self.shown(run, call)


@fault("LIFE-016", policy="observed")
class SubmitUndoesTheCancel(Interleaved):
    """Outputs resume the run that was read, and a cancel meanwhile is lost."""

    def submit_tool_outputs(self, call: Call) -> dict[str, Any]:
        run = self._run(call)
        read = list(run.plan)
        self.let_others_in()
        if run.status(call.now) == "cancelling":
            run.plan = read
        return self.submit_once(call)


@fault("INV-009")
class TornCancel(Interleaved):
    """A cancelled run is read with its new status before its time is written."""

    _half_written = ""

    def cancel_run(self, call: Call) -> dict[str, Any]:
        super().cancel_run(call)
        run = self._run(call)
        run.plan[-2:] = [Event(call.now, "cancelled")]
        self._half_written = run.id
        self.let_others_in()
        self._half_written = ""
        return self.shown(run, call)

    def retrieve_run(self, call: Call) -> dict[str, Any]:
        told = super().retrieve_run(call)
        return {**told, "cancelled_at": None} if told["id"] == self._half_written else told


@fault("PAGE-027")
class TornPage(Interleaved):
    """A page that is cut out while a run is created loses its first run."""

    def list_runs(self, call: Call) -> dict[str, Any]:
        before = len(self._thread(call).runs)
        self.let_others_in()
        page = super().list_runs(call)
        data = page["data"][len(self._thread(call).runs) - before :]
        ends = {"first_id": data[0]["id"], "last_id": data[-1]["id"]} if data else {"first_id": None, "last_id": None}
        return {**page, "data": data, **ends}


@fault("SCHEMA-009")
class HalfMade(Interleaved):
    """A new run is listed before its status is written."""

    _half_made = ""

    def create_run(self, call: Call) -> dict[str, Any]:
        made = super().create_run(call)
        self._half_made = made["id"]
        self.let_others_in()
        self._half_made = ""
        return made

    def shown(self, run: Run, call: Call) -> dict[str, Any]:
        told = super().shown(run, call)
        return {**told, "status": None} if run.id == self._half_made else told


@fault("CANCEL-026")
class CancelsDeadlock(Interleaved):
    """Two cancels at once crash."""

    def cancel_run(self, call: Call) -> dict[str, Any]:
        if self.meets(call, "cancel_run"):
            raise Refusal("Deadlock.", status=500, kind="server_error")
        return super().cancel_run(call)


@fault("CANCEL-026")
class BothCancelsLose(Interleaved):
    """Two cancels at once refuse each other."""

    def cancel_run(self, call: Call) -> dict[str, Any]:
        if self.meets(call, "cancel_run"):
            raise Refusal("The run is being changed by somebody else.", status=409)
        return super().cancel_run(call)


@fault("CANCEL-027")
class SubmitMeetsCancel(Interleaved):
    """A submit and a cancel at once crash."""

    def submit_tool_outputs(self, call: Call) -> dict[str, Any]:
        if self.meets(call, "cancel_run"):
            raise Refusal("Deadlock.", status=500, kind="server_error")
        return self.submit_once(call)

    def cancel_run(self, call: Call) -> dict[str, Any]:
        if self.meets(call, "submit_tool_outputs"):
            raise Refusal("Deadlock.", status=500, kind="server_error")
        return super().cancel_run(call)


@fault("TOOL-013")
class BothSubmitsWin(Interleaved):
    """Of two submits at once, each sees a run that waits for its outputs."""

    def submit_tool_outputs(self, call: Call) -> dict[str, Any]:
        waits = self._run(call).status(call.now) == "requires_action"
        self.let_others_in()
        run = self._run(call)
        if waits and run.status(call.now) != "requires_action":
            return self.shown(run, call)
        return super().submit_tool_outputs(call)


@fault("TOOL-013")
class SubmitsDeadlock(Interleaved):
    """Two submits at once crash."""

    def submit_tool_outputs(self, call: Call) -> dict[str, Any]:
        if self.meets(call, "submit_tool_outputs"):
            raise Refusal("Deadlock.", status=500, kind="server_error")
        return super().submit_tool_outputs(call)


class AtTheEnd(Operations):
    """A server that does something of its own with the cancel of a run that is about to end."""

    def cancel_run(self, call: Call) -> dict[str, Any]:
        run = self._run(call)
        end = run.plan[-1].at
        about_to = run.status(call.now) == "in_progress" and end - call.now < _ABOUT
        return self.late(run, end, call) if about_to else super().cancel_run(call)

    def late(self, run: Run, end: float, call: Call) -> dict[str, Any]:
        """Answer the cancel."""
        raise NotImplementedError


@fault("CANCEL-033")
class LateCancelCrashes(AtTheEnd):
    """The cancel of a run that is about to end is a crash."""

    def late(self, run: Run, end: float, call: Call) -> dict[str, Any]:
        raise Refusal("Conflict.", status=500, kind="server_error")


@fault("CANCEL-033")
class LateCancelRefused(AtTheEnd):
    """The cancel of a run that is about to end is refused."""

    def late(self, run: Run, end: float, call: Call) -> dict[str, Any]:
        raise Refusal("Too late.")


@fault("LIFE-004")
class LateCancelOverwritten(AtTheEnd):
    """A run that is cancelled when it is about to end is cancelled, and then completed."""

    def late(self, run: Run, end: float, call: Call) -> dict[str, Any]:
        run.plan[-1:] = [Event(call.now, "cancelled"), Event(end + 0.5, "completed")]
        return self.shown(run, call)


@fault("INV-010")
class TwoWinners(AtTheEnd):
    """A run that is cancelled when it is about to end is completed, and says when it was cancelled as well."""

    def late(self, run: Run, end: float, call: Call) -> dict[str, Any]:
        self.__dict__.setdefault("_cancelled", {})[run.id] = int(call.now)
        run.plan[-1:] = [Event(call.now, "cancelling"), Event(end, "completed")]
        return self.shown(run, call)

    def shown(self, run: Run, call: Call) -> dict[str, Any]:
        told = super().shown(run, call)
        cancelled = self.__dict__.get("_cancelled", {}).get(run.id)
        return {**told, "cancelled_at": cancelled} if cancelled and told["completed_at"] else told


@fault("ERR-011")
class BusyReads(Interleaved):
    """A read that meets a cancel of its run is a crash."""

    _cancelled = ""

    def cancel_run(self, call: Call) -> dict[str, Any]:
        self._cancelled = call.ids["run_id"]
        self.let_others_in()
        self._cancelled = ""
        return super().cancel_run(call)

    def retrieve_run(self, call: Call) -> dict[str, Any]:
        if call.ids["run_id"] == self._cancelled:
            raise Refusal("Locked.", status=503, kind="server_error")
        return super().retrieve_run(call)
