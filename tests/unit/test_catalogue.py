"""The catalogue is frozen: an id keeps its title for ever."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from conformance.requirements import Level, Side, State, both_catalogues, catalogue, excluded_sentences

if TYPE_CHECKING:
    from conformance.requirements import Requirement

HERE = Path(__file__).parent
TITLES = {Side.SERVER: "titles.txt", Side.CLIENT: "titles_of_clients.txt"}
#: How the ids of a side begin.
PREFIXES = {Side.SERVER: "RUN-", Side.CLIENT: "SDK-"}

each_side = pytest.mark.parametrize("side", Side)


@each_side
def test_ids_and_titles_are_frozen(side: Side) -> None:
    told = "".join(f"{row.id} {row.title}\n" for row in catalogue(side).values())

    assert told == (HERE / TITLES[side]).read_text("utf-8"), (
        f"rows are appended, never renumbered; write {HERE / TITLES[side]} anew for new ones"
    )


@pytest.mark.parametrize("row", both_catalogues().values(), ids=lambda row: row.id)
def test_a_row_tells_why_and_whence(row: Requirement) -> None:
    area, _, number = row.id.removeprefix(PREFIXES[row.area.side]).rpartition("-")

    assert (area, len(number)) == (row.area.key, 3)
    assert row.level in set(Level)
    assert row.why
    assert row.sources
    assert row.state is State.ACTIVE or row.reason or row.state is State.PLANNED


def test_a_sentence_that_cannot_be_tested_has_a_reason() -> None:
    assert all(each.sentence and each.source and each.reason for each in excluded_sentences())
