"""What must hold for every request of the session, whichever case had it sent."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import pytest

from conformance.outcomes import Untested, Violated, Violation
from conformance.sdk import sent
from conformance.sdk.conversation import KEY
from conformance.sdk.suite.surveying import survey
from conformance.suite import requirement

if TYPE_CHECKING:
    from conformance.sdk.conversation import Conversation
    from conformance.sdk.sent import Judge


def judge(judge: Judge, row: pytest.MarkDecorator, id: str, needs: str = "") -> Any:
    """An item of its own; `needs` is the feature that a client may be declared to lack."""
    return pytest.param(judge, needs, id=id, marks=row)


@pytest.mark.parametrize(
    ("judge", "needs"),
    [
        judge(sent.path, requirement("SDK-REQ-001"), "path"),
        judge(sent.method, requirement("SDK-REQ-002"), "method"),
        judge(sent.parameters, requirement("SDK-REQ-004"), "parameters"),
        judge(sent.no_more_members, requirement("SDK-REQ-006"), "no-more-members"),
        judge(sent.members, requirement("SDK-REQ-008"), "members"),
        judge(sent.body_type, requirement("SDK-REQ-009"), "type"),
        judge(sent.beta, requirement("SDK-REQ-010"), "beta", "beta-header"),
        judge(partial(sent.bearer, KEY), requirement("SDK-REQ-011"), "key", "bearer-key"),
        judge(sent.nothing_to_read_with, requirement("SDK-REQ-013"), "no-body"),
        judge(sent.no_more_parameters, requirement("SDK-REQ-016"), "no-more-parameters"),
        judge(partial(sent.key_elsewhere, KEY), requirement("SDK-REQ-017"), "key-elsewhere"),
        judge(sent.host, requirement("SDK-REQ-018"), "host"),
    ],
)
@pytest.mark.invariant
def test_every_request(sdk: Conversation, judge: Judge, needs: str) -> None:
    """Each request is what its call may send; what the cases of the requirement itself told is not told again."""
    if needs:
        sdk.claims(needs)
    survey(sdk)

    measured = False
    told: dict[tuple[str, str], Violation] = {}
    for made in sorted(sdk.all_made, key=lambda made: bool(made.row)):  # what can be repeated by itself comes first
        for wrong in judge(made):
            measured = True
            if wrong and made.row != sdk.row:
                calls = (made.calls[0], sdk.again(made.row))
                violation = Violation(wrong.expected, wrong.actual, (wrong.exchange,), calls=calls)
                told.setdefault((made.asked.call, wrong.actual), violation)
    if told:
        raise Violated(*told.values())
    if not measured:
        raise Untested("the client sent nothing that could be judged, which SDK-REQ-001 is about")
