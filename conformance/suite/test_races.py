"""Requests that meet: whatever wins, what is seen afterwards is one of the legal outcomes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from conformance.outcomes import Untested
from conformance.patience import is_one_too_many
from conformance.states import ACTIVE, FINAL
from conformance.states.handles import Run
from conformance.states.stage import LONG_PROMPT
from conformance.suite import fresh_run, requirement
from conformance.suite.expectations import expect, expect_no_crash, need, need_run, status_of
from conformance.suite.listings import ORDERS, ids_of, short

if TYPE_CHECKING:
    from conformance.client import Client
    from conformance.states.stage import Stage
    from conformance.wire.exchange import Exchange


def raced(*requests: Exchange) -> None:
    """Requests that did not overlap were no race, nor were those of which one was refused for now."""
    need_no_throttling(*requests)
    if not all(one.overlaps(other) for one in requests for other in requests if one is not other):
        raise Untested("the requests did not overlap", gates=False)


def need_no_throttling(*replies: Exchange) -> None:
    """A target that asks for patience says nothing of what it was asked."""
    if throttled := [reply for reply in replies if is_one_too_many(reply)]:
        raise Untested(f"the target asks for patience: {throttled[0]}", gates=False)


def expect_one_end(run: Run, *replies: Exchange, among: set[str]) -> None:
    """The run comes to rest in one of the states that the race can lead to."""
    ended = run.settle("cancel")
    status = status_of(ended)
    expect(status in among, f"one of {', '.join(sorted(among))}", f"status {status}", run.seen, *replies, ended)


@requirement("RUN-CANCEL-026")
@pytest.mark.race
@fresh_run("in_progress")
def test_two_cancels_cancel_once(run: Run, client: Client) -> None:
    """Of two cancels at once at least one is granted, the run is cancelled once, and who looks on sees whole runs."""
    one, other, _, _ = client.together(run.cancel, run.cancel, run.retrieve, run.thread.list)

    raced(one, other)
    for reply in (one, other):
        expect_no_crash(reply)
    if not (one.succeeded or other.succeeded):
        need(run.cancel().succeeded, "a cancel by itself is refused as well, which other requirements are about")
        expect(None, "one of the two granted", "both refused, and a third one granted", run.seen, one, other)
    after = status_of(run.retrieve())
    need(after in {"cancelling", "cancelled"}, f"the run is {after}, which other requirements are about")
    expect_one_end(run, one, other, among={"cancelled", "completed", "incomplete"})


@requirement("RUN-CANCEL-027")
@pytest.mark.race
@fresh_run("requires_action")
def test_a_cancel_that_meets_the_outputs_ends_the_run_once(run: Run, client: Client, stage: Stage) -> None:
    """Whichever is first, the run is cancelled or goes on, and not both."""
    need(run.waits_for_outputs, f"the run does not say what it waits for: {run.seen}")

    cancel, submit = client.together(run.cancel, run.submit)

    raced(cancel, submit)
    for reply in (cancel, submit):
        expect_no_crash(reply)
    if not (cancel.succeeded or submit.succeeded):
        _need_one_granted_alone(stage)
        expect(None, "one of the two granted", "both refused", run.seen, cancel, submit)
    among = {"cancelled", "completed", "incomplete"} if cancel.succeeded else {"completed", "incomplete"}
    expect_one_end(run, cancel, submit, among=among)


def _need_one_granted_alone(stage: Stage) -> None:
    try:
        run = stage.run("requires_action")
    except Untested:
        return  # as far as anybody can tell
    granted = [reply for reply in (run.cancel(), run.submit()) if reply.succeeded]
    need(granted, "one after the other they are refused as well, which other requirements are about")


@requirement("RUN-TOOL-013")
@pytest.mark.race
@fresh_run("requires_action")
def test_of_two_submits_one_is_granted(run: Run, client: Client) -> None:
    """The outputs of a run are taken once, however close together they come."""
    need(run.waits_for_outputs, f"the run does not say what it waits for: {run.seen}")

    one, other = client.together(run.submit, run.submit)

    raced(one, other)
    for reply in (one, other):
        expect_no_crash(reply)
    need(one.succeeded or other.succeeded, "neither is granted, which other requirements are about")
    both = one.succeeded and other.succeeded
    expect(not both, "one of the two granted", "both granted", run.seen, one, other)


@requirement("RUN-CANCEL-033")
@pytest.mark.race
@pytest.mark.long
def test_a_cancel_that_meets_the_end_wins_or_comes_too_late(attempts: int, stage: Stage) -> None:
    """About when a run should end, its cancel is granted, or refused because there is nothing left to cancel."""
    earliest, latest = _duration(stage)
    pace = (latest - earliest) / attempts
    runs = [_cancelled_after(stage, earliest + pace * (number + 0.5)) for number in range(attempts)]

    met = [run for run in runs if run]
    if met:
        met[-1].pause("afterlife")
    for run in met:
        run.retrieve()  # the invariants judge whether what won has won for good
    if not met:
        raise Untested("no cancel came before the end of its run", gates=False)


def _duration(stage: Stage) -> tuple[float, float]:
    """Seconds from its creation within which a run comes to rest, by a rehearsal."""
    run = stage.started(stage.thread())
    created, ended = run.seen, run.settle()
    active = [each for each in stage.client.journal.of(ended.scope) if created.ended <= each.at < ended.at]
    return (active[-1].at if active else created.ended) - created.ended, ended.at - created.ended


def _cancelled_after(stage: Stage, seconds: float) -> Run | None:
    """A run that was cancelled so long after its creation; None if it had come to rest by then."""
    run = stage.started(stage.thread())
    run.client.wait_since(run.seen, seconds, "finish")
    before = run.retrieve()
    if status_of(before) != "in_progress":
        return None
    reply = run.cancel()
    expect_no_crash(reply)
    after = run.retrieve()
    if reply.refused and status_of(after) not in FINAL:
        granted = stage.run("in_progress").cancel().succeeded
        need(granted, "a cancel that meets nothing is refused as well, which other requirements are about")
        expect(None, "a refusal only of what has ended", f"refused while {status_of(after)}", before, reply, after)
    run.settle("cancel")
    return run


@requirement("RUN-CANCEL-034")
@pytest.mark.race
@fresh_run("in_progress")
def test_a_cancel_survives_a_change_of_metadata(run: Run, client: Client) -> None:
    """A run may refuse to be changed while it is active; where it does not, the change does not undo the cancel."""
    cancel, modify = client.together(run.cancel, lambda: run.modify({"conformance": "changed"}))

    raced(cancel, modify)
    for reply in (cancel, modify):
        expect_no_crash(reply)
    granted = cancel.succeeded and status_of(cancel) in {"cancelling", *FINAL}
    need(granted, f"the cancel is refused, or no cancel at all, which other requirements are about: {cancel}")
    after = run.retrieve()
    if status_of(after) not in {"cancelling", *FINAL}:  # that the next reader sees it is RUN-CANCEL-010's business
        run.pause("apart", since=cancel)
        after = run.retrieve()
    status = status_of(after)
    expect(status in {"cancelling", *FINAL}, "cancelling, or a final state", f"status {status}", cancel, modify, after)


@requirement("RUN-LIFE-012")
@pytest.mark.race
def test_of_two_creates_on_a_thread_one_makes_a_run(client: Client, stage: Stage) -> None:
    """Two runs are never active on one thread, however close together they were asked for."""
    thread = stage.thread(LONG_PROMPT)

    replies = client.together(lambda: stage.create_run(thread), lambda: stage.create_run(thread))

    raced(*replies)
    for reply in replies:
        expect_no_crash(reply)
    granted = [Run(client, stage.means.waits, reply) for reply in replies if reply.succeeded]
    need(granted, "neither of the two was granted")
    seen = [run.retrieve() for run in granted]
    active = [reply for reply in seen if status_of(reply) in ACTIVE]
    expect(len(active) < len(replies), "one active run", "both granted, and both active", *replies, *seen)


@requirement("RUN-PAGE-027")
@pytest.mark.race
@pytest.mark.long
def test_a_walk_that_meets_a_new_run_stays_whole(attempts: int, client: Client, stage: Stage) -> None:
    """Whether or not it lists a run that is created at the same moment, it lists each of the others once."""
    thread = stage.thread()
    stage.fill(thread, 3)
    met = False
    for attempt in range(attempts):
        order = ORDERS[attempt % 2]
        ids = ids_of(thread.list(limit=100, order=order))
        need(len(ids) == 3 + attempt, "the list does not show the runs of the thread")

        created, rest, whole = client.together(
            lambda: stage.hurried(thread),
            lambda after=ids[0], order=order: thread.list(limit=100, order=order, after=after),  # type: ignore[misc]
            lambda order=order: thread.list(limit=100, order=order),  # type: ignore[misc]
        )

        need_no_throttling(created, rest, whole)
        met = met or created.overlaps(rest) or created.overlaps(whole)
        new = need_run(created)["id"]
        for page, expected in ((rest, ids[1:]), (whole, ids)):
            visited = [id for id in ids_of(page) if id != new]
            expect(visited == expected, short(expected), short(visited), created, page)
        Run(client, stage.means.waits, created).settle()
    if not met:
        raise Untested("the requests did not overlap", gates=False)
