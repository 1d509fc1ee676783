"""Random sequences of writes: whatever is done in whatever order, what follows is legal."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from conformance.search import ROWS
from conformance.suite import requirement

if TYPE_CHECKING:
    from conformance.session import Session


@pytest.mark.fuzz("writes")
@pytest.mark.parametrize("row", [pytest.param(row, marks=requirement(row)) for row in ROWS])
def test_random_sequences_break_nothing(row: str, judging: Session) -> None:
    """What the sequences came to; all items tell of the same search, and the invariants judge its messages further."""
    judging.search.judge(row)
