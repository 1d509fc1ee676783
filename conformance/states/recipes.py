"""The recipes that bring a fresh run into a state on a black box."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Any

from conformance.outcomes import Untested
from conformance.states import FINAL
from conformance.states.handles import run_of
from conformance.states.stage import CALL_A_FUNCTION, LONG_PROMPT, SHORT_PROMPT, SMALL_LIMIT
from conformance.states.streams import ATTEMPTS, seen_at_work

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from conformance.states.handles import Run
    from conformance.states.stage import Stage
    from conformance.wire.exchange import Exchange

#: How often a state is tried for that was seen to depend on chance.
MORE_ATTEMPTS = 10


def _queued(stage: Stage, fields: Mapping[str, Any]) -> Run:
    run = stage.started(stage.thread(LONG_PROMPT), **fields)
    return stage.staged(run.seen, "queued")


def _in_progress(stage: Stage, fields: Mapping[str, Any]) -> Run:
    for _ in range(ATTEMPTS):
        run = stage.started(stage.thread(LONG_PROMPT), **fields)
        seen = run.until(lambda body: body.get("status") != "queued", "start", "left the queue")
        if run_of(seen).get("status") == "in_progress":
            break
    else:  # a stream says it at once, and even where a create awaits the end
        seen = seen_at_work(stage, **fields) or seen
    return stage.staged(seen, "in_progress")


def _requires_action(stage: Stage, fields: Mapping[str, Any]) -> Run:
    # A target that was seen to call functions now and then gets the chance to do it again.
    for _ in range(MORE_ATTEMPTS if "requires_action" in stage.means.reached else ATTEMPTS):
        run = stage.started(stage.thread(), **{**CALL_A_FUNCTION, **fields})
        seen = run.until(
            lambda body: body.get("status") in {"requires_action", *FINAL},
            "action",
            "asked for the output of its function",
        )
        if run_of(seen).get("status") == "requires_action":
            break
    return stage.staged(seen, "requires_action")


def _cancelling(stage: Stage, fields: Mapping[str, Any]) -> Run:
    run = _in_progress(stage, fields)
    reply = run.cancel()
    if not reply.succeeded:
        raise Untested(f"the cancel of an in_progress run was not accepted: {reply}")
    run.itself(reply)
    return stage.staged(reply, "cancelling")


def _cancelled(stage: Stage, fields: Mapping[str, Any]) -> Run:
    for _ in range(ATTEMPTS):
        run = stage.started(stage.thread(LONG_PROMPT), **fields)
        with suppress(Untested):  # some targets cancel a run that never left the queue
            run.until(lambda body: body.get("status") != "queued", "start", "left the queue")
        reply = run.cancel()
        seen = reply if run_in(reply, "cancelled") else run.settle("cancel")
        run.itself(seen)
        if run_in(seen, "cancelled"):
            break
    return stage.staged(seen, "cancelled")


def _ended(state: str, prompt: str, recipe: Mapping[str, Any]) -> Callable[..., Run]:
    def stage_it(stage: Stage, fields: Mapping[str, Any]) -> Run:
        run = stage.started(stage.thread(prompt), **{**recipe, **stage.means.recipes.get(state, {}), **fields})
        return stage.staged(run.settle(), state)

    return stage_it


def _failed(stage: Stage, fields: Mapping[str, Any]) -> Run:
    stage.means.recipe("failed", "makes a run fail")
    return _ended("failed", LONG_PROMPT, {})(stage, fields)


def _expired(stage: Stage, fields: Mapping[str, Any]) -> Run:
    recipe = stage.means.recipe("expired", "makes a run take too long")
    run = stage.started(stage.thread(LONG_PROMPT), **{**recipe, **fields})
    return stage.staged(run.outlive(), "expired")


def run_in(reply: Exchange, state: str) -> bool:
    """Whether a reply shows a run in a state."""
    return reply.succeeded and isinstance(reply.json, dict) and reply.json.get("status") == state


RECIPES: Mapping[str, Callable[[Stage, Mapping[str, Any]], Run]] = {
    "queued": _queued,
    "in_progress": _in_progress,
    "requires_action": _requires_action,
    "cancelling": _cancelling,
    "cancelled": _cancelled,
    "completed": _ended("completed", SHORT_PROMPT, {}),
    "incomplete": _ended("incomplete", LONG_PROMPT, SMALL_LIMIT),
    "failed": _failed,
    "expired": _expired,
}
