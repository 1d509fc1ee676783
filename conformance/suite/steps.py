"""What the cases about steps share: the steps of a run, and what is inside one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from conformance.outcomes import Untested
from conformance.suite.expectations import need, shown, status_of
from conformance.wire.calls import calls_in as calls_of_run
from conformance.wire.calls import function_of
from conformance.wire.steps import STEP_STATUSES

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from conformance.states.handles import Run
    from conformance.wire.exchange import Exchange


def steps_by_now(run: Run) -> Exchange:
    """The steps of a run, two seconds after it came to where it is, since they may be told of a moment late."""
    run.retrieve()
    run.pause("afterlife", since=run.seen)
    return run.steps.list()


def steps_while_waiting(run: Run) -> Exchange:
    """The steps of a run that waits for outputs; one that did not wait any more by then shows something else."""
    page, after = steps_by_now(run), run.retrieve()
    waits = status_of(after) == "requires_action"
    need(waits, f"the run did not wait for its outputs, which RUN-LIFE-006 is about: {after}")
    return page


def step_status(step: Mapping[str, Any]) -> str:
    """The status of a step; one that nobody documented is RUN-STEP-006's business."""
    status = step.get("status")
    if not isinstance(status, str) or status not in STEP_STATUSES:
        raise Untested(f"a step has no documented status: {shown(status)}")
    return status


def details_of(step: Mapping[str, Any], name: str) -> Any:
    """What the details of a step have under a name."""
    details = step.get("step_details")
    return details.get(name) if isinstance(details, dict) else None


def message_of(step: Mapping[str, Any]) -> str | None:
    """The id of the message that a step names."""
    creation = details_of(step, "message_creation")
    id = creation.get("message_id") if isinstance(creation, dict) else None
    return id if isinstance(id, str) else None


def calls_in(steps: Sequence[Mapping[str, Any]]) -> dict[str, Mapping[str, Any]]:
    """The calls of some steps by their ids; what is no call is another requirement's."""
    lists = [calls for step in steps if isinstance(calls := details_of(step, "tool_calls"), list)]
    found = [call for calls in lists for call in calls if isinstance(call, dict)]
    return {call["id"]: call for call in found if isinstance(call.get("id"), str)}


def asked_by(run: Run) -> list[Mapping[str, Any]]:
    """
    The calls that a run was staged with, as far as they name a function.

    Raises:
        Untested: there is none, which is not for its steps to tell.
    """
    listed = calls_of_run(run.body)
    calls = [call for call in listed if isinstance(call.get("id"), str) and call["id"] and function_of(call)]
    row = "RUN-SCHEMA-012" if listed else "RUN-SCHEMA-013" if run.body.get("required_action") else "RUN-INV-002"
    need(calls, f"the run does not say which calls it waits for, which {row} is about: {run.seen}")
    return calls
