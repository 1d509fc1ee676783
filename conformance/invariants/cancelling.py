"""What must hold of the reply to a cancel, and of a run that was cancelled."""

from __future__ import annotations

from typing import TYPE_CHECKING

from conformance.invariants.histories import IMMUTABLE, changed
from conformance.invariants.judging import Answer, Broken, Remark, invariant
from conformance.invariants.runs import _in_order, _kind_of_usage, _null

if TYPE_CHECKING:
    from collections.abc import Iterator

    from conformance.invariants.evidence import Evidence
    from conformance.invariants.sightings import Sighting, Step

_IDENTITY = ("assistant_id", "created_at")


def _replies(evidence: Evidence) -> Iterator[Sighting]:
    """Successful replies to a cancel."""
    return (seen for seen in evidence.runs if seen.by("cancel_run"))


def _cancelled(evidence: Evidence) -> Iterator[Sighting]:
    """Cancelled runs, wherever they were shown."""
    return (seen for seen in evidence.runs if seen.status == "cancelled")


def _cancels(evidence: Evidence) -> Iterator[Step]:
    """A run before, and in the reply to, a successful cancel; and later, as long as it was not seen before."""
    return (step for step in evidence.steps if step.after.by("cancel_run"))


@invariant("RUN-CANCEL-002", _replies)
def reply_is_the_same_run(seen: Sighting) -> Answer:
    """The reply shows the run that was to be cancelled, through its thread."""
    ids = seen.exchange.ids
    wanted = {"id": ids["run_id"], "thread_id": ids["thread_id"]}
    other = [name for name, value in wanted.items() if isinstance(seen.run.get(name), str) and seen.run[name] != value]
    if seen.astray:  # RUN-ERR-005 is about that it was cancelled at all
        other = [name for name in other if name != "thread_id"]
    expected = ", ".join(f"{name} {wanted[name]}" for name in other)
    return Broken(expected, ", ".join(f"{name} {seen.run[name]}" for name in other)) if other else None


@invariant("RUN-CANCEL-002", _cancels)
def reply_keeps_the_identity(step: Step) -> Answer:
    """The reply does not change whose run it is, or since when."""
    return changed(step, _IDENTITY)


def _not_at_rest_before(seen: Sighting) -> bool:
    """Whether nobody knew that the run had come to rest, in which case the cancel should have been refused."""
    return seen.before is None or not seen.before.final


@invariant("RUN-CANCEL-003", _replies, lambda seen: seen.status is not None and _not_at_rest_before(seen))
def reply_says_that_it_is_cancelled(seen: Sighting) -> Answer:
    """The reply shows the run cancelling or cancelled; a status that nobody knows is another row's."""
    if seen.status in {"cancelling", "cancelled"}:
        return None
    return Broken("status cancelling or cancelled", f"status {seen.status}")


@invariant("RUN-CANCEL-004", _replies, lambda seen: seen.status not in {None, "cancelled"})
def cancelling_reply_has_no_cancelled_at(seen: Sighting) -> Answer:
    """As long as it is being cancelled it was not cancelled."""
    return _null(seen, "cancelled_at")


@invariant("RUN-CANCEL-007", _cancelled, lambda seen: seen.integer("cancelled_at") is not None)
def cancelled_after_it_started(seen: Sighting) -> Answer:
    """Created, started, cancelled, in this order, as far as they are set."""
    return _in_order(seen, "created_at", "started_at", "cancelled_at")


@invariant("RUN-CANCEL-008", _cancelled)
def cancelled_run_ended_in_no_other_way(seen: Sighting) -> Answer:
    """A cancelled run did not complete, fail or stay incomplete, and waits for nothing."""
    return _null(seen, "completed_at", "failed_at", "incomplete_details", "required_action")


@invariant("RUN-CANCEL-009", _cancelled)
def cancelled_run_has_no_error(seen: Sighting) -> Answer:
    """Being cancelled is no error."""
    return _null(seen, "last_error")


@invariant("RUN-CANCEL-029", _cancels)
def cancel_changes_nothing_else(step: Step) -> Answer:
    """What the run was created with, and its metadata, survive the cancel."""
    names = IMMUTABLE if step.modified else (*IMMUTABLE, "metadata")
    return changed(step, [name for name in names if name not in _IDENTITY])


@invariant("RUN-CANCEL-030", _cancelled)
def usage_of_a_cancelled_run(seen: Sighting) -> Answer:
    """What a cancelled run says of its usage."""
    return Remark(f"a cancelled run has {_kind_of_usage(seen)}")
