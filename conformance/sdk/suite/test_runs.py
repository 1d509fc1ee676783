"""What the user of a client is given: runs as the server sent them, also those that the client was not written for."""

from __future__ import annotations

import gzip
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from conformance.outcomes import Untested
from conformance.sdk import bodies
from conformance.sdk.bodies import ASSISTANT, RUN, THREAD, TIMES
from conformance.sdk.script import reply
from conformance.sdk.suite.telling import CALLS, GIVING_A_RUN, NEW_RUN, OF_RUN, need_plain_run, run_of, told
from conformance.suite import requirement
from conformance.wire.values import ABSENT, contains, same, shown

if TYPE_CHECKING:
    from conformance.sdk.conversation import Conversation, Seen
    from conformance.sdk.script import Reply
    from conformance.wire.exchange import Request

#: Values of enumerations that came later than the client.
LATER: dict[str, dict[str, Any]] = {
    "tool": {"tools": [{"type": "time_travel", "time_travel": {"years": 3}}]},
    "error-code": {"status": "failed", "last_error": {"code": "model_on_holiday", "message": "Later."}},
    "reason": {"status": "incomplete", "incomplete_details": {"reason": "max_patience"}},
    "action": {
        "status": "requires_action",
        "required_action": {"type": "ask_a_person", "ask_a_person": {"who": "you"}},
    },
    "truncation": {"truncation_strategy": {"type": "summary", "last_messages": None}},
    "tool-choice": {"tool_choice": {"type": "time_travel"}},
}


def given(sdk: Conversation, body: dict[str, Any], call: str = "retrieve_run") -> Seen:
    """What the user is given of a body."""
    sdk.answers(reply(body))
    return sdk.call(call, **CALLS[call])


def expect_run(seen: Seen, **members: Any) -> None:
    """The call must give a run with these members."""
    got = seen.answer.result if isinstance(seen.answer.result, dict) else {}
    right = seen.answer.error is None and contains(got, members)
    shorter = {name: got.get(name, ABSENT) for name in members}
    seen.expect(right, f"a run with {shown(members)}", str(seen.answer) if seen.answer.error else shown(shorter))


@requirement("SDK-RUN-001")
@pytest.mark.parametrize("call", GIVING_A_RUN)
def test_a_call_gives_the_run_of_the_reply(sdk: Conversation, call: str) -> None:
    """Whatever was called, the run that came back is the caller's."""
    seen = given(sdk, bodies.run("queued"), call)

    expect_run(seen, id=RUN, thread_id=THREAD, assistant_id=ASSISTANT, status="queued")


@requirement("SDK-RUN-001")
@pytest.mark.parametrize("status", ["requires_action", "failed", "completed", "incomplete", "cancelling"])
def test_a_run_is_given_as_it_was_sent(sdk: Conversation, status: str) -> None:
    """With all that it says of its state."""
    body = bodies.run(status, incomplete_details={"reason": "max_prompt_tokens"} if status == "incomplete" else None)

    seen = given(sdk, body)

    seen.expect(seen.answer.error is None, f"the run, {status}")
    plain = {name: value for name, value in told(body).items() if name not in {*TIMES, "metadata"}}
    expect_run(seen, **plain)


@requirement("SDK-RUN-002")
@pytest.mark.parametrize("call", ["retrieve_run", "cancel_run"])
def test_an_unknown_status_is_given(sdk: Conversation, call: str) -> None:
    """A status that came later is the caller's to judge."""
    seen = given(sdk, bodies.run("paused_for_review"), call)

    expect_run(seen, status="paused_for_review")


@requirement("SDK-RUN-003")
def test_unknown_members_do_no_harm(sdk: Conversation) -> None:
    """What came later is passed over, or given as well."""
    seen = given(sdk, bodies.run(reviewed_by={"name": "Ada", "at": [1, None]}, priority=None, class_="x", self=1))

    expect_run(seen, id=RUN)


@requirement("SDK-RUN-004")
def test_missing_members_do_no_harm(sdk: Conversation) -> None:
    """A run needs little to be one."""
    least = ("id", "object", "created_at", "thread_id", "assistant_id", "status")

    seen = given(sdk, {name: bodies.run()[name] for name in least})

    expect_run(seen, id=RUN)


@requirement("SDK-RUN-005")
@pytest.mark.parametrize("later", LATER.values(), ids=LATER)
def test_unknown_values_do_no_harm(sdk: Conversation, later: dict[str, Any]) -> None:
    """Neither do other words that came later."""
    seen = given(sdk, bodies.run() | later)

    expect_run(seen, id=RUN)


