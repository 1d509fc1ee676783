"""What a client sends: paths, methods, queries, bodies and headers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

import pytest

from conformance.outcomes import Untested
from conformance.sdk.bodies import RUN, THREAD
from conformance.sdk.conversation import KEY
from conformance.sdk.script import Reply
from conformance.sdk.suite.telling import CALLS, NEW_RUN, OF_RUN, body_of, called, granted
from conformance.suite import requirement
from conformance.wire.operations import OPERATIONS
from conformance.wire.values import NOT_JSON, contains, shown

if TYPE_CHECKING:
    from collections.abc import Iterator

    from conformance.sdk.conversation import Conversation
    from conformance.wire.exchange import Request

every_call = pytest.mark.parametrize("call", CALLS)
#: Ids that a path cannot carry as they are.
STRANGE_IDS = {"slash": "a/b", "query": "a?b=c", "fragment": "a#b", "escaped": "a%2Fb", "letters": "é", "dots": ".."}
#: Members of a create that are easily changed on their way.
GIVEN: dict[str, dict[str, Any]] = {
    "text": {"instructions": 'Say "Grüße",\n東京 🌍 \\ </script>'},
    "numbers": {"temperature": 0.1, "max_prompt_tokens": 1234567},
    "zero": {"temperature": 0, "parallel_tool_calls": False},
    "metadata": {"metadata": {"orderId": "1", "order_id": "2", "empty": ""}},
    "tools": {
        "tools": [{"type": "function", "function": {"name": "f", "parameters": {"type": "object", "properties": {}}}}]
    },
    "messages": {"additional_messages": [{"role": "user", "content": "Hello."}]},
}


@requirement("SDK-REQ-001")
@every_call
def test_a_call_goes_to_the_path_of_its_operation(sdk: Conversation, call: str) -> None:
    """Each operation has one address."""
    path = "/v1" + OPERATIONS[call].path.format(thread_id=THREAD, run_id=RUN)

    seen = called(sdk, call)

    seen.expect(seen.requests, f"a request to {path}", f"none: {seen.answer}")
    seen.expect(seen.sent.path.rstrip("/") == path, f"a request to {path}", f"one to {seen.sent.path}")


@requirement("SDK-REQ-002")
@every_call
def test_a_call_has_the_method_of_its_operation(sdk: Conversation, call: str) -> None:
    """What reads is a GET, and what changes something a POST."""
    seen = called(sdk, call)

    seen.expect(seen.sent.method == OPERATIONS[call].method, OPERATIONS[call].method, seen.sent.method)


@requirement("SDK-REQ-003")
@pytest.mark.parametrize("id", STRANGE_IDS.values(), ids=STRANGE_IDS)
def test_an_id_stays_in_its_place(sdk: Conversation, id: str) -> None:
    """An id is escaped, or refused before anything is sent."""
    called(sdk, "retrieve_run").need_sent()

    seen = called(sdk, "retrieve_run", run_id=id)

    if not seen.requests and seen.error:
        return
    prefix, _, segment = seen.sent.path.rpartition("/")
    right = prefix == f"/v1/threads/{THREAD}/runs" and unquote(segment) == id
    seen.expect(right, f"{id!r} as the last segment of the path, or nothing sent", seen.sent.path)


@requirement("SDK-REQ-004")
@pytest.mark.parametrize("name", ["limit", "order", "after", "before"])
def test_a_parameter_of_a_list_is_sent(sdk: Conversation, name: str) -> None:
    """The server reads what the caller asked for."""
    value = {"limit": 7, "order": "asc"}.get(name, "run_abc007")

    seen = called(sdk, "list_runs", **{name: value})

    seen.expect(seen.sent.param(name) == str(value), f"{name}={value} in the query", shown(dict(seen.sent.query)))


@requirement("SDK-REQ-005")
@pytest.mark.parametrize("cursor", ["run&limit=1", "run+b", "run%20b", "run=b#c", "ü", "run b"])
def test_a_value_of_the_query_is_encoded(sdk: Conversation, cursor: str) -> None:
    """A cursor is the server's own, and comes back to it as it was."""
    seen = called(sdk, "list_runs", after=cursor)

    read = seen.sent.param("after")
    if read is None:
        raise Untested(f"no cursor was sent, which SDK-REQ-004 is about: {seen.answer}")
    seen.expect(read == cursor, f"after={cursor!r} when decoded", f"after={read!r}")


@requirement("SDK-REQ-006")
@pytest.mark.parametrize("call", ["create_run", "submit_tool_outputs", "create_thread_and_run"])
def test_what_was_left_out_is_not_sent(sdk: Conversation, call: str) -> None:
    """A null or a default of the client's would replace what the assistant gives the run."""
    seen = called(sdk, call)

    added = [*_added(body_of(seen.sent), CALLS[call])]
    seen.expect(not added, "a body without what was not given", f"{', '.join(added)} in the body")


