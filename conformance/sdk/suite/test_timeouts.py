"""Servers that hang, and clients that must not."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from conformance.outcomes import Untested
from conformance.sdk import bodies
from conformance.sdk.bodies import DONE, event
from conformance.sdk.script import HELD, reply, stream
from conformance.sdk.suite.asking import ASKINGS, IMPATIENCE, NOTICED, SINGLE, asked, need_time_out
from conformance.sdk.suite.telling import NEW_RUN, OF_RUN
from conformance.suite import requirement

if TYPE_CHECKING:
    from conformance.sdk.conversation import Conversation, Seen

#: A time-out, and after how long there is no saying that it was heeded.
EXACT, TOO_LONG = 0.6, 1.0
#: How long a slow server takes, and a client gives it.
SLOW, ENOUGH = 0.6, 1.0
#: Between the events of a stream that lasts for nine of them, and the time-out, which is six of them.
PAUSE, LISTENING = 0.1, 0.6
#: How often a case is tried that a busy machine spoils.
TRIES = 3
WHOLE = reply(bodies.run())
ENDED = ("thread.run.completed", bodies.run("completed"))


def expect_given_up(seen: Seen) -> None:
    """The call must end with an error, and not because the server let go."""
    expected = f"an error soon after {IMPATIENCE:g} s"
    seen.expect(seen.error and seen.seconds < NOTICED, expected, f"{seen.answer}, after {seen.seconds:.1f} s")


@requirement("SDK-TIME-001")
@pytest.mark.parametrize("name", SINGLE)
def test_a_server_that_hangs_is_given_up(sdk: Conversation, name: str) -> None:
    """Nothing comes, whatever was asked."""
    expect_given_up(asked(sdk, name, replace(ASKINGS[name].grants, after=HELD), timeout=IMPATIENCE))


@requirement("SDK-TIME-002")
@pytest.mark.parametrize("what", ["reply", "stream"])
def test_a_reply_that_stands_still_is_given_up(sdk: Conversation, what: str) -> None:
    """Its head comes, and half of its body."""
    need_time_out(sdk, "retrieve_run" if what == "reply" else "stream_run")
    if what == "stream":
        sdk.answers(stream([event("thread.run.created", bodies.run("queued")), HELD, event(*ENDED), DONE]))
        expect_given_up(sdk.call("stream_run", timeout=IMPATIENCE, **NEW_RUN))
        return
    body = WHOLE.body
    sdk.answers(replace(WHOLE, pieces=(body[:50], HELD, body[50:]), chunked=True))

    expect_given_up(sdk.call("retrieve_run", timeout=IMPATIENCE, **OF_RUN))


@requirement("SDK-TIME-007")
def test_a_server_that_hangs_is_given_up_in_time(sdk: Conversation) -> None:
    """A little later does no harm; for twice as long nobody wanted to wait."""
    need_time_out(sdk)
    for _ in range(TRIES):
        sdk.answers(replace(WHOLE, after=HELD))
        seen = sdk.call("retrieve_run", timeout=EXACT, **OF_RUN)
        seen.need_sent()
        waited = seen.ended - seen.requests[0].at
        if waited <= TOO_LONG:
            break
    seen.expect(waited <= TOO_LONG, f"an error soon after {EXACT:g} s", f"{seen.answer}, after {waited:.2f} s")


@requirement("SDK-TIME-003")
def test_a_time_out_is_called_one(sdk: Conversation) -> None:
    """A caller asks again after it."""
    sdk.answers(replace(WHOLE, after=HELD))

    seen = sdk.call("retrieve_run", timeout=IMPATIENCE, **OF_RUN)

    if not seen.error or seen.seconds >= NOTICED:
        raise Untested("the client did not give up, which SDK-TIME-001 is about")
    seen.expect(seen.error.get("kind") == "timeout", "an error that is a time-out")


@requirement("SDK-TIME-004")
def test_a_slow_server_is_waited_for(sdk: Conversation) -> None:
    """Most of what it may take is not all of it."""
    for _ in range(TRIES):
        sdk.answers(replace(WHOLE, after=SLOW))
        seen = sdk.call("retrieve_run", timeout=ENOUGH, **OF_RUN)
        if seen.longest_pause < (SLOW + ENOUGH) / 2:
            break
    else:
        raise Untested(f"the machine is too busy: nothing came for {seen.longest_pause:.1f} s", gates=False)

    expected = f"the run, after {SLOW:g} of {ENOUGH:g} s"
    seen.expect(not seen.error, expected, f"{seen.answer}, after {seen.seconds:.2f} s")


@requirement("SDK-TIME-005")
def test_a_stream_that_goes_on_is_listened_to(sdk: Conversation) -> None:
    """Something comes all the time."""
    words = [event("thread.message.delta", bodies.delta(f"{number} ")) for number in range(8)]
    last = event(*ENDED)
    sdk.answers(stream([part for each in (*words, last) for part in (each, PAUSE)] + [DONE]))

    for _ in range(TRIES):
        seen = sdk.call("stream_run", timeout=LISTENING, **NEW_RUN)
        if seen.longest_pause < LISTENING - PAUSE:
            break
    else:
        raise Untested(f"the machine is too busy: nothing came for {seen.longest_pause:.1f} s", gates=False)

    given = [each["event"] for each in seen.answer.result or ()]
    right = not seen.error and ENDED[0] in given
    told = f"{seen.answer}, after {seen.seconds:.1f} s"
    seen.expect(right, f"all events over {9 * PAUSE:.1f} s, the last one {ENDED[0]}, and no error", told)
