"""What the user of a client is given: runs as the server sent them, with all that they say."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from conformance.outcomes import Untested
from conformance.sdk import bodies, rich
from conformance.sdk.bodies import TIMES
from conformance.sdk.suite.giving import (
    ARGUMENTS,
    EMPTY,
    KEYS,
    NULL,
    RUN,
    TIME,
    Difference,
    differences,
    expect_given,
    expect_none,
    given,
    is_blank,
    plain_run,
    unless,
)
from conformance.sdk.suite.telling import ASKED, GIVING_A_RUN
from conformance.suite import requirement
from conformance.wire.values import ABSENT, shown

if TYPE_CHECKING:
    from conformance.sdk.conversation import Conversation

STATUSES = ("in_progress", "requires_action", "cancelling", "cancelled", "failed", "completed", "incomplete", "expired")
_NULLS = (
    "metadata",
    "temperature",
    "top_p",
    "max_prompt_tokens",
    "max_completion_tokens",
    "truncation_strategy",
    "tool_choice",
    "response_format",
)
NOTHING = bodies.run() | dict.fromkeys(_NULLS)
EMPTIES = bodies.run(metadata={}, tools=[], instructions="")
#: Runs that differ in one thing from those that say something everywhere.
OTHERS: dict[str, dict[str, Any]] = {
    "plain": bodies.run(),
    "null": NOTHING,
    "empty": EMPTIES,
    "long": rich.run(instructions="All work and no play. " * 11_000),
    "zero": rich.run(temperature=0.0, top_p=0),
    "words": rich.run(tool_choice="required", response_format={"type": "json_object"}),
}
DETAILS = {"prompt_token_details": {"cached_tokens": 17}, "completion_tokens_details": {"reasoning_tokens": 5}}
UMLAUTS = "Grüße, 東京 🌍"


def members_told(sdk: Conversation) -> set[str]:
    """The members that are given where they have a value; without them SDK-RUN-001 is broken."""
    runs = (given(sdk, rich.run(status)).answer.result or {} for status in STATUSES)
    return {name for run in runs for name, value in run.items() if value is not None}


@requirement("SDK-RUN-001")
@pytest.mark.parametrize("call", GIVING_A_RUN)
def test_a_call_gives_the_run_of_the_reply(sdk: Conversation, call: str) -> None:
    """Whatever was called, the run that came back is the caller's, in full."""
    body = rich.run("queued")

    expect_given(given(sdk, body, call), body)


@requirement("SDK-RUN-001")
@pytest.mark.parametrize("call", ASKED)
def test_the_reply_decides(sdk: Conversation, call: str) -> None:
    """Not what was asked for."""
    body = rich.run("queued")

    expect_given(given(sdk, body, call, **ASKED[call]), body)


@requirement("SDK-RUN-001")
def test_a_run_that_was_waited_for_is_given_as_it_was_sent(sdk: Conversation) -> None:
    """As one that was read."""
    body = rich.run("completed")

    seen = given(sdk, body, "poll_run")

    if seen.answer.error is not None:
        raise Untested(f"the run is not given, which SDK-POLL-001 is about: {seen.answer}")
    expect_given(seen, body)


@requirement("SDK-RUN-001")
@pytest.mark.parametrize("status", STATUSES)
def test_a_run_is_given_as_it_was_sent(sdk: Conversation, status: str) -> None:
    """With all that it says of its state."""
    body = rich.run(status)

    expect_given(given(sdk, body), body)


@requirement("SDK-RUN-001")
@pytest.mark.parametrize("body", OTHERS.values(), ids=OTHERS)
def test_a_run_is_given_whatever_it_says(sdk: Conversation, body: dict[str, Any]) -> None:
    """Little or much."""
    expect_given(given(sdk, body), body)


@requirement("SDK-RUN-001")
def test_characters_are_given_as_they_were_sent(sdk: Conversation) -> None:
    """Those that were put together of several, and those that nobody sees."""
    body = bodies.run(instructions="u\u0308ber \u212b \ufb01 \u200b\ufeff\u00a0\u2028.", metadata={"order": "e\u0301"})

    with unless("SDK-RUN-010", plain_run(sdk, bodies.run(instructions=UMLAUTS), only="instructions")):
        expect_given(given(sdk, body), body)


