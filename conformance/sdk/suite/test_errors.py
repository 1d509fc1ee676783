"""What the user of a client is told when a call comes to nothing."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest

from conformance.outcomes import Untested
from conformance.sdk import bodies
from conformance.sdk.script import DROPPED, REQUEST_ID, Reply, raw, refusal, reply
from conformance.sdk.suite.giving import unless
from conformance.sdk.suite.telling import CALLS, OF_RUN
from conformance.suite import requirement
from conformance.wire.values import shown

if TYPE_CHECKING:
    from conformance.sdk.conversation import Conversation, Seen

PAGE = b"<html><body><h1>502 Bad Gateway</h1></body></html>"
#: Envelopes that are in use beside the API's own.
ENVELOPES: dict[str, Any] = {
    "code-and-message": {"error": {"code": "429", "message": "Slow down."}},
    "detail": {"detail": [{"loc": ["query", "limit"], "msg": "too much"}]},
    "text": {"error": "Slow down."},
    "null": {"error": None},
    "empty": {},
    "array": ["Slow down."],
}
#: Successes that are JSON, and nothing that anybody could go on with.
NO_RUNS: dict[str, Any] = {
    "object": {"foo": 1},
    "error": {"error": {"code": "upstream", "message": "No route to the model.", "param": None, "type": "gateway"}},
}


def expect_error(seen: Seen, status: int) -> None:
    """The call must end with an error of this status."""
    right = seen.error.get("kind") == "status" and seen.error.get("status") == status
    seen.expect(right, f"an error with the status {status}")


def need_refused(seen: Seen) -> None:
    """There is an error for the refusal, of which something may be said."""
    if seen.error.get("kind") != "status":
        raise Untested(f"a refusal is no error with a status, which SDK-ERR-001 is about: {seen.answer}")


@requirement("SDK-ERR-001")
@pytest.mark.parametrize("status", [400, 401, 403, 404, 409, 422, 429, 500, 503])
def test_a_refusal_is_an_error_with_its_status(sdk: Conversation, status: int) -> None:
    """Whatever the status is."""
    sdk.answers(refusal(status))

    expect_error(sdk.call("retrieve_run", **OF_RUN), status)


@requirement("SDK-ERR-001")
@pytest.mark.parametrize("call", CALLS)
def test_a_call_that_is_refused_is_an_error(sdk: Conversation, call: str) -> None:
    """Whatever was called."""
    sdk.answers(refusal(400))

    expect_error(sdk.call(call, **CALLS[call]), 400)


@requirement("SDK-ERR-002")
@pytest.mark.parametrize("name", ["code", "param", "type"])
def test_an_error_says_what_to_mend(sdk: Conversation, name: str) -> None:
    """A program reads these, and not the message."""
    said = {"code": "missing_required_parameter", "param": "assistant_id", "type": "invalid_request_error"}
    sdk.answers(refusal(400, said["code"], said["param"]))

    seen = sdk.call("create_run", **CALLS["create_run"])

    need_refused(seen)
    seen.expect(seen.error.get(name) == said[name], f"{name} {said[name]}", f"{name} {shown(seen.error.get(name))}")


@requirement("SDK-ERR-002")
@pytest.mark.parametrize("name", ["code", "param"])
def test_an_error_makes_nothing_up(sdk: Conversation, name: str) -> None:
    """What is null is no text that says so."""
    sdk.answers(refusal(400))

    seen = sdk.call("create_run", **CALLS["create_run"])

    need_refused(seen)
    seen.expect(not seen.error.get(name), f"{name} null", f"{name} {shown(seen.error.get(name))}")


@requirement("SDK-ERR-003")
def test_an_error_names_its_request(sdk: Conversation) -> None:
    """By the x-request-id of the reply."""
    sdk.claims("request-ids")
    sdk.answers(refusal(400))

    seen = sdk.call("retrieve_run", **OF_RUN)

    need_refused(seen)
    got = seen.error.get("request_id")
    seen.expect(got == REQUEST_ID, f"the request id {REQUEST_ID}", f"the request id {shown(got)}")


@requirement("SDK-ERR-004")
@pytest.mark.parametrize("kind", ["text/html", "application/json"])
def test_a_page_instead_of_an_envelope(sdk: Conversation, kind: str) -> None:
    """A gateway speaks for itself, whatever it calls that."""
    sdk.answers(raw(PAGE, kind, 502))

    expect_error(sdk.call("retrieve_run", **OF_RUN), 502)


@requirement("SDK-ERR-005")
def test_nothing_instead_of_an_envelope(sdk: Conversation) -> None:
    """A status is an answer; who reads no text is told by that."""

    def expect_of(answer: Reply) -> None:
        sdk.answers(answer)
        expect_error(sdk.call("retrieve_run", **OF_RUN), answer.status)

    for status in (404, 503):
        with unless("SDK-ERR-004", partial(expect_of, raw(b"Not here.", "text/plain", status))):
            expect_of(Reply(status=status))


@requirement("SDK-ERR-006")
@pytest.mark.parametrize("envelope", ENVELOPES.values(), ids=ENVELOPES)
def test_another_envelope(sdk: Conversation, envelope: object) -> None:
    """An error that is told otherwise is an error."""
    sdk.answers(reply(envelope, 429))

    expect_error(sdk.call("retrieve_run", **OF_RUN), 429)


@requirement("SDK-ERR-007")
@pytest.mark.parametrize("chunked", [False, True], ids=["length", "chunks"])
def test_half_a_reply_is_no_reply(sdk: Conversation, chunked: bool) -> None:
    """The connection is lost in the middle of the body."""
    body = reply(bodies.page("run_1", "run_2")).body
    whole = reply(bodies.page("run_1", "run_2"))
    pieces = (body[:300], body[300:400]) if chunked else (body,)
    sdk.answers(replace(whole, pieces=pieces, chunked=chunked, torn=True))

    seen = sdk.call("list_runs", **CALLS["list_runs"])

    seen.expect(seen.error, "an error")


@requirement("SDK-ERR-008")
@pytest.mark.parametrize("call", ["retrieve_run", "cancel_run"])
def test_a_lost_connection_is_an_error(sdk: Conversation, call: str) -> None:
    """Nobody answered."""
    sdk.answers(DROPPED, DROPPED, DROPPED)

    seen = sdk.call(call, **CALLS[call])

    seen.expect(seen.error and seen.error.get("kind") != "status", "an error without a status")


@requirement("SDK-ERR-009")
@pytest.mark.parametrize("kind", ["text/html", "application/json"])
def test_a_page_is_no_run(sdk: Conversation, kind: str) -> None:
    """A proxy that wants somebody to log in says 200."""
    sdk.answers(raw(b"<html><body>Please log in.</body></html>", kind))

    seen = sdk.call("retrieve_run", **OF_RUN)

    seen.expect(seen.error, "an error")


@requirement("SDK-ERR-010")
@pytest.mark.parametrize("body", NO_RUNS.values(), ids=NO_RUNS)
def test_something_else_is_no_run(sdk: Conversation, body: object) -> None:
    """A gateway that has an error to tell says 200 as well."""
    sdk.answers(reply(body))

    seen = sdk.call("retrieve_run", **OF_RUN)

    seen.expect(seen.error, "an error")


@requirement("SDK-ERR-011")
@pytest.mark.parametrize("status", [400, 500])
def test_an_error_has_its_message(sdk: Conversation, status: int) -> None:
    """Word for word, whatever is said around it."""
    sdk.answers(refusal(status))

    seen = sdk.call("retrieve_run", **OF_RUN)

    need_refused(seen)
    message = f"Refused with {status}."
    told = seen.error.get("message")
    seen.expect(message in str(told), f"the message {shown(message)}", f"the message {shown(told)}")
