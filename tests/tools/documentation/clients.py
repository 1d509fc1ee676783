"""The requirements for clients, on one page: a line each."""

from __future__ import annotations

from itertools import groupby

from conformance.requirements import Side, catalogue
from tools.documentation.text import plain

_HEAD = """\
# Requirements for clients

Generated from the catalogue in `conformance/requirements/sdk/` by `tox -e docs`; [Judging a client](sdk.md) says how
they are checked. The level
is the first word of a title. The basis says why a row has its level: *stated* by a source, in a published *schema*,
*derived* from what the API's definitions and HTTP mean for a caller, or *observed* in recordings of the real service.
"""


def page() -> str:
    """The whole page, in Markdown."""
    parts = [_HEAD]
    for area, rows in groupby(catalogue(Side.CLIENT).values(), key=lambda row: row.area):
        parts.append(f"\n## {area.key}: {area.name}\n\n| id | requirement | basis | sources |\n|---|---|---|---|\n")
        for row in rows:
            sources = plain("; ".join(row.sources))
            parts.append(f"| {row.id} | {plain(row.title)} | {row.basis} | {sources} |\n")
    return "".join(parts)
