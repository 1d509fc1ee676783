"""The helper that waits for a run."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

import pytest

from conformance.outcomes import Untested
from conformance.sdk import bodies
from conformance.sdk.bodies import FINAL
from conformance.sdk.script import refusal, reply
from conformance.sdk.suite.telling import OF_RUN
from conformance.suite import requirement

if TYPE_CHECKING:
    from collections.abc import Sequence

    from conformance.sdk.conversation import Conversation, Seen
    from conformance.sdk.script import Reply

#: Milliseconds after which to ask again, where a case is not about them.
SOON = 10
#: Seconds that clocks may be apart, and those after which a poll is not soon any more.
TOLERANCE, LATE = 0.02, 0.4


#: Seconds that are a pause, where the server names none.
PAUSE = 0.04
#: How often a case is tried that a busy machine may spoil, and more polls than anybody has a reason to count.
TRIES, MANY = 3, 12


def state(status: str, after_ms: int | None = SOON) -> Reply:
    """A run in a state, and when to ask again."""
    body = bodies.run(status)
    return reply(body) if after_ms is None else reply(body, openai_poll_after_ms=str(after_ms))


def expect_end(seen: Seen, status: str) -> None:
    """The wait must end with the run in this state, as soon as it was there or was read once more for the caller."""
    got = seen.answer.result.get("status") if isinstance(seen.answer.result, dict) else None
    right = not seen.error and got == status and len(seen.requests) in {2, 3}
    seen.expect(right, f"the run, {status}, after two polls", f"{seen.answer}, after {len(seen.requests)} polls")


@requirement("SDK-POLL-001")
@pytest.mark.parametrize("status", FINAL)
def test_a_wait_ends_in_a_final_state(sdk: Conversation, status: str) -> None:
    """In each of them."""
    sdk.answers(state("in_progress"), state(status), state(status))

    expect_end(sdk.call("poll_run", **OF_RUN), status)


@requirement("SDK-POLL-002")
def test_a_wait_ends_where_the_caller_is_waited_for(sdk: Conversation) -> None:
    """Who polls for outputs of its own polls for ever."""
    sdk.answers(state("in_progress"), state("requires_action"), state("requires_action"))

    expect_end(sdk.call("poll_run", **OF_RUN), "requires_action")


@requirement("SDK-POLL-003")
@pytest.mark.parametrize("status", ["queued", "in_progress", "cancelling"])
def test_a_wait_goes_on_while_the_run_does(sdk: Conversation, status: str) -> None:
    """A run that is being cancelled is still under way."""
    sdk.answers(state(status), state("completed"))

    seen = sdk.call("poll_run", **OF_RUN)

    seen.expect(len(seen.requests) > 1, "a second poll", f"{seen.answer}, after one")


@requirement("SDK-POLL-003")
@pytest.mark.parametrize(("waits", "timeout"), [([SOON] * MANY, 8.0), ([250] * 3, 0.4)], ids=["often", "long"])
def test_a_wait_goes_on_as_long_as_it_takes(sdk: Conversation, waits: list[int], timeout: float) -> None:
    """For more polls than a few, and for longer than the client waits for one answer."""
    for _ in range(TRIES):
        sdk.answers(*(state("in_progress", wait) for wait in waits), *[state("completed")] * 2)
        seen = sdk.call("poll_run", **OF_RUN, timeout=timeout)
        _between(seen)
        got = seen.answer.result.get("status") if isinstance(seen.answer.result, dict) else None
        if got == "completed" and not seen.error:
            return
    told = f"{seen.answer}, after {len(seen.requests)} polls"
    seen.expect(None, f"the run, completed, after {len(waits) + 1} polls", told)


@requirement("SDK-POLL-004")
def test_nobody_polls_sooner_than_the_server_wants(sdk: Conversation) -> None:
    """It says so in a header of each reply, which goes for the next poll."""
    told = [SOON, 350, SOON, 200]
    sdk.answers(state("queued", told[0]), *(state("in_progress", wait) for wait in told[1:]), *[state("completed")] * 2)

    seen = sdk.call("poll_run", **OF_RUN)

    for wait, waited in zip((each / 1000 for each in told), _between(seen), strict=False):
        seen.expect(waited >= wait - TOLERANCE, f"{wait:g} s between two polls", f"{waited:.2f} s")


@requirement("SDK-POLL-005")
def test_nobody_polls_much_later_than_the_server_wants(sdk: Conversation) -> None:
    """What the server expects soon is asked for soon, whatever it expected before."""
    for _ in range(TRIES):
        told = [500, SOON, SOON]
        sdk.answers(*(state("in_progress", wait) for wait in told), *[state("completed")] * 2)
        seen = sdk.call("poll_run", **OF_RUN)
        pauses = _between(seen)[: len(told)]
        late = [
            (wait / 1000, waited) for wait, waited in zip(told, pauses, strict=False) if waited > wait / 1000 + LATE
        ]
        if not late:
            return
    wait, waited = late[0]
    seen.expect(None, f"a poll soon after {wait:g} s", f"{waited:.2f} s between two polls")


@requirement("SDK-POLL-007")
def test_nobody_polls_without_a_pause(sdk: Conversation) -> None:
    """Where the server says nothing, its caller decides, and not the speed of the network."""
    for _ in range(TRIES):  # where it may be a busy machine that made the pause
        sdk.answers(state("in_progress", None), *[state("completed", None)] * 2)
        seen = sdk.call("poll_run", **OF_RUN)
        waited = _between(seen)[0]
        seen.expect(waited >= PAUSE, f"{PAUSE:g} s between two polls", f"{waited:.3f} s")
        if waited >= 5 * PAUSE:
            break


@requirement("SDK-POLL-006")
@pytest.mark.parametrize("status", [404, 500])
def test_a_wait_that_is_refused_is_an_error(sdk: Conversation, status: int) -> None:
    """The run may be gone."""
    sdk.answers(state("in_progress"), refusal(status), *[refusal(status)] * 3)

    seen = sdk.call("poll_run", **OF_RUN)

    _between(seen)
    seen.expect(seen.error.get("status") == status, f"an error with the status {status}")


def _between(seen: Seen) -> Sequence[float]:
    """The seconds between polls."""
    if len(seen.requests) < 2:
        raise Untested(f"there was no second poll, which SDK-POLL-003 is about: {seen.answer}")
    return [later.at - earlier.ended for earlier, later in pairwise(seen.requests)]
