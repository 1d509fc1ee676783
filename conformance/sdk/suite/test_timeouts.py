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
#: Between the events of a stream that lasts for nine of them, and of how many the time-out is.
PAUSE, PAUSES = 0.1, 6
#: How often a case is tried that a busy machine spoils.
TRIES = 3
WHOLE = reply(bodies.run())
ENDED = ("thread.run.completed", bodies.run("completed"))


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
    words = [event("thread.message.delta", bodies.delta(f"{number} ")) for number in range(8)]
    last = event(*ENDED)
    sdk.answers(stream([part for each in (*words, last) for part in (each, PAUSE)] + [DONE]))

    for _ in range(TRIES):
        seen = sdk.call("stream_run", timeout=PAUSES * PAUSE, **NEW_RUN)
        if seen.longest_pause < (PAUSES - 1) * PAUSE:
            break
    else:
        raise Untested(f"the machine is too busy: nothing came for {seen.longest_pause:.1f} s", gates=False)

    given = [each["event"] for each in seen.answer.result or ()]
    right = not seen.error and ENDED[0] in given
    told = f"{seen.answer}, after {seen.seconds:.1f} s"
    seen.expect(right, f"all events over {9 * PAUSE:.1f} s, the last one {ENDED[0]}, and no error", told)
