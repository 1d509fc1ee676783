"""The life of a run: where it begins, what it waits for, how it ends, and what it locks meanwhile."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Any

from conformance.outcomes import Untested
from conformance.states import ACTIVE, FINAL, FINISHED
from conformance.states.stage import CALL_A_FUNCTION, LONG_PROMPT, SMALL_LIMIT
from conformance.suite import fresh_run, requirement, shared_run
from conformance.suite.expectations import (
    expect,
    expect_refused,
    expect_waiting,
    need,
    need_page,
    need_run,
    shown,
    status_of,
)

if TYPE_CHECKING:
    from conformance.states.handles import Run
    from conformance.states.stage import Stage
    from conformance.wire.exchange import Exchange

while_active = fresh_run(*ACTIVE)
INTERRUPTION = "Wait, one more thing."


@requirement("RUN-LIFE-001")
def test_a_new_run_is_queued(stage: Stage) -> None:
    """A run begins in the queue, where the reply to its creation shows it."""
    created = stage.create_run(stage.thread())

    status = status_of(created)
    expect(status == "queued", 'status "queued"', f"status {shown(status)}", created)


@requirement("RUN-LIFE-002")
def test_a_run_leaves_the_queue(stage: Stage) -> None:
    """Work on a run begins soon."""
    run = stage.started(stage.thread())

    with suppress(Untested):  # the budget is what is judged here
        run.until(lambda body: body.get("status") != "queued", "start", "left the queue")

    seen = run.retrieve()
    status = need_run(seen).get("status")
    within = f"within {run.waits.budget('start'):g} s"
    expect(status != "queued", f"another status than queued {within}", f"status {shown(status)}", run.seen, seen)


@requirement("RUN-LIFE-005")
def test_a_run_that_must_call_a_function_asks_for_its_output(stage: Stage) -> None:
    """A named tool choice leaves the model no other way than to call the function."""
    run = stage.started(stage.thread(), **CALL_A_FUNCTION)

    seen = run.until(
        lambda body: body.get("status") in {"requires_action", *FINAL}, "action", "asked for the output of its function"
    )

    status = need_run(seen).get("status")
    need(status not in {"failed", "expired", "incomplete"}, f"the model never came to calling the function: {seen}")
    expect(status == "requires_action", 'status "requires_action"', f"status {shown(status)}", run.seen, seen)


@requirement("RUN-LIFE-006")
@fresh_run("requires_action")
def test_a_run_waits_for_its_outputs(run: Run) -> None:
    """Nothing but the outputs, a cancel or its expiry moves a run on that asked for them."""
    run.pause("afterlife", since=run.seen)

    after = run.retrieve()
    need(need_run(after).get("status") != "expired", f"it has expired, which RUN-LIFE-018 is about: {after}")
    expect_waiting(run.seen, after)


@requirement("RUN-LIFE-007")
@fresh_run("requires_action")
def test_a_run_whose_outputs_never_come_expires(stage: Stage, run: Run) -> None:
    """A run does not wait for its outputs for ever."""
    if not (stage.means.free or "expiry" in stage.means.waits.budgets):
        reason = "it takes ten minutes on a target whose clock cannot be turned; --runs-wait=expiry=SECONDS permits it"
        raise Untested(reason, gates=False)
    after = run.outlive()

    _expect_expired(run, after)


@requirement("RUN-LIFE-008")
def test_a_run_that_takes_too_long_expires(stage: Stage) -> None:
    """Work that is not done at expires_at is given up."""
    recipe = stage.means.recipe("expired", "makes a run take too long")
    run = stage.started(stage.thread(), **recipe)

    after = run.outlive()

    _expect_expired(run, after)


@requirement("RUN-LIFE-009")
def test_a_run_that_hits_its_token_limit_is_incomplete(stage: Stage) -> None:
    """Text that was cut off must not pass for a complete answer."""
    fields: dict[str, Any] = {**SMALL_LIMIT, **stage.means.recipes.get("incomplete", {})}
    limit = fields["max_completion_tokens"]
    run = stage.started(stage.thread(LONG_PROMPT), **fields)
    seen = run.settle()
    spent = _spent(seen)
    if status_of(seen) == "completed" and 1 < spent < limit:  # a terse model: half of what it took is too little
        limit = spent // 2
        run = stage.started(stage.thread(LONG_PROMPT), **{**fields, "max_completion_tokens": limit})
        seen = run.settle()
        spent = _spent(seen)

    status = status_of(seen)
    need(status in {"incomplete", "completed"}, f"the run never came to its limit: {seen}")
    need(status == "incomplete" or spent <= limit, f"it spent {spent} of {limit} tokens, which RUN-INV-019 is about")
    need(status == "incomplete" or spent == limit, f"the model ended after {spent} of {limit} tokens by itself: {seen}")
    expect(status == "incomplete", 'status "incomplete"', f"completed after {spent} of {limit} tokens", run.seen, seen)


@requirement("RUN-LIFE-010")
@shared_run("incomplete")
def test_an_incomplete_run_names_the_limit_that_it_hit(run: Run) -> None:
    """Only the completion limit was set, so it is the one that was hit; the real service once named the other."""
    details = run.body.get("incomplete_details")
    need(isinstance(details, dict), f"it has no incomplete_details: {run.seen}")
    reason = details.get("reason") if isinstance(details, dict) else None
    need(reason in {"max_completion_tokens", "max_prompt_tokens"}, f"it names no limit at all: {shown(reason)}")
    expect(reason == "max_completion_tokens", 'reason "max_completion_tokens"', f"reason {shown(reason)}", run.seen)


@requirement("RUN-LIFE-011")
@shared_run("completed")
def test_a_completed_run_leaves_its_answer_on_the_thread(run: Run) -> None:
    """The answer is an assistant's message that names the run."""
    messages = run.thread.messages()

    authors = [(each.get("role"), each.get("run_id")) for each in need_page(messages)]
    expected = ("assistant", run.id)
    expect(expected in authors, f"a message of role and run_id {shown(expected)}", authors, run.seen, messages)


