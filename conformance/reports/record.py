"""From the findings and the journal of a session to its report."""

from __future__ import annotations

import platform
from collections import Counter
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from conformance import __version__
from conformance.reports import document as doc
from conformance.reports.failure import accept, case_name, failure_text, told
from conformance.reports.kept import Kept, cleaned
from conformance.reports.summary import INTERRUPTED, counted, sentence, table
from conformance.requirements import Level, Side, State, catalogue, excluded_sentences
from conformance.verdicts import Outcome, Verdict, breaks, overall

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence
    from datetime import date

    from conformance.redaction import Redactor
    from conformance.reports.commands import Place
    from conformance.verdicts import Finding, Findings
    from conformance.wire.journal import Journal

#: The scopes of cases, by how their names begin.
_CASES = ("cases", "races")
_NOT_CLAIMED = (
    "What a run answers is not judged, nor how well.",
    "File search and code interpreter are judged only where a run happens to show them.",
    "Where documents and recordings disagree, the basis of the requirement says which one speaks.",
    "A pass says that no violation was seen in what this session provoked.",
)
_NOT_CLAIMED_OF_CLIENTS = (
    "Only the calls that the driver makes are judged, not other parts of the client, such as an asynchronous one.",
    "What the driver tells is believed to be what a user would see.",
    "A pass says that no violation was seen in what this session provoked.",
)


@dataclass(frozen=True, kw_only=True)
class Circumstances:
    """What a report says of its session beside the findings."""

    target: doc.Target
    cost: doc.Cost
    gate: str
    exit_code: int
    #: Whether the session ended before all had run, so that there is no verdict.
    interrupted: bool
    #: Why nothing could be measured, where that is known.
    stopped: str
    #: Unix time in seconds.
    began: float
    seconds: float
    #: The requirements that had items in the session.
    selected: Collection[str]
    known: Sequence[doc.Acceptance]
    place: Place
    #: The day that is proposed as the end of accepting a failure.
    until: date


def report(around: Circumstances, findings: Findings, journal: Journal, redactor: Redactor) -> doc.Report:
    """
    Say all that a session found in one document.

    Args:
        around: What else there is to say of the session.
        findings: What its items came to.
        journal: What was sent, and what came back.
        redactor: Every text passes through it.
    """
    kept = Kept(redactor)
    requirements = _Rows(around, findings, journal, redactor, kept).all()
    return doc.Report.model_validate(
        {
            "format": doc.FORMAT,
            "version": doc.VERSION,
            "suite": {
                "version": __version__,
                "python": platform.python_version(),
                "platform": f"{platform.system()} {platform.machine()}",
            },
            **cleaned(
                {
                    "target": around.target.model_dump(),
                    "ended": _ended(around, findings),
                    "cost": around.cost.model_dump(),
                    "known_failures": [each.model_dump() for each in around.known],
                },
                redactor,
            ),
            "areas": _areas(findings),
            "requirements": requirements,
            "exchanges": kept.all(),
            "coverage": _coverage(around, findings),
            "not_claimed": list(_NOT_CLAIMED_OF_CLIENTS if around.target.kind == "sdk" else _NOT_CLAIMED),
        }
    )


def _ended(around: Circumstances, findings: Findings) -> dict[str, Any]:
    verdicts = Counter(findings.verdicts().values())
    if around.stopped:
        outcome, words = Outcome.NOTHING_MEASURED.value, f"nothing could be measured: {around.stopped}"
    elif around.interrupted:
        outcome, words = "interrupted", f"{INTERRUPTED} ({counted(findings, around.selected)})"
    else:
        outcome = findings.outcome(around.gate).value
        words = f"{sentence(findings, around.gate)} ({counted(findings, around.selected)})"
    return {
        "exit_code": around.exit_code,
        "outcome": outcome,
        "sentence": words,
        "gate": around.gate,
        "counts": {verdict: verdicts[verdict] for verdict in Verdict if verdicts[verdict]},
        "began": datetime.fromtimestamp(around.began, UTC).isoformat(timespec="seconds"),
        "seconds": round(around.seconds, 1),
    }


