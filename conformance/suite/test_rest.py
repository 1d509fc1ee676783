"""Runs that have come to rest, looked at again two seconds later."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from conformance.states import FINAL
from conformance.suite import requirement
from conformance.suite.expectations import expect, need_run, shown

if TYPE_CHECKING:
    from conformance.client import Client
    from conformance.states.shared import Shared


@requirement("RUN-LIFE-004")
@pytest.mark.parametrize("state", FINAL, ids=str)
def test_a_run_at_rest_stays_at_rest(state: str, client: Client, shared: Shared) -> None:
    """A run that came to rest does not come back to life behind the client's back."""
    run = shared.run(state)

    client.wait_since(run.seen, run.waits.budget("afterlife"))

    seen = run.retrieve()
    status = need_run(seen).get("status")
    expect(status == state, f"status {state} for good", f"status {shown(status)}", run.seen, seen)
