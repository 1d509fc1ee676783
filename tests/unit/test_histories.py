"""The life of a run as a session may see it: every legal one passes, and each illegal one breaks its own row."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

import pytest

from conformance.invariants import invariants
from conformance.invariants.evidence import Evidence
from support.journals import (
    ERROR,
    RUN,
    T0,
    THREAD,
    broken,
    cancel,
    created,
    evidence,
    listed,
    modify,
    read,
    refused,
    run,
    submit,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from support.journals import Story, Told

ACTIVE = ("queued", "in_progress", "requires_action", "cancelling")
FINAL = ("completed", "failed", "incomplete", "expired", "cancelled")
LIFE = [each for each in invariants() if each.requirement.startswith("RUN-LIFE-")]

#: Where a run can go in one move, and what brings it there.
MOVES = {
    "queued": {"in_progress": "", "failed": "", "expired": "", "cancelling": "cancel", "cancelled": "cancel"},
    "in_progress": {
        **dict.fromkeys(("requires_action", "completed", "incomplete", "failed", "expired"), ""),
        **dict.fromkeys(("cancelling", "cancelled"), "cancel"),
    },
    "requires_action": {
        "expired": "",
        **dict.fromkeys(("queued", "in_progress"), "submit"),
        **dict.fromkeys(("cancelling", "cancelled"), "cancel"),
    },
    "cancelling": dict.fromkeys(("cancelled", "completed", "incomplete", "failed", "expired"), ""),
}


def timed(told: Told, at: float, until: float) -> Told:
    """The same, sent and answered at these seconds."""
    told.at, told.duration = T0 + at, until - at
    return told


def of(thread_id: str, run_id: str, told: Told) -> Told:
    """The same, asked of another run."""
    told.thread_id, told.run_id = thread_id, run_id
    return told


def seen(status: str) -> Told:
    """A read of a run that has been at work before."""
    return read(status, started_at=T0 + 2)


def restarted(status: str) -> Told:
    return read(status, started_at=T0 + 7)


LEGAL = {
    "a run that calls functions": [
        created(),
        seen("in_progress"),
        seen("requires_action"),
        submit("queued"),
        seen("queued"),
        restarted("in_progress"),
        restarted("completed"),
    ],
    "functions called twice": [
        seen("requires_action"),
        submit("in_progress"),
        restarted("requires_action"),
        submit("queued", started_at=T0 + 7),
        read("completed", started_at=T0 + 8),
    ],
    "a submission that shows only later": [seen("requires_action"), submit("requires_action"), seen("in_progress")],
    "a submission that shows only later, in a journal without durations": [
        timed(seen("requires_action"), 0, 0),
        timed(submit("requires_action"), 1, 1),
        timed(seen("in_progress"), 2, 2),
    ],
    "a submission whose answer was lost": [
        seen("requires_action"),
        refused("submit_tool_outputs", 500, kind="server_error"),
        seen("in_progress"),
    ],
    "a run that was too fast to be seen at work": [created(tool_choice="auto"), read("completed", tool_choice="auto")],
    "a run first seen when it had completed": [seen("completed"), listed(run()), seen("completed")],
    "a run that failed in the queue": [created(), read("failed", started_at=None)],
    "a run that nobody answered": [seen("requires_action"), seen("requires_action"), seen("expired")],
    "a run cancelled at work": [seen("in_progress"), cancel("cancelling"), seen("cancelling"), seen("cancelled")],
    "a run cancelled at once": [seen("in_progress"), cancel("cancelled"), seen("cancelled")],
    "a run cancelled in the queue": [
        created(),
        cancel("cancelling", started_at=None),
        read("cancelled", started_at=None),
    ],
    "a run cancelled while it waits": [seen("requires_action"), cancel("cancelling"), seen("cancelled")],
    "a cancel whose answer was lost": [
        seen("in_progress"),
        refused("cancel_run", 500, kind="server_error"),
        seen("cancelled"),
    ],
    "a cancel that came too late": [seen("in_progress"), refused("cancel_run"), seen("completed")],
    "a cancel that lost against completion": [seen("in_progress"), cancel("cancelling"), seen("completed")],
    "a cancel that lost against a failure": [seen("in_progress"), cancel("cancelling"), seen("failed")],
    "a cancel asked for twice": [seen("in_progress"), cancel("cancelling"), cancel("cancelled"), seen("cancelled")],
    "metadata replaced at rest": [seen("completed"), modify(metadata={}), read(started_at=T0 + 2, metadata={})],
    "metadata replaced between a read and a list": [
        seen("completed"),
        modify(metadata={}),
        listed(run(metadata={})),
        read(metadata={}),
    ],
    "a slow read that a cancel overtook": [
        timed(seen("in_progress"), 0, 1),
        timed(cancel("cancelling"), 2, 3),
        timed(seen("in_progress"), 1.5, 4),
        timed(seen("cancelled"), 5, 6),
    ],
    "a slow cancel that reads overtook": [
        timed(seen("in_progress"), 0, 1),
        timed(seen("cancelling"), 3, 4),
        timed(seen("cancelled"), 5, 6),
        timed(cancel("cancelling"), 2, 7),
    ],
    "reads side by side": [
        timed(seen("completed"), 0, 3),
        timed(seen("in_progress"), 0, 4),
        timed(seen("completed"), 5, 6),
    ],
    "runs of two threads with the same id": [
        seen("completed"),
        of("thread_two", RUN, read("queued", thread_id="thread_two")),
    ],
}


def _reads(*statuses: str) -> Story:
    return [seen(status) for status in statuses]


ILLEGAL = {
    **{
        f"{status}, then {other}": (_reads(status, other), "RUN-LIFE-004")
        for status in FINAL
        for other in (*ACTIVE, *FINAL)
        if other != status
    },
    "back to the queue": (_reads("in_progress", "queued"), "RUN-LIFE-017"),
    "back to the queue after a refused submission": (
        [seen("in_progress"), refused("submit_tool_outputs"), seen("queued")],
        "RUN-LIFE-017",
    ),
    "back to work while cancelling": (
        [seen("in_progress"), cancel("cancelling"), seen("in_progress")],
        "RUN-LIFE-016",
    ),
    "back to the queue while cancelling": ([seen("in_progress"), cancel(), seen("queued")], "RUN-LIFE-016"),
    "asking for outputs while cancelling": ([seen("in_progress"), cancel(), seen("requires_action")], "RUN-LIFE-016"),
    "cancelled by nobody": (_reads("in_progress", "cancelled"), "RUN-LIFE-003"),
    "cancelled by nobody in the queue": (_reads("queued", "cancelled"), "RUN-LIFE-003"),
    "cancelling by nobody": (_reads("in_progress", "cancelling"), "RUN-LIFE-003"),
    "cancelled after a refused cancel": (
        [seen("in_progress"), refused("cancel_run"), seen("cancelled")],
        "RUN-LIFE-003",
    ),
    "cancelled by the cancel of another run": (
        [seen("in_progress"), of(THREAD, "run_two", cancel("cancelling", id="run_two")), seen("cancelled")],
        "RUN-LIFE-003",
    ),
    "at work without outputs": (_reads("requires_action", "in_progress"), "RUN-LIFE-003"),
    "queued again without outputs": (_reads("requires_action", "queued"), "RUN-LIFE-003"),
    "completed without outputs": (_reads("requires_action", "completed"), "RUN-LIFE-003"),
    "at work after refused outputs": (
        [seen("requires_action"), refused("submit_tool_outputs"), seen("in_progress")],
        "RUN-LIFE-003",
    ),
    "back to life after reads side by side": (
        [timed(seen("completed"), 0, 3), timed(seen("in_progress"), 0, 4), timed(seen("in_progress"), 5, 6)],
        "RUN-LIFE-004",
    ),
    "a finished run changed by a cancel": ([seen("completed"), cancel("cancelling")], "RUN-LIFE-004"),
    "a cancelled run that completes after all": (
        [seen("in_progress"), cancel("cancelled"), seen("completed")],
        "RUN-LIFE-004",
    ),
}


@pytest.mark.parametrize("story", LEGAL.values(), ids=LEGAL)
def test_a_legal_life_breaks_nothing(story: Story) -> None:
    assert broken(story) == set()


@pytest.mark.parametrize(("story", "row"), ILLEGAL.values(), ids=ILLEGAL)
def test_an_illegal_life_breaks_its_own_row(story: Story, row: str) -> None:
    assert broken(story) == {row}


def test_no_walk_along_the_graph_breaks_anything_however_few_of_its_states_are_seen() -> None:
    walks = [(walk, every) for walk in _walks(["queued"], moves=6) for every in (1, 2, 3)]
    assert len(walks) > 250

    for walk, every in walks:
        story = [told for n, told in enumerate(_told(walk)) if n % every == 0 or told.operation != "retrieve_run"]
        looked = evidence(story)
        assert not any(each.judge(looked).violations for each in LIFE), walk


def _walks(walk: list[str], moves: int) -> Iterator[list[str]]:
    yield walk
    if moves:
        for state in MOVES.get(walk[-1], ()):
            yield from _walks([*walk, state], moves - 1)


def _told(walk: list[str]) -> Iterator[Told]:
    yield read(walk[0])
    for state, after in pairwise(walk):
        match MOVES[state][after]:
            case "cancel":
                yield cancel(after)
            case "submit":
                yield submit(after)
            case _:
                yield seen(after)


def test_a_resumed_run_shows_its_old_start_until_it_is_at_work_again() -> None:
    story = [seen("requires_action"), submit("queued"), restarted("in_progress")]
    assert broken(story) == set()

    story[-1].body["started_at"] = T0 + 1

    assert broken(story) == {"RUN-INV-031"}


def test_a_wrong_list_is_not_taken_for_a_change_of_the_run() -> None:
    story = [seen("completed"), listed(run(model="gpt-5", last_error=None)), seen("completed")]

    assert broken(story) == {"RUN-INV-033"}


def test_runs_without_ids_are_not_taken_for_one_run() -> None:
    story = [listed({**run(), "id": None}, {**run("queued"), "id": None})]

    assert broken(story) == {"RUN-SCHEMA-002"}


def test_a_run_that_a_page_shows_twice_has_no_history() -> None:
    story = [listed(run(), run("in_progress"))]

    assert not any(each.judge(evidence(story)).violations for each in LIFE)


def test_each_defect_of_a_failed_run_is_told_once() -> None:
    story = [seen("in_progress"), read("failed", last_error={**ERROR, "code": "oops"}, failed_at=0)]

    assert broken(story) == {"RUN-SCHEMA-017", "RUN-SCHEMA-021"}


@pytest.mark.parametrize("one_clock", [True, False])
def test_an_early_expiry_is_told_across_scopes_where_they_have_one_clock(one_clock: bool) -> None:
    """Where each scope has a clock of its own, what another scope saw has no time to compare."""
    story = [created(), read("expired")]
    story[1].scope = "another"

    seen = Evidence((told.exchange(number) for number, told in enumerate(story, 1)), one_clock=one_clock)

    told = {each.requirement for each in invariants() if each.judge(seen).violations}
    assert ("RUN-LIFE-018" in told) is one_clock


def test_a_run_may_be_read_thousands_of_times() -> None:
    story = [
        created(tool_choice={"type": "function", "function": {"name": "f"}}),
        *(read("in_progress") for _ in range(3000)),
    ]
    (named_function,) = [each for each in invariants() if each.name == "named_function_is_called"]

    judgement = named_function.judge(evidence([*story, read("completed", tool_choice=story[0].body["tool_choice"])]))

    assert (judgement.measured, len(judgement.violations)) == (1, 1)