@requirement("SDK-REQ-007")
def test_a_null_that_was_given_is_sent(sdk: Conversation) -> None:
    """The caller takes back what the assistant would give."""
    sdk.claims("send-nulls")

    seen = called(sdk, "create_run", instructions=None)

    body = body_of(seen.sent)
    seen.expect("instructions" in body and body["instructions"] is None, "instructions null", shown(body))


@requirement("SDK-REQ-008")
@pytest.mark.parametrize("given", GIVEN.values(), ids=GIVEN)
def test_a_body_says_what_the_caller_gave(sdk: Conversation, given: dict[str, Any]) -> None:
    """Texts, numbers and nested objects arrive as they were given."""
    seen = called(sdk, "create_run", **given)

    body = seen.sent.json
    seen.expect(body is not NOT_JSON, "a body of JSON in UTF-8", repr(seen.sent.body[:120]))
    seen.expect(contains(body, given), f"a body with {shown(given)}", shown(body))


@requirement("SDK-REQ-009")
@pytest.mark.parametrize("call", ["create_run", "modify_run", "submit_tool_outputs"])
def test_a_body_is_called_json(sdk: Conversation, call: str) -> None:
    """A server may go by the type."""
    seen = called(sdk, call)

    named = _header(seen.sent, "content-type")
    seen.expect(named.partition(";")[0].strip().lower() == "application/json", "application/json", named or "no type")


@requirement("SDK-REQ-010")
@every_call
def test_every_request_names_the_beta_version(sdk: Conversation, call: str) -> None:
    """Also those that have no body."""
    sdk.claims("beta-header")

    seen = called(sdk, call)

    named = _header(seen.sent, "openai-beta")
    seen.expect("assistants=v2" in named, "OpenAI-Beta: assistants=v2", named or "no such header")


@requirement("SDK-REQ-011")
@every_call
def test_every_request_has_the_key(sdk: Conversation, call: str) -> None:
    """As a bearer token."""
    sdk.claims("bearer-key")

    seen = called(sdk, call)

    scheme, _, key = _header(seen.sent, "authorization").partition(" ")
    right = scheme.lower() == "bearer" and key.strip() == KEY
    seen.expect(
        right,
        "Authorization: Bearer, and the key",
        f"{scheme or 'no such header'}, and {'the' if key == KEY else 'not the'} key",
    )


@requirement("SDK-REQ-012")
def test_a_cancel_says_nothing_in_its_body(sdk: Conversation) -> None:
    """The path says it all."""
    seen = called(sdk, "cancel_run")

    seen.expect(not seen.sent.body or seen.sent.json == {}, "no body, or an empty object", repr(seen.sent.body[:80]))


@requirement("SDK-REQ-013")
@pytest.mark.parametrize("call", ["retrieve_run", "list_runs"])
def test_a_read_has_no_body(sdk: Conversation, call: str) -> None:
    """A body of a GET has no meaning."""
    seen = called(sdk, call)

    seen.expect(not seen.sent.body, "no body", repr(seen.sent.body[:80]))


@requirement("SDK-REQ-014")
def test_a_slash_at_the_end_of_the_base_url_changes_nothing(sdk: Conversation) -> None:
    """People write both."""
    sdk.answers(granted("retrieve_run"))

    seen = sdk.call("retrieve_run", base="/v1/", **OF_RUN)

    seen.expect("//" not in seen.sent.path, "a path without a double slash", seen.sent.path)


@requirement("SDK-REQ-015")
@pytest.mark.parametrize("call", ["retrieve_run", "create_run"])
def test_the_key_stays_with_its_server(sdk: Conversation, call: str) -> None:
    """A redirect to elsewhere is followed without the key, or not at all."""

    def elsewhere(request: Request) -> Reply:
        return Reply(status=307, headers={"Location": f"{sdk.elsewhere}{request.path}"})

    sdk.answers(elsewhere)
    sdk.elsewhere_answers(granted(call))

    seen = sdk.call(call, **(OF_RUN if call == "retrieve_run" else NEW_RUN))

    told = [name for each in seen.strayed for name, value in each.request.headers.items() if KEY in value]
    seen.expect(not told, "no key in what another server is sent", f"the key, as {', '.join(told)}")


def _added(body: Any, given: Any, place: str = "") -> Iterator[str]:
    """What a body has beyond what was given; that no stream is asked for can be said or left out."""
    match body, given:
        case dict(), dict():
            for name, value in body.items():
                if name in given:
                    yield from _added(value, given[name], f"{place}{name}.")
                elif (place, name, value) != ("", "stream", False):
                    yield f"{place}{name} {shown(value)}"
        case list(), list():
            for index, (one, other) in enumerate(zip(body, given, strict=False)):
                yield from _added(one, other, f"{place}{index}.")


def _header(request: Request, name: str) -> str:
    return request.headers.get(name, "")
