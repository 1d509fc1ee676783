"""Creates that no server can carry out: each is refused, and not made into something else."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import pytest

from conformance.states.means import PROBE
from conformance.states.stage import CALL_A_FUNCTION
from conformance.suite import requirement
from conformance.suite.expectations import expect_refused, need_run
from conformance.suite.settings import function

if TYPE_CHECKING:
    from conformance.states.handles import Run
    from conformance.states.stage import Stage

UNKNOWN: Final[dict[str, dict[str, Any]]] = {
    "invented": {"conformance_unknown": 1},
    "misspelt": {"instruction": "Answer in one word."},
}
TRUNCATION: Final[dict[str, Any]] = {
    "no-message": {"type": "last_messages", "last_messages": 0},
    "negative": {"type": "last_messages", "last_messages": -1},
    "unknown-type": {"type": "conformance"},
    "no-type": {"last_messages": 3},
    "array": ["auto"],
}
CHOICES: Final[dict[str, Any]] = {
    "no-function": {"type": "function"},
    "no-name": {"type": "function", "function": {}},
    "undeclared": {"type": "function", "function": {"name": "conformance_undeclared"}},
    "beginning": {"type": "function", "function": {"name": PROBE[:-1]}},
    "unknown-word": "conformance",
}


@requirement("RUN-CREATE-004")
@pytest.mark.parametrize("unknown", UNKNOWN)
def test_a_member_that_nobody_knows_is_refused(unknown: str, stage: Stage, some_run: Run) -> None:
    """What would be ignored is told instead, so that a typing error is found."""
    _expect_refused(stage, some_run, "since there is no such member", **UNKNOWN[unknown])


@requirement("RUN-CREATE-011")
@pytest.mark.parametrize("shape", ["21", "object"])
def test_more_tools_than_twenty_are_refused(shape: str, stage: Stage, some_run: Run) -> None:
    """A tool too many is not dropped in silence; and tools are an array."""
    many = [function(f"conformance_{number}") for number in range(21)]
    _expect_refused(stage, some_run, "since a run has at most 20", tools=many if shape == "21" else many[0])


@requirement("RUN-CREATE-018")
@pytest.mark.parametrize("strategy", TRUNCATION.values(), ids=TRUNCATION.keys())
def test_a_truncation_that_makes_no_sense_is_refused(strategy: object, stage: Stage, some_run: Run) -> None:
    """A model cannot look at fewer messages than one, or in a way that nobody knows."""
    _expect_refused(stage, some_run, "since there is no such strategy", truncation_strategy=strategy)


@requirement("RUN-CREATE-022")
@pytest.mark.parametrize("choice", CHOICES.values(), ids=CHOICES.keys())
def test_a_choice_that_chooses_nothing_is_refused(choice: object, stage: Stage, some_run: Run) -> None:
    """Who must call a function has to have it."""
    tools = CALL_A_FUNCTION["tools"]
    _expect_refused(stage, some_run, "since it names no function of the run", tools=tools, tool_choice=choice)


@requirement("RUN-CREATE-026")
@pytest.mark.parametrize("format", ["none", {"type": "conformance"}, ["auto"]], ids=["none", "unknown", "array"])
def test_a_format_that_does_not_exist_is_refused(format: object, stage: Stage, some_run: Run) -> None:
    """Formats that the API does not have any more, or never had."""
    _expect_refused(stage, some_run, "since there is no such format", response_format=format)


def _expect_refused(stage: Stage, some_run: Run, because: str, **fields: Any) -> None:
    """Expect a refusal where a run without these fields is created."""
    need_run(some_run.seen)

    expect_refused(stage.create_run(stage.thread(), **fields), because=because)
