"""The document that all reports are made from: what a session of each kind leaves in it."""

from __future__ import annotations

import json
import os
import shlex
import sys
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree

import pytest

from conformance.data import folder
from conformance.outcomes import Violation
from conformance.reports import schema
from conformance.requirements import State, catalogue
from conformance.verdicts import Verdict
from conformance.wire.journal import Journal
from conformance.wire.schemas import out_of_step
from support.reports import INTO, broken, finding, made, told, validator

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from support.sessions import Ran

    Judge = Callable[..., Ran]

REFERENCE = "--target-url=reference"
FILES = ["badge.svg", "junit.xml", "report.html", "report.json", "report.md"]


def row(report: dict[str, Any], id: str) -> dict[str, Any]:
    return next(each for each in report["requirements"] if each["id"] == id)


def test_the_schema_is_in_step_with_the_models() -> None:
    assert out_of_step(folder("schemas"), schema.documents()) == []


def test_a_clean_session_leaves_all_reports(judge: Judge, tmp_path: Path) -> None:
    ran = judge(REFERENCE, INTO)

    assert ran.code == 0, ran.text
    assert f"reports: {tmp_path / 'out'}" in ran.text
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == FILES
    report = told(tmp_path / "out")
    assert report["ended"]["outcome"] == "conforms"
    assert f"verdict: {report['ended']['sentence']}" in ran.text
    ids = [each["id"] for each in report["requirements"]]
    active = [id for id, each in catalogue().items() if each.state is State.ACTIVE]
    assert ids == active
    assert report["coverage"]["measured"] == len(active)
    assert report["exchanges"] == []
    assert {each["state"] for each in report["target"]["capabilities"]} == {"found"}
    counts = [level["counts"] for area in report["areas"] for level in area["levels"]]
    assert sum(each.get("pass", 0) for each in counts) == report["ended"]["counts"]["pass"]


@pytest.mark.parametrize(
    "selection",
    [("-m", "cancel or page"), pytest.param((), marks=pytest.mark.exhaustive)],
    ids=["cancel and page", "all"],
)
def test_two_replays_differ_in_their_times_alone(
    judge_as_process: Judge, tmp_path: Path, selection: tuple[str, ...]
) -> None:
    reports = []
    for seed, name in (("1", "one"), ("2", "two")):  # the order of sets differs from process to process
        ran = judge_as_process("--pyargs", "conformance", f"--runs-report-dir={name}", *selection, PYTHONHASHSEED=seed)
        assert ran.code == 0, ran.text
        report = told(tmp_path / name)
        assert report["target"]["provenance"].startswith("recorded ")
        for volatile in ("began", "seconds"):
            del report["ended"][volatile]
        reports.append(report)

    assert reports[0] == reports[1]


def test_a_failure_is_told_as_in_the_terminal_in_junit_and_in_allure(judge: Judge, tmp_path: Path) -> None:
    ran = judge(REFERENCE, INTO, "--alluredir=allure", "--runs-fault=comes-back", "-m", "life or cancel")

    assert ran.code == 1, ran.text
    report = told(tmp_path / "out")
    assert report["ended"]["exit_code"] == 1
    broken = row(report, "RUN-LIFE-004")
    assert (broken["verdict"], broken["effect"]) == ("fail", "breaks")
    assert next(each for each in broken["items"] if each["parameters"] == "cancelled")["seconds"] > 0
    item = next(each for each in broken["items"] if each["violations"])
    assert item["case"] == "test_rest.py::test_a_run_at_rest_stays_at_rest[cancelled]"
    assert item["text"] in ran.text
    failures = ElementTree.parse(tmp_path / "out" / "junit.xml").getroot().findall(".//failure")
    assert item["text"] in {each.text for each in failures}
    assert item["text"] in {each.read_text("utf-8") for each in (tmp_path / "allure").glob("*-attachment.txt")}
    assert broken["accept"] in item["text"]
    violation = item["violations"][0]
    for part in ("expected", "actual", "history"):
        assert violation[part] in item["text"]
    assert violation["reproduce"][0] in item["text"]
    shown = {each["number"]: each for each in report["exchanges"]}
    telling = shown[violation["exchanges"][-1]]
    assert (telling["method"], telling["status"]) == ("GET", 200)
    assert json.loads(telling["response"]["body"])["status"] == "completed"
    assert "authorization" not in telling["request"]["headers"]


