"""Recipes: a state that the run rushes through is caught by a stream where polling is too late."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from conformance.client import Client
from conformance.dialect import Dialect
from conformance.outcomes import NotClaimed, Untested
from conformance.reference import DEFAULT_KEY, Reference
from conformance.reference.runs import Pace
from conformance.senders import InProcessSender
from conformance.states.means import Means
from conformance.states.shared import Shared
from conformance.states.stage import Stage
from conformance.states.waits import Waits
from conformance.wire.journal import Journal

if TYPE_CHECKING:
    from collections.abc import Callable

    from conformance.senders import Reply
    from conformance.wire.exchange import Request


class Awaiting(InProcessSender):
    """Lets a minute pass in every create that is not streamed, so that nobody sees a run at work."""

    def send(self, request: Request, scope: str, gate: Callable[[], object] | None = None) -> Reply:
        reply = super().send(request, scope, gate)
        if request.method == "POST" and request.path.endswith("/runs"):
            self.wait(60, scope)
        return reply


@pytest.fixture
def stage() -> Stage:
    dialect = Dialect(headers={"OpenAI-Beta": "assistants=v2"}, key=DEFAULT_KEY)
    return Stage(Means(Client(Awaiting(Reference()), Journal(), dialect=dialect), Waits({})))


def test_a_run_that_is_too_quick_to_be_polled_is_caught_by_its_stream(stage: Stage) -> None:
    with stage.client.scope("a case"):
        run = stage.run("in_progress")

        assert run.cancel().json["status"] in {"cancelling", "cancelled"}

    streams = [each for each in stage.client.journal if each.is_stream]
    assert len(streams) == 1


def test_where_nothing_is_streamed_the_state_is_missed_and_nobody_excused(stage: Stage) -> None:
    stage.client.without = frozenset({"streaming"})

    with pytest.raises(Untested) as missed, stage.client.scope("a case"):
        stage.run("in_progress")

    assert not isinstance(missed.value, NotClaimed)
    assert missed.value.gates
    assert "it became completed" in missed.value.reason


def test_runs_that_take_long_are_cut_short_to_share_a_second() -> None:
    dialect = Dialect(headers={"OpenAI-Beta": "assistants=v2"}, key=DEFAULT_KEY)
    reference = Reference(pace=Pace(start=0.1, think=5.0, cancel=0.1), cancel_policy="observed")
    client = Client(InProcessSender(reference), Journal(), dialect=dialect)
    listing = Shared(Stage(Means(client, Waits({})))).tied_listing

    seconds = [run.body["created_at"] for run in listing.runs]

    assert len(set(seconds)) < len(seconds) == 5
