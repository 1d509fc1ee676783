"""Known failures: accepted with a reason, until they hold again."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

import pytest

from conformance.known import read_known
from conformance.settings import BadSettings

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from conftest import Ran

    Judge = Callable[..., Ran]

# The reference server cancels queued runs under this policy, which the judge of another session may hold against it.
WAITING = ("-k", "RUN-CANCEL-018")


def test_an_acceptance_counts_until_its_day(tmp_path: Path) -> None:
    path = tmp_path / "known.toml"
    path.write_text('RUN-PAGE-024 = { reason = "see our issue 7", until = "2027-01-31" }\n', "utf-8")

    (accepted,) = read_known(path).values()

    assert accepted.counts(date(2027, 1, 31))
    assert not accepted.counts(date(2027, 2, 1))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("RUN-PAGE-024", "cannot be read as TOML"),
        ('RUN-PAGE-999 = { reason = "x" }', "no requirement RUN-PAGE-999"),
        ('RUN-CANCEL-005 = { reason = "x" }', "RUN-CANCEL-005 is stale.*merged.*judged as RUN-INV-009.*delete"),
        ('RUN-CANCEL-024 = { reason = "x" }', "RUN-CANCEL-024 is stale.*planned"),
        ('RUN-PAGE-024 = { until = "2027-01-31" }', "needs a reason"),
        ('RUN-PAGE-024 = { reason = "...", until = "2027-01-31" }', "needs a reason"),
        ('RUN-PAGE-024 = { reason = "x", until = "soon" }', "no date"),
        ("RUN-PAGE-024 = true", "should be"),
    ],
    ids=["no-toml", "unknown-id", "merged", "planned", "no-reason", "placeholder", "no-date", "no-table"],
)
def test_a_wrong_list_is_one_clear_message(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "known.toml"
    path.write_text(text, "utf-8")

    with pytest.raises(BadSettings, match=message):
        read_known(path)


def test_a_known_failure_does_not_fail(judge: Judge, tmp_path: Path, observed_url: str) -> None:
    key = {"OPENAI_API_KEY": "sk-reference"}
    strict = (f"--target-url={observed_url}", "--runs-cancel-policy=strict", *WAITING)
    assert judge(*strict, **key).code == 1
    (tmp_path / "known-failures.toml").write_text('RUN-CANCEL-018 = { reason = "see our issue 7" }\n', "utf-8")

    ran = judge(*strict, **key)

    assert ran.code == 0, ran.text
    assert "known: see our issue 7" in ran.text or "1 known" in ran.text


def test_a_known_failure_that_holds_is_stale(judge: Judge, tmp_path: Path) -> None:
    (tmp_path / "accepted.toml").write_text('RUN-CANCEL-011 = { reason = "see our issue 7" }\n', "utf-8")

    ran = judge("--target-url=reference", "--runs-known-failures=accepted.toml", "-k", "RUN-CANCEL-011")

    assert ran.code == 1, ran.text
    assert "delete RUN-CANCEL-011" in ran.text
    assert "1 failed" in ran.text


def test_a_missing_list_is_one_clear_message(judge: Judge) -> None:
    ran = judge("--target-url=reference", "--runs-known-failures=nowhere.toml")

    assert ran.code == 4, ran.text
    assert "no file of known failures" in ran.text
