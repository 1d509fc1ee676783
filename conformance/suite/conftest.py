"""Fixtures of the cases; what they stage belongs to the scope that the plugin opened for the case."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from conformance.client import Client
    from conformance.invariants.evidence import Evidence
    from conformance.session import Session
    from conformance.states.handles import Run
    from conformance.states.shared import Shared
    from conformance.states.stage import Stage


@pytest.fixture
def client(judging: Session) -> Client:
    """The raw way to the target."""
    return judging.client


@pytest.fixture
def stage(judging: Session) -> Stage:
    """Stages fresh threads and runs for this case."""
    return judging.stage


@pytest.fixture
def shared(judging: Session) -> Shared:
    """Read-only subjects, staged once a session."""
    return judging.shared


@pytest.fixture
def run(request: pytest.FixtureRequest, stage: Stage) -> Run:
    """A fresh run in the state that the case is parametrized with."""
    return stage.run(request.param)


@pytest.fixture
def evidence(judging: Session) -> Evidence:
    """All that the session saw, for the invariants."""
    return judging.evidence()
