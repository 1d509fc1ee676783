"""One session of the suite on a component, as a user runs it, and what it said of each requirement."""

from __future__ import annotations

import sys
from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING
from xml.etree import ElementTree

from conformance.requirements import both_catalogues
from conformance.verdicts import Finding, Verdict, overall
from tools.peers.running import ToolError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from tools.peers.running import Children
    from tools.targets.components import Target

_SECONDS = 600
#: The suite's own; whatever else is a fault of the suite or of how it was called.
_CODES = {0, 1, 10, 11}


@dataclass(frozen=True)
class Measured:
    """What a session came to."""

    code: int
    verdicts: Mapping[str, Verdict]


def judge(target: Target, folder: Path, children: Children) -> Measured:
    """
    Judge a target, from an empty folder and with nothing but the options that it takes.

    Raises:
        ToolError: the session did not come to its end.
    """
    report, log, empty = folder / "junit.xml", folder / "pytest.log", folder / "empty"
    empty.mkdir()
    command = [sys.executable, "-m", "pytest", "-q", *target.options, f"--junitxml={report}"]
    env = {"OPENAI_API_KEY": target.key, **target.env}
    done = children.run(command, log=log, cwd=empty, seconds=_SECONDS, **env)
    if done.code not in _CODES:
        raise ToolError(f"exit code {done.code}: {done.text[-2000:]}")
    return Measured(done.code, verdicts(report.read_text("utf-8")) if report.exists() else {})


def verdicts(junit: str) -> dict[str, Verdict]:
    """The verdict of each requirement that a JUnit report tells of, by the suite's own rule."""
    rows, found = both_catalogues(), defaultdict(list)
    for case in ElementTree.fromstring(junit).iter("testcase"):
        told = {each.get("name"): each.get("value") or "" for each in case.iter("property")}
        if "requirement" in told and "verdict" in told:
            row = rows[told["requirement"]]
            verdict = Verdict(told["verdict"])
            found[row.id].append(Finding(requirement=row, level=row.level, item="", verdict=verdict))
    return {id: overall(findings) for id, findings in sorted(found.items())}
