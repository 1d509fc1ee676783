"""The index of the requirements: a line each, and what no requirement covers."""

from __future__ import annotations

from itertools import groupby

from conformance.requirements import Level, State, catalogue, excluded_sentences
from tools.documentation.text import linked, plain, reference

_HEAD = """\
# Requirements

Generated from the catalogue in `conformance/requirements/` by `tox -e docs`. Each id leads to why it matters, where it
comes from, what checks it, and which faults prove it.

- **The level** is the first word of a title. A broken MUST fails a session; a broken SHOULD warns, or fails with
  `--runs-gate=should`; a MAY is only noted.
- **The basis** says why a row has its level, since the sources use none of these words: *stated* by a source, in a
  published *schema*, *derived* from definitions, or *observed* in the real service.
- **The reach** says how a black box can show it: *always*, *staged* (a run must first be brought into a state), or
  *if-seen* (nothing provokes it).
"""


def page() -> str:
    """The whole page, in Markdown."""
    rows = catalogue().values()
    parts = [_HEAD, "\n| area | about | requirements | MUST | SHOULD | MAY |\n|---|---|---:|---:|---:|---:|\n"]
    for area, grouped in groupby(rows, key=lambda row: row.area):
        active = [row for row in grouped if row.state is State.ACTIVE]
        counts = " | ".join(str(sum(row.level is level for row in active)) for level in Level)
        parts.append(f"| [{area.key}](requirements/{area.key.lower()}.md) | {area.name} | {len(active)} | {counts} |\n")
    for area, grouped in groupby(rows, key=lambda row: row.area):
        parts.append(f"\n## {area.key}: {area.name}\n\n| id | requirement | basis | reach |\n|---|---|---|---|\n")
        for row in grouped:
            state = "" if row.state is State.ACTIVE else f" ({row.state})"
            parts.append(f"| {reference(row.id)} | {plain(row.title)}{state} | {row.basis} | {row.reach} |\n")
    parts.append("\n## What cannot be tested\n\n| what a source says | source | why not |\n|---|---|---|\n")
    parts += [
        f"| {plain(each.sentence)} | {plain(each.source)} | {linked(each.reason)} |\n" for each in excluded_sentences()
    ]
    return "".join(parts)