@requirement("SDK-RUN-006")
@pytest.mark.parametrize("moment", [1_761_000_000, 4_102_444_800], ids=["2025", "2100"])
@pytest.mark.parametrize("name", ["created_at", "expires_at"])
def test_a_timestamp_is_the_same_moment(sdk: Conversation, name: str, moment: int) -> None:
    """In whatever form the language has moments."""
    need_plain_run(sdk)

    seen = given(sdk, bodies.run() | {name: moment})

    if name not in (run := run_of(seen)):
        raise Untested(f"the run has no {name}, which SDK-RUN-001 is about")
    seen.expect(same(run[name], moment), f"{name} {moment}", f"{name} {shown(run[name])}")


@requirement("SDK-RUN-007")
def test_null_is_not_absent(sdk: Conversation) -> None:
    """The one is known, the other is not."""
    sdk.claims("nulls")
    body = bodies.run(completed_at=None)
    del body["usage"]

    seen = given(sdk, body)

    run = seen.result
    seen.expect(run.get("completed_at", ABSENT) is None, "completed_at null", shown(run.get("completed_at", ABSENT)))
    seen.expect("usage" not in run, "usage absent", f"usage {shown(run.get('usage'))}")


@requirement("SDK-RUN-008")
@pytest.mark.parametrize("text", ['{"n":  1.0}', "no JSON {", '{"n": 12345678901234567890}', "", '{"a": "\\u00fc"}'])
def test_arguments_are_the_text_of_the_model(sdk: Conversation, text: str) -> None:
    """They are parsed by whoever knows the function."""
    need_plain_run(sdk)

    seen = given(sdk, bodies.run("requires_action", required_action=bodies.action(text)))

    try:
        got = run_of(seen)["required_action"]["submit_tool_outputs"]["tool_calls"][0]["function"]["arguments"]
    except (KeyError, IndexError, TypeError):
        raise Untested(f"the run shows no call, which SDK-RUN-001 is about: {seen.answer}") from None
    seen.expect(got == text, f"arguments {text!a}", f"arguments {shown(got)}")


@requirement("SDK-RUN-009")
def test_the_keys_of_metadata_are_the_callers(sdk: Conversation) -> None:
    """A client that renames members renames its own, and not these."""
    need_plain_run(sdk)

    metadata = {"order_id": "1", "orderId": "2", "Order-Id": "3", "id.of.order": "4", "id of order": "5"}

    seen = given(sdk, bodies.run(metadata=metadata))

    got = run_of(seen).get("metadata")
    seen.expect(got == metadata, f"metadata {shown(metadata)}", f"metadata {shown(got)}")


@requirement("SDK-RUN-010")
def test_a_body_is_read_as_utf_8(sdk: Conversation) -> None:
    """JSON that travels has no other encoding."""
    need_plain_run(sdk)

    seen = given(sdk, bodies.run(instructions="Grüße, 東京 🌍"))

    got = run_of(seen).get("instructions")
    seen.expect(got == "Grüße, 東京 🌍", "instructions as they were sent", f"instructions {got!a}")


@requirement("SDK-RUN-011")
def test_a_reply_in_chunks_is_a_reply(sdk: Conversation) -> None:
    """The framing is no part of the message."""
    whole = reply(bodies.run())
    pieces = [whole.body[at : at + 97] for at in range(0, len(whole.body), 97)]
    sdk.answers(replace(whole, pieces=pieces, chunked=True))

    expect_run(sdk.call("retrieve_run", **OF_RUN), id=RUN)


@requirement("SDK-RUN-012")
def test_a_compressed_reply_is_a_reply(sdk: Conversation) -> None:
    """Who offers to read gzip reads it."""

    def compressed(request: Request) -> Reply:
        whole = reply(bodies.run())
        if "gzip" not in request.headers.get("accept-encoding", ""):
            return whole
        return replace(
            whole, headers={**whole.headers, "Content-Encoding": "gzip"}, pieces=(gzip.compress(whole.body),)
        )

    sdk.answers(compressed)

    seen = sdk.call("retrieve_run", **OF_RUN)

    if "gzip" not in seen.sent.headers.get("accept-encoding", ""):
        raise Untested("the client does not offer to read gzip", gates=False)
    expect_run(seen, id=RUN)


@requirement("SDK-RUN-013")
def test_created_is_a_success(sdk: Conversation) -> None:
    """Some servers say what they did."""
    sdk.answers(reply(bodies.run("queued"), 201))

    expect_run(sdk.call("create_run", **NEW_RUN), id=RUN)
