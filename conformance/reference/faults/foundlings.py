"""Runs that came with their threads, and are not treated like others."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from conformance.reference.errors import Refusal, not_found
from conformance.reference.faults.registry import fault
from conformance.reference.operations import Operations

if TYPE_CHECKING:
    from conformance.reference.calls import Call


class Foundling(Operations):
    """A server that does not treat all runs alike."""

    def create_thread_and_run(self, call: Call) -> dict[str, Any]:
        told = super().create_thread_and_run(call)
        self._mine = {*getattr(self, "_mine", ()), told["id"]}
        return told

    def is_one(self, call: Call) -> bool:
        """Whether a run came with its thread."""
        return call.ids["run_id"] in getattr(self, "_mine", ())


@fault("THREADRUN-006")
class CannotCancelFoundlings(Foundling):
    """A run that came with its thread cannot be cancelled."""

    def cancel_run(self, call: Call) -> dict[str, Any]:
        if self.is_one(call):
            raise Refusal("This run cannot be cancelled.")
        return super().cancel_run(call)


@fault("THREADRUN-006")
class CannotReadFoundlings(Foundling):
    """A run that came with its thread is not found."""

    def retrieve_run(self, call: Call) -> dict[str, Any]:
        if self.is_one(call):
            raise not_found("run", call.ids["run_id"])
        return super().retrieve_run(call)


@fault("THREADRUN-006")
class DoesNotListFoundlings(Foundling):
    """A run that came with its thread is not listed."""

    def list_runs(self, call: Call) -> dict[str, Any]:
        told = super().list_runs(call)
        data = [each for each in told["data"] if each["id"] not in getattr(self, "_mine", ())]
        return told if data == told["data"] else {**told, "data": data, "first_id": None, "last_id": None}


@fault("THREADRUN-006")
class KeepsFoundlingsLocked(Foundling):
    """A run that came with its thread goes on locking it when it has ended."""

    def create_message(self, call: Call) -> dict[str, Any]:
        if not {*self._thread(call).runs}.isdisjoint(getattr(self, "_mine", ())):
            raise Refusal("The thread is locked.")
        return super().create_message(call)
