"""Requests that a generator draws from the OpenAPI document: whatever arrives, the server keeps its composure."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from conformance.states.generated import FUZZED, draws
from conformance.suite import requirement
from conformance.suite.expectations import expect_no_crash

if TYPE_CHECKING:
    from conformance.session import Session
    from conformance.states.handles import Run


@requirement("RUN-ERR-011")
@pytest.mark.fuzz
@pytest.mark.parametrize("operation", FUZZED)
def test_no_generated_request_crashes_the_server(operation: str, judging: Session, some_run: Run) -> None:
    """No request that the document permits is answered with a 5xx; the invariants judge every answer further."""
    settings = judging.settings

    for request in draws(operation, seed=settings.seed):
        reply = request.send(some_run, may_write=settings.fuzz == "writes")

        expect_no_crash(reply)
