"""How steps end: never, at an impossible time, or otherwise than their run."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from conformance.reference.faults.registry import fault, shows_step
from conformance.reference.faults.step_shapes import CALLS, OPEN, WRITES, at, of, says, when_run
from conformance.reference.operations import Operations

if TYPE_CHECKING:
    from conformance.reference.calls import Call


def created_at(told: dict[str, Any]) -> Any:
    """The time at which a step was created."""
    return told["created_at"]


shows_step(
    "writes-for-ever", "The step of an answer stays open.", "STEP-012", change=says(of(WRITES, "completed"), **OPEN)
)
shows_step("calls-for-ever", "The step of a call stays open.", "STEP-012", change=says(of(CALLS, "completed"), **OPEN))
shows_step("failed-goes-on", "The step of a failed run stays open.", "STEP-012", change=says(at("failed"), **OPEN))
shows_step("cut-goes-on", "The step of a cut run stays open.", "STEP-012", change=says(when_run("incomplete"), **OPEN))

shows_step(
    "step-completed-unknown",
    "A completed step does not say when.",
    "STEP-013",
    change=says(at("completed"), completed_at=None),
)
shows_step(
    "step-completed-before",
    "A step was completed before it was created.",
    "STEP-013",
    change=says(at("completed"), completed_at=lambda told: told["created_at"] - 5),
)
shows_step(
    "step-completed-too-early",
    "A step in progress says when it was completed.",
    "STEP-013",
    change=says(at("in_progress"), completed_at=created_at),
)
shows_step(
    "step-older-than-its-run",
    "A step was created before its run.",
    "STEP-013",
    change=says(created_at=lambda told: told["created_at"] - 60),
)

shows_step(
    "step-cancelled-unknown",
    "A cancelled step does not say when.",
    "STEP-014",
    change=says(at("cancelled"), cancelled_at=None),
)
shows_step(
    "step-cancelled-before",
    "A step was cancelled before it was created.",
    "STEP-014",
    change=says(at("cancelled"), cancelled_at=lambda told: told["created_at"] - 5),
)
shows_step(
    "step-failed-unknown", "A failed step does not say when.", "STEP-014", change=says(at("failed"), failed_at=None)
)
shows_step(
    "step-failed-for-nothing", "A failed step does not say why.", "STEP-014", change=says(at("failed"), last_error=None)
)
shows_step(
    "step-completed-and-cancelled",
    "A completed step was cancelled as well.",
    "STEP-014",
    change=says(at("completed"), cancelled_at=created_at),
)
shows_step(
    "step-completed-and-failed",
    "A completed step has failed as well.",
    "STEP-014",
    change=says(at("completed"), failed_at=created_at),
)
shows_step(
    "step-expired-with-an-error",
    "An expired step has an error.",
    "STEP-014",
    change=says(at("expired"), last_error={"code": "server_error", "message": "It took too long."}),
)

shows_step("expired-goes-on", "The step of an expired run stays open.", "STEP-015", change=says(at("expired"), **OPEN))
shows_step(
    "expired-is-cancelled",
    "The step of an expired run is cancelled.",
    "STEP-015",
    change=says(at("expired"), status="cancelled", cancelled_at=created_at),
)
for _code in ("timeout", "invalid_prompt"):
    shows_step(
        f"step-error-{_code.replace('_', '-')}",
        f"A step fails with {_code}.",
        "STEP-022",
        change=says(at("failed"), last_error={"code": _code, "message": "The model failed."}),
    )

shows_step(
    "cancel-leaves-open", "The step of a cancelled run stays open.", "CANCEL-024", change=says(at("cancelled"), **OPEN)
)
shows_step(
    "cancel-fails-the-step",
    "The step of a cancelled run has failed.",
    "CANCEL-024",
    change=says(
        at("cancelled"),
        status="failed",
        cancelled_at=None,
        failed_at=created_at,
        last_error={"code": "server_error", "message": "It was cancelled."},
    ),
)
shows_step(
    "cancel-expires-the-step",
    "The step of a cancelled run has expired.",
    "CANCEL-024",
    change=says(at("cancelled"), status="expired", cancelled_at=None),
)


class _Retold(Operations):
    """Messages are listed in another status."""

    status = ""

    def list_messages(self, call: Call) -> dict[str, Any]:
        told = super().list_messages(call)
        cut = {"status": self.status, "incomplete_details": None, "incomplete_at": None}
        return {**told, "data": [{**m, **cut} if m["status"] == "incomplete" else m for m in told["data"]]}


@fault("CANCEL-025")
class CutIsWhole(_Retold):
    """A message that was cut off is completed."""

    status = "completed"


@fault("CANCEL-025")
class CutIsGoingOn(_Retold):
    """A message that was cut off stays in progress."""

    status = "in_progress"
