"""Outputs of functions, submitted as they should be: the run takes them once, and goes on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import pytest

from conformance.outcomes import NotClaimed, Untested
from conformance.states import FINAL
from conformance.states.handles import calls_of
from conformance.states.means import PROBE
from conformance.states.stage import CALL_A_FUNCTION
from conformance.states.strangers import Phantom
from conformance.states.streams import CAPABILITY, outputs_of, submitted
from conformance.suite import fresh_run, requirement
from conformance.suite.expectations import (
    expect,
    expect_refused,
    expect_same,
    expect_status,
    expect_untouched,
    expect_waiting,
    need,
    need_page,
    need_refused_in_json,
    need_run,
    shown,
    status_of,
)
from conformance.suite.steps import calls_in
from conformance.wire.calls import function_of
from conformance.wire.values import NOT_JSON

if TYPE_CHECKING:
    from collections.abc import Mapping

    from conformance.states.handles import Run
    from conformance.states.shared import Shared
    from conformance.states.stage import Stage
    from conformance.wire.exchange import Exchange

_PROBE: Final = CALL_A_FUNCTION["tools"][0]["function"]
#: Creates a run that may call two functions at once.
CALL_TWO_FUNCTIONS: Final[dict[str, Any]] = {
    "tools": [
        {"type": "function", "function": _PROBE},
        {"type": "function", "function": {**_PROBE, "name": f"{PROBE}_y", "description": "Looks up the value of y."}},
    ],
    "tool_choice": "required",
}
TWO_QUESTIONS: Final = "Look up the value of x and the value of y, both at once."


@dataclass(frozen=True)
class Answered:
    """A run that was given its outputs, the reply to that, and a read right after it."""

    run: Run
    reply: Exchange
    after: Exchange


@pytest.fixture
def answered(shared: Shared) -> Answered:
    """A run with its outputs, which every case here only reads."""

    def answer() -> Answered:
        run = shared.stage.run("requires_action")
        need(run.waits_for_outputs, f"the run does not say what it waits for: {run.seen}")
        return Answered(run, run.submit(), run.retrieve())

    return shared.once("answered", answer)


def asks_anew(run: Run, body: dict[str, Any]) -> bool:
    """Whether the run waits for other calls than those that it was staged with."""
    calls = calls_of(body)
    return body.get("status") == "requires_action" and bool(calls) and not {*calls} & {*run.tool_call_ids()}


def went_on(run: Run) -> Exchange:
    """Read a run until it has come to rest, or asks for something else."""
    return run.until(lambda body: body.get("status") in FINAL or asks_anew(run, body), "finish", "went on")


@requirement("RUN-TOOL-001")
def test_all_outputs_are_taken(answered: Answered) -> None:
    """The request is granted, and answered with the run itself."""
    run, reply = answered.run, answered.reply

    expect(reply.succeeded, "a success (2xx)", f"status {reply.status}", run.seen, reply)
    need(reply.json is not NOT_JSON, f"the reply is no JSON, which RUN-HDR-003 is about: {reply}")
    shown = reply.json.get("id") if isinstance(reply.json, dict) else None
    expect(shown == run.id, f"run {run.id}", f"id {shown}", run.seen, reply)


@requirement("RUN-TOOL-002")
def test_a_run_with_its_outputs_is_queued(answered: Answered) -> None:
    """The reply shows that the run waits no longer; that it asks for nothing any more is RUN-INV-035's business."""
    run, reply = answered.run, answered.reply
    need(reply.succeeded, f"the outputs are refused, which RUN-TOOL-001 is about: {reply}")

    status = status_of(reply)
    need(status not in {"failed", "expired"}, f"the run ended otherwise: {reply}")
    legal = status in {"queued", "in_progress", "completed", "incomplete"} or asks_anew(run, need_run(reply))
    expect(legal, "status queued, or in_progress", f"status {status}", run.seen, reply)


@requirement("RUN-TOOL-003")
def test_a_run_goes_on_with_its_outputs(answered: Answered) -> None:
    """It comes to an end, or calls another function."""
    run, reply = answered.run, answered.reply
    need(reply.succeeded, f"the outputs are refused, which RUN-TOOL-001 is about: {reply}")

    began = run.retrieve()
    try:
        seen = went_on(run)
    except Untested:
        seen = run.retrieve()
        if seen.ended - began.ended < run.waits.budget("start"):
            raise  # something else ended the wait

    status = status_of(seen)
    there = (status in FINAL and status != "expired") or asks_anew(run, need_run(seen))
    within = f"within {seen.ended - began.ended:.0f} s"
    expect(there, f"an end or another action {within}", f"status {status}", run.seen, reply, seen)


