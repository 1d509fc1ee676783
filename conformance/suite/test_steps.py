"""The steps of a run: what it did, how that ends with it, and where it is found."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from conformance.outcomes import Untested
from conformance.states.strangers import Misaddressed, never_issued
from conformance.suite import fresh_run, requirement, shared_run
from conformance.suite.expectations import (
    expect,
    expect_status,
    need,
    need_page,
    need_run,
    note,
    shown,
    status_of,
)
from conformance.suite.steps import details_of, message_of, step_status, steps_by_now
from conformance.wire.steps import RunStep
from conformance.wire.values import ABSENT, same

if TYPE_CHECKING:
    from collections.abc import Mapping

    from conformance.states.handles import Listing, Run, Thread
    from conformance.states.shared import Shared
    from conformance.states.subjects import Called
    from conformance.wire.exchange import Exchange


@requirement("RUN-STEP-001")
def test_a_run_that_called_a_function_and_answered_has_both_steps(called: Called) -> None:
    """The record of the run is complete: the calls, and the answer."""
    page = called.run.steps.list(order="asc")

    _expect_types(page, called.run, "tool_calls", "message_creation")


@requirement("RUN-STEP-001")
@shared_run("completed")
def test_a_run_that_answered_has_a_step(run: Run) -> None:
    """Without a function to call there is one step at least, which wrote the answer."""
    _expect_types(steps_by_now(run), run, "message_creation")


@requirement("RUN-STEP-009")
@pytest.mark.parametrize("kind", ["completed", "called"])
def test_the_message_of_a_step_is_on_the_thread(kind: str, shared: Shared) -> None:
    """What the step says that it wrote is there, and says that the run wrote it."""
    run = shared.called.run if kind == "called" else shared.run(kind)
    page, messages = steps_by_now(run), run.thread.messages()
    named = [message_of(step) for step in need_page(page) if step.get("type") == "message_creation"]
    need(named and all(named), f"no step names a message: {page}")

    authors = {each["id"]: each.get("run_id") for each in need_page(messages)}
    need(run.id in authors.values(), f"the run left no message of its own, which RUN-LIFE-011 is about: {messages}")
    for id in named:
        expected = f"message {id} with run_id {run.id}"
        actual = f"run_id {shown(authors[id])}" if id in authors else "no such message on the thread"
        expect(authors.get(id) == run.id, expected, actual, page, messages)


@requirement("RUN-STEP-012")
@shared_run("completed", "incomplete", "failed")
def test_no_step_outlasts_its_run(run: Run) -> None:
    """A run that has come to rest does nothing any more."""
    statuses, page = _statuses_at_rest(run)

    expect("in_progress" not in statuses, "no step in progress", f"statuses {shown(statuses)}", run.seen, page)


@requirement("RUN-STEP-012")
def test_no_step_outlasts_a_run_that_called_a_function(called: Called) -> None:
    """The call is over as well."""
    statuses, page = _statuses_at_rest(called.run)

    expect("in_progress" not in statuses, "no step in progress", f"statuses {shown(statuses)}", called.run.seen, page)


@requirement("RUN-STEP-015")
@shared_run("expired")
def test_what_an_expired_run_did_not_finish_has_expired(run: Run) -> None:
    """A step ends with its run, and in the same way."""
    statuses, page = _statuses_at_rest(run)

    other = [status for status in statuses if status not in {"expired", "completed"}]
    expect(not other, "statuses expired, or completed before that", f"statuses {shown(statuses)}", run.seen, page)


@requirement("RUN-STEP-013")
def test_the_end_of_a_step_does_not_move(called: Called) -> None:
    """What was completed is not completed again whenever somebody looks."""
    before = called.run.steps.list()
    called.run.pause("afterlife", since=before)

    after = called.run.steps.list()

    ends = {step["id"]: step.get("completed_at") for step in need_page(after)}
    need(len(ends) == len(need_page(after)), f"steps share an id, which RUN-STEP-023 is about: {after}")
    for step in need_page(before):
        was, is_ = step.get("completed_at"), ends.get(step["id"])
        need(step["id"] in ends, f"the step is not listed any more, which RUN-STEP-001 is about: {after}")
        expect(same(was, is_), f"completed_at {shown(was)}", f"completed_at {shown(is_)}", before, after)


@requirement("RUN-STEP-017")
def test_a_step_is_the_same_by_itself(called: Called) -> None:
    """The list and the step itself tell one story."""
    page = called.run.steps.list()
    steps = need_page(page)
    need(steps, f"there is no step: {page}")

    for listed in steps:
        read = called.run.steps.retrieve(listed["id"])
        expect(read.succeeded, f"step {listed['id']} (2xx)", f"status {read.status}", page, read)
        step: dict[str, Any] = read.json if isinstance(read.json, dict) else {}
        other = [name for name in RunStep.model_fields if not _alike(name, listed, step)]
        expected, actual = (
            ", ".join(f"{name} {shown(told.get(name, ABSENT))}" for name in other) for told in (listed, step)
        )
        expect(not other, expected, actual, page, read)


@requirement("RUN-STEP-018")
def test_a_step_that_does_not_exist_is_not_found(called: Called) -> None:
    """An id that was never issued leads nowhere."""
    expect_status(called.run.steps.retrieve(never_issued(_a_step_of(called.run))), 404)


@requirement("RUN-STEP-019")
def test_a_step_is_not_found_through_another_run_of_its_thread(listing: Listing) -> None:
    """The steps of a thread's runs are not one heap."""
    older, newer = listing.runs[:2]
    id = _a_step_of(older)
    need(id not in [step["id"] for step in need_page(newer.steps.list())], "the runs share the ids of their steps")

    _expect_not_there(newer.steps.retrieve(id), id)


