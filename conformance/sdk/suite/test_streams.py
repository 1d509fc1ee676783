"""Streams of events, whole and torn, as servers and networks send them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from conformance.outcomes import Untested, Violated
from conformance.sdk import bodies
from conformance.sdk.bodies import DONE, event
from conformance.sdk.script import HELD, refusal, stream
from conformance.sdk.suite.telling import NEW_RUN, OUTPUTS, body_of, told
from conformance.suite import requirement
from conformance.wire.values import contains, shown

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from conformance.sdk.conversation import Conversation, Seen

Told = tuple[str, Any]
STORY: list[Told] = [
    ("thread.run.created", bodies.run("queued")),
    ("thread.run.in_progress", bodies.run()),
    ("thread.message.delta", bodies.delta("Hello")),
    ("thread.message.delta", bodies.delta(", you.")),
    ("thread.run.completed", bodies.run("completed")),
]
FOREIGN: list[Told] = [
    ("thread.message.delta", bodies.delta("Grüße, 東京 🌍")),
    ("thread.run.completed", bodies.run("completed")),
]
#: Seconds in which a client notices that a stream is over.
SOON = HELD - 0.8


def written(story: Iterable[Told] = STORY) -> bytes:
    """A whole stream, as the real service writes it."""
    return b"".join(event(*each) for each in story) + DONE


def in_pieces(text: bytes, size: int) -> list[bytes]:
    """A text torn into pieces of so many bytes."""
    return [text[at : at + size] for at in range(0, len(text), size)]


def heard(sdk: Conversation, pieces: Iterable[bytes | float], **options: Any) -> Seen:
    """What the user hears of a stream."""
    sdk.answers(stream(pieces))
    return sdk.call("stream_run", **NEW_RUN, **options)


def expect_story(seen: Seen, story: Sequence[Told] = STORY) -> None:
    """The user must hear these events, and nothing between them."""
    got = [(each["event"], each["data"]) for each in seen.answer.result or () if each["event"] != "done"]
    names = [name for name, _ in got]
    expected = [name for name, _ in story]
    if seen.error or names != expected:
        ended = f", then an error {shown(dict(seen.error))}" if seen.error else ""
        seen.expect(None, f"{len(expected)} events: {shown(expected)}", f"{len(names)} events: {shown(names)}{ended}")
    for (name, data), (_, sent) in zip(got, story, strict=True):
        seen.expect(contains(data, told(sent)), f"{name} with {shown(told(sent))}", f"{name} with {shown(data)}")


def need_plain(sdk: Conversation, story: Sequence[Told] = STORY) -> None:
    """Without anything special in its way, the story is heard; if not, that is another requirement's business."""
    try:
        expect_story(heard(sdk, [*(event(*each) for each in story), DONE]), story)
    except Violated as problem:
        raise Untested(f"a plain stream is not given, which SDK-STREAM-002 is about: {problem}") from None


@requirement("SDK-STREAM-001")
def test_a_stream_is_asked_for(sdk: Conversation) -> None:
    """By a member of the body."""
    seen = heard(sdk, [written()])

    body = body_of(seen.sent)
    seen.expect(body.get("stream") is True, "stream true in the body", shown(body))


@requirement("SDK-STREAM-002")
def test_every_event_is_given(sdk: Conversation) -> None:
    """Each in its turn, with its name and its data."""
    expect_story(heard(sdk, [*(event(*each) for each in STORY), DONE]))


@requirement("SDK-STREAM-003")
@pytest.mark.parametrize("size", [1, 7, 100_000])
def test_pieces_are_no_events(sdk: Conversation, size: int) -> None:
    """A stream is the same wherever it is cut."""
    need_plain(sdk, STORY[2:])

    expect_story(heard(sdk, in_pieces(written(STORY[2:]), size)), STORY[2:])


@requirement("SDK-STREAM-004")
@pytest.mark.parametrize("size", [1, 2, 3])
def test_characters_may_be_torn_apart(sdk: Conversation, size: int) -> None:
    """A character is whole once all its bytes are there."""
    need_plain(sdk, STORY[2:])

    expect_story(heard(sdk, in_pieces(written(FOREIGN), size)), FOREIGN)


@requirement("SDK-STREAM-005")
@pytest.mark.parametrize("size", [1, 100_000])
def test_lines_may_end_with_cr_lf(sdk: Conversation, size: int) -> None:
    """Also where the two are torn apart."""
    need_plain(sdk, STORY[2:])

    expect_story(heard(sdk, in_pieces(written(STORY[2:]).replace(b"\n", b"\r\n"), size)), STORY[2:])


@requirement("SDK-STREAM-006")
def test_lines_may_end_with_cr(sdk: Conversation) -> None:
    """The third of the ends that a line may have."""
    need_plain(sdk, STORY[2:])

    expect_story(heard(sdk, [written(STORY[2:]).replace(b"\n", b"\r")]), STORY[2:])


@requirement("SDK-STREAM-007")
@pytest.mark.parametrize(
    "line", [": keep-alive", "id: 7", "retry: 1000", "colour: red"], ids=["comment", "id", "retry", "unknown"]
)
@pytest.mark.parametrize("where", ["between", "inside"])
def test_what_says_nothing_is_passed_over(sdk: Conversation, line: str, where: str) -> None:
    """Between events, and in the middle of one."""
    need_plain(sdk)

    text = line.encode() + (b"\n\n" if where == "between" else b"\n")

    expect_story(heard(sdk, [b"".join(text + event(*each) for each in STORY) + DONE]))


@requirement("SDK-STREAM-008")
def test_data_may_have_several_lines(sdk: Conversation) -> None:
    """JSON that is written for people."""
    need_plain(sdk)

    def spread(name: str, data: Any) -> bytes:
        lines = json.dumps(data, indent=2).splitlines()
        return "".join((f"event: {name}\n", *(f"data: {line}\n" for line in lines), "\n")).encode()

    expect_story(heard(sdk, [b"".join(spread(*each) for each in STORY) + DONE]))


@requirement("SDK-STREAM-009")
def test_the_space_after_a_colon_is_optional(sdk: Conversation) -> None:
    """Some servers save it."""
    need_plain(sdk)

    text = written().replace(b"\nevent: ", b"\nevent:").replace(b"\ndata: ", b"\ndata:").removeprefix(b"event: ")

    expect_story(heard(sdk, [b"event:" + text]))


@requirement("SDK-STREAM-010")
def test_data_may_come_before_the_name(sdk: Conversation) -> None:
    """An event is over at the empty line."""
    need_plain(sdk)

    def reversed_(name: str, data: Any) -> bytes:
        return f"data: {json.dumps(data)}\nevent: {name}\n\n".encode()

    expect_story(heard(sdk, [b"".join(reversed_(*each) for each in STORY) + DONE]))


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
    error = {"code": "server_error", "message": "It broke.", "param": None, "type": "server_error"}

    seen = heard(sdk, [event(*STORY[0]), event("error", error if form == "plain" else {"error": error}), DONE])

    given = seen.error or any(each["event"] == "error" for each in seen.answer.result or ())
    seen.expect(given, "an error, or the event error")


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
