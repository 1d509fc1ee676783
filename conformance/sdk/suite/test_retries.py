"""When a client asks again, and when it does not."""

from __future__ import annotations

import math
import time
from dataclasses import replace
from email.utils import formatdate
from typing import TYPE_CHECKING, Final

import pytest

from conformance.outcomes import Untested
from conformance.sdk import bodies
from conformance.sdk.script import DROPPED, refusal, reply
from conformance.sdk.suite.asking import (
    ASKINGS,
    AT_ONCE,
    HANGING,
    IMPATIENCE,
    READING,
    asked,
    expect_asked_again,
    need_time_out,
    second,
)
from conformance.sdk.suite.telling import OF_RUN
from conformance.suite import requirement

if TYPE_CHECKING:
    from conformance.sdk.conversation import Conversation, Seen
    from conformance.sdk.script import Reply
    from conformance.wire.exchange import Request

#: Seconds that clocks and busy machines may take away from a wait of one.
TOLERANCE = 0.05
#: Seconds that are a pause, and those that certainly are.
PAUSE, LONG_PAUSE = 0.02, 0.2
#: Seconds after which nobody waits for one of them any more, and in which an error is told that nothing holds up.
LATE, SOON = 3.5, 0.7
#: How often a case is tried that a busy machine may spoil.
TRIES = 3


@requirement("SDK-RETRY-001")
@pytest.mark.parametrize("name", ASKINGS)
def test_too_many_requests_pass(sdk: Conversation, name: str) -> None:
    """Whatever was asked: nothing has come of it, and the limit is over a moment later."""
    expect_asked_again(sdk, name, refusal(429, **AT_ONCE))


@requirement("SDK-RETRY-001")
def test_too_many_requests_pass_without_a_word(sdk: Conversation) -> None:
    """Whether the server says when or not."""
    expect_asked_again(sdk, "retrieve_run", refusal(429))


@requirement("SDK-RETRY-002")
@pytest.mark.parametrize("name", READING)
def test_a_server_that_stumbles_is_asked_again(sdk: Conversation, name: str) -> None:
    """A read does no harm twice."""
    expect_asked_again(sdk, name, refusal(500, **AT_ONCE))


@requirement("SDK-RETRY-002")
def test_a_server_that_is_busy_is_asked_again(sdk: Conversation) -> None:
    """It is back a moment later."""
    expect_asked_again(sdk, "retrieve_run", refusal(503))


@requirement("SDK-RETRY-003")
@pytest.mark.parametrize("name", ["retrieve_run", "next_page", "poll_again"])
def test_a_lost_connection_is_tried_again(sdk: Conversation, name: str) -> None:
    """A read does no harm twice."""
    expect_asked_again(sdk, name, DROPPED)


@requirement("SDK-RETRY-014")
def test_a_server_that_hung_is_asked_again(sdk: Conversation) -> None:
    """A read does no harm twice."""
    need_time_out(sdk)

    expect_asked_again(sdk, "retrieve_run", HANGING, timeout=IMPATIENCE)


#: A call that several cases look at.
WAITED: Final = "told to wait"


def told_to_wait(sdk: Conversation) -> Seen:
    """What a client does that is told to wait for a second: whether it is too early and too late shows in one call."""
    if WAITED not in sdk.general.kept:
        sdk.answers(refusal(429, retry_after="1"), reply(bodies.run()))
        sdk.general.kept[WAITED] = sdk.call("retrieve_run", retries=1, **OF_RUN)
    seen: Seen = sdk.general.kept[WAITED]
    seen = replace(seen, row=sdk.row, calls=(seen.calls[0], sdk.again()))
    second(seen)
    return seen


@requirement("SDK-RETRY-004")
def test_the_server_says_how_long_to_wait(sdk: Conversation) -> None:
    """And is not asked before."""
    seen = told_to_wait(sdk)

    waited = seen.requests[1].at - seen.requests[0].ended
    seen.expect(waited >= 1 - TOLERANCE, "1 s between the two requests", f"{waited:.2f} s")


@requirement("SDK-RETRY-004")
def test_the_server_says_when_to_ask_again(sdk: Conversation) -> None:
    """The other form that the header has, a date to the second, with the other status that comes with it."""
    dates: list[int] = []

    def until(_: Request) -> Reply:
        dates.append(math.ceil(time.time()) + 1)
        return refusal(503, retry_after=formatdate(dates[0], usegmt=True))

    sdk.answers(until, reply(bodies.run()))

    seen = sdk.call("retrieve_run", retries=1, **OF_RUN)

    second(seen)
    early = dates[0] - seen.requests[1].at
    seen.expect(early <= TOLERANCE, "no second request before the date", f"one {early:.2f} s before it")


@requirement("SDK-RETRY-005")
@pytest.mark.parametrize("status", [400, 401, 403, 404, 422])
def test_what_is_refused_for_good_is_not_asked_again(sdk: Conversation, status: int) -> None:
    """The answer would be the same."""
    sdk.answers(refusal(status), refusal(status))

    seen = sdk.call("cancel_run" if status == 400 else "retrieve_run", retries=1, **OF_RUN)

    seen.expect(len(seen.requests) == 1, "one request", f"{len(seen.requests)} requests")


@requirement("SDK-RETRY-011")
def test_a_server_in_trouble_is_given_time(sdk: Conversation) -> None:
    """Who asks again at once may be lucky; who goes on so keeps it down."""
    for _ in range(TRIES):  # where it may be a busy machine that made the pause
        seen = asked(sdk, "retrieve_run", refusal(500), refusal(500), retries=2)
        if len(seen.requests) < 3:
            raise Untested("the client did not ask a third time, which SDK-RETRY-002 is about", gates=False)
        waited = seen.requests[2].at - seen.requests[1].ended
        seen.expect(waited >= PAUSE, f"{PAUSE:g} s before the third request", f"{waited:.3f} s")
        if waited >= LONG_PAUSE:
            break


@requirement("SDK-RETRY-012")
def test_a_wait_is_no_longer_than_the_server_wants(sdk: Conversation) -> None:
    """A little longer does no harm."""
    for _ in range(TRIES):
        seen = told_to_wait(sdk)
        waited = seen.requests[1].at - seen.requests[0].ended
        if waited <= LATE:
            break
        del sdk.general.kept[WAITED]
    seen.expect(waited <= LATE, "a second request soon after 1 s", f"{waited:.1f} s between the two requests")


@requirement("SDK-RETRY-013")
def test_nobody_waits_for_nothing(sdk: Conversation) -> None:
    """Where there is no second request, there is no reason to wait for its time."""
    for _ in range(TRIES):
        sdk.answers(refusal(429, retry_after="1"))
        seen = sdk.call("retrieve_run", **OF_RUN)
        seen.need_sent()
        waited = seen.ended - seen.requests[-1].ended
        if waited <= SOON:
            break
    seen.expect(waited <= SOON, "the error at once", f"{seen.answer}, {waited:.1f} s after the answer")
