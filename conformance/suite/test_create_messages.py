"""What a run is told besides: instructions that are added to others, and messages that go before the answer."""

from __future__ import annotations

from contextlib import suppress
from itertools import pairwise
from typing import TYPE_CHECKING, Final

import pytest

from conformance.outcomes import Untested
from conformance.states.handles import Run
from conformance.suite import requirement
from conformance.suite.conversation import MESSAGES, text_of
from conformance.suite.expectations import expect, need, need_page, need_run, shown
from conformance.suite.settings import ASSISTANT, expect_created, furnished_assistant
from conformance.wire.values import contains

if TYPE_CHECKING:
    from conformance.states.shared import Shared
    from conformance.states.stage import Stage
    from conformance.wire.exchange import Exchange

BASE: Final = "Answer in three words."
MORE: Final = "Mind ünïcödé ☃ 🎉, and be brief."


@requirement("RUN-CREATE-008")
@pytest.mark.parametrize("base", ["assistant", "run"])
def test_more_instructions_are_added_to_the_others(base: str, shared: Shared, some_run: Run) -> None:
    """Be they the assistant's or the run's own: both count, once each, and in this order."""
    own = {"instructions": BASE} if base == "run" else {}
    assistant = furnished_assistant(shared)
    reply = shared.created(f"more-for-the-{base}", assistant_id=assistant, additional_instructions=MORE, **own)
    expect_created(some_run, reply, "additional_instructions")

    told, first = need_run(reply).get("instructions"), BASE if base == "run" else ASSISTANT["instructions"]
    need(isinstance(told, str), f"it shows no instructions, which RUN-SCHEMA-026 is about: {reply}")
    assert isinstance(told, str)
    both = told.count(first) == told.count(MORE) == 1 and told.index(first) < told.index(MORE)
    expect(both, f"instructions {shown(first)}, then {shown(MORE)}", f"instructions {shown(told)}", reply)
    replaced = ASSISTANT["instructions"] in told and base == "run"
    expect(not replaced, "none of the assistant's instructions", f"instructions {shown(told)}", reply)


@pytest.fixture
def conversing(shared: Shared, some_run: Run) -> Run:
    """A run that was created with messages, on a thread that has one already."""
    what = "additional_messages, in texts and in parts"
    reply = expect_created(some_run, shared.created("messages", additional_messages=MESSAGES), what)
    return Run(shared.stage.client, shared.stage.means.waits, reply)


@requirement("RUN-CREATE-009")
@pytest.mark.parametrize("what", ["content", "role", "metadata"])
def test_more_messages_are_on_the_thread(what: str, conversing: Run) -> None:
    """They are there at once, since the run is about them, and as they were given."""
    listed = conversing.thread.messages()

    for message in MESSAGES:
        text = text_of(message)
        found = [each for each in need_page(listed) if text_of(each) == text]
        if what == "content":
            expect(len(found) == 1, f"one message {shown(text)}", f"{len(found)}", conversing.seen, listed)
        elif what in message:
            need(found, f"the message is not there: {listed}")
            got, wanted = found[0].get(what), message[what]
            expect(contains(got, wanted), f"{what} {shown(wanted)}", f"{what} {shown(got)}", conversing.seen, listed)


@requirement("RUN-CREATE-009")
def test_more_messages_come_before_the_answer(conversing: Run) -> None:
    """After what the thread had already, in the order in which they were given, and before what the run says."""
    with suppress(Untested):  # without an end there is no answer, and the order of the others is judged
        conversing.settle()
    listed = conversing.thread.messages("asc")

    messages = need_page(listed)
    added = [_place_of(listed, text_of(message)) for message in MESSAGES]
    others = [place for place in range(len(messages)) if place not in added]
    own = [place for place in others if messages[place].get("role") == "user"]
    answers = [place for place in others if place not in own]
    in_order = all(one < other for one, other in pairwise([*own, *added, *answers]))
    expected = "the thread's own messages, the additional ones in their order, then the answer"
    told = f"messages {shown([text_of(each)[:20] for each in messages])}"
    expect(in_order, expected, told, conversing.seen, listed)


@requirement("RUN-CREATE-009")
def test_a_refused_create_adds_no_messages(stage: Stage, conversing: Run) -> None:
    """Messages are added for the sake of a run: where there is none, nobody has said anything."""
    thread = stage.thread()
    reply = stage.create_run(thread, additional_messages=MESSAGES, temperature="hot")
    need(reply.refused, f"a temperature in words is not refused, which RUN-CREATE-014 is about: {reply}")

    listed = thread.messages()

    added = [text_of(each) for each in need_page(listed) if text_of(each) in map(text_of, MESSAGES)]
    expect(not added, "none of the additional messages", f"messages {shown(added)}", conversing.seen, reply, listed)


def _place_of(listed: Exchange, text: str) -> int:
    places = [place for place, each in enumerate(need_page(listed)) if text_of(each) == text]
    need(len(places) == 1, f"one of the messages is not there: {listed}")
    return places[0]
