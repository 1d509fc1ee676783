"""Requests with outputs: how they must be written, how often they count, and what they move."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from conformance.reference.errors import Refusal
from conformance.reference.faults.registry import fault
from conformance.reference.faults.tools import Submits
from conformance.reference.operations import Operations
from conformance.reference.runs import Event, Run

if TYPE_CHECKING:
    from conformance.reference.calls import Call

_NOT_FOUND = 404
_WAITING = "requires_action"


class Lenient(Submits):
    """A server that takes something else than outputs, and lets the run go on."""

    def submit(self, call: Call, run: Run, body: Any, given: dict[Any, Any]) -> dict[str, Any]:
        if run.status(call.now) == _WAITING and self.takes(body, given):
            return self.go_on(run, call)
        return self.ordinarily(call)

    def takes(self, body: Any, given: dict[Any, Any]) -> bool:
        """Whether it is taken."""
        raise NotImplementedError


@fault("TOOL-008")
class OutputsAreOptional(Lenient):
    """A request without tool_outputs lets the run go on."""

    def takes(self, body: Any, given: dict[Any, Any]) -> bool:
        return isinstance(body, dict) and body.get("tool_outputs") is None


@fault("TOOL-008")
class NullIsOutputs(Lenient):
    """A request with null as tool_outputs lets the run go on."""

    def takes(self, body: Any, given: dict[Any, Any]) -> bool:
        return isinstance(body, dict) and body.get("tool_outputs", "") is None


@fault("TOOL-010")
class NoneAreEnough(Lenient):
    """An empty list of outputs lets the run go on."""

    def takes(self, body: Any, given: dict[Any, Any]) -> bool:
        return isinstance(body, dict) and body.get("tool_outputs") == []


@fault("TOOL-009")
class IgnoresMembersBesidesOutputs(Lenient):
    """A member that the request does not have is ignored."""

    def takes(self, body: Any, given: dict[Any, Any]) -> bool:
        return isinstance(body, dict) and bool(given) and not body.keys() <= {"tool_outputs", "stream"}


@fault("TOOL-011")
class TakesAnyOutput(Lenient):
    """An output that is no text is taken."""

    def takes(self, body: Any, given: dict[Any, Any]) -> bool:
        return bool(given) and not any(isinstance(output, str | None) for output in given.values())


@fault("TOOL-011")
class NoTextCrashes(Submits):
    """An output that is an object is a crash."""

    def submit(self, call: Call, run: Run, body: Any, given: dict[Any, Any]) -> dict[str, Any]:
        if any(isinstance(output, dict) for output in given.values()):
            raise Refusal("Oops.", status=500, kind="server_error")
        return self.ordinarily(call)


@fault("TOOL-011")
class EmptyTextIsMissing(Submits):
    """An empty text is refused as an output."""

    def submit(self, call: Call, run: Run, body: Any, given: dict[Any, Any]) -> dict[str, Any]:
        if "" in given.values():
            raise Refusal("An output is missing.")
        return self.ordinarily(call)


@fault("TOOL-011")
class EmptyTextIsLost(Submits):
    """An empty text is taken, and its call waited for all the same."""

    def submit(self, call: Call, run: Run, body: Any, given: dict[Any, Any]) -> dict[str, Any]:
        lost = "" in given.values() and run.status(call.now) == _WAITING
        return self.shown(run, call) if lost else self.ordinarily(call)


@fault("TOOL-013")
class TakesOutputsAgain(Submits):
    """Outputs that a run has already are answered 200, and dropped."""

    def submit(self, call: Call, run: Run, body: Any, given: dict[Any, Any]) -> dict[str, Any]:
        known = run.status(call.now) in {"queued", "in_progress"} and given.keys() == set(run.awaited())
        return self.shown(run, call) if known else self.ordinarily(call)


@fault("TOOL-013", "LIFE-004", "INV-014")
class OutputsWorkTwice(Submits):
    """Outputs that a run has completed with make it work again."""

    def submit(self, call: Call, run: Run, body: Any, given: dict[Any, Any]) -> dict[str, Any]:
        known = run.status(call.now) == "completed" and given.keys() == set(run.awaited())
        return self.go_on(run, call) if known else self.ordinarily(call)


@fault("TOOL-015", "LIFE-004", "INV-014")
class OutputsReviveTheExpired(Submits):
    """A run that expired while it waited goes on with its outputs."""

    def submit(self, call: Call, run: Run, body: Any, given: dict[Any, Any]) -> dict[str, Any]:
        late = run.status(call.now) == "expired" and given.keys() == set(run.awaited())
        if late:
            run.plan.append(Event(call.now, "queued"))
        return self.shown(run, call) if late else self.ordinarily(call)


@fault("TOOL-015")
class OutputsComeNeverTooLate(Submits):
    """Outputs for a run that expired while it waited are answered 200, and dropped."""

    def submit(self, call: Call, run: Run, body: Any, given: dict[Any, Any]) -> dict[str, Any]:
        late = run.status(call.now) == "expired" and given.keys() == set(run.awaited())
        return self.shown(run, call) if late else self.ordinarily(call)


class Renewed(Submits):
    """A server that dates a run anew when it goes on."""

    def submit(self, call: Call, run: Run, body: Any, given: dict[Any, Any]) -> dict[str, Any]:
        self.ordinarily(call)
        self.__dict__.setdefault("_renewed", {})[run.id] = int(call.now)
        return self.shown(run, call)

    def seconds(self, run: Run) -> int:
        """By how much it is dated later."""
        renewed: dict[str, int] = self.__dict__.get("_renewed", {})
        return max(1, renewed[run.id] - int(run.created)) if run.id in renewed else 0


@fault("TOOL-016")
class OutputsRenewTheExpiry(Renewed):
    """A run with its outputs has as much time again."""

    def shown(self, run: Run, call: Call) -> dict[str, Any]:
        told = super().shown(run, call)
        later = told["expires_at"] and told["expires_at"] + self.seconds(run)
        return {**told, "expires_at": later}


@fault("TOOL-016", "INV-020", "INV-029")
class OutputsRenewTheCreation(Renewed):
    """A run with its outputs counts as created when it got them."""

    def shown(self, run: Run, call: Call) -> dict[str, Any]:
        told = super().shown(run, call)
        return {**told, "created_at": told["created_at"] + self.seconds(run)}


@fault("ERR-007", "LIFE-003")
class GarbledOutputsCount(Submits):
    """A submit that is no JSON is refused, and carried out."""

    def submit(self, call: Call, run: Run, body: Any, given: dict[Any, Any]) -> dict[str, Any]:
        if body is None and run.status(call.now) == _WAITING:
            self.go_on(run, call)
        return self.ordinarily(call)


@fault("TOOL-008", "LIFE-003")
class RefusesAndGoesOn(Submits):
    """A request without tool_outputs is refused, and the run goes on."""

    def submit(self, call: Call, run: Run, body: Any, given: dict[Any, Any]) -> dict[str, Any]:
        if body == {} and run.status(call.now) == _WAITING:
            self.go_on(run, call)
        return self.ordinarily(call)


@fault("TOOL-017")
class UnknownRunTakesNoOutputs(Operations):
    """Outputs for an unknown run are a bad request."""

    def submit_tool_outputs(self, call: Call) -> dict[str, Any]:
        try:
            return super().submit_tool_outputs(call)
        except Refusal as refusal:
            if refusal.status == _NOT_FOUND and call.ids["thread_id"] in self._store.threads:
                raise Refusal(refusal.message) from None
            raise


@fault("TOOL-003", "STREAM-010", "STEP-010")
class SecondStretchFallsBack(Submits):
    """A run with its outputs is back at waiting for the same ones as soon as it is at work."""

    def submit(self, call: Call, run: Run, body: Any, given: dict[Any, Any]) -> dict[str, Any]:
        told = self.ordinarily(call)
        run.plan = [*run.plan[:-1], Event(run.plan[-2].at + 0.3, _WAITING)]
        return told
