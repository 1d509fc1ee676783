"""When a client asks again, how, and how often."""

from __future__ import annotations

import math
import time
from email.utils import formatdate
from typing import TYPE_CHECKING

import pytest

from conformance.outcomes import Untested
from conformance.sdk import bodies
from conformance.sdk.bodies import RUN
from conformance.sdk.script import DROPPED, refusal, reply
from conformance.sdk.suite.telling import CALLS, OF_RUN, called
from conformance.suite import requirement
from conformance.wire.values import same

if TYPE_CHECKING:
    from conformance.sdk.conversation import Conversation, Seen
    from conformance.sdk.script import Reply
    from conformance.wire.exchange import Request

#: Headers that a request needs to be the same one.
TELLING = ("authorization", "openai-beta", "content-type")
#: Seconds that clocks and busy machines may take away from a wait of one.
TOLERANCE = 0.05


def expect_second_try(seen: Seen) -> None:
    """The client must ask once more, and give what it is answered then."""
    run = seen.answer.result if isinstance(seen.answer.result, dict) else {}
    right = len(seen.requests) == 2 and not seen.error and run.get("id") == RUN
    seen.expect(right, "the run, by a second request", f"{seen.answer}, after {len(seen.requests)} requests")


def second(seen: Seen) -> Request:
    """The second request, without which there is nothing to say."""
    if len(seen.requests) < 2:
        raise Untested("the client did not ask again, which other requirements are about", gates=False)
    return seen.requests[1].request


@requirement("SDK-RETRY-001")
def test_too_many_requests_pass(sdk: Conversation) -> None:
    """The limit is over a moment later."""
    sdk.answers(refusal(429), reply(bodies.run()))

    expect_second_try(sdk.call("retrieve_run", retries=1, **OF_RUN))


@requirement("SDK-RETRY-002")
@pytest.mark.parametrize("status", [500, 503])
def test_a_server_that_stumbles_is_asked_again(sdk: Conversation, status: int) -> None:
    """It is back a moment later."""
    sdk.answers(refusal(status), reply(bodies.run()))

    expect_second_try(sdk.call("retrieve_run", retries=1, **OF_RUN))


@requirement("SDK-RETRY-003")
def test_a_lost_connection_is_tried_again(sdk: Conversation) -> None:
    """A read does no harm twice."""
    sdk.answers(DROPPED, reply(bodies.run()))

    expect_second_try(sdk.call("retrieve_run", retries=1, **OF_RUN))


@requirement("SDK-RETRY-004")
@pytest.mark.parametrize("status", [429, 503])
def test_the_server_says_how_long_to_wait(sdk: Conversation, status: int) -> None:
    """And is not asked before."""
    sdk.answers(refusal(status, retry_after="1"), reply(bodies.run()))

    seen = sdk.call("retrieve_run", retries=1, **OF_RUN)

    second(seen)
    waited = seen.requests[1].at - seen.requests[0].ended
    seen.expect(waited >= 1 - TOLERANCE, "1 s between the two requests", f"{waited:.2f} s")


@requirement("SDK-RETRY-004")
def test_the_server_says_when_to_ask_again(sdk: Conversation) -> None:
    """The other form that the header has: a date, to the second."""
    dates: list[int] = []

    def until(_: Request) -> Reply:
        dates.append(math.ceil(time.time()) + 1)
        return refusal(429, retry_after=formatdate(dates[0], usegmt=True))

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


@requirement("SDK-RETRY-006")
@pytest.mark.parametrize("retries", [0, 1])
@pytest.mark.parametrize("how", ["refused", "dropped"])
def test_a_client_asks_no_more_often_than_it_may(sdk: Conversation, how: str, retries: int) -> None:
    """At some point the caller has to be told."""
    sdk.answers(*[DROPPED if how == "dropped" else refusal(500)] * 6)

    seen = sdk.call("retrieve_run", retries=retries, **OF_RUN)

    seen.expect(len(seen.requests) <= 1 + retries, f"at most {1 + retries} requests", f"{len(seen.requests)} requests")


@requirement("SDK-RETRY-007")
def test_the_second_request_is_the_first(sdk: Conversation) -> None:
    """With its body, and what it needs to be heard."""
    sdk.answers(refusal(500), reply(bodies.run("queued")))

    seen = sdk.call("create_run", retries=1, **CALLS["create_run"], metadata={"order": "7"})

    again, first = second(seen), seen.sent
    changed = [name for name in TELLING if again.headers.get(name) != first.headers.get(name)]
    changed += [name for name in ("method", "path", "query") if getattr(again, name) != getattr(first, name)]
    changed += ["body"] if not same(again.json, first.json) else []
    seen.expect(not changed, "the same request", f"another {', '.join(changed)}")


@requirement("SDK-RETRY-008")
@pytest.mark.parametrize("call", ["create_run", "cancel_run"])
def test_a_repeated_write_is_marked(sdk: Conversation, call: str) -> None:
    """By a key that both have, or a count that the second has."""
    sdk.answers(DROPPED, reply(bodies.run("cancelling")))

    seen = sdk.call(call, retries=1, **CALLS[call])

    if len(seen.requests) == 1:
        return  # what is not repeated needs no mark
    again = second(seen)
    if _is_counted(seen.sent, again):
        return
    keys = _keys(seen.sent, again)
    seen.expect(keys, "no second request, or one that is marked", "one like the first")
    other = called(sdk, call)
    own = [name for name, value in keys.items() if other.sent.headers.get(name) != value]
    other.expect(own, "a key of its own for another call", f"the same {', '.join(keys)}")


@requirement("SDK-RETRY-009")
@pytest.mark.parametrize("status", [400, 404])
def test_the_last_answer_is_what_counts(sdk: Conversation, status: int) -> None:
    """A cancel whose answer was lost, and that is refused the second time."""
    sdk.answers(DROPPED, refusal(status))

    seen = sdk.call("cancel_run", retries=1, **OF_RUN)

    expected = "an error without a status" if len(seen.requests) == 1 else f"an error with the status {status}"
    seen.expect(seen.error.get("status") == (None if len(seen.requests) == 1 else status) and seen.error, expected)


def _is_counted(first: Request, again: Request) -> bool:
    """Whether a header tells how often a request was sent."""
    headers = ((name, value) for name, value in again.headers.items() if "retry" in name or "attempt" in name)
    return any(first.headers.get(name) != value for name, value in headers)


def _keys(first: Request, again: Request) -> dict[str, str]:
    """The headers that tell that a request is a repeated one by what both have."""
    headers = {name: value for name, value in again.headers.items() if "idempoten" in name or "request-id" in name}
    return {name: value for name, value in headers.items() if first.headers.get(name) == value}
