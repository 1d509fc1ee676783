"""What the user of a client is given of runs that it was not written for, and of replies that networks changed."""

from __future__ import annotations

import gzip
import zlib
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest

from conformance.outcomes import Untested
from conformance.sdk import bodies, rich
from conformance.sdk.bodies import DONE, LEAST, event
from conformance.sdk.script import refusal, reply, stream
from conformance.sdk.suite.giving import expect_as_well, expect_given, given, plain_run, unless
from conformance.sdk.suite.hearing import STORY, expect_plain, expect_story
from conformance.sdk.suite.telling import CALLS, NEW_RUN, OF_RUN
from conformance.suite import requirement
from conformance.wire.values import shown

if TYPE_CHECKING:
    from conformance.sdk.conversation import Conversation, Seen
    from conformance.sdk.script import Reply
    from conformance.wire.exchange import Request

#: Values of enumerations that came later than the client: where, the run that has it, and one that has a known one.
LATER: dict[str, tuple[str, dict[str, Any], dict[str, Any]]] = {
    "tool": (
        "tools",
        bodies.run(tools=[{"type": "code_interpreter"}, {"type": "time_travel"}]),
        bodies.run(tools=[{"type": "code_interpreter"}, {"type": "code_interpreter"}]),
    ),
    "error-code": (
        "last_error",
        bodies.run("failed", last_error={"code": "model_on_holiday", "message": "Later."}),
        bodies.run("failed"),
    ),
    "reason": (
        "incomplete_details",
        bodies.run("incomplete", incomplete_details={"reason": "max_patience"}),
        rich.run("incomplete"),
    ),
    "action": (
        "required_action",
        bodies.run("requires_action", required_action={"type": "ask_a_person"}),
        bodies.run("requires_action"),
    ),
    "truncation": (
        "truncation_strategy",
        bodies.run(truncation_strategy={"type": "summary", "last_messages": None}),
        bodies.run(),
    ),
    "tool-choice": (
        "tool_choice",
        bodies.run(tool_choice={"type": "time_travel"}),
        bodies.run(tool_choice={"type": "code_interpreter"}),
    ),
    "word-for-tools": ("tool_choice", bodies.run(tool_choice="sometimes"), bodies.run(tool_choice="required")),
    "format": (
        "response_format",
        bodies.run(response_format={"type": "poem"}),
        bodies.run(response_format={"type": "json_object"}),
    ),
}
#: Members that came later: some have the names of what languages have words for.
NEW = {"reviewed_by": {"name": "Ada", "at": [1, None]}, "priority": None, "class_": "x", "self": 1}


@requirement("SDK-RUN-002")
@pytest.mark.parametrize("call", ["retrieve_run", "cancel_run"])
def test_an_unknown_status_is_given(sdk: Conversation, call: str) -> None:
    """A status that came later is the caller's to judge."""
    body = bodies.run("paused_for_review")

    with unless("SDK-RUN-001", plain_run(sdk, bodies.run("cancelling"), call, "status")):
        expect_given(given(sdk, body, call), body, only="status")


@requirement("SDK-RUN-003")
def test_unknown_members_do_no_harm(sdk: Conversation) -> None:
    """What came later is passed over, or given as well."""
    body = bodies.run(usage=rich.USAGE)

    seen = given(sdk, body | NEW | {"usage": rich.USAGE | {"dreams": {"tokens": 3}}})

    expect_as_well(sdk, seen, body, body)


@requirement("SDK-RUN-004")
def test_missing_members_do_no_harm(sdk: Conversation) -> None:
    """A run needs little to be one."""
    body = {name: bodies.run()[name] for name in LEAST}

    expect_as_well(sdk, given(sdk, body), body, bodies.run())


@requirement("SDK-RUN-005")
@pytest.mark.parametrize(("member", "later", "known"), LATER.values(), ids=LATER)
def test_unknown_values_do_no_harm(
    sdk: Conversation, member: str, later: dict[str, Any], known: dict[str, Any]
) -> None:
    """Other words that came later are the caller's to judge as well."""
    with unless("SDK-RUN-001", plain_run(sdk, known, only=member)):
        expect_given(given(sdk, later), later, only=member)


@requirement("SDK-RUN-010")
def test_a_body_is_read_as_utf_8(sdk: Conversation) -> None:
    """JSON that travels has no other encoding."""
    body = bodies.run(instructions="Grüße, 東京 🌍")

    with unless("SDK-RUN-001", plain_run(sdk, only="instructions")):
        expect_given(given(sdk, body), body, only="instructions")


