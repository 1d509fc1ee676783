"""What the user hears of a stream, compared with what was sent."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from conformance.outcomes import Untested, Violated
from conformance.sdk import bodies
from conformance.sdk.bodies import DONE, event
from conformance.sdk.script import stream
from conformance.sdk.suite.giving import EMPTY, NULL, differences, expect_none
from conformance.sdk.suite.telling import NEW_RUN
from conformance.wire.values import shown

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
#: The same without the beginning, where it has to be sent byte by byte.
SHORT = STORY[2:]
FOREIGN: list[Told] = [
    ("thread.message.delta", bodies.delta("Grüße, 東京 🌍")),
    ("thread.run.completed", bodies.run("completed")),
]


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
        found = differences(sent, data)
        expect_none(seen, (each for each in found if each.row not in {NULL, EMPTY}), f"{name} with ")


def expect_plain(sdk: Conversation, story: Sequence[Told] = STORY) -> None:
    """Without anything special in its way, the story must be heard; where its runs are not given, nobody can tell."""
    expect_story(heard(sdk, [*(event(*each) for each in story), DONE]), story)


def need_plain(sdk: Conversation, story: Sequence[Told] = STORY) -> None:
    """The story is heard; if not, that is another requirement's business, and what is about an end is not measured."""
    try:
        expect_plain(sdk, story)
    except Violated as problem:
        raise Untested(f"a plain stream is not given, which SDK-STREAM-002 is about: {problem}") from None