@requirement("RUN-LIFE-012")
@while_active
def test_an_active_run_keeps_other_runs_off_its_thread(run: Run, stage: Stage) -> None:
    """One thread, one active run: the second is refused, streamed or not, and is not on the thread afterwards."""
    reply = stage.create_run(run.thread)

    _expect_locked_out(run, reply)
    _expect_alone(run, reply)
    streamed = _streamed_run(run, stage)
    if streamed.is_stream:
        status = need_run(run.retrieve()).get("status")
        need(status in ACTIVE, f"the run was {status} before a stream was asked for")
        _expect_alone(run, streamed)


@requirement("RUN-LIFE-012")
@fresh_run("requires_action")
def test_an_active_run_keeps_other_assistants_off_its_thread(run: Run, other_assistant: str, stage: Stage) -> None:
    """It is the thread that is locked, whoever is to answer."""
    reply = stage.create_run(run.thread, assistant_id=other_assistant)

    _expect_locked_out(run, reply)
    _expect_alone(run, reply)


@requirement("RUN-LIFE-012")
@fresh_run("requires_action")
def test_a_run_that_went_on_keeps_other_runs_off_its_thread(run: Run, stage: Stage) -> None:
    """Outputs give a run more to do, and do not end it."""
    need(run.submit().succeeded, "the outputs are refused, which other requirements are about")

    reply = stage.create_run(run.thread)

    _expect_locked_out(run, reply)
    _expect_alone(run, reply)


@requirement("RUN-LIFE-013")
@while_active
def test_an_active_run_keeps_messages_off_its_thread(run: Run, stage: Stage) -> None:
    """Nobody puts words in between, by themselves or with a run: they are refused, and not on the thread."""
    for role in ("user", "assistant"):
        _expect_locked_out(run, run.thread.add_message(INTERRUPTION, role=role))
    reply = stage.create_run(run.thread, additional_messages=[{"role": "user", "content": INTERRUPTION}])

    messages = run.thread.messages()
    added = [each["id"] for each in need_page(messages) if INTERRUPTION in str(each.get("content"))]
    if added:
        others = [each["id"] for each in need_page(run.thread.list()) if each["id"] != run.id]
        need(not others, f"there is another run, which RUN-LIFE-012 is about: {reply}")
    expect(not added, "no message of the interruption", added, run.seen, reply, messages)


@requirement("RUN-LIFE-014")
@fresh_run(*FINISHED)
def test_a_finished_run_releases_its_thread(run: Run, stage: Stage) -> None:
    """However a run ended, the conversation goes on."""
    message = run.thread.add_message("Say hello.")
    following = stage.create_run(run.thread)

    expect(message.succeeded, "a new message (2xx)", f"status {message.status}", run.seen, message)
    expect(following.succeeded, "a new run (2xx)", f"status {following.status}", run.seen, following)


@requirement("RUN-LIFE-015")
@fresh_run("requires_action")
def test_an_active_run_locks_no_other_thread(run: Run, stage: Stage) -> None:
    """Conversations with the same assistant do not wait for each other."""
    other = stage.thread()

    message = other.add_message("Say hello.")
    elsewhere = stage.create_run(other)

    expect(message.succeeded, "a message on the other thread (2xx)", f"status {message.status}", run.seen, message)
    expect(elsewhere.succeeded, "a run on the other thread (2xx)", f"status {elsewhere.status}", run.seen, elsewhere)


def _spent(seen: Exchange) -> int:
    """The completion tokens of a finished run; 0 where it does not say."""
    usage = need_run(seen).get("usage")
    spent = usage.get("completion_tokens") if isinstance(usage, dict) else None
    return spent if isinstance(spent, int) else 0


def _expect_expired(run: Run, after: Exchange) -> None:
    status = status_of(after)
    need(status not in {"completed", "incomplete", "failed"}, f"it came to rest by itself: {after}")
    expect(status == "expired", 'status "expired"', f"status {shown(status)}", run.seen, after)


def _expect_locked_out(run: Run, reply: Exchange) -> None:
    """Expect a refusal because of the run; if that came to rest in time, nothing was measured."""
    if reply.succeeded:
        status = need_run(run.retrieve()).get("status")
        run.thread.list()  # the invariants judge how many active runs it shows
        need(status in ACTIVE, f"the run was {status} before the request arrived")
    expect_refused(reply, run.seen, because=f"since run {run.id} is active")


def _streamed_run(run: Run, stage: Stage) -> Exchange:
    """What comes of asking for another run as a stream, once it has told of one."""
    seconds = run.waits.budget("start")
    stream = run.client.listen(
        "create_run", thread_id=run.thread_id, json=stage.run_fields(stream=True), seconds=seconds
    )
    stream.until(lambda event: event.shows_run)
    return stream.leave()


def _expect_alone(run: Run, reply: Exchange) -> None:
    listed = run.thread.list()
    others = [each["id"] for each in need_page(listed) if each["id"] != run.id]
    expect(not others, "no other run on the thread", others, run.seen, reply, listed)
