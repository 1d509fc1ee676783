"""
The catalogue as a page of documentation: `python -m conformance.reports.requirements > docs/requirements.md`.

With the word `client` it is that of `docs/sdk-requirements.md`.
"""

from __future__ import annotations

import sys
from itertools import groupby

from conformance.requirements import Side, State, catalogue, excluded_sentences

_HEAD = """\
# Requirements

Generated from the catalogue in `conformance/requirements/`. The level is the first word of a title. The basis says why
a row has its level, since the sources use none of these words: *stated* by a source, in a published *schema*, *derived*
from definitions, or *observed* in recordings of the real service. The reach says how a black box can show it: *always*,
*staged* (a run must first be brought into a state), or *if-seen* (nothing provokes it). Planned rows are not judged.
"""
_CLIENT_HEAD = """\
# Requirements for clients

Generated from the catalogue in `conformance/requirements/sdk/`; [sdk.md](sdk.md) says how a client is judged. The level
is the first word of a title. The basis says why a row has its level: *stated* by a source, in a published *schema*,
*derived* from what the API's definitions and HTTP mean for a caller, or *observed* in recordings of the real service.
"""
_HEADS = {Side.SERVER: _HEAD, Side.CLIENT: _CLIENT_HEAD}
_COLUMNS = "| id | requirement | basis | reach | sources |\n|---|---|---|---|---|\n"


def page(side: Side = Side.SERVER) -> str:
    """The whole page about one side, in Markdown."""
    parts = [_HEADS[side]]
    for area, rows in groupby(catalogue(side).values(), key=lambda row: row.area):
        parts.append(f"\n## {area.key}: {area.name}\n\n{_COLUMNS}")
        for row in rows:
            title, sources = row.title, "; ".join(row.sources)
            if row.state is not State.ACTIVE:
                title += f" ({row.state}{': ' + row.reason if row.reason else ''})"
            parts.append(f"| {row.id} | {_cell(title)} | {row.basis} | {row.reach} | {_cell(sources)} |\n")
    if excluded := excluded_sentences(side):
        parts.append("\n## What cannot be tested\n\n| what a source says | source | why not |\n|---|---|---|\n")
        parts += [f"| {_cell(each.sentence)} | {each.source} | {_cell(each.reason)} |\n" for each in excluded]
    return "".join(parts)


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


if __name__ == "__main__":
    sys.stdout.write(page(Side((*sys.argv[1:], Side.SERVER)[0])))
