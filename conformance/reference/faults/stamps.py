"""Times and consequences: members that do not fit the status of the run, or each other."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from conformance.reference.faults.registry import shows
from conformance.reference.runs import FINAL

if TYPE_CHECKING:
    from collections.abc import Callable

    from conformance.reference.calls import Call
    from conformance.reference.runs import Run

    Change = Callable[[dict[str, Any], Run, Call], Any]


def at(status: str, **members: Any) -> Change:
    """Give members other values while the run has a status."""

    def change(told: dict[str, Any], *_: object) -> None:
        if told["status"] == status:
            told.update(members)

    return change


def moved(member: str, seconds: int) -> Change:
    """Move a time that is set."""

    def change(told: dict[str, Any], *_: object) -> None:
        if told[member] is not None:
            told[member] += seconds

    return change


def _now(told: dict[str, Any], run: Run, call: Call) -> int:
    return int(call.now)


_ACTION = {
    "type": "submit_tool_outputs",
    "submit_tool_outputs": {
        "tool_calls": [
            {"id": "call_1", "type": "function", "function": {"name": "conformance_probe", "arguments": "{}"}}
        ]
    },
}
_ERROR = {"code": "server_error", "message": "Something."}

shows(
    "action-while-completed",
    "A completed run still requires action.",
    "INV-001",
    "INV-035",
    change=lambda told, run, _: (
        told.update(required_action=_ACTION) if told["status"] == "completed" and run.forced_function() else None
    ),
)
shows(
    "action-while-queued",
    "A queued run requires action.",
    "INV-001",
    change=lambda told, run, _: (
        told.update(required_action=_ACTION)
        if told["status"] == "queued" and run.forced_function() and len(run.plan) < 5
        else None
    ),
)
shows(
    "action-unsaid",
    "A run that requires action does not say which.",
    "INV-002",
    change=at("requires_action", required_action=None),
)
shows(
    "completed-with-details",
    "A completed run has incomplete_details.",
    "INV-003",
    change=at("completed", incomplete_details={"reason": "max_completion_tokens"}),
)
shows(
    "incomplete-without-details",
    "An incomplete run gives no reason.",
    "INV-004",
    change=at("incomplete", incomplete_details=None),
)
shows("failed-without-error", "A failed run gives no error.", "INV-005", change=at("failed", last_error=None))
shows("completed-with-error", "A completed run has an error.", "INV-006", change=at("completed", last_error=_ERROR))
shows("cancelled-with-error", "A cancelled run has an error.", "CANCEL-009", change=at("cancelled", last_error=_ERROR))
shows("failed-without-time", "A failed run does not say when.", "INV-007", change=at("failed", failed_at=None))
shows(
    "completed-and-failed",
    "A completed run has failed_at.",
    "INV-008",
    change=lambda told, *_: told.update(failed_at=told["completed_at"]) if told["status"] == "completed" else None,
)
shows(
    "cancelled-without-time", "A cancelled run does not say when.", "INV-009", change=at("cancelled", cancelled_at=None)
)
shows(
    "completed-and-cancelled",
    "A completed run has cancelled_at.",
    "INV-010",
    change=lambda told, *_: told.update(cancelled_at=told["completed_at"]) if told["status"] == "completed" else None,
)
shows(
    "completed-without-time", "A completed run does not say when.", "INV-011", change=at("completed", completed_at=None)
)
shows(
    "failed-and-completed",
    "A failed run has completed_at.",
    "INV-012",
    change=lambda told, *_: told.update(completed_at=told["failed_at"]) if told["status"] == "failed" else None,
)
shows(
    "completed-too-early",
    "completed_at is set while the run works.",
    "INV-014",
    change=lambda told, *_: told.update(completed_at=told["started_at"]) if told["status"] == "in_progress" else None,
)
shows(
    "usage-too-early",
    "usage is set while the run works.",
    "INV-015",
    change=at("in_progress", usage={"prompt_tokens": 0, "completion_tokens": 0, "total_tokens": 0}),
)
shows("completed-without-usage", "A completed run has no usage.", "INV-016", change=at("completed", usage=None))
shows(
    "failed-usage-negative", "The usage of a failed run is an odd object.", "SCHEMA-037", change=at("failed", usage={})
)
shows(
    "wrong-total",
    "total_tokens is not the sum.",
    "INV-018",
    change=lambda told, *_: (
        told.update(usage={**told["usage"], "total_tokens": told["usage"]["total_tokens"] + 1})
        if told["usage"]
        else None
    ),
)
shows(
    "limit-exceeded",
    "A run spends more tokens than its limit.",
    "INV-019",
    change=lambda told, *_: (
        told.update(usage={"prompt_tokens": 5, "completion_tokens": 300, "total_tokens": 305})
        if told["status"] == "incomplete"
        else None
    ),
)
shows(
    "started-before-created",
    "A run started before it was created.",
    "INV-020",
    "INV-031",
    change=lambda told, *_: (
        told.update(started_at=told["created_at"] - 1) if told["started_at"] and told["status"] != "cancelled" else None
    ),
)
shows(
    "cancelled-started-early",
    "A cancelled run started before it was created.",
    "CANCEL-007",
    "INV-031",
    change=lambda told, *_: told.update(started_at=told["created_at"] - 1) if told["status"] == "cancelled" else None,
)
shows(
    "ended-before-started",
    "A run ends before it started.",
    "INV-021",
    "INV-031",
    change=lambda told, *_: told.update(started_at=told["completed_at"] + 2) if told["status"] == "completed" else None,
)
shows(
    "ended-before-created",
    "A run ends before it was created.",
    "INV-022",
    "INV-026",
    change=lambda told, *_: (
        told.update(completed_at=told["created_at"] - 2, started_at=None) if told["status"] == "incomplete" else None
    ),
)
shows(
    "cancelled-at-the-start",
    "cancelled_at is the time at which the run started.",
    "CANCEL-035",
    change=lambda told, *_: (
        told.update(cancelled_at=told["started_at"] or told["created_at"]) if told["status"] == "cancelled" else None
    ),
)
shows("cancelled-tomorrow", "cancelled_at is a day ahead.", "INV-038", change=moved("cancelled_at", 86_400))
shows("completed-in-an-hour", "completed_at is an hour ahead.", "INV-038", change=moved("completed_at", 3600))
shows("failed-soon", "failed_at is a minute ahead.", "INV-038", change=moved("failed_at", 60))
shows(
    "starts-in-a-minute",
    "started_at is a minute ahead while a run works.",
    "INV-038",
    "INV-031",
    change=lambda told, *_: (
        told.update(started_at=told["started_at"] + 60) if told["status"] == "in_progress" else None
    ),
)
shows(
    "listed-with-another-expiry",
    "expires_at is a minute later where an active run is listed.",
    "INV-039",
    change=lambda told, _, call: (
        told.update(expires_at=told["expires_at"] + 60)
        if call.operation == "list_runs" and told["expires_at"] is not None
        else None
    ),
)
shows(
    "expiry-slides",
    "expires_at is always ten minutes ahead of an active run.",
    "INV-039",
    change=lambda told, _, call: (
        told.update(expires_at=int(call.now) + 600) if told["expires_at"] is not None else None
    ),
)
shows(
    "unlimited-without-usage",
    "A run that did not complete has no usage, which is as right.",
    change=lambda told, *_: told.update(usage=None) if told["status"] != "completed" else None,
)
shows("expires-in-the-past", "expires_at is before created_at.", "INV-023", change=moved("expires_at", -700))
shows(
    "never-expires",
    "An active run never expires.",
    "INV-024",
    change=lambda told, *_: told.update(expires_at=None),
    seen="fakeai 0.3.2",
)
shows(
    "expires-for-ever",
    "A run keeps its expires_at when it has ended.",
    change=lambda told, *_: told.update(expires_at=told["created_at"] + 600),
)
shows("started-unsaid", "started_at is never set.", "INV-026", change=lambda told, *_: told.update(started_at=None))
shows(
    "queued-and-started",
    "A queued run has started.",
    "INV-027",
    change=lambda told, run, _: (
        told.update(started_at=told["created_at"]) if told["status"] == "queued" and len(run.plan) < 5 else None
    ),
)
shows(
    "created-long-ago",
    "created_at is a day behind.",
    "INV-028",
    change=lambda told, *_: told.update(created_at=told["created_at"] - 86_400),
)
shows(
    "milliseconds",
    "All times are in milliseconds.",
    "SCHEMA-006",
    "SCHEMA-018",
    "SCHEMA-019",
    "SCHEMA-020",
    "SCHEMA-021",
    "SCHEMA-022",
    change=lambda told, *_: told.update(
        {
            name: told[name] * 1000
            for name in ("created_at", "started_at", "expires_at", "completed_at", "cancelled_at", "failed_at")
            if told[name]
        }
    ),
)
shows(
    "created-just-now",
    "created_at moves with the clock.",
    "INV-029",
    "INV-020",
    "INV-022",
    "INV-033",
    "CANCEL-007",
    "GET-002",
    change=lambda told, _, call: told.update(created_at=int(call.now)),
)
shows(
    "model-renamed",
    "A run names its model in full once it works.",
    "INV-029",
    change=lambda told, *_: told.update(model=f"{told['model']}-2024-07-18") if told["status"] != "queued" else None,
)
shows(
    "metadata-lost",
    "A run that has ended has lost its metadata.",
    "INV-029",
    "MODIFY-001",
    "STREAM-025",
    change=lambda told, *_: told.update(metadata={}) if told["status"] in FINAL else None,
)
shows(
    "end-moves",
    "completed_at moves with the clock.",
    "INV-030",
    "INV-033",
    change=lambda told, _, call: told.update(completed_at=int(call.now)) if told["status"] == "completed" else None,
)
shows(
    "start-moves",
    "started_at moves with the clock while the run works.",
    "INV-031",
    change=lambda told, _, call: told.update(started_at=int(call.now)) if told["status"] == "in_progress" else None,
)
shows(
    "list-without-usage",
    "Listed runs have no usage.",
    "INV-033",
    "INV-016",
    change=lambda told, _, call: (
        told.update(usage=None) if call.operation == "list_runs" and told["status"] == "completed" else None
    ),
)
shows(
    "list-without-instructions",
    "Listed runs have no instructions.",
    "INV-029",
    "INV-033",
    "CANCEL-029",
    change=lambda told, _, call: told.update(instructions=None) if call.operation == "list_runs" else None,
)
shows(
    "usage-grows",
    "The usage of a finished run grows with every read.",
    "INV-019",
    "INV-032",
    "INV-033",
    change=lambda told, _, call: (
        told.update(
            usage={
                "prompt_tokens": int(call.now * 50) % 10**6,
                "completion_tokens": 0,
                "total_tokens": int(call.now * 50) % 10**6,
            }
        )
        if told["status"] == "completed" and call.operation == "retrieve_run"
        else None
    ),
)
shows(
    "cancelling-with-time",
    "cancelled_at is set as soon as the cancel is accepted.",
    "CANCEL-004",
    "INV-010",
    change=lambda told, _, call: told.update(cancelled_at=int(call.now)) if told["status"] == "cancelling" else None,
    seen="fakeai 0.3.2",
)
shows(
    "cancelled-usage-odd", "The usage of a cancelled run is a word.", "SCHEMA-037", change=at("cancelled", usage="none")
)
shows("extra-member", "A run has a member that nobody documented.", change=lambda told, *_: told.update(x_trace="1"))
shows(
    "action-after-outputs",
    "The reply to the outputs still shows the action.",
    "INV-035",
    "STREAM-016",
    change=lambda told, _, call: (
        told.update(required_action=_ACTION) if call.operation == "submit_tool_outputs" else None
    ),
)
