"""Races: repeated, told apart from what was no race, and won by the faults that only they show."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from support.servers import serving

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from support.sessions import Ran

    Judge = Callable[..., Ran]

_ONE_AFTER_THE_OTHER = """
from conformance.client import Client
Client.together = lambda self, *calls: [call() for call in calls]
"""


@pytest.mark.parametrize("attempts", [10, pytest.param(50, marks=pytest.mark.exhaustive)])
def test_many_attempts_leave_the_faithful_server_clean(judge: Judge, attempts: int) -> None:
    ran = judge("--target-url=reference", "--runs-gate=should", "-m", "race", f"--runs-races={attempts}")

    assert ran.code == 0, ran.text
    assert f"{5 * attempts + 2} passed" in ran.text  # 5 races in items of their own, 2 that repeat themselves


@pytest.mark.exhaustive
def test_the_races_take_place_over_a_socket(judge: Judge, reference_url: str) -> None:
    ran = judge(f"--target-url={reference_url}", "--runs-gate=should", "-m", "race", OPENAI_API_KEY="sk-reference")

    assert ran.code == 0, ran.text
    assert "untested" not in ran.text.partition("verdict:")[2], ran.text


def test_two_winners_are_found_over_a_socket(judge: Judge) -> None:
    with serving("--fault=both-creates-win") as url:
        ran = judge(f"--target-url={url}", "-k", "two_creates", "--runs-races=10", OPENAI_API_KEY="sk-reference")

    assert "RUN-LIFE-012  SHOULD refuse a second run" in ran.text, ran.text
    assert "both granted, and both active" in ran.text


def test_requests_that_do_not_meet_measure_nothing(judge: Judge, tmp_path: Path) -> None:
    (tmp_path / "one_after_the_other.py").write_text(_ONE_AFTER_THE_OTHER)

    ran = judge("-p", "one_after_the_other", "--target-url=reference", "-m", "race", PYTHONPATH=str(tmp_path))

    assert ran.code == 10, ran.text
    assert "the requests did not overlap" in ran.text
    assert "RUN-CANCEL-026" in ran.text.partition("untested:")[2]
