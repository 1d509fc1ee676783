"""Subjects that it takes several moves to stage: a run that called a function, and one that was interrupted."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from conformance.outcomes import Untested
from conformance.states import FINAL
from conformance.states.handles import Run, calls_of
from conformance.states.lists import items_of
from conformance.states.waits import next_interval

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from conformance.states.stage import Stage
    from conformance.wire.exchange import Exchange

#: What is submitted: long, and full of what a server may trim, cut, escape or take for something else.
OUTPUT: Final = '{"x": "42 \N{DEGREE SIGN}C", "file": "C:\\\\new", "note": "' + "as seen, " * 150 + '\\"quoted\\""}\n '
#: How often a run may call functions before it answers.
_ROUNDS: Final = 3


@dataclass(frozen=True)
class Called:
    """A run that called a function, took its output, and answered."""

    run: Run
    #: What was submitted, by the id of the call.
    outputs: Mapping[str, str]


@dataclass(frozen=True)
class Interrupted:
    """A run that was cancelled while it wrote a long answer."""

    run: Run
    #: The reply to the cancel.
    cancel: Exchange
    #: Whether the beginning of its answer was seen.
    was_seen_writing: bool


def called(stage: Stage) -> Called:
    """
    Stage a run that called a function.

    Raises:
        Untested: it took no outputs, or did not complete with them.
    """
    run, outputs = stage.run("requires_action"), dict[str, str]()
    for _ in range(_ROUNDS):
        given = {id: OUTPUT.replace("42", str(number)) for number, id in enumerate(run.tool_call_ids(), 42)}
        if not (reply := run.submit(given)).succeeded:
            raise Untested(f"the outputs are refused, which other requirements are about: {reply}")
        outputs |= given
        run = Run(run.client, run.waits, _moved_on(run, outputs))
        if run.body.get("status") in FINAL:
            break
    run.pause("afterlife")  # what becomes of a step may be told a moment late
    return Called(stage.staged(run.seen, "completed"), outputs)


def _moved_on(run: Run, answered: Collection[str]) -> Exchange:
    """The run once it has ended, or asks for outputs that it was not given yet."""

    def has(body: dict[str, Any]) -> bool:
        asks = body.get("status") == "requires_action" and not set(calls_of(body)) <= set(answered)
        return asks or body.get("status") in FINAL

    return run.until(has, "finish", "went on with its outputs")


def interrupted(stage: Stage) -> Interrupted:
    """
    Stage a run that is cancelled once it is seen to write, or a moment later if that cannot be seen.

    Raises:
        Untested: it could not be cancelled, or was done first.
    """
    run, interval = stage.run("in_progress"), 0.0
    budget = run.waits.budget("appear")
    while not (writes := _writes(run)) and (passed := run.client.now() - run.seen.ended) < budget:
        interval = next_interval("appear", interval, passed, None)
        run.client.wait(interval, "appear")
    reply = run.cancel()
    if not reply.succeeded:
        raise Untested(f"the run could not be cancelled: {reply}")
    seen = run.settle("cancel")
    run.pause("afterlife")
    return Interrupted(stage.staged(seen, "cancelled"), reply, writes)


def _writes(run: Run) -> bool:
    """Whether the thread shows the beginning of an answer."""
    with suppress(Untested):
        return any(each.get("run_id") == run.id and each.get("content") for each in items_of(run.thread.messages()))
    return False