@requirement("SDK-RUN-011")
def test_a_reply_in_chunks_is_a_reply(sdk: Conversation) -> None:
    """The framing is no part of the message."""
    body = bodies.run()
    whole = reply(body)
    pieces = [whole.body[at : at + 97] for at in range(0, len(whole.body), 97)]
    sdk.answers(replace(whole, pieces=pieces, chunked=True))

    expect_as_well(sdk, sdk.call("retrieve_run", **OF_RUN), body, body)


@requirement("SDK-RUN-012")
def test_a_compressed_reply_is_a_reply(sdk: Conversation) -> None:
    """Who offers to read gzip reads it."""
    body = bodies.run()
    sdk.answers(partial(compressed, reply(body)))

    expect_as_well(sdk, need_offered(sdk.call("retrieve_run", **OF_RUN)), body, body)


@requirement("SDK-RUN-012")
def test_a_compressed_page_is_a_page(sdk: Conversation) -> None:
    """As a run is one."""
    whole = reply(bodies.page("run_1", "run_2"))

    def listed(*, packed: bool) -> None:
        sdk.answers(partial(compressed, whole) if packed else whole)
        seen = sdk.call("list_runs", **CALLS["list_runs"])
        if packed:
            need_offered(seen)
        got = None if seen.error else seen.result["ids"]
        seen.expect(got == ["run_1", "run_2"], "the runs of the page")

    with unless("SDK-PAGE-001", partial(listed, packed=False)):
        listed(packed=True)


@requirement("SDK-RUN-012")
@pytest.mark.parametrize("call", ["retrieve_run", "stream_run"])
def test_a_compressed_refusal_is_a_refusal(sdk: Conversation, call: str) -> None:
    """It says the same as one that is not."""
    refused, arguments = refusal(400, "missing_required_parameter", "assistant_id"), CALLS.get(call, NEW_RUN)
    sdk.answers(refused)
    plain = sdk.call(call, **arguments).error
    if plain.get("status") != refused.status:
        raise Untested(f"the plain one is no error, which SDK-ERR-001 and SDK-STREAM-015 are about: {shown(plain)}")
    sdk.answers(partial(compressed, refused))

    seen = need_offered(sdk.call(call, **arguments))

    said = {name: plain.get(name) for name in ("status", "code", "param", "type")}
    got = {name: seen.error.get(name) for name in said}
    seen.expect(got == said, f"an error with {shown(said)}", f"an error with {shown(got)}")


@requirement("SDK-RUN-012")
def test_a_compressed_stream_is_a_stream(sdk: Conversation) -> None:
    """Each event is there as soon as it was sent."""
    with unless("SDK-STREAM-002", lambda: expect_plain(sdk)):
        sdk.answers(partial(compressed, stream([*(event(*each) for each in STORY), DONE])))
        expect_story(need_offered(sdk.call("stream_run", **NEW_RUN)))


@requirement("SDK-RUN-013")
def test_created_is_a_success(sdk: Conversation) -> None:
    """Some servers say what they did."""
    body = bodies.run("queued")
    sdk.answers(reply(body, 201))

    expect_as_well(sdk, sdk.call("create_run", **NEW_RUN), body, body, "create_run")


def compressed(whole: Reply, request: Request) -> Reply:
    """A reply with gzip, piece by piece, for who offers to read it."""
    if "gzip" not in request.headers.get("accept-encoding", ""):
        return whole
    if not whole.chunked:
        pieces: list[bytes | float] = [gzip.compress(whole.body)]
    else:
        packing = zlib.compressobj(wbits=zlib.MAX_WBITS | 16)
        parts = (each for each in whole.pieces if isinstance(each, bytes))
        pieces = [packing.compress(each) + packing.flush(zlib.Z_SYNC_FLUSH) for each in parts]
        pieces.append(packing.flush())
    return replace(whole, headers={**whole.headers, "Content-Encoding": "gzip"}, pieces=pieces)


def need_offered(seen: Seen) -> Seen:
    """A call by a client that offers to read gzip; nobody has to."""
    if "gzip" not in seen.sent.headers.get("accept-encoding", ""):
        raise Untested("the client does not offer to read gzip", gates=False)
    return seen
