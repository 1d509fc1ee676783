"""What must hold between the members of one run, in any message that shows it."""

from __future__ import annotations

import itertools
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING

from conformance.invariants.judging import Answer, Broken, Remark, invariant
from conformance.wire.values import shown

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from conformance.invariants.evidence import Evidence
    from conformance.invariants.sightings import Sighting

#: The member that says when a run of a status ended; a cancelled one is judged by rows about cancelling.
_END_OF = {"completed": "completed_at", "incomplete": "completed_at", "expired": "completed_at", "failed": "failed_at"}
#: States that only a run that has started can be in.
STARTED = ("in_progress", "requires_action", "completed", "incomplete")
#: How far a fresh run's creation may lie from the moment of its reply, in seconds.
_SKEW = 3600


def _sightings(evidence: Evidence) -> Iterator[Sighting]:
    """Runs in a documented state; another row judges what is none."""
    return (seen for seen in evidence.runs if seen.status)


def _runs(evidence: Evidence) -> Iterator[Sighting]:
    """The same, for judges that look at nothing but the run."""
    return (seen for seen in evidence.statements if seen.status)


def _in(*statuses: str) -> Callable[[Sighting], bool]:
    return lambda seen: seen.status in statuses


def _active(seen: Sighting) -> bool:
    return not seen.final


def _other_than(*statuses: str) -> Callable[[Sighting], bool]:
    return lambda seen: seen.status not in statuses


def _null(seen: Sighting, *members: str) -> Answer:
    """The members are null; one that is absent, or could never be right, is the schema's business."""
    set_ = [name for name in members if seen.run.get(name) is not None and not seen.wrong(name)]
    actual = ", ".join(f"{name} {shown(seen.run[name])}" for name in set_)
    return Broken(f"{' and '.join(members)} null while {seen.status}", actual) if set_ else None


def _set(seen: Sighting, member: str) -> Answer:
    """The member is not null; an absent one is the schema's business."""
    if member in seen.run and seen.run[member] is None:
        return Broken(f"{member} set once the run is {seen.status}", f"{member} null")
    return None


def _left_action(seen: Sighting) -> bool:
    return seen.before is not None and seen.before.status == "requires_action"


@invariant(
    "RUN-INV-001",
    _sightings,
    lambda seen: seen.status not in {"requires_action", "cancelled"} and not _left_action(seen),
)
def required_action_is_null_unless_required(seen: Sighting) -> Answer:
    """No other state asks for an action."""
    return _null(seen, "required_action")


@invariant("RUN-INV-002", _runs, _in("requires_action"))
def required_action_is_set_when_required(seen: Sighting) -> Answer:
    """A run that requires an action says which."""
    return _set(seen, "required_action")


@invariant("RUN-INV-003", _runs, _other_than("incomplete", "cancelled"))
def incomplete_details_is_null_unless_incomplete(seen: Sighting) -> Answer:
    """No other state is incomplete."""
    return _null(seen, "incomplete_details")


@invariant("RUN-INV-004", _runs, _in("incomplete"))
def incomplete_run_has_a_reason(seen: Sighting) -> Answer:
    """An incomplete run says why; details that are absent, or none at all, are the schema's business."""
    details = seen.run.get("incomplete_details")
    if seen.wrong("incomplete_details") or (isinstance(details, dict) and details.get("reason") is not None):
        return None
    return Broken("incomplete_details with a reason", f"incomplete_details {shown(details)}")


@invariant("RUN-INV-005", _runs, _in("failed"))
def failed_run_has_an_error(seen: Sighting) -> Answer:
    """A failed run says why."""
    return _set(seen, "last_error")


@invariant("RUN-INV-006", _runs, _other_than("failed", "cancelled"))
def error_belongs_to_a_failed_run(seen: Sighting) -> Answer:
    """Only a failed run has an error."""
    return _null(seen, "last_error")


@invariant("RUN-INV-007", _runs, _in("failed"))
def failed_run_has_failed_at(seen: Sighting) -> Answer:
    """A failed run says when."""
    return _set(seen, "failed_at")


