"""What must hold over the life of one run, from one message that shows it to the next."""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache
from typing import TYPE_CHECKING

from conformance.invariants.judging import Answer, Broken, invariant
from conformance.invariants.runs import STARTED
from conformance.invariants.sightings import FINAL
from conformance.wire.values import members_apart, same

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator

    from conformance.invariants.evidence import Evidence
    from conformance.invariants.sightings import Sighting, Step

#: Members that never change; the id is what tells histories apart, and each kind of message has a row on its thread.
IMMUTABLE = (
    "object",
    "created_at",
    "assistant_id",
    "model",
    "instructions",
    "tools",
    "temperature",
    "top_p",
    "max_prompt_tokens",
    "max_completion_tokens",
    "truncation_strategy",
    "tool_choice",
    "response_format",
    "parallel_tool_calls",
)
_WRITE_ONCE = ("cancelled_at", "failed_at", "completed_at")

#: Where a run can go by itself, in one move.
_BY_ITSELF = {
    "queued": {"in_progress", "failed", "expired"},
    "in_progress": {"requires_action", "completed", "incomplete", "failed", "expired"},
    "requires_action": {"expired"},
    "cancelling": {"cancelled", "completed", "incomplete", "failed", "expired"},
}
_ON_CANCEL = {state: {"cancelling", "cancelled"} for state in ("queued", "in_progress", "requires_action")}
_ON_SUBMIT = {"requires_action": {"queued", "in_progress"}}


@lru_cache(maxsize=64)
def reachable(state: str, *, cancelled: bool, submitted: bool) -> frozenset[str]:
    """All states that a run could be in by the next look, including the one it was in."""
    seen, left = {state}, [state]
    while left:
        current = left.pop()
        nexts = set(_BY_ITSELF.get(current, ()))
        nexts |= _ON_CANCEL.get(current, set()) if cancelled else set()
        nexts |= _ON_SUBMIT.get(current, set()) if submitted else set()
        left += nexts - seen
        seen |= nexts
    return frozenset(seen)


def moves(state: str) -> set[str]:
    """Where a run can go from a state in one move, whoever makes it."""
    return _BY_ITSELF.get(state, set()) | _ON_CANCEL.get(state, set()) | _ON_SUBMIT.get(state, set())


def _steps(evidence: Evidence) -> Iterator[Step]:
    return (step for step in evidence.steps if step.before.status and step.after.status)


def _from(*states: str) -> Callable[[Step], bool]:
    return lambda step: step.before.status in states


def _moved(step: Step, expected: str) -> Broken:
    return Broken(expected, f"{step.before.status}, then {step.after.status}")


@invariant("RUN-LIFE-003", _steps, lambda step: not step.before.final)
def statuses_follow_the_graph(step: Step) -> Answer:
    """A run goes only where it could have gone; the moves that have rows of their own are theirs."""
    before, after = str(step.before.status), str(step.after.status)
    if before == "cancelling" and after not in FINAL:
        return None
    if before == "in_progress" and after == "queued":
        return None
    if step.left and not step.cancelled and after in {"cancelling", "cancelled"}:
        return None  # a run that is cancelled since nobody listens is RUN-STREAM-017's business
    possible = reachable(before, cancelled=step.cancelled is not None, submitted=step.submitted)
    return None if after in possible else _moved(step, f"one of {', '.join(sorted(possible))} after {before}")


@invariant("RUN-LIFE-004", _steps, lambda step: step.before.final)
def final_states_are_final(step: Step) -> Answer:
    """A run that has come to rest stays at rest."""
    return None if step.before.status == step.after.status else _moved(step, f"status {step.before.status} for good")


@invariant("RUN-LIFE-016", _steps, _from("cancelling"))
def cancelling_leads_to_an_end(step: Step) -> Answer:
    """A run that is being cancelled does not go back to work."""
    if step.after.status == "cancelling" or step.after.final:
        return None
    return _moved(step, "cancelling, or a final state")


@invariant("RUN-LIFE-017", _steps, _from("in_progress"))
def running_does_not_go_back_to_the_queue(step: Step) -> Answer:
    """A run goes back to the queue only when outputs were submitted."""
    return _moved(step, "no return to the queue") if step.after.status == "queued" and not step.submitted else None


def _has_left_action(step: Step) -> bool:
    return step.before.status == "requires_action" and step.after.status not in {"requires_action", "cancelled"}


@invariant("RUN-INV-035", _steps, _has_left_action)
def required_action_is_cleared(step: Step) -> Answer:
    """A run that left requires_action asks for nothing; what a cancelled run shows is another row's."""
    none = step.after.run.get("required_action") is None or step.after.wrong("required_action")
    return None if none else Broken("required_action null", f"required_action set while {step.after.status}")


def changed(step: Step, names: Collection[str]) -> Answer:
    """Whether one of the members, in both messages and by itself right in both, has another value."""
    if step.after.words is step.before.words:
        return None
    before, after = step.before.run, step.after.run
    other = [name for name in names if name in before and name in after and not same(before[name], after[name])]
    other = [name for name in other if not step.before.wrong(name) and not step.after.wrong(name)]
    return Broken(*members_apart(other, before, after)) if other else None