@requirement("RUN-STEP-019")
def test_a_step_is_not_found_through_another_run(called: Called, shared: Shared) -> None:
    """A step is reached through its own run."""
    id, other = _a_step_of(called.run), shared.run("completed")
    own = [step["id"] for step in need_page(other.steps.list())]
    need(id not in own, "the other run has a step of the same id, as where steps are numbered")

    _expect_not_there(other.steps.retrieve(id), id)


@requirement("RUN-STEP-019")
def test_a_step_is_not_found_through_another_thread(called: Called, other_thread: Thread) -> None:
    """A step is reached, and listed, through its own thread."""
    id, elsewhere = _a_step_of(called.run), _through(other_thread, called.run)

    _expect_not_there(elsewhere.steps.retrieve(id), id)

    page = elsewhere.steps.list()
    if not page.refused:
        expect(not need_page(page), "a refusal (4xx) or an empty page", f"{len(need_page(page))} steps", page)


@requirement("RUN-STEP-020")
@fresh_run("queued")
def test_a_queued_run_has_no_steps_yet(run: Run) -> None:
    """Whoever asks too early gets an empty page, and no refusal."""
    page = run.steps.list()

    after = run.retrieve()
    if status_of(after) != "queued":
        raise Untested(f"the run had left the queue by then: {after}", gates=False)
    expect(page.succeeded, "an empty page (2xx)", f"status {page.status}", run.seen, page)
    expect(not need_page(page), "an empty page", f"{len(need_page(page))} steps", run.seen, page, after)
    told = {name: page.json[name] for name in ("first_id", "last_id", "has_more") if name in page.json}
    empty = told.get("first_id") is None and told.get("last_id") is None and told.get("has_more") is not True
    actual = ", ".join(f"{name} {shown(value)}" for name, value in told.items())
    expect(empty, "first_id null, last_id null, has_more false", actual, page)


@requirement("RUN-INV-034")
def test_the_usage_of_a_run_may_be_that_of_its_steps(called: Called) -> None:
    """Whether bills by step and bills by run agree."""
    total, parts = _tokens(need_run(called.run.retrieve())), list(map(_tokens, need_page(called.run.steps.list())))
    need(total is not None and parts and None not in parts, "the run or a step does not say what it used")

    added = sum(part or 0 for part in parts)
    note("the usage of a run is the sum of its steps'" if added == total else "the usage of a run and its steps differ")


def _expect_types(page: Exchange, run: Run, *types: str) -> None:
    expect(page.succeeded, "a page of steps (2xx)", f"status {page.status}", run.seen, page)
    steps = need_page(page)
    missing = [type for type in types if not any(_is(type, step) for step in steps)]
    actual = [step.get("type") for step in steps]
    expect(not missing, f"steps {', '.join(types)}", f"steps {shown(actual)}", run.seen, page)


def _is(type: str, step: Mapping[str, Any]) -> bool:
    """Whether a step is of a type, by itself or by its details; that they agree is another requirement's business."""
    return step.get("type") == type or details_of(step, type) is not None


def _through(thread: Thread, run: Run) -> Run:
    """A run as it is addressed through another thread, where that leads nowhere."""
    elsewhere = Misaddressed(run.client, run.waits, run.seen, thread)
    reply = elsewhere.retrieve()
    need(not reply.succeeded, f"the run itself is found through another thread, which RUN-ERR-005 is about: {reply}")
    return elsewhere


def _expect_not_there(reply: Exchange, id: str) -> None:
    found = reply.succeeded and isinstance(reply.json, dict) and reply.json.get("id") == id
    expect(not found, f"no step, since {id} is somewhere else", f"status {reply.status} with the step", reply)


def _statuses_at_rest(run: Run) -> tuple[list[str], Exchange]:
    """The statuses of the steps of a finished run."""
    page = steps_by_now(run)
    need(need_page(page), f"there is no step: {page}")
    return [step_status(step) for step in need_page(page)], page


def _a_step_of(run: Run) -> str:
    page = run.steps.list()
    need(need_page(page), f"there is no step: {page}")
    id = need_page(page)[0]["id"]
    need(run.steps.retrieve(id).succeeded, "its own run does not lead to the step, which RUN-STEP-017 is about")
    return str(id)


def _alike(name: str, one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    return same(one.get(name, ABSENT), other.get(name, ABSENT))


def _tokens(told: Mapping[str, Any]) -> int | None:
    usage = told.get("usage")
    total = usage.get("total_tokens") if isinstance(usage, dict) else None
    return total if isinstance(total, int) else None