@requirement("RUN-TOOL-016")
def test_outputs_move_no_deadline(answered: Answered) -> None:
    """Neither the creation nor the expiry of a run moves when it goes on."""
    need(answered.reply.succeeded, f"the outputs are refused, which RUN-TOOL-001 is about: {answered.reply}")

    for seen in (answered.reply, answered.after):
        was, body = answered.run.body, need_run(seen)
        fixed = [name for name in ("created_at", "expires_at") if None not in (was.get(name), body.get(name))]
        expect_same(answered.run.seen, seen, fields=fixed)


@requirement("RUN-TOOL-013")
@fresh_run("requires_action")
def test_outputs_are_taken_once(run: Run) -> None:
    """The same outputs are refused right after they were taken, and again when the run has ended with them."""
    first = run.submit()
    need(first.succeeded, f"the outputs are refused, which RUN-TOOL-001 is about: {first}")

    again = run.submit()
    seen = went_on(run)
    late = run.submit()

    expect_refused(again, first, because="the run has these outputs")
    expect_refused(late, first, seen, because="the run went on with these outputs")


@pytest.fixture
def speechless(shared: Shared) -> Answered:
    """A run whose functions returned nothing."""

    def answer() -> Answered:
        run = shared.stage.run("requires_action")
        need(run.waits_for_outputs, f"the run does not say what it waits for: {run.seen}")
        return Answered(run, run.submit(dict.fromkeys(run.tool_call_ids(), "")), run.retrieve())

    return shared.once("speechless", answer)


@requirement("RUN-TOOL-011")
def test_an_empty_text_is_an_output(speechless: Answered) -> None:
    """A function that returns nothing has returned."""
    run, reply, after = speechless.run, speechless.reply, speechless.after

    goes_on = _moved(run, after)
    if not (reply.succeeded and goes_on):
        other = run.submit()
        usual = other.succeeded and _moved(run, run.retrieve())
        need(usual, f"other outputs are not taken either, which other requirements are about: {other}")
    expect(reply.succeeded, "a success (2xx)", f"status {reply.status}", run.seen, reply)
    expect(goes_on, "a run that goes on", "a run that waits on until other outputs come", run.seen, reply, after)


@requirement("RUN-TOOL-012")
def test_a_step_shows_an_empty_output(speechless: Answered) -> None:
    """Nothing that was returned is not the same as nothing yet."""
    run, reply = speechless.run, speechless.reply
    need(reply.succeeded and _moved(run, speechless.after), f"it is not taken, which RUN-TOOL-011 is about: {reply}")
    went_on(run)
    run.pause("afterlife", since=reply)

    page = run.steps.list()

    got = {id: function_of(call).get("output") for id, call in calls_in(need_page(page)).items()}
    need(got.keys() & {*run.tool_call_ids()}, f"no step shows these calls, which RUN-INV-036 is about: {page}")
    for id in got.keys() & {*run.tool_call_ids()}:
        expect(got[id] == "", 'output ""', f"output {shown(got[id])}", reply, page)


@dataclass(frozen=True)
class Twofold:
    """A run that waits for two calls: half of the outputs, what came of that, and then both, the last call first."""

    run: Run
    half: Exchange
    after: Exchange
    #: The same half where a stream is asked for, unless the target has none.
    streamed: Exchange | None
    outputs: Mapping[str, str]
    whole: Exchange


@pytest.fixture
def twofold(shared: Shared) -> Twofold:
    """A run that called two functions at once, if the model makes one."""

    def answer() -> Twofold:
        run = _asking_twice(shared.stage)
        ids = run.tool_call_ids()
        half, after = run.submit({ids[0]: "42"}), run.retrieve()
        streams = half.refused and CAPABILITY not in run.client.without
        streamed = submitted(run, outputs_of({ids[0]: "42"})) if streams else None
        outputs = {id: f"the output of {id}" for id in reversed(ids)}
        return Twofold(run, half, after, streamed, outputs, run.submit(outputs))

    return shared.once("twofold", answer)


@requirement("RUN-TOOL-004")
def test_some_of_the_outputs_are_not_enough(twofold: Twofold) -> None:
    """Where two calls wait, the output of one is refused, and the run waits on for both."""
    expect_refused(twofold.half, twofold.run.seen, because="the output of the other call is missing")
    expect_waiting(twofold.run.seen, twofold.after)


