"""A run and what is around it: its thread, its assistant, the runs before and after it, and those who watch it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import pytest

from conformance.outcomes import Untested
from conformance.states import ALL, FINAL
from conformance.states.handles import Run
from conformance.states.stage import CALL_A_FUNCTION, LONG_PROMPT
from conformance.suite import requirement
from conformance.suite.expectations import expect, expect_no_crash, need, need_page, shown, status_of
from conformance.suite.settings import bare_of, heir_of
from conformance.wire.values import ABSENT, same

if TYPE_CHECKING:
    from collections.abc import Callable

    from conformance.client import Client
    from conformance.states.shared import Shared
    from conformance.states.stage import Stage
    from conformance.wire.exchange import Exchange

#: Seconds for which a run may still work when its cancel was granted, and be completed all the same.
AT_ITS_END: Final = 4.0
#: What a run is given to be known by.
MARK: Final = {"conformance": "marked"}


@requirement("RUN-GET-002")
def test_a_run_ends_without_being_read(stage: Stage) -> None:
    """Whoever follows a run in the list alone sees it end; no read has to move it on."""
    run = stage.started(stage.thread())

    listed = _last_list(run)
    status = _status_in(listed, run)
    if status not in FINAL:
        for _ in range(2):  # one may show what the one before has moved
            read = run.retrieve()
        need(status_of(read) != status, f"the run does not move when it is read either: {read}")
        after = run.thread.list()
        need(_status_in(after, run) != status, f"the list lags behind, which other requirements are about: {after}")
        actual = f"{status} in every list, and {status_of(read)} as soon as it was read"
        expect(None, "a run that ends while it is only listed", actual, run.seen, listed, read)


@dataclass(frozen=True)
class Pair:
    """A cancelled run, and the one that followed on its thread and has come to rest."""

    cancelled: Run
    created: Exchange
    next: Run


@pytest.fixture
def pair(shared: Shared) -> Pair:
    """Two runs on one thread, both at rest."""

    def follow() -> Pair:
        stage = shared.stage
        cancelled = stage.run("cancelled")
        need(cancelled.thread.add_message("Say hello.").succeeded, "no message is taken, which another case is about")
        reply = stage.create_run(cancelled.thread)
        need(reply.succeeded, f"no run is taken, which another case is about: {reply}")
        ended = Run(stage.client, stage.means.waits, reply).settle()
        return Pair(cancelled, reply, Run(stage.client, stage.means.waits, ended))

    return shared.once("pair", follow)


@requirement("RUN-CANCEL-023")
def test_the_run_after_a_cancelled_one_is_not_cancelled(pair: Pair) -> None:
    """A cancel is for one run; the next one on its thread does its work."""
    status, ended = status_of(pair.next.seen), pair.next.seen

    expect(
        status != "cancelled",
        "a run that nobody cancelled",
        f"status {status}",
        pair.cancelled.seen,
        pair.created,
        ended,
    )


@requirement("RUN-MODIFY-002")
def test_a_change_of_one_run_is_for_no_other(pair: Pair, client: Client) -> None:
    """What is said of one run is said neither of its neighbour nor of their thread, and turns no list around."""
    listed, thread = pair.next.thread.list(), _thread_of(pair, client)
    runs = {run.id: run.retrieve() for run in (pair.cancelled, pair.next)}
    changed, other = pair.cancelled, pair.next
    if (reply := changed.modify(MARK)).refused:  # only of a completed run it is known that it can be changed
        changed, other = other, changed
        reply = changed.modify(MARK)
    need(reply.succeeded, f"no change was made, which RUN-MODIFY-001 is about: {reply}")
    changed.retrieve()

    _expect_same_metadata(runs[other.id], reply, other.retrieve)
    _expect_same_metadata(thread, reply, lambda: _thread_of(pair, client))
    after = changed.thread.list()
    was, is_ = ([run["id"] for run in need_page(each)] for each in (listed, after))
    there = [[id for id in ids if id in was and id in is_] for ids in (was, is_)]  # that all are has rows of its own
    steady = is_ == [run["id"] for run in need_page(changed.thread.list())]
    expect(there[0] == there[1] or not steady, f"runs {shown(was)}", f"runs {shown(is_)}", listed, reply, after)


@requirement("RUN-MODIFY-002")
def test_runs_without_metadata_do_not_share_it(shared: Shared) -> None:
    """What is said of one run that nothing was said of is said of no other."""
    stage = shared.stage
    created = (bare_of(shared), heir_of(shared))
    need(all(each.succeeded for each in created), "they are not created, which other cases are about")
    one, other = (Run(stage.client, stage.means.waits, each) for each in created)
    one.settle()
    before = other.retrieve()
    reply = one.modify(MARK)
    need(reply.succeeded, f"no change was made, which RUN-MODIFY-001 is about: {reply}")

    _expect_same_metadata(before, reply, other.retrieve)


@requirement("RUN-CANCEL-021")
def test_the_run_of_a_deleted_thread_is_not_found(client: Client, stage: Stage) -> None:
    """With its thread the run has gone, so that there is nothing to cancel."""
    run = stage.started(stage.thread())
    deleted = client.call("delete_thread", thread_id=run.thread_id)
    if not deleted.succeeded:
        raise Untested(f"the target does not delete threads: {deleted}", gates=False)
    need(run.retrieve().status == 404, "it can be read as before, which RUN-GET-004 is about")

    reply = run.cancel()

    expect(reply.status == 404, "status 404", f"status {reply.status}", run.seen, deleted, reply)


@requirement("RUN-ERR-011")
def test_a_run_whose_assistant_is_gone_does_not_crash_the_server(client: Client, stage: Stage) -> None:
    """An assistant is deleted, and the conversations that it had are read all the same."""
    try:
        assistant = stage.means.new_assistant()
    except Untested as problem:
        raise Untested(problem.reason, gates=False) from None
    run = stage.started(stage.thread(), assistant_id=assistant)
    run.settle()
    deleted = client.call("delete_assistant", assistant_id=assistant)
    if not deleted.succeeded:
        raise Untested(f"the target does not delete assistants: {deleted}", gates=False)

    for reply in (run.modify({"conformance": "changed"}), run.retrieve(), run.thread.list()):
        expect_no_crash(reply)


@requirement("RUN-CANCEL-006")
def test_a_run_that_went_on_comes_to_rest_when_it_is_cancelled(stage: Stage) -> None:
    """Work that goes on for seconds after its cancel was granted, and is completed, was not cancelled."""
    run = stage.started(stage.thread(LONG_PROMPT), **CALL_A_FUNCTION)
    run.seen = run.until(lambda body: body.get("status") in {"requires_action", *FINAL}, "action", "called a function")
    need(
        run.waits_for_outputs and run.submit().succeeded, "the outputs are refused, which other requirements are about"
    )
    seen = run.until(lambda body: body.get("status") not in {"queued", "requires_action"}, "start", "went on")
    need(status_of(seen) == "in_progress", f"the run was not seen at work again: {seen}")

    reply = run.cancel()

    need(reply.succeeded, f"the run could not be cancelled, which RUN-CANCEL-001 is about: {reply}")
    granted = status_of(reply) in {"cancelling", "cancelled"}
    need(granted, f"the run is not on its way to being cancelled, which RUN-CANCEL-003 is about: {reply}")
    worked = reply  # the last that shows it not at rest: what came later may have come at any time since
    while (ended := run.retrieve()).ended - reply.ended <= run.waits.budget("cancel") and status_of(ended) not in FINAL:
        worked = ended
        run.pause("apart")
    status, after = status_of(ended), worked.ended - reply.ended
    late = status in FINAL and status != "cancelled" and after > AT_ITS_END
    expect(status in FINAL, f"a final state within {run.waits.budget('cancel'):g} s", f"status {status}", reply, ended)
    need(status == "cancelled" or late, f"its work was done already: {ended}")
    expect(not late, "status cancelled", f"status {status}, {after:.0f} s after the cancel was granted", reply, ended)


def _thread_of(pair: Pair, client: Client) -> Exchange:
    return client.call("retrieve_thread", thread_id=pair.next.thread_id)


def _expect_same_metadata(before: Exchange, change: Exchange, look: Callable[[], Exchange]) -> None:
    """Expect the metadata of something that was not changed; what goes on changing says nothing of what was done."""
    after = look()
    was, is_, later = (
        each.json.get("metadata", ABSENT) if isinstance(each.json, dict) else ABSENT
        for each in (before, after, after if same(before.json, after.json) else look())
    )
    steady = same(is_, later)
    expect(same(was, is_) or not steady, f"metadata {shown(was)}", f"metadata {shown(is_)}", before, change, after)


def _last_list(run: Run) -> Exchange:
    """The list that shows the run at its end; or the last one, if that does not come in time."""
    listed = run.thread.list()
    while (status := _status_in(listed, run)) not in FINAL:
        budget = run.waits.budget("start" if status == "queued" else "finish")
        if listed.ended - run.seen.ended > budget:
            break
        run.pause("apart")
        listed = run.thread.list()
    return listed


def _status_in(listed: Exchange, run: Run) -> object:
    """The status that a list shows of a run."""
    shown = [item.get("status") for item in need_page(listed) if item["id"] == run.id]
    need(shown, f"the run is not listed, which other requirements are about: {listed}")
    need(shown[0] in ALL, f"the run is listed without a documented status, which RUN-SCHEMA-009 is about: {listed}")
    return shown[0]
