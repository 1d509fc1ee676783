"""The cases: one file a chapter of the contract."""

from dataclasses import dataclass

import pytest


@dataclass(frozen=True, repr=False)
class Wanted:
    """The run that a case asks for."""

    state: str
    #: Whether it is the one that all cases read and none changes.
    shared: bool

    def __repr__(self) -> str:
        return self.state


def requirement(id: str) -> pytest.MarkDecorator:
    """Mark a case with the one requirement that it measures."""
    return pytest.mark.requirement(id)


def fresh_run(*states: str) -> pytest.MarkDecorator:
    """Give the case a `run` of its own, in each of these states in turn."""
    return pytest.mark.parametrize("run", [Wanted(state, shared=False) for state in states], indirect=True, ids=str)


def shared_run(*states: str) -> pytest.MarkDecorator:
    """Give the case the `run` that every case shares that only reads, in each of these states in turn."""
    return pytest.mark.parametrize("run", [Wanted(state, shared=True) for state in states], indirect=True, ids=str)
