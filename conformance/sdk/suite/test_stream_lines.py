"""How a stream is read: pieces, characters, lines and fields, as the standard has them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from conformance.sdk import bodies
from conformance.sdk.bodies import DONE, event
from conformance.sdk.suite.giving import differences, unless
from conformance.sdk.suite.hearing import (
    FOREIGN,
    SHORT,
    STORY,
    expect_plain,
    expect_story,
    heard,
    in_pieces,
    need_plain,
    written,
)
from conformance.suite import requirement
from conformance.wire.values import shown

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from conformance.sdk.conversation import Conversation


def unless_plain(sdk: Conversation) -> AbstractContextManager[None]:
    """A stream without anything special in it may not be given either."""
    return unless("SDK-STREAM-002", lambda: expect_plain(sdk))


@requirement("SDK-STREAM-003")
@pytest.mark.parametrize("size", [1, 7, 100_000])
def test_pieces_are_no_events(sdk: Conversation, size: int) -> None:
    """A stream is the same wherever it is cut."""
    with unless_plain(sdk):
        expect_story(heard(sdk, in_pieces(written(SHORT), size)), SHORT)


@requirement("SDK-STREAM-004")
@pytest.mark.parametrize("size", [1, 2, 3])
def test_characters_may_be_torn_apart(sdk: Conversation, size: int) -> None:
    """A character is whole once all its bytes are there."""
    with unless_plain(sdk):
        expect_story(heard(sdk, in_pieces(written(FOREIGN), size)), FOREIGN)


@requirement("SDK-STREAM-005")
@pytest.mark.parametrize("size", [1, 100_000])
def test_lines_may_end_with_cr_lf(sdk: Conversation, size: int) -> None:
    """Also where the two are torn apart."""
    with unless_plain(sdk):
        expect_story(heard(sdk, in_pieces(written(SHORT).replace(b"\n", b"\r\n"), size)), SHORT)


@requirement("SDK-STREAM-006")
def test_lines_may_end_with_cr(sdk: Conversation) -> None:
    """The third of the ends that a line may have."""
    with unless_plain(sdk):
        expect_story(heard(sdk, [written(SHORT).replace(b"\n", b"\r")]), SHORT)


@requirement("SDK-STREAM-007")
@pytest.mark.parametrize(
    "line", [": keep-alive", "id: 7", "retry: 1000", "colour: red"], ids=["comment", "id", "retry", "unknown"]
)
@pytest.mark.parametrize("where", ["between", "inside"])
def test_what_says_nothing_is_passed_over(sdk: Conversation, line: str, where: str) -> None:
    """Between events, and in the middle of one."""
    text = line.encode() + (b"\n\n" if where == "between" else b"\n")

    with unless_plain(sdk):
        expect_story(heard(sdk, [b"".join(text + event(*each) for each in STORY) + DONE]))


@requirement("SDK-STREAM-008")
def test_data_may_have_several_lines(sdk: Conversation) -> None:
    """JSON that is written for people."""

    def spread(name: str, data: Any) -> bytes:
        lines = json.dumps(data, indent=2).splitlines()
        return "".join((f"event: {name}\n", *(f"data: {line}\n" for line in lines), "\n")).encode()

    with unless_plain(sdk):
        expect_story(heard(sdk, [b"".join(spread(*each) for each in STORY) + DONE]))


@requirement("SDK-STREAM-009")
def test_the_space_after_a_colon_is_optional(sdk: Conversation) -> None:
    """Some servers save it."""
    text = written().replace(b"\nevent: ", b"\nevent:").replace(b"\ndata: ", b"\ndata:").removeprefix(b"event: ")

    with unless_plain(sdk):
        expect_story(heard(sdk, [b"event:" + text]))


@requirement("SDK-STREAM-010")
def test_data_may_come_before_the_name(sdk: Conversation) -> None:
    """An event is over at the empty line."""

    def reversed_(name: str, data: Any) -> bytes:
        return f"data: {json.dumps(data)}\nevent: {name}\n\n".encode()

    with unless_plain(sdk):
        expect_story(heard(sdk, [b"".join(reversed_(*each) for each in STORY) + DONE]))


@requirement("SDK-STREAM-018")
@pytest.mark.parametrize("char", ["\u2028", "\u2029", "\u0085"], ids=["u2028", "u2029", "u0085"])
def test_lines_end_nowhere_else(sdk: Conversation, char: str) -> None:
    """What JSON need not escape, and other standards take for the end of a line."""
    story = [*STORY[:3], ("thread.message.delta", bodies.delta(f"One{char}two.")), *STORY[4:]]

    with unless("SDK-STREAM-004", lambda: expect_plain(sdk, FOREIGN)), unless_plain(sdk):
        expect_plain(sdk, story)


@requirement("SDK-STREAM-018")
@pytest.mark.parametrize("char", ["\v", "\f", "\x1c", "\x1e"], ids=["vt", "ff", "fs", "rs"])
def test_a_control_character_ends_no_line(sdk: Conversation, char: str) -> None:
    """Within a comment, since JSON escapes them."""

    def commented(comment: str) -> None:
        expect_story(heard(sdk, [b"".join(comment.encode() + event(*each) for each in STORY) + DONE]))

    with unless("SDK-STREAM-007", lambda: commented(": all is well\n")), unless_plain(sdk):
        commented(f": all{char}data: is{char}event: well\n")


@requirement("SDK-STREAM-019")
@pytest.mark.parametrize("between", ["", "event: thread.message.completed\n\n"], ids=["after-an-event", "after-a-name"])
def test_a_name_is_that_of_one_event(sdk: Conversation, between: str) -> None:
    """What comes without a name has none, whether it is given or left out."""
    need_plain(sdk)
    nameless = {"id": "nameless", "object": "thread.note"}
    pieces = [event(*STORY[0]), f"{between}data: {json.dumps(nameless)}\n\n".encode()]

    seen = heard(sdk, [*pieces, *(event(*each) for each in STORY[1:]), DONE])

    events = [each for each in seen.answer.result or () if differences(nameless, each["data"]) == []]
    wrong = [each["event"] for each in events if each["event"] in {STORY[0][0], "thread.message.completed"}]
    seen.expect(not wrong, "no name for what was sent without one", shown(wrong))