@invariant("RUN-INV-008", _runs, _other_than("failed", "cancelled"))
def failed_at_belongs_to_a_failed_run(seen: Sighting) -> Answer:
    """Only a failed run has failed."""
    return _null(seen, "failed_at")


@invariant("RUN-INV-009", _runs, _in("cancelled"))
def cancelled_run_has_cancelled_at(seen: Sighting) -> Answer:
    """A cancelled run says when."""
    return _set(seen, "cancelled_at")


def _was_never_cancelled(seen: Sighting) -> bool:
    """Whether nothing showed the run cancelled so far; one that comes back from there is another row's."""
    return "cancelled" not in seen.statuses_so_far and not seen.by("cancel_run")


@invariant("RUN-INV-010", _sightings, _was_never_cancelled)
def cancelled_at_belongs_to_a_cancelled_run(seen: Sighting) -> Answer:
    """Only a cancelled run was cancelled."""
    return _null(seen, "cancelled_at")


@invariant("RUN-INV-011", _runs, _in("completed"))
def completed_run_has_completed_at(seen: Sighting) -> Answer:
    """A completed run says when."""
    return _set(seen, "completed_at")


@invariant("RUN-INV-012", _runs, _in("failed"))
def completed_at_belongs_to_a_finished_run(seen: Sighting) -> Answer:
    """A failed run has not completed; an incomplete or expired one was seen to carry the time of its end."""
    return _null(seen, "completed_at")


@invariant("RUN-INV-014", _runs, _active)
def active_run_has_no_end(seen: Sighting) -> Answer:
    """A run that may still move has not completed."""
    return _null(seen, "completed_at")


@invariant("RUN-INV-015", _runs, _active)
def active_run_has_no_usage(seen: Sighting) -> Answer:
    """Usage is known at the end."""
    return _null(seen, "usage")


@invariant("RUN-INV-016", _runs, _in("completed"))
def completed_run_has_usage(seen: Sighting) -> Answer:
    """A completed run says what it used."""
    return _set(seen, "usage")


def _usage(seen: Sighting) -> dict[str, int] | None:
    usage = seen.run.get("usage")
    names = ("prompt_tokens", "completion_tokens", "total_tokens")
    if isinstance(usage, dict) and all(type(usage.get(name)) is int for name in names):
        return {name: usage[name] for name in names}
    return None


@invariant("RUN-INV-017", _runs, _in("failed", "expired"))
def usage_of_a_run_without_result(seen: Sighting) -> Answer:
    """What a failed or expired run says of its usage."""
    return Remark(f"a run that is {seen.status} has {_kind_of_usage(seen)}")


def _kind_of_usage(seen: Sighting) -> str:
    usage = _usage(seen)
    return "usage null" if usage is None else "usage of zero" if not usage["total_tokens"] else "usage with counts"


@invariant("RUN-INV-018", _runs, lambda seen: _usage(seen) is not None)
def total_tokens_is_the_sum(seen: Sighting) -> Answer:
    """The total is what the two parts add up to."""
    usage = _usage(seen) or {}
    prompt, completion, total = usage["prompt_tokens"], usage["completion_tokens"], usage["total_tokens"]
    return (
        None
        if total == prompt + completion
        else Broken(f"total_tokens {prompt} + {completion}", f"total_tokens {total}")
    )


def _limits(seen: Sighting) -> list[tuple[str, int, int]]:
    usage = _usage(seen) or {}
    pairs = (("completion_tokens", "max_completion_tokens"), ("prompt_tokens", "max_prompt_tokens"))
    return [(used, usage[used], limit) for used, name in pairs if usage and (limit := seen.integer(name)) is not None]


@invariant("RUN-INV-019", _runs, lambda seen: bool(_limits(seen)))
def usage_keeps_the_limits(seen: Sighting) -> Answer:
    """A run uses no more than it was limited to."""
    over = [(name, used, limit) for name, used, limit in _limits(seen) if used > limit]
    expected = ", ".join(f"{name} at most {limit}" for name, _, limit in over)
    return Broken(expected, ", ".join(f"{name} {used}" for name, used, _ in over)) if over else None


