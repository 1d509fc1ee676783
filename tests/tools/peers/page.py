"""What is printed, and how it gets into docs/peers.md: its prose is written by hand, only the numbers are replaced."""

from __future__ import annotations

import platform
from typing import TYPE_CHECKING

from tools.peers import drawing, ours, tables
from tools.peers.running import ROOT

if TYPE_CHECKING:
    from collections.abc import Sequence

    from conformance.reference.faults import Fault
    from tools.peers.tables import Result

PAGE = ROOT / "docs" / "peers.md"
BEGIN, END = "<!-- measured: tox -e peers -- --write -->", "<!-- end of what was measured -->"


def measured(results: Sequence[Result], faults: Sequence[Fault]) -> str:
    """Everything that was measured, in Markdown; the first result is ours."""
    sections = (
        f"{len(faults)} of {len(drawing.eligible())} faults; Python {platform.python_version()}.",
        tables.overview(results, faults),
        "### The goals",
        _goals(results),
        "### By kind of fault",
        tables.by_kind(results, faults),
        "### Fault by fault",
        tables.by_fault(results, faults),
        "### Reported of the faithful server",
        tables.alarms(results),
        "### Sessions that did not come to their end",
        tables.problems(results),
    )
    return "\n\n".join(sections)


def _goals(results: Sequence[Result]) -> str:
    mine = next((result for result in results if result.name == ours.NAME), None)
    peers = [result for result in results if result is not mine]
    if mine is None or not peers:
        return "Not measured."
    by_must = sum(
        any(told.endswith(" fail") for told in each.failures) for each in mine.faulty if each.fault in mine.found
    )
    gate = f"Of what {mine.name} found, {by_must} break a MUST; the others break only a SHOULD."
    return f"{tables.goals(mine, peers)}\n\n{gate}"


def written(page: str, what: str) -> str:
    """The page with what was measured in place of what had been."""
    before, _, rest = page.partition(BEGIN)
    _, _, after = rest.partition(END)
    return f"{before}{BEGIN}\n\n{what}\n\n{END}{after}"
