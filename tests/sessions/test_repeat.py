"""Repetitions, and the plan of a session."""

from __future__ import annotations

import re
from types import SimpleNamespace
from typing import TYPE_CHECKING

import pytest

from conformance.cases import Case
from conformance.outcomes import Fault, Noted, Unstable, Untested, Violated, Violation
from conformance.requirements import Level
from conformance.verdicts import Verdict
from conformance.verdicts import judge as judge_outcome

if TYPE_CHECKING:
    from collections.abc import Callable

    from support.sessions import Ran

    Judge = Callable[..., Ran]

KEY = {"OPENAI_API_KEY": "sk-reference"}


@pytest.mark.parametrize(
    "selection",
    [("-m", "cancel or race"), pytest.param((), marks=pytest.mark.exhaustive)],
    ids=["cancel", "all"],
)
def test_repetitions_that_agree_are_one_verdict(judge: Judge, selection: tuple[str, ...]) -> None:
    ran = judge("--target-url=reference", "--runs-repeat=3", "--runs-gate=should", *selection)

    assert ran.code == 0, ran.text
    assert "verdict: conforms" in ran.text


def _case(*outcomes: Exception | None) -> Case:
    case = Case(SimpleNamespace(), "cases/x", len(outcomes))  # type: ignore[arg-type]
    for attempt, outcome in zip(case.attempts, outcomes, strict=True):
        attempt.outcome = outcome
    return case


BROKEN = Violated(Violation("this", "that", ()))


@pytest.mark.parametrize(
    ("outcomes", "told"),
    [
        ((None, BROKEN, None), "broken 1 of 3 times: expected this, got that"),
        ((BROKEN, Untested("no race"), None), "broken 1 of 2 times: expected this, got that"),
        ((BROKEN, Noted("so"), BROKEN), "broken 2 of 3 times: expected this, got that"),
    ],
    ids=["once", "untested", "noted"],
)
def test_repetitions_that_disagree_are_unstable(outcomes: tuple[Exception | None, ...], told: str) -> None:
    with pytest.raises(Unstable) as unstable:
        _case(*outcomes).tell()

    assert str(unstable.value) == told
    assert judge_outcome(unstable.value, Level.MUST) == (Verdict.UNSTABLE, told)


@pytest.mark.parametrize(
    ("outcomes", "told"),
    [
        ((BROKEN, BROKEN), Violated),
        ((Untested("no race"), BROKEN), Violated),
        ((None, Noted("so")), Noted),
        ((Untested("no race"), Untested("no race")), Untested),
        ((BROKEN, Fault("no answer"), None), Fault),
    ],
    ids=["broken", "half-measured", "noted", "untested", "fault"],
)
def test_repetitions_that_agree_tell_what_they_agree_on(outcomes: tuple[Exception, ...], told: type[Exception]) -> None:
    with pytest.raises(told) as found:
        _case(*outcomes).tell()

    assert not isinstance(found.value, Unstable)


def test_a_race_that_did_not_always_take_place_holds() -> None:
    _case(None, Untested("no race")).tell()


def test_repetitions_that_all_fail_fail(judge: Judge) -> None:
    ran = judge("--target-url=reference", "--runs-fault=finished-crashes", "--runs-repeat=3", "-k", "RUN-CANCEL-031")

    assert ran.code == 1, ran.text
    assert "unstable" not in ran.text


def test_a_recording_is_not_repeated(judge: Judge) -> None:
    ran = judge("--runs-replay=reference", "--runs-repeat=3")

    assert ran.code == 4
    assert "--runs-repeat needs a live target" in ran.text


@pytest.mark.exhaustive
def test_a_plan_says_what_a_session_costs_and_sends_nothing(judge: Judge, reference_url: str, closed_port: int) -> None:
    planned = judge(f"--target-url=http://127.0.0.1:{closed_port}/v1", "--runs-plan", "-m", "cancel", **KEY)
    assert planned.code == 0, planned.text
    assert "nothing was sent to the target" in planned.text

    ran = judge(f"--target-url={reference_url}", "-m", "cancel", **KEY)

    assert _cost(planned) == _cost(ran)


def test_a_plan_without_a_key_says_what_is_not_judged(judge: Judge, closed_port: int) -> None:
    planned = judge(f"--target-url=http://127.0.0.1:{closed_port}/v1", "--runs-plan", "-k", "RUN-CREATE-004")

    assert "auth not judged without a key" in planned.text


def _cost(ran: Ran) -> list[str]:
    """How many runs."""
    return re.findall(r"requests, (\d+) runs", ran.text)