def test_each_verdict_has_its_place(judge: Judge, tmp_path: Path) -> None:
    (tmp_path / "known-failures.toml").write_text(
        'RUN-PAGE-010 = { reason = "our issue 7", until = "2099-01-31" }\n'
        'RUN-PAGE-002 = { reason = "our issue 8", flaky = true }\n'
        'RUN-PAGE-001 = { reason = "our issue 9" }\n'
        'RUN-GET-001 = { reason = "old", until = "2020-01-31" }\n',
        "utf-8",
    )
    profile = 'name = "mine"\nextends = "openai"\n[rows.RUN-PAGE-009]\nlevel = "off"\nreason = "we clamp limits"\n'
    (tmp_path / "mine.toml").write_text(profile, "utf-8")

    ran = judge(
        REFERENCE,
        INTO,
        "--runs-fault=always-descending",
        "--runs-without=steps",
        "--runs-profile=mine.toml",
        *("-k", "RUN-PAGE or RUN-STEP-001 or RUN-GET-001"),
    )

    assert ran.code == 1, ran.text
    report = told(tmp_path / "out")
    verdicts = {each["id"]: each["verdict"] for each in report["requirements"]}
    assert verdicts["RUN-PAGE-010"] == "known"
    assert verdicts["RUN-PAGE-002"] == "flaky"
    assert verdicts["RUN-PAGE-001"] == "stale"
    assert verdicts["RUN-PAGE-012"] == "warn"
    assert verdicts["RUN-PAGE-009"] == "disabled"
    assert verdicts["RUN-STEP-001"] == "n/a"
    assert verdicts["RUN-GET-001"] == "pass"
    assert row(report, "RUN-PAGE-010")["items"][0]["reason"].startswith("our issue 7")
    assert row(report, "RUN-PAGE-012")["items"][0]["text"] in ran.text
    assert {each["requirement"]: each["overdue"] for each in report["known_failures"]} == {
        "RUN-PAGE-010": False,
        "RUN-PAGE-002": False,
        "RUN-PAGE-001": False,
        "RUN-GET-001": True,
    }
    assert report["ended"]["outcome"] == "stale list"
    assert {"name": "steps", "state": "declared absent"} in report["target"]["capabilities"]
    assert len(report["coverage"]["not_selected"]) == report["coverage"]["active"] - report["coverage"]["selected"]


@pytest.mark.parametrize(
    ("verdict", "gate", "effect", "outcome"),
    [
        (Verdict.FAIL, "must", "breaks", "does not conform"),
        (Verdict.WARN, "must", "none", "conforms"),
        (Verdict.WARN, "should", "breaks", "does not conform"),
        (Verdict.UNSTABLE, "must", "none", "conforms"),
        (Verdict.UNSTABLE, "should", "breaks", "does not conform"),
        (Verdict.ERROR, "must", "incomplete", "incomplete"),
        (Verdict.UNTESTED, "must", "incomplete", "incomplete"),
        (Verdict.STALE, "must", "breaks", "stale list"),
        (Verdict.KNOWN, "should", "none", "conforms"),
    ],
)
def test_what_a_verdict_does_is_said(verdict: Verdict, gate: str, effect: str, outcome: str) -> None:
    report = made(finding("RUN-CANCEL-012", verdict, "why"), finding("RUN-GET-001", Verdict.PASS), gate=gate)

    assert (report.requirements[0].effect, report.ended.outcome) == (effect, outcome)
    validator().validate(report.model_dump(mode="json"))


def test_the_command_judges_again_as_the_session_did(judge: Judge, tmp_path: Path) -> None:
    (tmp_path / "mine.toml").write_text('RUN-GET-001 = { reason = "x", flaky = true }', "utf-8")
    (tmp_path / "profile.toml").write_text('name = "mine"\nextends = "openai"\n', "utf-8")
    options = [
        "--target-url=reference",
        "--runs-profile=profile.toml",
        "--runs-wait=finish=7",
        "--runs-known-failures=mine.toml",
        "--runs-repeat=2",
        "--runs-races=1",
        "--runs-gate=should",
    ]

    ran = judge(*options, INTO, "-k", "RUN-GET-001 or RUN-GET-002", "-m", "not race")
    command = shlex.split(told(tmp_path / "out")["target"]["command"])

    assert command[0] == "pytest"
    assert command[1:] == [*options, "-k", "RUN-GET-001 or RUN-GET-002", "-m", "not race"], ran.text
    assert judge(*command[1:]).code == ran.code