def _kinds_differ_at_rest(step: Step) -> bool:
    return step.same_rest and step.before.listed != step.after.listed


def _apart_from_cancels(evidence: Evidence) -> Iterator[Step]:
    """Steps between other messages than replies to a cancel, since what never changes can skip those."""
    for step in evidence.steps:
        if step.after.by("cancel_run"):
            continue
        before: Sighting | None = step.before
        while before and before.by("cancel_run"):
            before = before.before
        yield step if before is None or before is step.before else replace(step, before=before)


@invariant("RUN-INV-029", _apart_from_cancels, lambda step: not _kinds_differ_at_rest(step))
def what_a_run_was_made_with_never_changes(step: Step) -> Answer:
    """What a run was created with stays; the reply to a cancel, and what rests, are other rows'."""
    names = IMMUTABLE if step.modified or step.same_rest else (*IMMUTABLE, "metadata")
    return changed(step, names)


@invariant("RUN-INV-030", _steps, lambda step: step.same_rest and not _kinds_differ_at_rest(step))
def ends_are_written_once(step: Step) -> Answer:
    """When a run ended does not change; that it says so at all has rows of its own."""
    return changed(step, [name for name in _WRITE_ONCE if step.before.run.get(name) is not None])


@invariant(
    "RUN-INV-031",
    _steps,
    lambda step: step.before.integer("started_at") is not None and not _kinds_differ_at_rest(step),
)
def start_changes_only_on_resumption(step: Step) -> Answer:
    """A start changes when the run is resumed, and then to a later time; some states need one by a row of their own."""
    before, after = step.before.integer("started_at"), step.after.integer("started_at")
    resumed = step.submitted or step.before.status == "queued"
    if after is None:
        lost = step.after.run.get("started_at", before) is None and step.after.status not in STARTED
        return Broken(f"started_at {before}", "started_at null") if lost and not resumed else None
    if before is None or before == after or (resumed and after > before):
        return None
    return Broken(f"started_at {before}{' or later' if resumed else ''}", f"started_at {after}")


@invariant("RUN-INV-039", _steps, lambda step: not step.before.final and not step.after.final)
def expiry_does_not_move(step: Step) -> Answer:
    """When an active run expires does not change, unless it goes on with outputs; other rows say that it is set."""
    both_set = all(seen.run.get("expires_at") is not None for seen in (step.before, step.after))
    return changed(step, ["expires_at"]) if both_set and not step.submitted else None


def _lacks(step: Step, name: str) -> bool:
    """Whether a member that must be there is not, which is the schema's business."""
    return step.before.wrong(name) or step.after.wrong(name)


_OWNED = {*IMMUTABLE, *_WRITE_ONCE, "thread_id", "status", "started_at"}


@invariant(
    "RUN-INV-032",
    _steps,
    lambda step: step.same_rest and step.before.by("retrieve_run") and step.after.by("retrieve_run"),
)
def reading_changes_nothing(step: Step) -> Answer:
    """Two reads of a run at rest show the same; members with rows of their own are theirs."""
    before, after = step.before.run, step.after.run
    names = [name for name in dict.fromkeys((*before, *after)) if name not in _OWNED]
    if step.modified:
        names = [name for name in names if name != "metadata"]
    missing = [name for name in names if (name in before) != (name in after) and not _lacks(step, name)]
    if missing:
        return Broken("the same members in both reads", f"in one of them only: {', '.join(missing)}")
    return changed(step, names)


@invariant("RUN-INV-033", _steps, _kinds_differ_at_rest)
def list_and_read_agree(step: Step) -> Answer:
    """A run at rest looks the same in a list as by itself."""
    before, after = step.before.run, step.after.run
    names = [name for name in dict.fromkeys((*before, *after)) if not (name == "metadata" and step.modified)]
    missing = [name for name in names if (name in before) != (name in after) and not _lacks(step, name)]
    if missing:
        return Broken("the same members in the list and by itself", f"in one of them only: {', '.join(missing)}")
    return changed(step, [name for name in names if name != "thread_id"])


def _told_to_call(evidence: Evidence) -> Iterator[Sighting]:
    """The last sighting of each run that was created to call a function, and that asked for its output or completed."""
    for history in evidence.histories.values():
        last = history[-1]
        choice = last.run.get("tool_choice")
        named = isinstance(choice, dict) and choice.get("type") == "function" and "function" in choice
        if named and history[0].by("create_run") and (last.status == "completed" or _has_asked(last)):
            yield last


def _has_asked(seen: Sighting) -> bool:
    return "requires_action" in seen.statuses_so_far


@invariant("RUN-LIFE-005", _told_to_call)
def named_function_is_called(seen: Sighting) -> Answer:
    """A run that was told to call a function does not complete before it asked for the output."""
    asked = _has_asked(seen) or "cancelling" in seen.statuses_so_far
    return None if asked else Broken("requires_action before it completes", "completed without having asked")