@requirement("RUN-TOOL-004")
def test_some_of_the_outputs_are_not_enough_for_a_stream(twofold: Twofold) -> None:
    """Nothing is told before the output of the other call is there as well."""
    if twofold.streamed is None:
        raise Untested(f"it was not asked, with half of the outputs {twofold.half}", gates=False)
    need_refused_in_json(twofold.streamed)
    expect_refused(twofold.streamed, twofold.run.seen, because="the output of the other call is missing")


@requirement("RUN-TOOL-012")
def test_each_output_belongs_to_its_call(twofold: Twofold) -> None:
    """Outputs name their calls, so that their order says nothing."""
    if not twofold.whole.succeeded:
        raise Untested(f"the outputs of two calls are not taken: {twofold.whole}", gates=False)
    went_on(twofold.run)
    page = twofold.run.steps.list()
    calls = calls_in(need_page(page))
    got = {id: function_of(calls[id]).get("output") for id in twofold.outputs if id in calls}

    need(got, f"no step shows these calls, which RUN-INV-036 is about: {page}")
    wanted = {id: twofold.outputs[id] for id in got}
    mixed = any(output in twofold.outputs.values() for id, output in got.items() if output != wanted[id])
    expect(not mixed, f"outputs {shown(wanted)}", f"outputs {shown(got)}", twofold.whole, page)


@requirement("RUN-TOOL-007")
@fresh_run("in_progress", "completed", "incomplete", "failed")
def test_a_run_that_waits_for_nothing_takes_no_outputs(run: Run) -> None:
    """Outputs that nobody asked for are refused; a run that rests stays as it is."""
    before = run.seen if run.body["status"] == "in_progress" else run.retrieve()

    reply = run.submit()

    expect_refused(reply, before, because=f"the run is {run.body['status']}")
    if run.body["status"] != "in_progress":
        expect_untouched(run, before)


@requirement("RUN-TOOL-007")
@fresh_run("in_progress")
def test_a_run_that_is_being_cancelled_takes_no_outputs(run: Run) -> None:
    """Neither does one that is on its way to its end."""
    cancel = run.cancel()
    need(cancel.succeeded, f"the run could not be cancelled, which RUN-CANCEL-001 is about: {cancel}")

    reply = run.submit()

    expect_refused(reply, cancel, because="the run is being cancelled")


@requirement("RUN-TOOL-015")
def test_outputs_can_come_too_late(stage: Stage) -> None:
    """A run that expired while it waited is not brought back by its outputs."""
    if not (stage.means.free or "expiry" in stage.means.waits.budgets):
        reason = "it takes ten minutes on a target whose clock cannot be turned; --runs-wait=expiry=SECONDS permits it"
        raise Untested(reason, gates=False)
    run = stage.run("requires_action")
    before = run.outlive()
    need(status_of(before) == "expired", f"the run did not expire, which RUN-LIFE-007 is about: {before}")

    reply = run.submit()

    expect_refused(reply, before, because="the run has expired")
    expect_untouched(run, before)


@requirement("RUN-TOOL-017")
def test_a_run_that_does_not_exist_takes_no_outputs(some_run: Run) -> None:
    """There is nothing to go on with."""
    reply = Phantom(some_run.client, some_run.waits, some_run.seen).submit()

    need(reply.status not in {405, 501}, f"there is no such operation: {reply}")
    expect_status(reply, 404)


def _moved(run: Run, seen: Exchange) -> bool:
    """Whether a run does not wait any more for the calls that it was staged with."""
    return status_of(seen) != "requires_action" or asks_anew(run, need_run(seen))


def _asking_twice(stage: Stage) -> Run:
    """A run that waits for two calls at once, if the model makes them."""
    try:
        run = stage.started(stage.thread(TWO_QUESTIONS), **CALL_TWO_FUNCTIONS)
        run.seen = run.until(lambda body: body.get("status") in {"requires_action", *FINAL}, "action", "called any")
    except NotClaimed:
        raise
    except Untested as problem:
        raise Untested(problem.reason, gates=False) from None
    if len(calls_of(run.body)) < 2:
        asked = f'{shown(TWO_QUESTIONS)} with two functions and tool_choice "required"'
        raise Untested(f"the model did not call two functions at once when asked {asked}: {run.seen}", gates=False)
    return run
