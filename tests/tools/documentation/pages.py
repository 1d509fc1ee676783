"""All generated pages, and how they name each other."""

from __future__ import annotations

from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING

from conformance.requirements import catalogue
from tools.documentation import area, clients, faults, index
from tools.documentation.checks import checks

if TYPE_CHECKING:
    from collections.abc import Mapping

DOCS = Path(__file__).parents[3] / "docs"
#: Where the pages of the areas are, below `docs/`.
FOLDER = "requirements"


def pages() -> Mapping[str, str]:
    """Each generated page by its path below `docs/`."""
    found = checks()
    areas = {
        f"{FOLDER}/{chapter.key.lower()}.md": area.page(chapter, tuple(rows), found)
        for chapter, rows in groupby(catalogue().values(), key=lambda row: row.area)
    }
    whole = {"requirements.md": index.page(), "sdk-requirements.md": clients.page(), "faults.md": faults.page()}
    return whole | areas
