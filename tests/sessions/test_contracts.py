"""Contracts: what a pipeline pins stays what it is judged on."""

from __future__ import annotations

import json
import re
import shutil
from typing import TYPE_CHECKING

import pytest

from conformance.requirements import Side
from conformance.requirements.contract import FOLDERS, NoContract, contract, main, names, today, write
from support import ROOT
from support.sessions import run_as_process

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from support.sessions import Ran

    Judge = Callable[..., Ran]

#: Where a later release of the suite adds a row, and raises the level of another one.
ADDED = """
[RUN-GET-999]
title = "MUST answer in a way that nobody asked for yet"
basis = "stated"
reach = "always"
why = "It was added later."
sources = ["a later release"]
"""
#: What checks the row that was added, and is broken on every target.
CHECK = """
from conformance.outcomes import Violated, Violation
from conformance.suite import requirement

@requirement("RUN-GET-999")
def test_what_nobody_asked_for_yet(client):
    raise Violated(Violation("something new", "nothing", ()))
"""


@pytest.fixture
def later(tmp_path: Path) -> Path:
    """A later release of the suite, with the contracts of today."""
    kept = shutil.ignore_patterns("__pycache__")
    package = shutil.copytree(ROOT / "conformance", tmp_path / "later" / "conformance", ignore=kept)
    for data in ("cassettes", "schemas"):
        (tmp_path / "later" / data).symlink_to(ROOT / data)
    area = package / "requirements" / "get.toml"
    raised = package / "requirements" / "err.toml"
    area.write_text(area.read_text("utf-8") + ADDED, "utf-8")
    before = raised.read_text("utf-8")
    raised.write_text(re.sub(r'title = "SHOULD ', 'title = "MUST ', before), "utf-8")
    assert raised.read_text("utf-8") != before
    (package / "suite" / "test_later.py").write_text(CHECK, "utf-8")
    return tmp_path / "later"


@pytest.mark.parametrize("side", Side)
def test_the_newest_contract_is_the_catalogue(side: Side) -> None:
    folder, option = FOLDERS[side], "--sdk " if side is Side.CLIENT else ""
    newest = contract(names(folder)[-1], folder)

    if newest.released:
        remedy = f"the catalogue has moved on since {newest.name}, which is released: write the next one with it"
    else:
        remedy = f"python -m conformance.requirements.contract {option}{newest.name} writes it anew"
    assert newest.levels == dict(today(side)), remedy


@pytest.mark.parametrize("name", names())
def test_a_contract_names_rows_that_there_were(name: str) -> None:
    from conformance.requirements import catalogue

    assert set(contract(name).levels) <= set(catalogue())


# A row in the area of errors that the fault breaks is a SHOULD today and a MUST later.
FAULT = ("--target-url=reference", "--runs-fault=speechless-errors")


def test_what_came_later_does_not_change_a_pinned_session(judge: Judge, later: Path) -> None:
    today_ = judge(*FAULT, "-m", "err or get", "--runs-contract=2026.1")
    pinned = run_as_process(later, *FAULT, "-m", "err or get", "--runs-contract=2026.1", PYTHONPATH=str(later))
    unpinned = run_as_process(later, *FAULT, "-m", "err or get", PYTHONPATH=str(later))

    def verdict(ran: Ran) -> str:
        (line,) = re.findall(r"^verdict: .*?\)", ran.text, re.MULTILINE)
        return re.sub(r"of \d+ requirements", "of all requirements", line)

    assert (today_.code, pinned.code) == (0, 0), pinned.text
    assert verdict(pinned) == verdict(today_)
    assert "RUN-GET-999" not in pinned.text
    assert unpinned.code == 1, unpinned.text
    assert "RUN-GET-999" in unpinned.text


def test_the_head_says_what_is_pinned_and_how_much_is_not(later: Path) -> None:
    collected = ("--runs-replay=reference", "--collect-only", "-q")
    ran = run_as_process(later, *collected, "--runs-contract=2026.1", PYTHONPATH=str(later))

    assert f"conformance: contract 2026.1, {len(contract('2026.1').levels)} requirements" in ran.text
    assert "test_what_nobody_asked_for_yet" not in ran.text
    unpinned = run_as_process(later, *collected, PYTHONPATH=str(later))
    assert "test_what_nobody_asked_for_yet" in unpinned.text
    counts = [int(re.findall(r"(\d+) deselected", each.text)[0]) for each in (ran, unpinned)]
    assert counts[0] == counts[1] + 1


def test_a_contract_that_there_is_not_is_one_clear_message(judge: Judge) -> None:
    ran = judge("--target-url=reference", "--runs-contract=1999.1")

    assert ran.code == 4, ran.text
    assert "--runs-contract: there is no contract '1999.1'; there is 2026.1" in ran.text


def test_a_project_can_pin(judge: Judge, tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text('[tool.runs-conformance]\ncontract = "2026.1"\n', "utf-8")

    ran = judge("--target-url=reference", "-k", "RUN-CANCEL-011")

    assert ran.code == 0, ran.text
    assert "contract 2026.1" in ran.text


def test_a_contract_is_written_until_it_is_released(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert not write("2026.1", tmp_path).read_text("utf-8").startswith("[")
    file = write("2026.1", tmp_path)
    assert contract("2026.1", tmp_path).levels == dict(today())
    file.write_text(file.read_text("utf-8").replace("released = false", "released = true"), "utf-8")

    with pytest.raises(NoContract, match="never changes"):
        write("2026.1", tmp_path)
    assert write("2026.10", tmp_path).exists()
    with pytest.raises(NoContract, match=r"2026\.10 is newer"):
        write("2026.9", tmp_path)
    with pytest.raises(NoContract, match="year and number"):
        write("../x", tmp_path)
    assert names(tmp_path) == ["2026.1", "2026.10"]
    assert main([]) == 2
    assert "usage" in capsys.readouterr().err


def test_the_command_of_a_report_judges_by_the_same_contract(judge: Judge, tmp_path: Path) -> None:
    judge("--target-url=reference", "--runs-contract=2026.1", "-k", "RUN-GET-001", "--runs-report-dir=out")

    report = json.loads((tmp_path / "out" / "report.json").read_text("utf-8"))
    assert " --runs-contract=2026.1 " in report["target"]["command"]
    assert report["target"]["contract"] == "2026.1"
    assert "Contract: 2026.1." in (tmp_path / "out" / "report.md").read_text("utf-8")
    assert "<dt>contract</dt><dd>2026.1</dd>" in (tmp_path / "out" / "report.html").read_text("utf-8")