def _in_order(seen: Sighting, *names: str) -> Answer:
    moments = [(name, moment) for name in names if (moment := seen.integer(name)) is not None]
    for (one, early), (other, late) in itertools.pairwise(moments):
        if early > late:
            return Broken(f"{one} not after {other}", f"{one} {early}, {other} {late}")
    return None


def _both(*names: str) -> Callable[[Sighting], bool]:
    return lambda seen: seen.status != "cancelled" and all(seen.integer(name) is not None for name in names)


@invariant("RUN-INV-020", _runs, _both("created_at", "started_at"))
def started_after_creation(seen: Sighting) -> Answer:
    """A run starts when it exists."""
    return _in_order(seen, "created_at", "started_at")


def _ended_after(first: str) -> Callable[[Sighting], bool]:
    return lambda seen: _both(first, _END_OF.get(seen.status or "", ""))(seen)


@invariant("RUN-INV-021", _runs, _ended_after("started_at"))
def ended_after_the_start(seen: Sighting) -> Answer:
    """A run ends after it started."""
    return _in_order(seen, "started_at", _END_OF[seen.status or ""])


@invariant("RUN-INV-022", _runs, _ended_after("created_at"))
def ended_after_creation(seen: Sighting) -> Answer:
    """A run ends after it was created; where it has started, its start is the narrower measure."""
    if seen.integer("started_at") is not None and not _in_order(seen, "created_at", "started_at"):
        return None
    return _in_order(seen, "created_at", _END_OF[seen.status or ""])


@invariant("RUN-INV-023", _runs, lambda seen: _active(seen) and seen.integer("expires_at") is not None)
def expiry_lies_ahead(seen: Sighting) -> Answer:
    """A run expires after it was created."""
    created, expires = seen.integer("created_at"), seen.integer("expires_at")
    if created is None or expires is None or created < expires:
        return None
    return Broken("expires_at after created_at", f"created_at {created}, expires_at {expires}")


@invariant("RUN-INV-024", _runs, _active)
def active_run_expires(seen: Sighting) -> Answer:
    """A run that may still move says when it will expire."""
    return _set(seen, "expires_at")


@invariant("RUN-INV-025", _runs, lambda seen: seen.final)
def expiry_of_a_final_run(seen: Sighting) -> Answer:
    """What a run that rests says of its expiry."""
    return Remark(f"expires_at of a final run is {'null' if seen.run.get('expires_at') is None else 'kept'}")


@invariant("RUN-INV-026", _runs, _in(*STARTED))
def started_run_has_started_at(seen: Sighting) -> Answer:
    """A run that got this far has started."""
    return _set(seen, "started_at")


@invariant("RUN-INV-027", _sightings, lambda seen: seen.by("create_run") and seen.status == "queued")
def new_run_has_not_started(seen: Sighting) -> Answer:
    """A run that waits in the queue for the first time has not started."""
    return _null(seen, "started_at")


def _moment_of(seen: Sighting) -> float:
    date = seen.exchange.response.headers.get("date")
    try:
        return parsedate_to_datetime(date).timestamp() if date else seen.exchange.ended
    except (ValueError, OverflowError):
        return seen.exchange.ended


def _apart(seen: Sighting) -> float:
    """Seconds between when a run was created and when its reply came."""
    return abs((seen.integer("created_at") or 0) - _moment_of(seen))


def is_created_now(seen: Sighting) -> bool:
    """Whether the reply to a create shows a run of about this time, by the server's own clock where it tells it."""
    return _apart(seen) <= _SKEW


@invariant("RUN-INV-028", _sightings, lambda seen: seen.by("create_run") and seen.integer("created_at") is not None)
def creation_is_now(seen: Sighting) -> Answer:
    """A fresh run was created about now."""
    return (
        None
        if is_created_now(seen)
        else Broken(f"created_at within {_SKEW} s of the reply", f"{_apart(seen):.0f} s apart")
    )
