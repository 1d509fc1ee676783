"""Known failures: accepted with a reason, until they hold again."""

from __future__ import annotations

import json
import re
from datetime import date
from typing import TYPE_CHECKING

import pytest

from conformance.known import Acceptance, Known, read_known
from conformance.settings import BadSettings

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from support.sessions import Ran

    Judge = Callable[..., Ran]


def test_an_acceptance_counts_until_its_day(tmp_path: Path) -> None:
    path = tmp_path / "known.toml"
    path.write_text('RUN-PAGE-024 = { reason = "see our issue 7", until = "2027-01-31" }\n', "utf-8")

    (accepted,) = read_known(path)

    assert accepted.counts(date(2027, 1, 31))
    assert not accepted.counts(date(2027, 2, 1))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("RUN-PAGE-024", "cannot be read as TOML"),
        ('RUN-PAGE-999 = { reason = "x" }', "no requirement RUN-PAGE-999"),
        ('RUN-PAGE-024 = { reason = "x", flaky = "yes" }', "flaky of RUN-PAGE-024 is neither true nor false"),
        ('RUN-PAGE-024 = { until = "2027-01-31" }', "needs a reason"),
        ('RUN-PAGE-024 = { reason = "...", until = "2027-01-31" }', "needs a reason"),
        ('RUN-PAGE-024 = { reason = "x", until = "soon" }', "no date"),
        ("RUN-PAGE-024 = true", "should be"),
    ],
    ids=["no-toml", "unknown-id", "flaky", "no-reason", "placeholder", "no-date", "no-table"],
)
def test_a_wrong_list_is_one_clear_message(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "known.toml"
    path.write_text(text, "utf-8")

    with pytest.raises(BadSettings, match=message):
        read_known(path)


def test_a_known_failure_does_not_fail(judge: Judge, tmp_path: Path) -> None:
    broken = ("--target-url=reference", "--runs-fault=finished-crashes", "-k", "RUN-CANCEL-031")
    assert judge(*broken).code == 1
    (tmp_path / "known-failures.toml").write_text('RUN-CANCEL-031 = { reason = "see our issue 7" }\n', "utf-8")

    ran = judge(*broken)

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


def test_an_entry_about_a_parameter_leaves_the_others_alone(judge: Judge, tmp_path: Path) -> None:
    (tmp_path / "known-failures.toml").write_text('"RUN-CANCEL-031[incomplete]" = { reason = "issue 7" }\n', "utf-8")

    ran = judge("--target-url=reference", "--runs-fault=finished-crashes", "-v", "-k", "RUN-CANCEL-031")

    assert ran.code == 1, ran.text
    assert len(re.findall(r"-incomplete\] SKIPPED", ran.text)) == 3
    assert "FAILED" in ran.text


def test_an_entry_about_one_parameter_that_holds_is_stale(judge: Judge, tmp_path: Path) -> None:
    (tmp_path / "known-failures.toml").write_text('"RUN-CANCEL-031[incomplete]" = { reason = "issue 7" }\n', "utf-8")

    ran = judge("--target-url=reference", "-k", "RUN-CANCEL-031")

    assert ran.code == 1, ran.text
    assert "delete RUN-CANCEL-031[incomplete]" in ran.text


@pytest.mark.parametrize(
    ("entry", "selection", "told"),
    [
        (
            'RUN-CANCEL-005 = { reason = "x" }',
            ("-k", "RUN-CANCEL-011"),
            "merged.*judged as RUN-INV-009.*delete RUN-CANCEL-005",
        ),
        (
            '"RUN-CANCEL-031[queued]" = { reason = "x" }',
            (),
            r"no item has this parameter; delete RUN-CANCEL-031\[queued\]",
        ),
    ],
    ids=["merged", "parameter"],
)
def test_an_entry_about_nothing_is_stale(
    judge: Judge, tmp_path: Path, entry: str, selection: tuple[str, ...], told: str
) -> None:
    (tmp_path / "known-failures.toml").write_text(entry, "utf-8")

    ran = judge("--target-url=reference", *selection)

    assert ran.code == 1, ran.text
    assert re.search(told, ran.text), ran.text


def test_a_list_says_nothing_of_a_target_that_is_not_there(judge: Judge, tmp_path: Path, closed_port: int) -> None:
    (tmp_path / "known-failures.toml").write_text('"RUN-CANCEL-011[nosuch]" = { reason = "x" }', "utf-8")

    ran = judge(f"--target-url=http://127.0.0.1:{closed_port}/v1", "--runs-report-dir=out")

    assert ran.code == 11, ran.text
    assert "delete" not in ran.text
    report = json.loads((tmp_path / "out" / "report.json").read_text("utf-8"))
    assert report["ended"]["exit_code"] == 11
    assert (report["requirements"], report["coverage"]["measured"]) == ([], 0)


def test_an_entry_is_about_nothing_only_within_the_contract() -> None:
    pinned = {"RUN-GET-001", "RUN-CANCEL-031"}
    known = Known.of([Acceptance(id, "nosuch", "x") for id in ("RUN-CANCEL-011", "RUN-CANCEL-031")], date(2026, 1, 1))

    assert [row.id for row, _ in known.unmatched(pinned, pinned)] == ["RUN-CANCEL-031"]
    assert not list(known.unmatched(pinned, {*pinned, "RUN-GET-002"}))


def test_an_entry_about_what_is_deselected_says_nothing(judge: Judge, tmp_path: Path) -> None:
    (tmp_path / "known-failures.toml").write_text('"RUN-CANCEL-031[queued]" = { reason = "x" }', "utf-8")

    assert judge("--target-url=reference", "-m", "get").code == 0


@pytest.mark.parametrize("fault", [(), ("--runs-fault=finished-crashes",)], ids=["holds", "broken"])
def test_what_is_listed_as_flaky_is_flaky_either_way(judge: Judge, tmp_path: Path, fault: tuple[str, ...]) -> None:
    (tmp_path / "known-failures.toml").write_text('RUN-CANCEL-031 = { reason = "x", flaky = true }', "utf-8")

    ran = judge("--target-url=reference", *fault, "-k", "RUN-CANCEL-031", "-rs")

    assert ran.code == 0, ran.text
    assert "1 flaky" in ran.text
    assert "flaky: x (" in ran.text


def test_the_list_is_brought_up_to_date(judge: Judge, tmp_path: Path) -> None:
    path = tmp_path / "known-failures.toml"
    path.write_text(
        "# ours\n"
        'RUN-GET-001 = { reason = "held long ago" }\n'
        "# theirs\n"
        'RUN-PAGE-007 = { reason = "our issue 7", until = 2099-01-31 }\n',
        "utf-8",
    )
    wrong = ("--target-url=reference", "--runs-fault=default-of-ten", "--runs-fault=shuffles", "-m", "get or page")

    wrote = judge(*wrong, "--runs-update-known-failures")

    assert "known-failures.toml says what is broken today" in wrote.text, wrote.text
    text = path.read_text("utf-8")
    assert "RUN-GET-001" not in text
    assert '# theirs\nRUN-PAGE-007 = { reason = "our issue 7", until = 2099-01-31' in text
    assert re.search(r'"RUN-PAGE-015\[3-asc\]" = \{reason = "found on \d{4}-\d\d-\d\d: expected', text), text
    assert judge(*wrong).code == 0
