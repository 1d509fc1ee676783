"""What a run is created with counts whether it is streamed or not."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import pytest

from conformance.invariants.heard import Heard
from conformance.states.handles import Run
from conformance.states.streams import ask, told_of
from conformance.suite import requirement
from conformance.suite.conversation import MESSAGES, text_of
from conformance.suite.expectations import expect, need, need_page, need_run, shown
from conformance.suite.settings import NO_MODEL, SETTINGS, lost_in

if TYPE_CHECKING:
    from collections.abc import Mapping

    from conformance.states.handles import Thread
    from conformance.states.shared import Shared
    from conformance.states.stage import Stage
    from conformance.states.streams import Listened
    from conformance.wire.exchange import Exchange

BASE: Final = "Answer in three words."
MORE: Final = "Mind ünïcödé ☃ 🎉, and be brief."
FURNISHED: Final = {"metadata": {"Run": "Zoë ☃ 🎉", "none": ""}, **SETTINGS}
WORDS: Final[dict[str, Any]] = {
    "instructions": BASE,
    "additional_instructions": MORE,
    "additional_messages": MESSAGES,
}


@dataclass(frozen=True)
class Furnished:
    """A stream that was asked for with all that a run can be created with, and its run, if there is one."""

    stream: Exchange
    thread: Thread
    run: Run | None


@pytest.fixture
def furnished(heard: Listened, shared: Shared) -> Furnished:
    """A streamed run with everything, which every case here only reads."""
    need(heard.stream.is_stream, "the target does not stream")
    return shared.once("furnished-stream", lambda: _furnished(shared.stage))


def _furnished(stage: Stage) -> Furnished:
    thread = stage.thread()
    with ask(stage, thread, **FURNISHED, **WORDS) as stream:
        begun = stream.until(lambda event: event.shows_run)
        heard = stream.finish()
    return Furnished(heard, thread, told_of(stage, thread, begun) if begun else None)


@requirement("RUN-STREAM-025")
@pytest.mark.parametrize("where", ["told", "read"])
def test_a_streamed_run_has_its_settings_like_any_other(where: str, furnished: Furnished, shared: Shared) -> None:
    """What was asked for is what the first event shows, and what is read later."""
    reply = furnished.run.seen if furnished.run and where == "read" else furnished.stream
    told: Mapping[str, Any] = {}
    if furnished.run:
        told = need_run(reply) if where == "read" else Heard(reply).of_run[0].value
    lost = [name for name in _lost_in(told) if name in told or where == "read"]
    if furnished.run and not lost:
        return

    usual = shared.created("like-the-stream", **FURNISHED, **WORDS)
    need(usual.succeeded, f"without a stream the same is not granted either: {usual}")
    expect(furnished.stream.succeeded, "a stream (2xx)", f"status {furnished.stream.status}", usual, furnished.stream)
    need(furnished.run, f"no stream told of a run, which RUN-STREAM-003 is about: {furnished.stream}")
    wanted = need_run(usual)
    lost = [name for name in lost if name not in _lost_in(wanted)]
    expected = ", ".join(f"{name} {shown(wanted[name])}" for name in lost)
    expect(not lost, expected, ", ".join(f"{name} {shown(told.get(name))}" for name in lost), usual, reply)


@requirement("RUN-STREAM-025")
def test_a_streamed_run_is_told_more_like_any_other(furnished: Furnished, shared: Shared) -> None:
    """Additional messages are on the thread, once each, in their order and before the answer."""
    need(furnished.run, f"no stream told of a run: {furnished.stream}")
    listed = furnished.thread.messages("asc")

    texts, wanted = [text_of(each) for each in need_page(listed)], [text_of(each) for each in MESSAGES]
    got = texts[1 : 1 + len(wanted)]
    if got != wanted:
        usual = shared.created("like-the-stream", **FURNISHED, **WORDS)
        others = Run(shared.stage.client, shared.stage.means.waits, usual).thread.messages("asc")
        usually = [text_of(each) for each in need_page(others)][1 : 1 + len(wanted)]
        need(usually == wanted, f"without a stream they are not there either, which RUN-CREATE-009 is about: {others}")
    expect(got == wanted, f"messages {shown(wanted)}", f"messages {shown(got)}", furnished.stream, listed)


@requirement("RUN-STREAM-025")
def test_a_streamed_run_has_its_model_like_any_other(heard: Listened, shared: Shared, stage: Stage) -> None:
    """A model that nobody has is refused, or shown: another one does not step in because somebody listens."""
    need(heard.stream.is_stream, "the target does not stream")
    usual = shared.created("no-model", model=NO_MODEL)
    refused = usual.refused
    need(refused or need_run(usual).get("model") == NO_MODEL, f"which RUN-CREATE-006 is about: {usual}")

    with ask(stage, stage.thread(), model=NO_MODEL) as stream:
        begun = stream.until(lambda event: event.shows_run)
    reply = stream.leave()

    if not refused:
        need(reply.succeeded, f"the stream is refused: {reply}")
    model = begun.value.get("model", NO_MODEL) if begun else NO_MODEL
    expected = "a refusal (4xx)" if refused else f"model {shown(NO_MODEL)}"
    expect(not (refused and reply.succeeded) and model == NO_MODEL, expected, f"model {shown(model)}", usual, reply)


@requirement("RUN-LIFE-014")
def test_a_streamed_run_releases_its_thread(furnished: Furnished) -> None:
    """Once all is told, the conversation goes on."""
    need(furnished.run, f"no stream told of a run: {furnished.stream}")
    run = furnished.run
    ended = run.settle() if run else furnished.stream

    message = furnished.thread.add_message("Say hello.")

    expect(message.succeeded, "a new message (2xx)", f"status {message.status}", ended, message)


def _lost_in(run: Mapping[str, Any]) -> list[str]:
    """What a run does not show as it was given."""
    lost = lost_in(run, FURNISHED)
    words = str(run.get("instructions"))
    return [*lost, *([] if words.count(BASE) == words.count(MORE) == 1 else ["instructions"])]
