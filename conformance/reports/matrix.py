"""What several targets came to, area by area."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from conformance.reports import markdown
from conformance.reports.words import headline
from conformance.verdicts import Verdict

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from conformance.reports.document import Report


@dataclass(frozen=True)
class Matrix:
    """A row each area, a column each target."""

    targets: Sequence[str]
    outcomes: Sequence[str]
    areas: Sequence[tuple[str, Sequence[str]]]


def matrix(reports: Sequence[Report]) -> Matrix:
    """What each report says of each area that any of them judged, in the order of the areas' keys."""
    names = {area.key: f"{area.key} {area.name}" for report in reports for area in report.areas}
    return Matrix(
        [report.target.name for report in reports],
        [headline(report) for report in reports],
        [(names[key], [_cell(report, key) for report in reports]) for key in sorted(names)],
    )


def in_words(told: Matrix) -> Iterator[str]:
    """The table for a terminal."""
    yield from (f"{number}: {name}" for number, name in enumerate(told.targets, 1))
    rows = [("", [str(number) for number in range(1, len(told.targets) + 1)]), ("verdict", told.outcomes), *told.areas]
    widths = [max(len(cells[column]) for _, cells in rows) for column in range(len(told.targets))]
    left = max(len(name) for name, _ in rows)
    yield ""
    for name, cells in rows:
        aligned = (f"{cell:<{width}}" for cell, width in zip(cells, widths, strict=True))
        yield f"{name:<{left}}  {'  '.join(aligned)}".rstrip()


def in_markdown(told: Matrix) -> Iterator[str]:
    """The table as Markdown."""
    prose = markdown.prose
    yield from markdown.table(
        ["area", *map(prose, told.targets)],
        ([prose(name), *map(prose, cells)] for name, cells in (("verdict", told.outcomes), *told.areas)),
    )


def _cell(report: Report, key: str) -> str:
    """How many requirements of an area came to what."""
    counts: Counter[Verdict] = Counter(row.verdict for row in report.requirements if row.area == key)
    if not counts:
        return "not selected"
    return ", ".join(f"{counts[verdict]} {verdict}" for verdict in Verdict if counts[verdict])
