"""Outputs that a waiting run must not take: they are refused, and it waits on for those that it asked for."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import pytest

from conformance.outcomes import NotClaimed, Untested
from conformance.states.strangers import never_issued
from conformance.states.streams import CAPABILITY, submitted
from conformance.suite import requirement
from conformance.suite.expectations import (
    expect,
    expect_no_crash,
    expect_refused,
    expect_waiting,
    need,
    need_refused_in_json,
    note,
)
from conformance.wire.exchange import JSON_TYPE

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from conformance.states.handles import Run
    from conformance.states.shared import Shared
    from conformance.wire.exchange import Exchange


def _outputs(calls: Sequence[str], output: object = "42") -> dict[str, Any]:
    return {"tool_outputs": [{"tool_call_id": call, "output": output} for call in calls]}


#: What is wrong with a request, from the calls that wait and one of another run; those come last that a target is
#: likeliest to take, since it is asked of one run after the other until it takes something.
MISTAKES: Final[Mapping[str, Callable[[Sequence[str], str], object]]] = {
    "garbled": lambda calls, _: json.dumps(_outputs(calls)).encode()[:-1],
    "nothing": lambda *_: {},
    "null": lambda *_: {"tool_outputs": None},
    "none": lambda *_: {"tool_outputs": []},
    "unknown-call": lambda calls, _: _outputs([never_issued(calls[0]), *calls[1:]]),
    "call-of-another-run": lambda calls, other: _outputs([other, *calls[1:]]),
    "one-call-too-many": lambda calls, _: _outputs([*calls, never_issued(calls[0])]),
    "number": lambda calls, _: _outputs(calls, 42),
    "object": lambda calls, _: _outputs(calls, {"value": 42}),
    "unknown-member": lambda calls, _: {**_outputs(calls), "conformance_unknown": True},
    "not-called-json": lambda calls, _: json.dumps(_outputs(calls)).encode(),
    "two-for-one-call": lambda calls, _: _outputs([*calls, calls[0]]),
}

#: What bytes are called, where that is what is wrong.
CALLED: Final = {"not-called-json": "text/plain"}


#: Those that are made once more where a stream is asked for, by the name that they have then.
STREAMED: Final = {
    f"{name}-streamed": name
    for name in ("nothing", "none", "unknown-call", "one-call-too-many", "number", "unknown-member")
}


@dataclass(frozen=True)
class Mistaken:
    """A waiting run, what was wrongly asked of it, and a read right after that."""

    run: Run
    reply: Exchange
    after: Exchange

    @property
    def waits_on(self) -> bool:
        """Whether the run is as it was."""
        body = self.after.json if self.after.succeeded and isinstance(self.after.json, dict) else {}
        return body.get("status") == "requires_action" and str(self.run.tool_call_ids()[0]) in str(body)


@dataclass(frozen=True)
class Mistakes:
    """Every mistake as far as it could be made, and the outputs that were right at last, if the run still waited."""

    made: Mapping[str, Mistaken]
    #: Why the others could not be made, if there are any.
    problem: Untested | None
    at_last: Mistaken | None


@pytest.fixture
def mistakes(shared: Shared) -> Mistakes:
    """One run of which everything is asked that it refuses; what was taken wrongly costs another one."""
    other = shared.run("requires_action")
    return shared.once("mistaken_outputs", lambda: _make_mistakes(shared, other.tool_call_ids()[0]))


def _make_mistakes(shared: Shared, other: str) -> Mistakes:
    made, run = dict[str, Mistaken](), None
    streams = CAPABILITY not in shared.stage.client.without
    again = {plain: streamed for streamed, plain in STREAMED.items() if streams}
    for name in (each for plain in MISTAKES for each in (plain, again.get(plain, "")) if each):
        wrong = MISTAKES[STREAMED.get(name, name)]
        try:
            run = run or shared.stage.run("requires_action")
            need(run.waits_for_outputs, f"the run does not say what it waits for: {run.seen}")
        except Untested as problem:
            return Mistakes(made, problem, None)
        if name == "call-of-another-run" and other in run.tool_call_ids():
            continue  # a target may count the calls of each run
        body = wrong(run.tool_call_ids(), other)
        if name in STREAMED and isinstance(body, dict):
            reply = submitted(run, body)
        else:
            reply = run.submit_body(body, CALLED.get(name, JSON_TYPE))
        made[name] = Mistaken(run, reply, run.retrieve())
        if not made[name].waits_on:
            run = None
    return Mistakes(made, None, Mistaken(run, run.submit(), run.retrieve()) if run else None)


def expect_mistake_refused(mistakes: Mistakes, name: str, because: str) -> None:
    """The request was refused, and the run waits on."""
    if name in STREAMED and name not in mistakes.made and STREAMED[name] in mistakes.made and not mistakes.problem:
        raise NotClaimed(f"the target is declared to have no {CAPABILITY}")
    if name not in mistakes.made:
        raise mistakes.problem or Untested("the calls of two runs have the same ids", gates=False)
    mistaken = mistakes.made[name]
    need_refused_in_json(mistaken.reply)
    expect_refused(mistaken.reply, mistaken.run.seen, because=because)
    expect_waiting(mistaken.run.seen, mistaken.after)


@requirement("RUN-TOOL-005")
@pytest.mark.parametrize(
    "call",
    [
        "unknown-call",
        "call-of-another-run",
        "one-call-too-many",
        "unknown-call-streamed",
        "one-call-too-many-streamed",
    ],
)
def test_only_calls_of_the_run_have_outputs(call: str, mistakes: Mistakes) -> None:
    """An output for a call that the run did not make is refused."""
    expect_mistake_refused(mistakes, call, "the run made no such call")


@requirement("RUN-TOOL-006")
def test_two_outputs_for_one_call_do_not_crash_the_server(mistakes: Mistakes) -> None:
    """No source says which of the two counts, or whether any does: the server keeps its composure."""
    reply = _two_outputs(mistakes).reply

    expect_no_crash(reply)
    note(f"two outputs for one call are {'taken' if reply.succeeded else 'refused'}")


@requirement("RUN-TOOL-002")
def test_two_outputs_are_refused_or_the_run_goes_on(mistakes: Mistakes) -> None:
    """Whoever takes two outputs for one call has one of them, and does not wait for another."""
    asked = _two_outputs(mistakes)
    need(asked.reply.status < 500, f"the server crashed, which RUN-TOOL-006 is about: {asked.reply}")

    dropped = asked.reply.succeeded and asked.waits_on
    expect(not dropped, "a run that goes on", "a run that waits on", asked.run.seen, asked.reply, asked.after)


@requirement("RUN-TOOL-008")
@pytest.mark.parametrize("what", ["nothing", "null", "nothing-streamed"])
def test_a_submit_without_outputs_is_refused(what: str, mistakes: Mistakes) -> None:
    """Who submits nothing has not answered the calls."""
    expect_mistake_refused(mistakes, what, "there are no tool_outputs")


@requirement("RUN-TOOL-009")
@pytest.mark.parametrize("member", ["unknown-member", "unknown-member-streamed"])
def test_a_member_that_nobody_knows_is_refused(member: str, mistakes: Mistakes) -> None:
    """A request with one member too many is none that the API has."""
    expect_mistake_refused(mistakes, member, "the request has no member conformance_unknown")


@requirement("RUN-TOOL-010")
@pytest.mark.parametrize("outputs", ["none", "none-streamed"])
def test_an_empty_list_is_not_enough(outputs: str, mistakes: Mistakes) -> None:
    """A list of no outputs answers no call."""
    expect_mistake_refused(mistakes, outputs, "the output is missing")


@requirement("RUN-TOOL-011")
@pytest.mark.parametrize("output", ["number", "object", "number-streamed"])
def test_an_output_is_a_text(output: str, mistakes: Mistakes) -> None:
    """What a caller forgot to write as text is refused."""
    expect_mistake_refused(mistakes, output, "an output is a text")


@requirement("RUN-ERR-007")
def test_outputs_that_are_no_json_are_refused(mistakes: Mistakes) -> None:
    """A garbled request is the client's mistake, and the run waits on for another one."""
    expect_mistake_refused(mistakes, "garbled", "the body is no JSON")


@requirement("RUN-ERR-008")
def test_outputs_that_are_not_called_json_are_refused(mistakes: Mistakes) -> None:
    """Outputs are read as what their content type says, and as plain text they answer no call."""
    expect_mistake_refused(mistakes, "not-called-json", "the body is not called JSON")


def _two_outputs(mistakes: Mistakes) -> Mistaken:
    if "two-for-one-call" not in mistakes.made:
        raise mistakes.problem or Untested("it was not asked")
    return mistakes.made["two-for-one-call"]


@requirement("RUN-TOOL-001")
def test_refused_outputs_do_not_stand_in_the_way(mistakes: Mistakes) -> None:
    """However often a caller got it wrong, the outputs that are right are taken."""
    last = mistakes.at_last
    if last is None:
        raise mistakes.problem or Untested(
            "the last of the wrong outputs were taken, which others are about", gates=False
        )
    expect(last.reply.succeeded, "a success (2xx)", f"status {last.reply.status}", last.run.seen, last.reply)
