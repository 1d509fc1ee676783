"""How often a client sends a request, and what it sends when it asks again."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from conformance.outcomes import Untested
from conformance.sdk import bodies
from conformance.sdk.script import DROPPED, Reply, refusal, reply
from conformance.sdk.suite.asking import ASKINGS, AT_ONCE, SINGLE, asked, second
from conformance.sdk.suite.telling import OF_RUN
from conformance.suite import requirement

if TYPE_CHECKING:
    from conformance.sdk.conversation import Conversation

#: What the last case of a requirement judges is whatever the cases of all others have shown of it.
whatever_was_called = pytest.mark.invariant


@requirement("SDK-RETRY-006")
@pytest.mark.parametrize("retries", [0, 1])
@pytest.mark.parametrize("how", ["refused", "dropped"])
def test_a_client_asks_no_more_often_than_it_may(sdk: Conversation, how: str, retries: int) -> None:
    """At some point the caller has to be told."""
    sdk.answers(*[DROPPED if how == "dropped" else refusal(500)] * 6)

    seen = sdk.call("retrieve_run", retries=retries, **OF_RUN)

    seen.expect(len(seen.requests) <= 1 + retries, f"at most {1 + retries} requests", f"{len(seen.requests)} requests")


@requirement("SDK-RETRY-007")
@pytest.mark.parametrize("name", ASKINGS)
def test_the_second_request_is_the_first(sdk: Conversation, name: str) -> None:
    """With its query or its body, and what it needs to be heard."""
    seen = asked(sdk, name, refusal(429, **AT_ONCE), retries=1)

    second(seen)
    seen.expect_in_general()


@requirement("SDK-RETRY-008")
@pytest.mark.parametrize(
    ("name", "how"),
    [
        ("create_run", "dropped"),
        ("cancel_run", "dropped"),
        *((name, "refused") for name in ("create_run", "create_thread_and_run", "stream_run", "cancel_run")),
    ],
)
def test_a_repeated_write_is_marked(sdk: Conversation, name: str, how: str) -> None:
    """By a key that both have, or a count that the second has; what is not repeated needs no mark."""
    seen = asked(sdk, name, DROPPED if how == "dropped" else refusal(500, **AT_ONCE), retries=1)

    seen.need_sent()
    seen.expect_in_general()


@requirement("SDK-RETRY-009")
@pytest.mark.parametrize("status", [400, 404])
def test_the_last_answer_is_what_counts(sdk: Conversation, status: int) -> None:
    """A cancel whose answer was lost, and that is refused the second time."""
    sdk.answers(DROPPED, refusal(status))

    seen = sdk.call("cancel_run", retries=1, **OF_RUN)

    if len(seen.requests) == 1:
        if not seen.error or seen.error.get("status"):
            raise Untested(f"a lost connection is no error, which SDK-ERR-008 is about: {seen.answer}")
        return  # the last answer is none
    seen.expect(seen.error.get("status") == status, f"an error with the status {status}")


@requirement("SDK-RETRY-010")
@pytest.mark.parametrize("name", SINGLE)
def test_a_call_is_one_request(sdk: Conversation, name: str) -> None:
    """What was granted is over."""
    asking = ASKINGS[name]
    sdk.answers(*[asking.grants] * 3)

    sdk.call(asking.call, retries=1, **asking.arguments).expect_in_general()


def _nothing_else(sdk: Conversation) -> None:
    sdk.general.expect(sdk.row)


@whatever_was_called
@requirement("SDK-RETRY-006")
def test_no_call_was_sent_more_often_than_it_may(sdk: Conversation) -> None:
    """In no case of the session."""
    _nothing_else(sdk)


@whatever_was_called
@requirement("SDK-RETRY-007")
def test_whatever_was_sent_again_was_the_same(sdk: Conversation) -> None:
    """In every case of the session."""
    _nothing_else(sdk)


@whatever_was_called
@requirement("SDK-RETRY-008")
def test_no_two_calls_have_the_same_mark(sdk: Conversation) -> None:
    """In no case of the session."""
    _nothing_else(sdk)


@whatever_was_called
@requirement("SDK-RETRY-010")
def test_no_call_was_more_than_one_request(sdk: Conversation) -> None:
    """In no case of the session."""
    _nothing_else(sdk)


@whatever_was_called
@requirement("SDK-TIME-006")
@pytest.mark.parametrize("how", ["in-general", "cut-off"])
def test_every_call_came_to_an_end(sdk: Conversation, how: str) -> None:
    """In every case of the session, and where half an answer is all that comes."""
    if how == "in-general":
        _nothing_else(sdk)
        return
    whole = reply(bodies.run())
    sdk.answers(Reply(headers=whole.headers, pieces=whole.pieces, torn=True))

    sdk.call("retrieve_run", **OF_RUN).need_sent()
