"""This suite, as a user runs it: pytest and a URL."""

from __future__ import annotations

import sys
from importlib.metadata import version
from typing import TYPE_CHECKING
from xml.etree import ElementTree

from tools.peers.running import ROOT, Children, ToolError

if TYPE_CHECKING:
    from pathlib import Path

    from tools.peers.targets import Target

NAME = "runs-conformance"
_SECONDS = 400
#: Conforms, does not, or was not all measured; anything else is a fault of the suite or of how it was called.
_CODES = {0, 1, 10}


def told_version() -> str:
    """The version that is installed."""
    return version("runs-conformance")


def judge(target: Target, folder: Path, children: Children) -> frozenset[str]:
    """Judge the target; a failure is a requirement that is broken, with its verdict, `fail` or `warn`."""
    report = folder / "junit.xml"
    policy = f"--runs-cancel-policy={target.policy}"
    asked = [f"--target-url={target.url}", "--runs-gate=should", policy, f"--junitxml={report}"]
    command = [sys.executable, "-m", "pytest", "-q", *asked]
    done = children.run(command, log=folder / "pytest.log", cwd=ROOT, seconds=_SECONDS)
    if done.code not in _CODES:
        raise ToolError(f"exit code {done.code}: {done.text[-300:]}")
    return broken(report.read_text("utf-8"))


def broken(junit: str) -> frozenset[str]:
    """The requirements that a JUnit report says are broken."""
    found = set()
    for case in ElementTree.fromstring(junit).iter("testcase"):
        told = {each.get("name"): each.get("value") for each in case.iter("property")}
        if told.get("verdict") in {"fail", "warn"}:
            found.add(f"{told['requirement']} {told['verdict']}")
    return frozenset(found)
