"""From outcomes to findings, from findings to the verdict of each requirement, and to the exit code."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

from conformance.outcomes import Fault, NotClaimed, Noted, Unstable, Untested, Violated
from conformance.requirements import Level, Side

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from conformance.outcomes import Violation
    from conformance.requirements import Requirement


class Verdict(StrEnum):
    """What the suite says of an item or of a requirement."""

    PASS = "pass"  # noqa: S105 - no password
    FAIL = "fail"
    WARN = "warn"
    NOTE = "note"
    KNOWN = "known"
    STALE = "stale"
    FLAKY = "flaky"
    UNSTABLE = "unstable"
    NOT_APPLICABLE = "n/a"
    UNTESTED = "untested"
    DISABLED = "disabled"
    ERROR = "error"


#: What an item that was run may have measured.
MEASURED = frozenset(Verdict) - {Verdict.NOT_APPLICABLE, Verdict.UNTESTED, Verdict.DISABLED, Verdict.ERROR}

#: How the reason of what could not be measured names the requirement that stood in the way.
_BLAMED = re.compile(r"which ((?:RUN|SDK)-[A-Z]+-\d+) is about")


class Outcome(StrEnum):
    """What a session that came to its end says of its target."""

    CONFORMS = "conforms"
    BROKEN = "does not conform"
    STALE_LIST = "stale list"
    INCOMPLETE = "incomplete"
    NOTHING_MEASURED = "nothing measured"


_EXIT_CODES = {
    Outcome.CONFORMS: 0,
    Outcome.BROKEN: 1,
    Outcome.STALE_LIST: 1,
    Outcome.INCOMPLETE: 10,
    Outcome.NOTHING_MEASURED: 11,
}


@dataclass(frozen=True, kw_only=True)
class Finding:
    """What one item came to."""

    requirement: Requirement
    level: Level
    item: str
    verdict: Verdict
    #: Why it is not a pass: the reason of a skip, the finding of a note, the text of an error.
    reason: str = ""
    violations: Sequence[Violation] = ()
    #: Whether an untested item makes the session incomplete.
    gates: bool = True
    #: Whether it is about an entry of the list of known failures that matches nothing, and no item came to it.
    unmatched: bool = False

    @property
    def measured(self) -> bool:
        """Whether an item measured the requirement."""
        return self.verdict in MEASURED and not self.unmatched

    @property
    def title(self) -> str:
        """The requirement's title, beginning with the level that it has in this session."""
        return f"{self.level} {self.requirement.title.partition(' ')[2]}"


def judge(outcome: BaseException | None, level: Level) -> tuple[Verdict, str]:
    """Turn what ended an item into a verdict and its reason."""
    match outcome:
        case None:
            return Verdict.PASS, ""
        case Violated():
            verdicts = {Level.MUST: Verdict.FAIL, Level.SHOULD: Verdict.WARN, Level.MAY: Verdict.NOTE}
            unstable = isinstance(outcome, Unstable) and level is not Level.MAY
            return (Verdict.UNSTABLE if unstable else verdicts[level]), str(outcome)
        case Noted():
            return Verdict.NOTE, outcome.finding
        case NotClaimed():
            return Verdict.NOT_APPLICABLE, outcome.reason
        case Untested():
            return Verdict.UNTESTED, outcome.reason
        case _:
            named = "" if isinstance(outcome, Fault) else f"{type(outcome).__name__}: "
            return Verdict.ERROR, f"{named}{outcome}"


@dataclass
class Findings:
    """All findings of a session, and what follows from them."""

    all: list[Finding] = field(default_factory=list)

    def add(self, finding: Finding) -> None:
        """Keep a finding."""
        self.all.append(finding)

    def by_requirement(self) -> Mapping[str, Sequence[Finding]]:
        """The findings of each requirement that has any, by its id."""
        grouped: dict[str, list[Finding]] = {}
        for finding in self.all:
            grouped.setdefault(finding.requirement.id, []).append(finding)
        return dict(sorted(grouped.items()))

    @property
    def side(self) -> Side:
        """Who was judged."""
        return self.all[0].requirement.area.side if self.all else Side.SERVER

    def verdicts(self) -> Mapping[str, Verdict]:
        """The verdict of each requirement that has findings, by its id."""
        return {id: overall(findings) for id, findings in self.by_requirement().items()}

    def incomplete(self) -> Sequence[str]:
        """
        The requirements that should have been measured and were not, or only in part because of an error.

        What could not be measured because of a requirement that is accepted as broken is accepted with it.
        """
        verdicts = self.verdicts()
        accepted = {id for id, verdict in verdicts.items() if verdict in {Verdict.KNOWN, Verdict.FLAKY}}
        return [
            id
            for id, findings in self.by_requirement().items()
            if verdicts[id] is Verdict.ERROR
            or (
                verdicts[id] is Verdict.UNTESTED
                and any(each.gates and accepted.isdisjoint(_BLAMED.findall(each.reason)) for each in findings)
            )
        ]

    def outcome(self, gate: str) -> Outcome:
        """
        What the session says of its target, if it came to its end.

        Args:
            gate: `must`, or `should` where a broken SHOULD counts as well.
        """
        if not any(finding.measured for finding in self.all):
            return Outcome.NOTHING_MEASURED
        if any(breaks(finding.verdict, finding.level, gate) for finding in self.all):
            return Outcome.BROKEN
        if any(finding.verdict is Verdict.STALE for finding in self.all):
            return Outcome.STALE_LIST
        return Outcome.INCOMPLETE if self.incomplete() else Outcome.CONFORMS

    def exit_code(self, gate: str) -> int:
        """The exit code that pytest's own 0 or 1 is replaced with, under a gate as `outcome` takes it."""
        return _EXIT_CODES[self.outcome(gate)]


def breaks(verdict: Verdict, level: Level, gate: str) -> bool:
    """Whether an item says that a requirement is broken that counts under a gate."""
    if verdict is Verdict.UNSTABLE:
        return level is Level.MUST or gate == "should"
    return verdict is Verdict.FAIL or (verdict is Verdict.WARN and gate == "should")


#: The first of these that any item of a requirement has is the requirement's verdict.
_PRECEDENCE = (
    Verdict.FAIL,
    Verdict.STALE,
    Verdict.UNSTABLE,
    Verdict.ERROR,
    Verdict.KNOWN,
    Verdict.WARN,
    Verdict.FLAKY,
    Verdict.NOTE,
    Verdict.PASS,
    Verdict.UNTESTED,
    Verdict.NOT_APPLICABLE,
    Verdict.DISABLED,
)


def overall(findings: Iterable[Finding]) -> Verdict:
    """The verdict of a requirement over its items: what is worst, as long as it was measured."""
    verdicts = {finding.verdict for finding in findings}
    return next(verdict for verdict in _PRECEDENCE if verdict in verdicts)
