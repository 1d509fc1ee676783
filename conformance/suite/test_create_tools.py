"""Whether a run calls functions, which, and how many at a time: what it was created with decides."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from conformance.states import FINAL
from conformance.states.handles import Run
from conformance.states.means import PROBE
from conformance.states.stage import CALL_A_FUNCTION
from conformance.suite import requirement
from conformance.suite.expectations import expect, need, need_run, shown, status_of
from conformance.suite.settings import expect_created, function
from conformance.wire.calls import calls_in, function_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from conformance.states.stage import Stage
    from conformance.wire.exchange import Exchange

OTHER: Final = "conformance_other"
BOTH: Final[list[dict[str, Any]]] = [*CALL_A_FUNCTION["tools"], function(OTHER)]
PLEA: Final = (
    f"Call {PROBE} with x set to 1, and call {OTHER} with y set to 2. Do both at once, before you say anything."
)


@requirement("RUN-CREATE-019")
def test_no_function_is_called_where_none_is_wanted(stage: Stage, some_run: Run) -> None:
    """However much the message begs for it, the caller is not ready for a call."""
    seen = _asked(stage, some_run, tool_choice="none")

    status = status_of(seen)
    expect(
        status != "requires_action",
        "an end without a call",
        f"status {status}, calls of {shown([*_called(seen).values()])}",
        seen,
    )
    need(status in {"completed", "incomplete"}, f"it never came to where it could have called one: {seen}")


@requirement("RUN-CREATE-020")
def test_some_function_is_called_where_one_is_required(stage: Stage, some_run: Run) -> None:
    """Which one is the model's choice; that it calls one is not."""
    seen = _asked(stage, some_run, tool_choice="required")

    _need_calm(seen)
    expect(status_of(seen) == "requires_action", 'status "requires_action"', f"status {status_of(seen)}", seen)


@requirement("RUN-CREATE-021")
def test_the_function_that_is_named_is_called(stage: Stage, some_run: Run) -> None:
    """Of two functions, the second one is to be called, and the first one is not called for it."""
    seen = _asked(stage, some_run, tool_choice={"type": "function", "function": {"name": OTHER}})

    need(status_of(seen) == "requires_action", f"it calls nothing, which RUN-LIFE-005 is about: {seen}")
    called = _called(seen).values()
    need(called, f"it names no call, which RUN-SCHEMA-012 is about: {seen}")
    need({*called} <= {PROBE, OTHER}, f"it calls what it does not have, which RUN-SCHEMA-015 is about: {seen}")
    expect({*called} == {OTHER}, f"a call of {OTHER}", f"calls of {shown([*called])}", seen)


@requirement("RUN-CREATE-023")
def test_one_function_is_called_at_a_time_where_the_caller_says_so(stage: Stage, some_run: Run) -> None:
    """Of two functions that are both asked for, one has to wait."""
    seen = _asked(stage, some_run, tool_choice="required", parallel_tool_calls=False)

    need(status_of(seen) == "requires_action", f"it calls nothing, which RUN-CREATE-020 is about: {seen}")
    called = _called(seen)
    need(called, f"it names no call, which RUN-SCHEMA-013 is about: {seen}")
    expect(len(called) == 1, "one call", f"{len(called)} calls, of {shown([*called.values()])}", seen)


def _asked(stage: Stage, some_run: Run, **fields: Any) -> Exchange:
    """Ask for both functions, and see whether any is called."""
    created = stage.create_run(stage.thread(PLEA), tools=BOTH, **fields)
    run = Run(stage.client, stage.means.waits, expect_created(some_run, created, "functions"))
    asks_or_ends = {"requires_action", *FINAL}
    return run.until(lambda body: body.get("status") in asks_or_ends, "action", "called a function or ended")


def _need_calm(seen: Exchange) -> None:
    status = status_of(seen)
    need(status not in {"failed", "expired", "incomplete", "cancelled"}, f"it never came to calling one: {seen}")


def _called(seen: Exchange) -> Mapping[str, str]:
    """The names of the functions that a run calls, by the ids of the calls; one that is there twice is one."""
    return {str(call.get("id")): str(function_of(call).get("name")) for call in calls_in(need_run(seen))}
