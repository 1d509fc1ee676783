"""Streams of events, whole and torn, as servers and networks send them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from conformance.outcomes import Untested
from conformance.sdk import bodies, rich
from conformance.sdk.bodies import DONE, event
from conformance.sdk.script import HELD, refusal, stream
from conformance.sdk.suite.giving import ARGUMENTS, KEYS, RUN, TIME, expect_given, given, unless
from conformance.sdk.suite.hearing import (
    SHORT,
    STORY,
    expect_plain,
    expect_story,
    heard,
    in_pieces,
    need_plain,
    written,
)
from conformance.sdk.suite.telling import NEW_RUN, OUTPUTS, body_of
from conformance.suite import requirement
from conformance.wire.values import shown

if TYPE_CHECKING:
    from collections.abc import Sequence

    from conformance.sdk.conversation import Conversation
    from conformance.sdk.suite.hearing import Told

#: What is told of a run that is read as well, and differs there in the same way.
ABOUT_RUNS = (RUN, TIME, ARGUMENTS, KEYS)
#: Seconds in which a client notices that a stream is over.
SOON = HELD - 0.8
LONG: Told = ("thread.message.delta", bodies.delta("All work and no play. " * 10_000))
#: What the real service says of a failure, in the middle of a stream.
STORIES = {"short": STORY, "rich": rich.STORY, "long": [*STORY[:2], LONG, *STORY[2:]]}
ERROR = {"code": "server_error", "message": "It broke down.", "param": None, "type": "server_error"}


@requirement("SDK-STREAM-001")
def test_a_stream_is_asked_for(sdk: Conversation) -> None:
    """By a member of the body."""
    seen = heard(sdk, [written()])

    body = body_of(seen.sent)
    seen.expect(body.get("stream") is True, "stream true in the body", shown(body))


@requirement("SDK-STREAM-002")
@pytest.mark.parametrize("story", STORIES.values(), ids=STORIES)
def test_every_event_is_given(sdk: Conversation, story: Sequence[Told]) -> None:
    """Each in its turn, with its name and all of its data."""

    def its_runs() -> None:
        for body in (data for name, data in story if name.startswith("thread.run.")):
            expect_given(given(sdk, body), body, *ABOUT_RUNS)

    def in_pieces_as_well() -> None:
        if story is not STORY:  # what is long is never read in one piece
            expect_story(heard(sdk, in_pieces(written(SHORT), 7)), SHORT)

    with unless("SDK-RUN-001", its_runs), unless("SDK-STREAM-003", in_pieces_as_well):
        expect_plain(sdk, story)


@requirement("SDK-STREAM-002")
def test_every_event_that_follows_on_outputs_is_given(sdk: Conversation) -> None:
    """As those of a run that begins."""
    with unless("SDK-STREAM-002", lambda: expect_plain(sdk)):
        sdk.answers(stream([*(event(*each) for each in STORY[1:]), DONE]))
        expect_story(sdk.call("stream_tool_outputs", **OUTPUTS), STORY[1:])


@requirement("SDK-STREAM-011")
def test_an_unknown_event_does_no_harm(sdk: Conversation) -> None:
    """It is given or left out, and what follows is given."""
    need_plain(sdk)

    later = event("thread.run.reviewed", {"id": "review_1", "object": "thread.run.review", "stars": 5})

    seen = heard(sdk, [event(*STORY[0]) + later + b"".join(event(*each) for each in STORY[1:]) + DONE])

    names = [each["event"] for each in seen.answer.result or () if each["event"] not in {"done", "thread.run.reviewed"}]
    expected = [name for name, _ in STORY]
    seen.expect(not seen.error and names == expected, f"all other events: {shown(expected)}")


@requirement("SDK-STREAM-012")
@pytest.mark.parametrize("form", ["plain", "enveloped"])
def test_an_error_event_is_reported(sdk: Conversation, form: str) -> None:
    """As an error, or as the event that it is."""
    need_plain(sdk)
    seen = heard(sdk, [event(*STORY[0]), event("error", ERROR if form == "plain" else {"error": ERROR}), DONE])

    reported = seen.error or any(each["event"] == "error" for each in seen.answer.result or ())
    seen.expect(reported, "an error, or the event error")


@requirement("SDK-STREAM-017")
@pytest.mark.parametrize("name", ["code", "message"])
@pytest.mark.parametrize("form", ["plain", "enveloped"])
def test_an_error_event_says_what_broke(sdk: Conversation, form: str, name: str) -> None:
    """As a refusal does."""
    need_plain(sdk)
    seen = heard(sdk, [event(*STORY[0]), event("error", ERROR if form == "plain" else {"error": ERROR}), DONE])

    events = [each["data"] for each in seen.answer.result or () if each["event"] == "error"]
    if not (seen.error or events):
        raise Untested("nothing is reported, which SDK-STREAM-012 is about")
    told = json.dumps(events, ensure_ascii=False) if events else str(seen.error.get(name))
    seen.expect(str(ERROR[name]) in told, f"an error with the {name} {shown(ERROR[name])}")


@requirement("SDK-STREAM-013")
def test_done_is_the_end(sdk: Conversation) -> None:
    """Whatever becomes of the connection."""
    need_plain(sdk)

    seen = heard(sdk, [written(), HELD])

    expected = f"an end within {SOON:g} s, and no error"
    seen.expect(seen.seconds < SOON and not seen.error, expected, f"{seen.answer}, after {seen.seconds:.1f} s")


@requirement("SDK-STREAM-014")
def test_half_a_stream_is_no_stream(sdk: Conversation) -> None:
    """The connection is lost in the middle of an answer."""
    need_plain(sdk)

    sdk.answers(stream([event(*each) for each in STORY[:3]], torn=True))

    seen = sdk.call("stream_run", **NEW_RUN)

    seen.expect(seen.error, "an error after what was heard")


@requirement("SDK-STREAM-015")
@pytest.mark.parametrize("status", [400, 404])
def test_the_refusal_of_a_stream_is_an_error(sdk: Conversation, status: int) -> None:
    """It is JSON, as any other."""
    sdk.answers(refusal(status))

    seen = sdk.call("stream_run", **NEW_RUN)

    seen.expect(seen.error.get("status") == status, f"an error with the status {status}")


@requirement("SDK-STREAM-016")
def test_what_follows_on_outputs_is_streamed(sdk: Conversation) -> None:
    """The second half of an answer with a function call."""
    sdk.answers(stream([written(STORY[1:])]))

    seen = sdk.call("stream_tool_outputs", **OUTPUTS)

    body = body_of(seen.sent)
    if not seen.requests[0].request.path.endswith("/submit_tool_outputs"):
        raise Untested(f"the outputs went to {seen.sent.path}, which SDK-REQ-001 is about")
    seen.expect(body.get("stream") is True, "stream true in the body", shown(body))
