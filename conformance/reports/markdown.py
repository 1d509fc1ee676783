"""`report.md`: the verdict, the areas and each failure, short enough for a comment on a pull request."""

from __future__ import annotations

import re
from html import escape
from typing import TYPE_CHECKING, Final

from conformance.reports.summary import ATTENTION
from conformance.reports.words import SYMBOLS, headline, kind_in_words
from conformance.verdicts import Verdict
from conformance.wire.values import cut

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from conformance.reports.document import Item, Report, Requirement

#: Bytes of the whole; GitHub takes 65,536 characters in a comment.
LONGEST: Final = 60_000
#: Characters of one failure, and of a line.
_LONGEST_TEXT, _LONGEST_LINE = 4_000, 300
#: What Markdown, and GitHub on top of it, gives a meaning to.
_MEANING = re.compile(r"([\\`*_\[\]<>&|~$!#]|:(?=\S))")
#: What begins a mention, or a reference to an issue, where something follows.
_REFERRING = re.compile(r"([@#])(?=\S)")
#: Keeps two characters apart, and is not seen.
_APART: Final = "\u200b"
_IN_FULL = frozenset({Verdict.FAIL, Verdict.STALE, Verdict.UNSTABLE, Verdict.WARN})


def markdown(report: Report) -> str:
    """The whole text; what has no room is counted, and told in `report.html`."""
    lines = [*_head(report), "", *areas(report)]
    left = LONGEST - len("\n".join(lines).encode())
    for verdict, heading in ATTENTION.items():
        rows = [each for each in report.requirements if each.verdict is verdict]
        if not rows:
            continue
        part = ["", f"### {SYMBOLS[verdict]} {heading} ({len(rows)})", ""]
        for number, row in enumerate(rows):
            told = list(_failure(row) if verdict in _IN_FULL else _line(row))
            if (size := len("\n".join(told).encode())) > left:
                part += ["", f"{len(rows) - number} more have no room here; `report.html` tells them all."]
                break
            left -= size + 1
            part += told
        left -= 200  # headings
        lines += part
    return "\n".join([*lines, "", *_foot(report), ""])


def areas(report: Report) -> Iterator[str]:
    """The table of areas by level and verdict."""
    columns = [verdict for verdict in Verdict if report.ended.counts.get(verdict)]
    yield from table(
        ["area", "level", *(f"{SYMBOLS[verdict]} {verdict}" for verdict in columns)],
        (
            [prose(f"{area.key} {area.name}"), level.level, *(str(level.counts.get(each, "·")) for each in columns)]
            for area in report.areas
            for level in area.levels
        ),
    )


def table(head: list[str], rows: Iterable[list[str]]) -> Iterator[str]:
    """A table of cells that are Markdown already."""
    yield f"| {' | '.join(head)} |"
    yield f"|{'---|' * len(head)}"
    yield from (f"| {' | '.join(row)} |" for row in rows)


def prose(text: str) -> str:
    """A text of anybody's as Markdown that shows it as it is: it links, mentions and formats nothing."""
    line = _MEANING.sub(r"\\\1", " ".join(text.split()))
    line = _REFERRING.sub(rf"\1{_APART}", line)
    return re.sub(r"(?i)\bwww\.", f"www{_APART}.", line)


def code(text: str) -> str:
    """A text of anybody's on one line, in a fixed width, within a table too."""
    line = " ".join(text.split())
    ticks = "`" * (1 + max(map(len, re.findall("`+", line)), default=0))
    return f"{ticks} {line} {ticks}" if "`" in line else f"`{line}`" if line else ""


def block(text: str) -> Iterator[str]:
    """A text of anybody's as lines that nothing in it can end."""
    fence = "`" * max(3, 1 + max(map(len, re.findall("`+", text)), default=0))
    yield from (f"{fence}text", *text.splitlines(), fence)


def _head(report: Report) -> Iterator[str]:
    ended, target = report.ended, report.target
    yield f"## Runs conformance: {prose(headline(report))}"
    yield ""
    yield f"Judged: {prose(target.name)}, {kind_in_words(target.kind)}."
    yield f"Verdict: {prose(ended.sentence)}."
    if target.contract:
        yield f"Contract: {prose(target.contract)}."
    if target.provenance:
        yield f"Cassettes: {prose(target.provenance)}."


def _failure(row: Requirement) -> Iterator[str]:
    """What is broken, behind a line that opens: nothing in that line is read as Markdown, nor as HTML."""
    telling = [each for each in row.items if each.verdict is row.verdict]
    title = escape(" ".join(f"{row.id}  {row.title}".split()))
    yield f"<details><summary><code>{title}</code></summary>"
    yield ""
    yield from block(cut("\n\n".join(map(_text, telling)), _LONGEST_TEXT))
    yield ""
    yield "</details>"


def _text(item: Item) -> str:
    return item.text or f"{item.case}: {item.reason}"


def _line(row: Requirement) -> Iterator[str]:
    reason = next(each.reason for each in row.items if each.verdict is row.verdict)
    yield f"- {prose(row.id)} {prose(row.title)}: {prose(cut(reason, _LONGEST_LINE))}"


def _foot(report: Report) -> Iterator[str]:
    coverage, cost, ended = report.coverage, report.cost, report.ended
    yield (
        f"{coverage.measured} of {coverage.active} requirements were measured, with {cost.requests} requests and "
        f"{cost.runs} runs in {ended.seconds:g} s; a broken {ended.gate.upper()} fails the session."
    )
    yield ""
    yield from block(report.target.command)
    yield ""
    claim = report.not_claimed[-1] if report.not_claimed else ""
    yield f"runs-conformance {prose(report.suite.version)}. {prose(claim)}"