def test_the_command_of_a_replay_names_its_set(judge: Judge, tmp_path: Path) -> None:
    judge(INTO, "--pyargs", "conformance", "-k", "RUN-GET-001", RUNS_CONFORMANCE_WITHOUT="steps")

    command = shlex.split(told(tmp_path / "out")["target"]["command"])
    assert command[:3] == ["pytest", "--runs-replay=reference", "--runs-without=steps"]


def test_a_session_that_measured_nothing_says_why(judge: Judge, tmp_path: Path, closed_port: int) -> None:
    ran = judge(f"--target-url=http://127.0.0.1:{closed_port}/v1", INTO)

    assert ran.code == 11, ran.text
    report = told(tmp_path / "out")
    assert report["ended"]["outcome"] == "nothing measured"
    assert "there is no server at" in report["ended"]["sentence"]
    assert report["requirements"] == []
    assert "nothing measured" in (tmp_path / "out" / "report.md").read_text("utf-8")
    assert "there is no server at" in (tmp_path / "out" / "report.html").read_text("utf-8")


def test_a_session_that_is_broken_off_says_what_it_did_not_reach(judge: Judge, tmp_path: Path) -> None:
    breaking = (
        "def pytest_runtest_logreport(report):\n    if report.when == 'teardown':\n        raise KeyboardInterrupt\n"
    )
    (tmp_path / "breaking.py").write_text(breaking, "utf-8")

    ran = judge(REFERENCE, INTO, "-p", "breaking", "-m", "get", PYTHONPATH=os.pathsep.join([str(tmp_path), *sys.path]))

    assert ran.code == 2, ran.text
    report = told(tmp_path / "out")
    assert report["ended"]["outcome"] == "interrupted"
    assert report["ended"]["exit_code"] == 2
    assert len(report["requirements"]) == 1
    assert report["coverage"]["not_reached"]
    assert "interrupted" in (tmp_path / "out" / "badge.svg").read_text("utf-8")


def test_what_an_earlier_session_left_does_not_pass_for_this_one(judge: Judge, tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "report.json").write_text("{}", "utf-8")
    (tmp_path / "out" / "notes.txt").write_text("mine", "utf-8")

    judge(REFERENCE, INTO, "--collect-only", "-q")
    assert (tmp_path / "out" / "report.json").read_text("utf-8") == "{}"
    judge(REFERENCE, INTO, "-k", "RUN-GET-001")

    assert told(tmp_path / "out")["coverage"]["selected"] == 1
    assert (tmp_path / "out" / "notes.txt").read_text("utf-8") == "mine"


def test_a_junit_file_of_the_users_stays_where_it_was_wanted(judge: Judge, tmp_path: Path) -> None:
    judge(REFERENCE, INTO, "-k", "RUN-GET-001", "--junitxml=mine.xml")

    assert (tmp_path / "mine.xml").is_file()
    assert not (tmp_path / "out" / "junit.xml").exists()


def test_a_folder_that_cannot_be_written_is_said_at_once(judge: Judge, tmp_path: Path) -> None:
    (tmp_path / "out").write_text("a file", "utf-8")

    ran = judge(REFERENCE, INTO, "-k", "RUN-GET-001")

    assert ran.code == 4, ran.text
    assert "--runs-report-dir=out cannot be written to" in ran.text


def test_a_folder_that_goes_away_does_not_hide_the_verdict(judge: Judge, tmp_path: Path) -> None:
    removing = "import shutil\ndef pytest_runtest_logreport(report):\n    shutil.rmtree('out', ignore_errors=True)\n"
    (tmp_path / "removing.py").write_text(removing, "utf-8")
    path = os.pathsep.join([str(tmp_path), *sys.path])

    ran = judge(REFERENCE, INTO, "-p", "removing", "-k", "RUN-GET-001", PYTHONPATH=path)

    assert ran.code == 3, ran.text
    assert "ERROR: the reports could not be written: FileNotFoundError" in ran.text
    assert "verdict: conforms" in ran.text


