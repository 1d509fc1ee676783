"""`runs-conformance`: what differs, several targets side by side, and reports made again."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from conformance.commands import main
from conformance.reports import folder
from conformance.verdicts import Verdict
from conformance.wire.journal import Journal
from support.reports import broken, finding, made

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from conformance.reports.document import Report

    Ends = Callable[..., tuple[int, str]]

ROW, OTHER = "RUN-CANCEL-011", "RUN-PAGE-001"


def written(path: Path, report: Report) -> str:
    path.write_text(report.model_dump_json(), "utf-8")
    return str(path)


@pytest.fixture
def ends(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Ends:
    """Compares two reports: the exit code, and what was printed."""

    def run(before: Report, after: Report, *options: str) -> tuple[int, str]:
        code = main(["diff", written(tmp_path / "a.json", before), written(tmp_path / "b.json", after), *options])
        return code, capsys.readouterr().out

    return run


def one(verdict: Verdict, gate: str = "must", id: str = ROW) -> Report:
    return made(finding(id, verdict, "why"), finding("RUN-GET-001", Verdict.PASS), gate=gate)


@pytest.mark.parametrize(
    ("before", "after", "gate", "code", "words"),
    [
        (Verdict.PASS, Verdict.FAIL, "must", 1, "worse, and it counts"),
        (Verdict.PASS, Verdict.UNTESTED, "must", 1, "worse, and it counts"),
        (Verdict.PASS, Verdict.ERROR, "must", 1, "worse, and it counts"),
        (Verdict.UNTESTED, Verdict.FAIL, "must", 1, "worse, and it counts"),
        (Verdict.KNOWN, Verdict.FAIL, "must", 1, "worse, and it counts"),
        (Verdict.PASS, Verdict.WARN, "must", 0, "worse:"),
        (Verdict.PASS, Verdict.WARN, "should", 1, "worse, and it counts"),
        (Verdict.PASS, Verdict.NOT_APPLICABLE, "must", 0, "worse:"),
        (Verdict.PASS, Verdict.KNOWN, "must", 0, "worse:"),
        (Verdict.FAIL, Verdict.PASS, "must", 0, "better:"),
        (Verdict.FAIL, Verdict.UNTESTED, "must", 0, "changed, for neither"),
        (Verdict.FAIL, Verdict.ERROR, "must", 0, "changed, for neither"),
        (Verdict.WARN, Verdict.NOT_APPLICABLE, "must", 0, "changed, for neither"),
        (Verdict.KNOWN, Verdict.STALE, "must", 0, "listed as known, and holds or matches nothing:"),
        (Verdict.FAIL, Verdict.STALE, "must", 0, "listed as known, and holds or matches nothing:"),
        (Verdict.STALE, Verdict.FAIL, "must", 1, "worse, and it counts"),
        (Verdict.STALE, Verdict.KNOWN, "must", 0, "worse:"),
        (Verdict.STALE, Verdict.STALE, "must", 0, "no difference"),
        (Verdict.PASS, Verdict.PASS, "must", 0, "no difference"),
        (Verdict.FAIL, Verdict.FAIL, "must", 0, "no difference"),
    ],
)
def test_what_got_worse_in_a_way_that_counts_fails(
    ends: Ends, before: Verdict, after: Verdict, gate: str, code: int, words: str
) -> None:
    assert (told := ends(one(before, gate), one(after, gate)))[0] == code
    assert words in told[1]


def test_the_gate_of_the_second_report_decides(ends: Ends) -> None:
    assert ends(one(Verdict.PASS, "must"), one(Verdict.WARN, "should"))[0] == 1
    assert ends(one(Verdict.WARN, "must"), one(Verdict.WARN, "should"))[0] == 0
    assert ends(one(Verdict.PASS, "should"), one(Verdict.WARN, "must"))[0] == 0


def test_a_gate_hides_nothing_that_was_left_open_from_another(ends: Ends) -> None:
    def warned_and_open(gate: str) -> Report:
        kinds = (Verdict.WARN, Verdict.ERROR)
        open_ones = [finding(ROW, kind, "x", item=f"s/t.py::test_x[{n}]") for n, kind in enumerate(kinds)]
        return made(*open_ones, gate=gate)

    assert ends(warned_and_open("should"), warned_and_open("must"))[1].endswith("no difference\n")


def test_requirements_come_and_go(ends: Ends) -> None:
    code, text = ends(one(Verdict.PASS), one(Verdict.FAIL, id=OTHER))

    assert code == 0
    assert f"new:\n  {OTHER}" in text
    assert f"vanished:\n  {ROW}" in text


def test_items_are_told_where_there_are_several(ends: Ends) -> None:
    def of(*verdicts: Verdict) -> Report:
        return made(*(finding(ROW, each, "x", item=f"s/t.py::test_x[{n}]") for n, each in enumerate(verdicts)))

    code, text = ends(of(Verdict.FAIL, Verdict.PASS, Verdict.PASS), of(Verdict.FAIL, Verdict.FAIL, Verdict.PASS))

    assert code == 0
    assert "t.py::test_x[1]: pass, then fail" in text
    assert "t.py::test_x[2]" not in text


def test_an_item_that_got_worse_is_not_made_good_by_another(ends: Ends) -> None:
    def of(*verdicts: Verdict) -> Report:
        return made(*(finding(ROW, each, "x", item=f"s/t.py::test_x[{n}]") for n, each in enumerate(verdicts)))

    _, text = ends(of(Verdict.FAIL, Verdict.PASS), of(Verdict.PASS, Verdict.FAIL))

    assert f"worse:\n  {ROW}" in text
    assert "better" not in text


def test_a_difference_can_be_put_into_a_comment(ends: Ends) -> None:
    code, text = ends(one(Verdict.PASS), one(Verdict.FAIL), "--markdown")

    assert code == 1
    assert text.startswith("## Runs conformance: 1 of the requirements got worse in a way that counts\n")
    assert f"| {ROW} MUST NOT change a finished run when it is cancelled | pass | fail |" in text


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "is no JSON"),
        ("[" * 100_000, "is no JSON"),
        ("[]", "is no report of runs-conformance"),
        ('{"format": "x"}', "is no report of runs-conformance"),
        ('{"format": "runs-conformance report", "version": 2}', "is a report of version 2, and 1 is what is read here"),
        ('{"format": "runs-conformance report", "version": 1}', "is damaged: suite: field required"),
    ],
)
def test_what_cannot_be_read_is_one_clear_sentence(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], text: str, message: str
) -> None:
    (tmp_path / "a.json").write_text(text, "utf-8")
    whole = written(tmp_path / "b.json", one(Verdict.PASS))

    assert main(["diff", str(tmp_path / "a.json"), whole]) == 2
    assert main(["table", str(tmp_path / "a.json")]) == 2
    told = capsys.readouterr()
    assert message in told.err
    assert told.err.count("\n") == 2
    assert told.out == ""


def test_a_report_that_is_not_there_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["report", str(tmp_path / "none.json"), "--dir", str(tmp_path)]) == 2
    assert "cannot be read: No such file" in capsys.readouterr().err


def test_a_session_that_was_cut_short_is_compared_with_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    whole = written(tmp_path / "a.json", one(Verdict.PASS))
    cut_short = made(finding(ROW, Verdict.FAIL, "x"), selected={ROW, "RUN-GET-001"})

    assert main(["diff", whole, written(tmp_path / "b.json", cut_short)]) == 2
    assert "the session of the second report was cut short: 1 requirements were not reached" in capsys.readouterr().err


@pytest.mark.parametrize("around", [{"interrupted": True, "exit_code": 2}, {"stopped": "no server", "exit_code": 11}])
def test_a_session_without_a_verdict_is_compared_with_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], around: dict[str, object]
) -> None:
    whole = written(tmp_path / "a.json", one(Verdict.PASS))
    partial = written(tmp_path / "b.json", made(**around))  # type: ignore[arg-type]

    assert main(["diff", whole, partial]) == 2
    assert "the second report says nothing of its target" in capsys.readouterr().err


def test_targets_stand_side_by_side(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    good = written(tmp_path / "a.json", made(finding(ROW, Verdict.PASS), finding(OTHER, Verdict.PASS), name="good"))
    bad = written(tmp_path / "b.json", made(finding(ROW, Verdict.FAIL, "x"), name="bad | worse"))

    assert main(["table", good, bad]) == 0
    words = capsys.readouterr().out
    assert main(["table", good, bad, "--markdown"]) == 0
    marked = capsys.readouterr().out

    lines = {line.split("  ")[0]: line for line in words.splitlines()}
    assert lines["CANCEL Cancel a run"].split()[-4:] == ["1", "pass", "1", "fail"]
    assert lines["PAGE List runs"].endswith("not selected")
    assert "| area | good | bad \\| worse |" in marked
    assert "| CANCEL Cancel a run | 1 pass | 1 fail |" in marked


def test_a_cell_hides_nothing_of_an_area_that_was_not_measured(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    kinds = (Verdict.NOT_APPLICABLE, Verdict.UNTESTED, Verdict.ERROR)
    found = [finding(f"RUN-STREAM-{number:03}", kind, "x") for number, kind in enumerate(kinds, 1)]

    assert main(["table", written(tmp_path / "a.json", made(*found))]) == 0

    (line,) = [each for each in capsys.readouterr().out.splitlines() if each.startswith("STREAM")]
    assert line.endswith("1 n/a, 1 untested, 1 error")


def test_reports_can_be_made_again_from_the_document_alone(tmp_path: Path) -> None:
    journal = Journal()
    report = made(finding(ROW, Verdict.FAIL, "x", broken(journal)), journal=journal)
    first = tmp_path / "first"
    folder.prepare(first)
    folder.write(first, report)

    assert main(["report", str(first / "report.json"), "--dir", str(tmp_path / "again")]) == 0

    for name in ("report.html", "report.md", "badge.svg"):
        assert (tmp_path / "again" / name).read_bytes() == (first / name).read_bytes()


def test_what_a_stranger_wrote_cannot_command_a_terminal(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    told = json.loads(one(Verdict.PASS).model_dump_json())
    told["target"]["name"] = "\x1b[2J\x9b31m"
    (tmp_path / "a.json").write_text(json.dumps(told), "utf-8")

    assert main(["table", str(tmp_path / "a.json")]) == 0

    out = capsys.readouterr().out
    assert "\x1b" not in out
    assert "\x9b" not in out
    assert "x1b[2J" in out


def test_the_command_starts_without_what_takes_time() -> None:
    program = (
        "import sys, conformance.commands as c\nassert not {'pydantic', 'jinja2', 'pytest', 'httpx'} & set(sys.modules)"
    )

    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0
