"""Cases that are carried out side by side, and are told of one after the other."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from conftest import serving

if TYPE_CHECKING:
    from collections.abc import Callable

    from conftest import Ran

    Judge = Callable[..., Ran]

KEY = {"OPENAI_API_KEY": "sk-reference"}


def _verdicts(ran: Ran) -> dict[str, str]:
    """The outcome of each item, as pytest's verbose output tells it."""
    return dict(re.findall(r"^\S*?(test_\w+\.py::\S+) (?:- )?([A-Z]+)", ran.text, re.MULTILINE))


def test_the_verdicts_are_those_of_one_case_after_another(judge: Judge) -> None:
    with serving("--fault=milliseconds", "--fault=unknown-run-is-bad-request") as url:
        chosen = (f"--target-url={url}", "-v", "-k", "test_errors or a_run_in_progress or test_invariants")
        together, alone = judge(*chosen, **KEY), judge(*chosen, "--runs-max-concurrency=1", **KEY)

    assert together.code == alone.code == 1, together.text
    assert len(_verdicts(alone)) > 100
    assert _verdicts(together) == _verdicts(alone)


def test_waits_overlap(judge: Judge, reference_url: str) -> None:
    ran = judge(f"--target-url={reference_url}", "-k", "later or changes_nothing", **KEY)

    assert ran.code == 0, ran.text
    waits, still = re.search(r"^waits, .*: (.*); .* stood still for ([\d.]+) s", ran.text, re.MULTILINE).groups()  # type: ignore[union-attr]
    assert sum(map(float, re.findall(r"[\d.]+(?= s)", waits))) > 2 * float(still)


def test_a_set_up_that_fails_leaves_its_case_untested(judge: Judge, reference_url: str) -> None:
    ran = judge(f"--target-url={reference_url}", "--runs-max-runs=1", "-m", "cancel", "-rs", **KEY)

    assert ran.code == 10, ran.text
    assert "untested: --runs-max-runs=1 leaves no room for 1 more" in ran.text
