"""Fixtures of the cases; what they stage belongs to the scope that the plugin opened for the case."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from conformance import options
from conformance.suite import Wanted

if TYPE_CHECKING:
    from conformance.client import Client
    from conformance.invariants.evidence import Evidence
    from conformance.session import Session
    from conformance.states.handles import Listing, Run, Thread
    from conformance.states.interference import Interfered
    from conformance.states.shared import Shared
    from conformance.states.stage import Stage
    from conformance.states.streams import Listened, Told, ToldCall
    from conformance.states.subjects import Called, Interrupted


@pytest.fixture
def client(judging: Session) -> Client:
    """The raw way to the target."""
    return judging.client


@pytest.fixture
def own_key(judging: Session) -> str:
    """The key that the target takes, which nothing may show."""
    return judging.settings.key or ""


@pytest.fixture
def stage(judging: Session) -> Stage:
    """Stages fresh threads and runs for this case."""
    return judging.stage


@pytest.fixture
def shared(judging: Session) -> Shared:
    """Read-only subjects, staged once a session."""
    return judging.shared


@pytest.fixture
def run(request: pytest.FixtureRequest, judging: Session) -> Run:
    """The run that the case is parametrized with, see `fresh_run` and `shared_run`."""
    state = str(request.param)
    if isinstance(request.param, Wanted) and request.param.shared:
        return judging.shared.run(state)
    return judging.stage.run(state)


@pytest.fixture
def attempts(pytestconfig: pytest.Config) -> int:
    """How often a case that repeats its race by itself does so."""
    return options.races(pytestconfig)


@pytest.fixture
def some_run(shared: Shared) -> Run:
    """A run that exists, in whatever state it may be, which every case shares."""
    return shared.some_run


@pytest.fixture
def listing(shared: Shared) -> Listing:
    """A thread with five runs, which every case shares."""
    return shared.listing


@pytest.fixture
def tied_listing(shared: Shared) -> Listing:
    """A thread with five runs that were created as quickly as the target permits."""
    return shared.tied_listing


@pytest.fixture
def long_listing(shared: Shared) -> Listing:
    """A thread with 21 runs, which every case shares."""
    return shared.long_listing


@pytest.fixture
def heard(shared: Shared) -> Listened:
    """The stream of a run from its creation to its end, which every case shares."""
    return shared.heard


@pytest.fixture
def told(shared: Shared) -> Told:
    """A run that was told of in a stream from its creation to its end, which every case shares."""
    return shared.told


@pytest.fixture
def told_of_a_call(shared: Shared) -> ToldCall:
    """A run that called a function in a stream, and was given the output in another."""
    return shared.told_of_a_call


@pytest.fixture
def interfered(shared: Shared) -> Interfered:
    """A run that was read, disturbed and cancelled in the middle of its stream, which every case shares."""
    return shared.interfered


@pytest.fixture
def called(shared: Shared) -> Called:
    """A run that called a function, took its output, and answered, which every case shares."""
    return shared.called


@pytest.fixture
def interrupted(shared: Shared) -> Interrupted:
    """A run that was cancelled while it wrote a long answer, which every case shares."""
    return shared.interrupted


@pytest.fixture
def other_thread(shared: Shared) -> Thread:
    """A thread with one message and no run."""
    return shared.other_thread


@pytest.fixture
def other_assistant(shared: Shared) -> str:
    """Another assistant than that of all runs."""
    return shared.other_assistant


@pytest.fixture
def evidence(judging: Session) -> Evidence:
    """All that the session saw, for the invariants."""
    return judging.evidence()
