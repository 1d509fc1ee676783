"""Outputs that are submitted with a stream asked for are taken, refused and kept like any others."""

from __future__ import annotations

from typing import TYPE_CHECKING

from conformance.invariants.heard import Heard
from conformance.states.strangers import Phantom
from conformance.states.streams import outputs_of, submitted
from conformance.suite import requirement
from conformance.suite.expectations import (
    expect,
    expect_refused,
    expect_status,
    expect_untouched,
    need,
    need_page,
    need_refused_in_json,
    need_run,
    need_still_cancelled,
    shown,
    status_of,
)
from conformance.suite.steps import calls_in
from conformance.wire.calls import function_of
from conformance.wire.values import ABSENT, same

if TYPE_CHECKING:
    from conformance.states.handles import Run
    from conformance.states.interference import Interfered
    from conformance.states.streams import Listened, Told, ToldCall
    from conformance.wire.exchange import Exchange


@requirement("RUN-TOOL-007")
def test_a_run_at_rest_takes_no_outputs_for_a_stream(told: Told) -> None:
    """Outputs that nobody asked for are refused, and not answered with a stream of nothing."""
    _expect_refused_at_rest(told.run, told.run.retrieve(), "completed")


@requirement("RUN-CANCEL-022")
def test_a_cancelled_run_takes_no_outputs_for_a_stream(interfered: Interfered) -> None:
    """Nothing brings it back, and nothing is told of it."""
    need(interfered.cancel.succeeded, "the cancel was not accepted, which RUN-CANCEL-001 is about")
    seen = need_still_cancelled(interfered.run, since=interfered.settled)
    _expect_refused_at_rest(interfered.run, seen, "cancelled")


@requirement("RUN-TOOL-013")
def test_outputs_are_taken_once_for_a_stream(told_of_a_call: ToldCall) -> None:
    """The run went on with these outputs, and has no use for them a second time."""
    called = told_of_a_call
    need(called.rest.succeeded, f"the outputs are refused, which RUN-TOOL-001 is about: {called.rest}")
    need(status_of(called.ended) != "requires_action", f"the run asks for more: {called.ended}")

    again = submitted(called.run, outputs_of(called.outputs))

    need_refused_in_json(again)
    expect_refused(again, called.rest, because="the run went on with these outputs")


@requirement("RUN-TOOL-017")
def test_a_run_that_does_not_exist_is_not_told_of(heard: Listened, some_run: Run) -> None:
    """There is nothing to tell."""
    need(heard.stream.is_stream, "the target does not stream")
    nobody = Phantom(some_run.client, some_run.waits, some_run.seen)

    reply = submitted(nobody, outputs_of({"call_conformance": "42"}))

    need(reply.status not in {405, 501}, f"there is no such operation: {reply}")
    need_refused_in_json(reply)
    expect_status(reply, 404)


@requirement("RUN-TOOL-012")
def test_a_step_shows_the_output_that_was_followed_by_a_stream(told_of_a_call: ToldCall) -> None:
    """What a function returned is part of the record, to the letter."""
    called = told_of_a_call
    need(called.rest.is_stream, f"the outputs are not followed by a stream, which RUN-TOOL-014 is about: {called.rest}")
    called.run.pause("afterlife", since=called.ended)
    page = called.run.steps.list()
    calls = calls_in(need_page(page))
    need(calls, f"no step shows a call: {page}")

    for id, output in called.outputs.items():
        got = function_of(calls.get(id, {})).get("output", ABSENT)
        expect(got == output, f"output {shown(output)}", shown(got), called.rest, page)


@requirement("RUN-TOOL-016")
def test_outputs_move_no_deadline_in_a_stream(told_of_a_call: ToldCall) -> None:
    """Neither the creation nor the expiry of a run moves when it is told of further."""
    was = told_of_a_call.run.body

    for event in Heard(told_of_a_call.rest).runs[:1]:  # whether the others agree with it is RUN-STREAM-023's business
        for name in ("created_at", "expires_at"):
            if None not in (was.get(name), event.value.get(name)):
                expected, got = f"{name} {shown(was[name])} in {event.name}", shown(event.value[name])
                expect(same(was[name], event.value[name]), expected, got, told_of_a_call.run.seen, told_of_a_call.rest)


def _expect_refused_at_rest(run: Run, before: Exchange, status: str) -> None:
    rests = need_run(before).get("status")
    need(rests == status, f"the run is {rests}: {before}")

    reply = submitted(run, outputs_of({"call_conformance": "42"}))

    need_refused_in_json(reply)
    expect_refused(reply, before, because=f"the run is {status}")
    expect_untouched(run, before)