def test_what_somebody_elses_failure_broke_off_is_no_verdict(judge: Judge, tmp_path: Path) -> None:
    (tmp_path / "test_mine.py").write_text("def test_mine(): assert False\n", "utf-8")

    ran = judge(REFERENCE, INTO, "-x", "test_mine.py", "--pyargs", "conformance", "-k", "test_mine or RUN-GET")

    assert ran.code == 1, ran.text
    assert "verdict: none, the session was interrupted before anything was measured" in ran.text
    report = told(tmp_path / "out")
    assert report["ended"]["outcome"] == "interrupted"
    assert len(report["coverage"]["not_reached"]) == report["coverage"]["selected"] == 5


def test_what_the_first_failure_ended_is_neither_recorded_nor_listed(judge: Judge, tmp_path: Path) -> None:
    ran = judge(
        REFERENCE,
        "-x",
        "--runs-fault=bare-array",
        "-k",
        "RUN-PAGE-001 or RUN-GET",
        f"--runs-record={tmp_path / 'set'}",
        "--runs-update-known-failures",
    )

    assert ran.code == 1, ran.text
    assert "verdict: does not conform" in ran.text
    assert "nothing was recorded" in ran.text
    assert not (tmp_path / "known-failures.toml").exists()


def test_the_terminal_and_the_report_agree_on_what_somebody_elses_failure_ended(judge: Judge, tmp_path: Path) -> None:
    (tmp_path / "test_mine.py").write_text("def test_mine(): assert False\n", "utf-8")

    ran = judge(REFERENCE, INTO, "-x", "--pyargs", "conformance", "test_mine.py", "-k", "test_mine or RUN-CANCEL-011")

    assert "verdict: none, the session was interrupted" in ran.text
    assert told(tmp_path / "out")["ended"]["outcome"] == "interrupted"


def test_a_rehearsal_leaves_no_report(judge: Judge, tmp_path: Path) -> None:
    ran = judge("--target-url=http://127.0.0.1:1/v1", INTO, "--runs-plan", "-k", "RUN-GET-001")

    assert "plan: " in ran.text
    assert not (tmp_path / "out").exists()


def test_a_project_can_set_the_folder_and_sessions_of_its_own_write_nothing(judge: Judge, tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text('[tool.runs-conformance]\nreport-dir = "kept"\n', "utf-8")
    (tmp_path / "test_mine.py").write_text("def test_mine(): pass\n", "utf-8")

    assert judge("test_mine.py").code == 0
    assert not (tmp_path / "kept").exists()
    judge(REFERENCE, "-k", "RUN-GET-001")
    judge(REFERENCE, "-k", "RUN-GET-001", RUNS_CONFORMANCE_REPORT_DIR="other")

    assert (tmp_path / "kept" / "report.json").is_file()
    assert (tmp_path / "other" / "report.json").is_file()


def test_a_target_that_breaks_everything_is_told_within_bounds() -> None:
    journal, found = Journal(), []
    for id, each in catalogue().items():
        if each.state is State.ACTIVE:
            for number in range(3):
                violations = [broken(journal, "e" * 1000, "a" * 1000, b"b" * 50_000) for _ in range(7)]
                found.append(finding(id, Verdict.FAIL, "r" * 1000, *violations, item=f"s/test_x.py::test_y[{number}]"))

    report = made(*found, journal=journal)
    text = report.model_dump_json()

    assert len(text) < 10_000_000
    assert report.requirements[0].items[0].more == 2
    assert report.requirements[-1].items[0].more == 6
    assert report.exchanges[0].response.bytes == 50_000
    assert report.exchanges[0].response.cut


def test_a_long_history_is_kept_by_its_end_and_each_exchange_once() -> None:
    journal = Journal()
    shown = tuple(broken(journal).exchanges[0] for _ in range(30))

    report = made(
        finding("RUN-GET-001", Verdict.FAIL, "x", Violation("e", "a", shown), Violation("e", "a", shown)),
        journal=journal,
    )

    kept = [each.number for each in report.exchanges]
    assert kept == [25, 26, 27, 28, 29, 30]
    assert [each.exchanges for each in report.requirements[0].items[0].violations] == [kept, kept]
