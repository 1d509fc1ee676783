"""What Allure is told of one item: its place in the tree of clauses, its verdict in Allure's words and in ours."""

from __future__ import annotations

import json
from dataclasses import dataclass
from hashlib import md5
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any

from conformance.requirements import Level
from conformance.verdicts import Verdict
from conformance.wire.values import cut

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from conformance.verdicts import Finding

EPIC = "Runs conformance"
#: Characters of a parameter, and of a message, that are shown.
_LONGEST_PARAMETER = 100
_LONGEST_MESSAGE = 2_000
_SEVERITY = {Level.MUST: "critical", Level.SHOULD: "normal", Level.MAY: "minor"}
_STATUS = {
    Verdict.PASS: "passed",
    Verdict.WARN: "passed",
    Verdict.NOTE: "passed",
    Verdict.FAIL: "failed",
    Verdict.STALE: "failed",
    Verdict.UNSTABLE: "failed",
    Verdict.ERROR: "broken",
    Verdict.KNOWN: "skipped",
    Verdict.FLAKY: "skipped",
    Verdict.UNTESTED: "skipped",
    Verdict.NOT_APPLICABLE: "skipped",
    Verdict.DISABLED: "skipped",
}


@dataclass(frozen=True, kw_only=True)
class Told:
    """What Allure shows of one item."""

    name: str
    #: Unique in a session, and the same in every session, wherever the suite is installed.
    full_name: str
    #: One of Allure's four words.
    status: str
    #: The verdict and its reason; empty for a pass.
    message: str
    #: The text of the failure, if there is one.
    trace: str
    description: str
    title_path: tuple[str, ...]
    labels: tuple[tuple[str, str], ...]
    parameters: tuple[tuple[str, str], ...]
    known: bool
    flaky: bool

    @property
    def identity(self) -> str:
        """By what Allure knows the item again in the next session."""
        return md5(self.full_name.encode(), usedforsecurity=False).hexdigest()


def told(finding: Finding, text: str, parameters: Mapping[str, Any]) -> Told:
    """
    Say of a finding what Allure shows.

    Args:
        finding: What the item came to.
        text: The text of the failure; it may be empty.
        parameters: What the item is parametrized with, by name.
    """
    row, verdict = finding.requirement, finding.verdict
    file, _, case = finding.item.partition("::")
    stem = PurePosixPath(file).stem
    tree = (EPIC, f"{row.area.key} {row.area.name}", f"{row.id} {finding.title}")
    # What was filed of no item, such as an entry that matches nothing, is known by what it says.
    own = f"conformance.suite.{stem}#{case}" if case else f"{file}#{row.id} {finding.reason}"
    message = f"{verdict}: {finding.reason}" if finding.reason else str(verdict)
    return Told(
        name=_readable(case) if case else file,
        full_name=own,
        status=_STATUS[verdict],
        message="" if verdict is Verdict.PASS else cut(message, _LONGEST_MESSAGE),
        trace=text,
        description=_description(finding),
        title_path=tree,
        labels=tuple(_labels(finding, tree, stem)),
        parameters=tuple((name, words) for name, value in sorted(parameters.items()) if (words := parameter(value))),
        known=verdict is Verdict.KNOWN,
        flaky=verdict is Verdict.FLAKY,
    )


def parameter(value: Any) -> str:
    """A parameter in a few words, never a page of text; nothing for what has no words but its address."""
    match value:
        case bytes():
            text, size = repr(value)[2:-1], f"{len(value)} bytes"
        case str():
            text, size = (value if value.isprintable() else ascii(value)[1:-1]), f"{len(value)} characters"
        case dict() | list() | tuple() | set() | frozenset():
            plain = sorted(map(str, value)) if isinstance(value, set | frozenset) else value
            text, size = json.dumps(plain, ensure_ascii=False, default=parameter), f"{len(value)} members"
        case _:
            text, size = str(getattr(value, "name", None) or getattr(value, "__name__", None) or value), ""
            if text == "<lambda>" or " at 0x" in text:
                return ""
    if len(text) <= _LONGEST_PARAMETER:
        return text or '""'
    return f"{cut(text, _LONGEST_PARAMETER)}{f' ({size})' if size else ''}"


def _readable(case: str) -> str:
    name, bracket, given = case.partition("[")
    return f"{name.removeprefix('test_').replace('_', ' ')}{f' [{given}' if bracket else ''}"


def _labels(finding: Finding, tree: tuple[str, str, str], stem: str) -> Iterator[tuple[str, str]]:
    """The same tree twice, since some views group by the one and some by the other; and tags to filter by."""
    row = finding.requirement
    yield from zip(("epic", "feature", "story"), tree, strict=True)
    yield from zip(("parentSuite", "suite", "subSuite"), tree, strict=True)
    yield "severity", _SEVERITY[finding.level]
    yield "package", f"conformance.suite.{stem}"
    yield from (("tag", tag) for tag in (row.id, finding.level, row.area.key, finding.verdict))


def _description(finding: Finding) -> str:
    row = finding.requirement
    level = "" if finding.level is row.level else f"; the level is that of this session, the catalogue says {row.level}"
    return "\n".join(
        (
            f"**{finding.title}**",
            "",
            row.why,
            "",
            f"- requirement: {row.id}, {row.area.name}{level}",
            f"- basis: {row.basis}",
            f"- reach: {row.reach}",
            *(f"- source: {source}" for source in row.sources),
        )
    )