@requirement("SDK-RUN-006")
@pytest.mark.parametrize("moment", [1_761_000_000, 4_102_444_800], ids=["2025", "2100"])
@pytest.mark.parametrize("status", ["in_progress", "completed", "cancelled", "failed"])
def test_a_timestamp_is_the_same_moment(sdk: Conversation, status: str, moment: int) -> None:
    """In whatever form the language has moments."""
    body = rich.at(status, moment)

    with unless("SDK-RUN-001", plain_run(sdk, bodies.run(status))):
        expect_given(given(sdk, body), body, TIME)


@requirement("SDK-RUN-007")
def test_null_is_not_absent(sdk: Conversation) -> None:
    """The one is known, the other is not."""
    sdk.claims("nulls")
    body = NOTHING | {"truncation_strategy": {"type": "auto", "last_messages": None}}
    del body["usage"]

    seen = given(sdk, body)

    run = seen.result
    if lost := [each for each in differences(body, run) if each.row == NULL]:
        told = members_told(sdk)
        expect_none(seen, [each for each in lost if each.place.partition(".")[0] in told])
    seen.expect(run.get("usage", 0) is not None, "usage absent", "usage null")


@requirement("SDK-RUN-008")
@pytest.mark.parametrize(
    "text",
    ['{"n":  1.0}', "no JSON {", '{"n": 12345678901234567890}', "", '{"a": "\\u00fc"}', ' {"n": 1}\r\n\t', "null"],
)
def test_arguments_are_the_text_of_the_model(sdk: Conversation, text: str) -> None:
    """They are parsed by whoever knows the function."""
    body = bodies.run("requires_action", required_action=bodies.action(text))

    with unless("SDK-RUN-001", plain_run(sdk, bodies.run("requires_action"), only="required_action")):
        expect_given(given(sdk, body), body, ARGUMENTS, RUN, only="required_action")


@requirement("SDK-RUN-009")
def test_the_keys_of_metadata_are_the_callers(sdk: Conversation) -> None:
    """A client that renames members renames its own, and not these."""
    keys = ("order_id", "orderId", "Order-Id", "id.of.order", "id of order", " ID", "created_at", "id", "$ref")
    body = bodies.run(metadata={key: str(number) for number, key in enumerate(keys)})

    with unless("SDK-RUN-001", plain_run(sdk, bodies.run(metadata={"order": "7"}), only="metadata")):
        expect_given(given(sdk, body), body, KEYS, RUN, only="metadata")


@requirement("SDK-RUN-014")
@pytest.mark.parametrize("body", [NOTHING, EMPTIES], ids=["nothing", "empty"])
def test_nothing_and_empty_are_two_things(sdk: Conversation, body: dict[str, Any]) -> None:
    """The client keeps null and an empty object apart: a usage that is null, and metadata that have no key."""
    sdk.claims("nulls")

    seen = given(sdk, body)

    run = seen.result
    expect_none(seen, (each for each in differences(body, run) if each.row == EMPTY))


@requirement("SDK-RUN-014")
def test_absent_is_not_empty(sdk: Conversation) -> None:
    """A server that does not tell a usage does not tell of none."""
    sdk.claims("nulls")
    least = {name: EMPTIES[name] for name in bodies.LEAST}

    seen = given(sdk, least)

    run = seen.result
    names = (EMPTIES.keys() | {"usage"}) - least.keys() - set(TIMES)
    made_up = [name for name in sorted(names) if run.get(name) is not None and is_blank(run[name])]
    expect_none(seen, (Difference(name, ABSENT, run[name], EMPTY) for name in made_up))


@requirement("SDK-RUN-015")
def test_the_details_of_a_usage_are_given(sdk: Conversation) -> None:
    """The service sends them, though its schema does not name them."""
    usage = rich.USAGE | DETAILS

    seen = given(sdk, rich.run("completed", usage=usage))

    got = seen.result.get("usage")
    if differences(rich.USAGE, got):
        raise Untested(f"the usage is not given, which SDK-RUN-001 is about: {shown(got)}")
    expect_none(seen, differences(usage, got), "usage ")
