"""Races: what shows only when two requests are under way at once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from conformance.reference.errors import Refusal
from conformance.reference.faults.registry import fault
from conformance.reference.operations import Operations

if TYPE_CHECKING:
    from conformance.reference.calls import Call

#: Seconds, by the server's clock, within which two requests count as one moment.
_MOMENT = 0.05


class Racing(Operations):
    """Remembers when a run was last cancelled or submitted to."""

    def _raced(self, call: Call, what: str) -> bool:
        """Whether something was asked of the same run at the same moment."""
        asked = self.__dict__.setdefault("_asked", {})
        return call.scope.startswith("races/") and call.now - asked.get((call.ids["run_id"], what), -1e9) < _MOMENT

    def _remember(self, call: Call, what: str) -> None:
        self.__dict__.setdefault("_asked", {})[call.ids["run_id"], what] = call.now


@fault("CANCEL-026")
class SecondCancelCrashes(Racing):
    """Of two cancels at once the second is a crash."""

    def cancel_run(self, call: Call) -> dict[str, Any]:
        if self._raced(call, "cancel"):
            raise Refusal("Deadlock.", status=500, kind="server_error")
        told = super().cancel_run(call)
        self._remember(call, "cancel")
        return told


@fault("CANCEL-027")
class SubmitCrashesOnCancel(Racing):
    """A submit that meets a cancel is a crash."""

    def submit_tool_outputs(self, call: Call) -> dict[str, Any]:
        if self._raced(call, "cancel"):
            raise Refusal("Deadlock.", status=500, kind="server_error")
        self._remember(call, "submit")
        return super().submit_tool_outputs(call)

    def cancel_run(self, call: Call) -> dict[str, Any]:
        if self._raced(call, "submit"):
            raise Refusal("Deadlock.", status=500, kind="server_error")
        self._remember(call, "cancel")
        return super().cancel_run(call)