def _areas(findings: Findings) -> list[dict[str, Any]]:
    areas, cells = table(findings)
    return [
        {
            "key": key,
            "name": name,
            "levels": [
                {"level": level, "counts": counts}
                for level in Level
                if (counts := {verdict: count for verdict in Verdict if (count := cells[key, level, verdict])})
            ],
        }
        for key, name in areas.items()
    ]


def _coverage(around: Circumstances, findings: Findings) -> dict[str, Any]:
    side = Side.CLIENT if around.target.kind == "sdk" else Side.SERVER
    rows = catalogue(side).values()
    active = [row.id for row in rows if row.state is State.ACTIVE]
    reached = findings.by_requirement()
    selected = {*around.selected, *reached}
    return {
        "active": len(active),
        "selected": sum(id in selected for id in active),
        "measured": sum(any(each.measured for each in found) for found in reached.values()),
        "not_selected": [id for id in active if id not in selected],
        "not_reached": [id for id in active if id in selected and id not in reached],
        "not_judged": [
            {"id": row.id, "title": row.title, "state": row.state, "reason": row.reason}
            for row in rows
            if row.state is not State.ACTIVE
        ],
        "not_testable": [
            {"sentence": each.sentence, "source": each.source, "reason": each.reason}
            for each in excluded_sentences(side)
        ],
    }


@dataclass(frozen=True)
class _Rows:
    """The requirements of a report, and what it keeps of the exchanges that show violations."""

    around: Circumstances
    findings: Findings
    journal: Journal
    redactor: Redactor
    kept: Kept

    def all(self) -> list[dict[str, Any]]:
        """Each requirement that came to anything, in the order of the catalogue."""
        found, incomplete = self.findings.by_requirement(), set(self.findings.incomplete())
        return [
            self._row(found[id], incomplete=id in incomplete) for id in catalogue(self.findings.side) if id in found
        ]

    def _row(self, found: Sequence[Finding], *, incomplete: bool) -> dict[str, Any]:
        row, level = found[0].requirement, found[0].level
        return {
            "id": row.id,
            "title": found[0].title,
            "level": level,
            "area": row.area.key,
            "basis": row.basis,
            "reach": row.reach,
            "why": row.why,
            "sources": list(row.sources),
            "verdict": overall(found),
            "effect": effect([each.verdict for each in found], level, self.around.gate, incomplete=incomplete),
            "accept": accept(row, self.around.until) if any(each.violations for each in found) else "",
            "items": [self._item(each) for each in found],
        }

    def _item(self, finding: Finding) -> dict[str, Any]:
        case, violations, place = case_name(finding.item), finding.violations, self.around.place
        text = failure_text(finding, place, until=self.around.until) if violations else ""
        most, longest = self.kept.room(text or finding.reason)
        plain = {
            "case": case,
            "parameters": case.partition("[")[2].removesuffix("]"),
            "verdict": finding.verdict,
            "reason": finding.reason,
            "seconds": self._seconds(case),
            "violations": [
                {**vars(told(each, place)), "exchanges": self.kept.numbers(each.exchanges)}
                for each in violations[:most]
            ],
            "more": max(len(violations) - most, 0),
            "text": text,
        }
        item: dict[str, Any] = cleaned(plain, self.redactor, longest)
        return item

    def _seconds(self, case: str) -> float | None:
        file, _, name = case.partition("::")
        scopes = (f"{kind}/{file.removesuffix('.py')}/{name}" for kind in _CASES)
        own = [exchange for scope in scopes for exchange in self.journal.of(scope)]
        if not own:
            return None
        return round(max(max(each.ended for each in own) - min(each.at for each in own), 0), 3)


def effect(verdicts: Collection[Verdict], level: Level, gate: str, *, incomplete: bool) -> doc.Effect:
    """
    What a requirement does to the verdict of a session.

    Args:
        verdicts: Those on its items.
        level: Its level in the session.
        gate: `must` or `should`.
        incomplete: Whether it should have been measured, and was not.
    """
    if Verdict.STALE in verdicts or any(breaks(each, level, gate) for each in verdicts):
        return "breaks"
    return "incomplete" if incomplete else "none"
