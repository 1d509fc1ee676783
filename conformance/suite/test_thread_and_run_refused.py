"""A thread and its run that cannot be: what is refused of a run alone is refused with its thread as well."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import pytest

from conformance.states.stage import CALL_A_FUNCTION, SHORT_PROMPT
from conformance.states.strangers import never_issued
from conformance.suite import requirement
from conformance.suite.conversation import MESSAGES
from conformance.suite.expectations import expect, expect_refused, need, need_run
from conformance.suite.settings import function, speechless_assistant

if TYPE_CHECKING:
    from conformance.states.handles import Run
    from conformance.states.shared import Shared
    from conformance.states.stage import Stage

#: One mistake of each kind; what else is wrong in the same way is asked of a run alone.
MISTAKES: Final[dict[str, dict[str, Any]]] = {
    "unknown-member": {"conformance_unknown": 1},
    "17-pairs": {"metadata": {f"key {number}": "value" for number in range(17)}},
    "number-in-metadata": {"metadata": {"key": 1}},
    "temperature": {"temperature": 2.1},
    "top_p": {"top_p": "low"},
    "negative-limit": {"max_prompt_tokens": -1},
    "21-tools": {"tools": [function(f"conformance_{number}") for number in range(21)]},
    "truncation": {"truncation_strategy": {"type": "conformance"}},
    "undeclared-function": {
        "tools": CALL_A_FUNCTION["tools"],
        "tool_choice": {"type": "function", "function": {"name": "conformance_undeclared"}},
    },
    "format": {"response_format": "none"},
}


@requirement("RUN-THREADRUN-005")
@pytest.mark.parametrize("assistant", ["absent", "null"])
def test_no_thread_and_run_without_an_assistant(assistant: str, stage: Stage) -> None:
    """Who names no assistant is told so."""
    thread = {"messages": MESSAGES}
    if assistant == "absent":
        reply = stage.create_thread_and_run(thread=thread, without=("assistant_id",))
    else:
        reply = stage.create_thread_and_run(thread=thread, assistant_id=None)

    expect_refused(reply, because="since it names no assistant")


@requirement("RUN-THREADRUN-008")
@pytest.mark.parametrize("mistake", MISTAKES)
def test_what_is_wrong_of_a_run_is_wrong_with_its_thread(mistake: str, stage: Stage, some_run: Run) -> None:
    """A setting that is refused on a thread that is there is refused on one that comes with it."""
    _expect_alike(stage, some_run, MISTAKES[mistake])


@requirement("RUN-THREADRUN-008")
@pytest.mark.parametrize("assistant", ["never-issued", "empty"])
def test_an_unknown_assistant_has_no_threads_either(assistant: str, stage: Stage, some_run: Run) -> None:
    """A run is not made for an assistant that nobody created."""
    id = "" if assistant == "empty" else never_issued(stage.assistant_id)
    _expect_alike(stage, some_run, {"assistant_id": id})


@requirement("RUN-THREADRUN-008")
def test_there_is_no_thread_and_run_about_nothing(stage: Stage, shared: Shared, some_run: Run) -> None:
    """Neither messages nor instructions leave the model nothing to go by."""
    _expect_alike(stage, some_run, {"assistant_id": speechless_assistant(shared)}, message=None)


def _expect_alike(stage: Stage, some_run: Run, fields: dict[str, Any], message: str | None = SHORT_PROMPT) -> None:
    """Expect a refusal where a run alone is refused for the same, and the same status."""
    need_run(some_run.seen)
    alone = stage.create_run(stage.thread(message), **fields)
    need(alone.refused, f"it is not refused of a run alone, which other requirements are about: {alone}")
    messages = [] if message is None else [{"role": "user", "content": message}]

    reply = stage.create_thread_and_run(thread={"messages": messages}, **fields)

    expect_refused(reply, alone, because="as it is of a run alone")
    expect(reply.status == alone.status, f"status {alone.status}", f"status {reply.status}", alone, reply)
