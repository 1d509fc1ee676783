"""The compliance summary: a table of areas and levels, what needs attention, and one line of verdict."""

from __future__ import annotations

import re
from collections import Counter
from typing import TYPE_CHECKING

from conformance.requirements import Level, State, catalogue
from conformance.verdicts import Outcome, Verdict, overall
from conformance.wire.values import apart, cut

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence

    from conformance.verdicts import Finding, Findings

_ALWAYS_SHOWN = (
    Verdict.PASS,
    Verdict.FAIL,
    Verdict.WARN,
    Verdict.NOTE,
    Verdict.NOT_APPLICABLE,
    Verdict.UNTESTED,
    Verdict.ERROR,
)
#: The verdicts that need attention, in the order in which they are told, and their headings.
ATTENTION = {
    Verdict.FAIL: "broken",
    Verdict.STALE: "listed as known, and holds or matches nothing",
    Verdict.UNSTABLE: "unstable, since repetitions disagree",
    Verdict.WARN: "warned",
    Verdict.FLAKY: "flaky",
    Verdict.KNOWN: "known",
    Verdict.ERROR: "errors, ours or the network's",
    Verdict.UNTESTED: "untested",
    Verdict.NOTE: "noted",
}
#: In characters.
_LONGEST_REASON = 300
INTERRUPTED = "none, the session was interrupted"
#: How a violation is told, with what may stand before it.
_VIOLATION = re.compile(r"(?P<before>.*?\bexpected )(?P<expected>.*?), got (?P<actual>.*)", re.DOTALL)
_SENTENCES = {
    Outcome.CONFORMS: "conforms: no requirement that counts is broken, and all that could be measured was",
    Outcome.BROKEN: "does not conform",
    Outcome.STALE_LIST: "stale list of known failures: delete from it what holds now or matches nothing",
    Outcome.INCOMPLETE: "incomplete: what should have been measured was not",
    Outcome.NOTHING_MEASURED: "nothing could be measured",
}


def summary(
    findings: Findings, *, gate: str, interrupted: bool = False, selected: Collection[str] = ()
) -> Iterator[str]:
    """
    The lines of the summary.

    Args:
        findings: Those of the session.
        gate: `must` or `should`: what decides the verdict.
        interrupted: Whether the session ended before all had run, so that there is no verdict.
        selected: The requirements that had items in the session.
    """
    yield from _table(findings)
    for verdict, heading in ATTENTION.items():
        rows = [rows for rows in findings.by_requirement().values() if overall(rows) is verdict]
        if rows:
            yield ""
            yield f"{heading}:"
            yield from (f"  {_line(row, verdict)}" for row in rows)
    yield from _not_applicable(findings)
    yield ""
    told = INTERRUPTED if interrupted else sentence(findings, gate)
    yield f"verdict: {told} ({counted(findings, selected)})"


def sentence(findings: Findings, gate: str) -> str:
    """What a session that came to its end says of the target."""
    return _SENTENCES[findings.outcome(gate)]


def counted(findings: Findings, selected: Collection[str]) -> str:
    """How many requirements came to what, and of how many if they are not all: all that were selected, or fewer."""
    verdicts = findings.verdicts()
    counts = Counter(verdicts.values())
    told = ", ".join(f"{counts[verdict]} {verdict}" for verdict in Verdict if counts[verdict])
    active = sum(row.state is State.ACTIVE for row in catalogue(findings.side).values())
    chosen = "selected" if verdicts.keys() >= set(selected) else "reached"
    selection = f"; {len(verdicts)} of {active} requirements were {chosen}" if len(verdicts) < active else ""
    return (told or "none") + selection


def table(findings: Findings) -> tuple[Mapping[str, str], Counter[tuple[str, Level, Verdict]]]:
    """The names of the areas by their keys, and how many requirements of an area and level came to what."""
    cells: Counter[tuple[str, Level, Verdict]] = Counter()
    areas: dict[str, str] = {}
    for rows in findings.by_requirement().values():
        area = rows[0].requirement.area
        areas[area.key] = area.name
        cells[area.key, rows[0].level, overall(rows)] += 1
    return areas, cells


def _table(findings: Findings) -> Iterator[str]:
    areas, cells = table(findings)
    seen = {verdict for _, _, verdict in cells}
    columns = [verdict for verdict in Verdict if verdict in seen or verdict in _ALWAYS_SHOWN]
    width = max(len(name) for name in areas.values()) + 1
    wide = max(8, *map(len, areas)) + 1
    yield f"{'':{wide + width + 6}}" + "".join(f"{verdict:>9}" for verdict in columns)
    for key, name in areas.items():
        for level in Level:
            counts = [cells[key, level, verdict] for verdict in columns]
            if any(counts):
                yield f"{key:<{wide}}{name:<{width}}{level:<6}" + "".join(f"{count or '.':>9}" for count in counts)


def _line(findings: Sequence[Finding], verdict: Verdict) -> str:
    row = findings[0].requirement
    of_this = [finding for finding in findings if finding.verdict is verdict]
    reasons = dict.fromkeys(finding.reason for finding in of_this)
    told = next(iter(reasons))
    where = f" [{len(of_this)} of {len(findings)} items]" if len(findings) > 1 else ""
    return f"{row.id}  {findings[0].title}{where}: {_brief(told)}"


def _not_applicable(findings: Findings) -> Iterator[str]:
    """Why requirements say nothing of this target, a line for each reason: there are many of them for one."""
    rows = [rows for rows in findings.by_requirement().values() if overall(rows) is Verdict.NOT_APPLICABLE]
    if rows:
        yield ""
        yield "not applicable:"
        for reason, number in Counter(each[0].reason for each in rows).items():
            yield f"  {number} requirement{'s' if number > 1 else ''}: {_brief(reason)}"


def _brief(reason: str) -> str:
    """A reason that fits on a line; of a violation so much that it shows where what came begins to differ."""
    if len(reason) > _LONGEST_REASON and (told := _VIOLATION.fullmatch(reason)):
        expected, actual = apart(told["expected"], told["actual"], _LONGEST_REASON // 2)
        return f"{told['before']}{expected}, got {actual}"
    return cut(reason, _LONGEST_REASON)
