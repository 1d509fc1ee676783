"""Servers that hang, and clients that must not."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from conformance.outcomes import Untested
from conformance.sdk import bodies
from conformance.sdk.bodies import DONE, event
from conformance.sdk.script import HELD, reply, stream
from conformance.sdk.suite.telling import NEW_RUN, OF_RUN
from conformance.suite import requirement

if TYPE_CHECKING:
    from conformance.sdk.conversation import Conversation, Seen

#: The time-out of the client in these cases, and by when it must have noticed, in seconds.
PATIENCE, NOTICED = 0.4, HELD - 0.6
#: Between the events of a stream that lasts for nine of them, and has a time-out of six, since machines are busy.
PAUSE = 0.1
WHOLE = reply(bodies.run())


def expect_given_up(seen: Seen) -> None:
    """The call must end with an error, and not because the server let go."""
    expected = f"an error soon after {PATIENCE:g} s"
    seen.expect(seen.error and seen.seconds < NOTICED, expected, f"{seen.answer}, after {seen.seconds:.1f} s")


@requirement("SDK-TIME-001")
def test_a_server_that_hangs_is_given_up(sdk: Conversation) -> None:
    """Nothing comes."""
    sdk.answers(replace(WHOLE, after=HELD))

    expect_given_up(sdk.call("retrieve_run", timeout=PATIENCE, **OF_RUN))


@requirement("SDK-TIME-002")
def test_a_reply_that_stands_still_is_given_up(sdk: Conversation) -> None:
    """Its head comes, and half of its body."""
    body = WHOLE.body
    sdk.answers(replace(WHOLE, pieces=(body[:50], HELD, body[50:]), chunked=True))

    expect_given_up(sdk.call("retrieve_run", timeout=PATIENCE, **OF_RUN))


@requirement("SDK-TIME-003")
def test_a_time_out_is_called_one(sdk: Conversation) -> None:
    """A caller asks again after it."""
    sdk.answers(replace(WHOLE, after=HELD))

    seen = sdk.call("retrieve_run", timeout=PATIENCE, **OF_RUN)

    if not seen.error or seen.seconds >= NOTICED:
        raise Untested("the client did not give up, which SDK-TIME-001 is about")
    seen.expect(seen.error.get("kind") == "timeout", "an error that is a time-out")


@requirement("SDK-TIME-004")
def test_a_slow_server_is_waited_for(sdk: Conversation) -> None:
    """Half a second is not five."""
    sdk.answers(replace(WHOLE, after=0.5))

    seen = sdk.call("retrieve_run", timeout=5.0, **OF_RUN)

    seen.expect(not seen.error, "the run, after 0.5 s", f"{seen.answer}, after {seen.seconds:.2f} s")


@requirement("SDK-TIME-005")
def test_a_stream_that_goes_on_is_listened_to(sdk: Conversation) -> None:
    """Something comes all the time."""
    words = [event("thread.message.delta", bodies.delta(f"{number} ")) for number in range(9)]
    sdk.answers(stream([part for word in words for part in (word, PAUSE)] + [DONE]))

    seen = sdk.call("stream_run", timeout=6 * PAUSE, **NEW_RUN)

    seen.expect(not seen.error, "nine events over 0.9 s, and no error", f"{seen.answer}, after {seen.seconds:.1f} s")
