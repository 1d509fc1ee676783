"""What steps did: the message that they name, the functions that they called, and the tokens that it took."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from conformance.reference.faults.registry import fault, shows_step
from conformance.reference.faults.step_shapes import CALLS, WRITES, at, functions, of, says
from conformance.reference.operations import Operations

if TYPE_CHECKING:
    from collections.abc import Callable

    from conformance.reference.calls import Call
    from conformance.reference.faults.step_shapes import Change
    from conformance.reference.steps import Step


def _names(id: Any) -> Change:
    """Name another message."""
    return says(of(WRITES), step_details={"type": WRITES, WRITES: {"message_id": id}})


shows_step("step-message-unknown", "A step names a message that does not exist.", "STEP-009", change=_names("msg_x"))
shows_step("step-message-null", "A step does not name its message.", "STEP-009", change=_names(None))


@fault("STEP-009")
class StepOfTheQuestion(Operations):
    """A step names the message that its run answers."""

    def shown_step(self, step: Step, call: Call) -> dict[str, Any]:
        told = super().shown_step(step, call)
        _names(self._thread(call).written[-1].id)(told, step, call)
        return told


def _answered(how: Callable[[str], Any]) -> Change:
    """Change the output of each function that has one."""
    return functions(lambda told: told["output"] is not None and told.update(output=how(told["output"])))


def _waiting(how: Callable[[dict[str, Any]], Any]) -> Change:
    """Change each function that waits for its output."""
    return functions(lambda told: told["output"] is None and how(told))


shows_step("output-lost", "The output of a call is not kept.", "TOOL-012", change=_answered(lambda _: None))
shows_step(
    "output-cut", "An output is cut after 200 characters.", "TOOL-012", change=_answered(lambda text: text[:200])
)
shows_step("output-trimmed", "An output loses the space around it.", "TOOL-012", change=_answered(str.strip))


def _parsed(output: str) -> Any:
    try:
        return json.loads(output)
    except ValueError:
        return output


shows_step("output-quoted", "An output is shown as JSON in JSON.", "TOOL-012", change=_answered(json.dumps))
shows_step(
    "output-parsed",
    "An output that is JSON is shown as an object.",
    "STEP-010",
    "TOOL-012",
    change=_answered(_parsed),
)
shows_step(
    "output-empty-before",
    "The output of a call is an empty text until it is submitted.",
    "STEP-010",
    change=_waiting(lambda told: told.update(output="")),
)
shows_step(
    "output-missing-before",
    "A call has no output until it is submitted.",
    "STEP-010",
    change=_waiting(lambda told: told.pop("output")),
)
shows_step(
    "step-without-arguments",
    "A call does not say in its step what the function is called with.",
    "STEP-010",
    change=functions(lambda told: told.pop("arguments")),
)
shows_step(
    "step-arguments-parsed",
    "The arguments of a call are an object in its step.",
    "STEP-010",
    change=functions(lambda told: told.update(arguments=json.loads(told["arguments"]))),
)
shows_step(
    "step-arguments-differ",
    "The arguments of a call are empty in its step.",
    "STEP-010",
    change=functions(lambda told: told.update(arguments="{}")),
)
shows_step(
    "step-function-renamed",
    "A call names its function otherwise in its step.",
    "STEP-010",
    change=functions(lambda told: told.update(name=f"functions.{told['name']}")),
)


def _calls(how: Callable[[dict[str, Any]], list[Any]]) -> Change:
    """Change the calls of a step while they wait."""
    told = lambda told: {"type": CALLS, CALLS: how(told)}  # noqa: E731
    return says(of(CALLS, "in_progress"), step_details=told)


def _renumbered(told: dict[str, Any]) -> list[Any]:
    return [{**call, "id": "call_0"} for call in told["step_details"][CALLS]]


_done = {"status": "completed", "completed_at": lambda told: told["created_at"], "expires_at": None}
shows_step("calls-shown-later", "A step hides its calls while they wait.", "INV-036", change=_calls(lambda _: []))
shows_step("calls-renumbered", "A call that waits has another id in its step.", "INV-036", change=_calls(_renumbered))
shows_step(
    "called-is-completed",
    "A step is completed as soon as its calls are made.",
    "STEP-011",
    change=says(of(CALLS, "in_progress"), **_done),
)


@fault("INV-036")
class StepsComeAtTheEnd(Operations):
    """A step is there once it is done."""

    def list_run_steps(self, call: Call) -> dict[str, Any]:
        told = super().list_run_steps(call)
        done = [step for step in told["data"] if step["status"] != "in_progress"]
        first, last = (done[0]["id"], done[-1]["id"]) if done else (None, None)
        return {**told, "data": done, "first_id": first, "last_id": last}


def _used(**tokens: Callable[[dict[str, int]], int]) -> Change:
    """Change the usage of a step that has one."""

    def usage(told: dict[str, Any]) -> dict[str, int]:
        return {**told["usage"], **{name: how(told["usage"]) for name, how in tokens.items()}}

    return says(at("completed", "cancelled", "failed", "expired"), usage=usage)


_tokens = {"prompt_tokens": 5, "completion_tokens": 2, "total_tokens": 7}
_zero = dict.fromkeys(_tokens, 0)
shows_step(
    "usage-so-far", "An open step says what it used so far.", "STEP-007", change=says(at("in_progress"), usage=_tokens)
)
shows_step(
    "usage-of-zero",
    "An open step has used nothing, in numbers.",
    "STEP-007",
    change=says(at("in_progress"), usage=_zero),
)
shows_step(
    "step-total-without-prompt",
    "The total of a step leaves the prompt out.",
    "STEP-008",
    change=_used(total_tokens=lambda tokens: tokens["completion_tokens"]),
)
shows_step(
    "step-total-too-high",
    "The total of a step is one too many.",
    "STEP-008",
    change=_used(total_tokens=lambda tokens: tokens["total_tokens"] + 1),
)
