"""The cases: one file a chapter of the contract."""

import pytest


def requirement(id: str) -> pytest.MarkDecorator:
    """Mark a case with the one requirement that it measures."""
    return pytest.mark.requirement(id)
