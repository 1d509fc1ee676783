"""What a client sends where something special is asked of it; `test_all_requests.py` judges all that it sends."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from conformance.outcomes import Untested
from conformance.sdk import sent
from conformance.sdk.conversation import KEY
from conformance.sdk.granting import granted
from conformance.sdk.script import Reply
from conformance.sdk.suite.surveying import LEAST, MOST, ODD, expect, grant
from conformance.sdk.suite.telling import CALLS, NEW_RUN, OF_RUN, body_of, called
from conformance.suite import requirement
from conformance.wire.values import ABSENT, shown

if TYPE_CHECKING:
    from conformance.sdk.conversation import Conversation
    from conformance.wire.exchange import Request

#: Ids that a path cannot carry as they are.
STRANGE_IDS = {
    "slash": "a/b",
    "query": "a?b=c",
    "fragment": "a#b",
    "escaped": "a%2Fb",
    "letters": "é",
    "space": "a b",
    "plus": "a+b",
    "dots": "..",
}
#: Most of them in one, which can be sent as it is.
STRANGE = "a/b?c=d#e%2Ff+g&h;i=j:@"
#: Members of a create that are easily changed on their way.
GIVEN: dict[str, dict[str, Any]] = {
    "text": {"instructions": ODD},
    "numbers": {"temperature": 0.1, "top_p": 0.123, "max_prompt_tokens": 1234567},
    "zero": {"temperature": 0, "parallel_tool_calls": False},
    "nothing": {"instructions": "", "additional_instructions": "", "tools": [], "metadata": {}},
    "no-messages": {"additional_messages": []},
    "metadata": {"metadata": {"orderId": "1", "order_id": "2", "empty": ""}},
    "messages": {"additional_messages": [{"role": "user", "content": "Hello."}]},
}
#: Nulls that say something: that an object is taken back, or a member of one.
NULLS: dict[str, dict[str, Any]] = {
    "text": {"instructions": None},
    "object": {"metadata": None},
    "within": {"truncation_strategy": {"type": "auto", "last_messages": None}},
}
#: The parameters of a list, each by itself and all together.
PARAMETERS: dict[str, dict[str, Any]] = {
    "limit": {"limit": 7},
    "most": {"limit": 100},
    "order": {"order": "asc"},
    "descending": {"order": "desc"},
    "after": {"after": "run_abc007"},
    "before": {"before": "run_abc007"},
    "all": {"limit": 100, "order": "desc", "before": "run_abc009"},
}


@requirement("SDK-REQ-001")
@pytest.mark.parametrize("call", CALLS)
def test_a_call_sends_a_request(sdk: Conversation, call: str) -> None:
    """To the path of its operation."""
    seen = called(sdk, call)

    seen.expect(seen.made.firsts or seen.made.asides, f"a request to {seen.made.asked.path}", f"none: {seen.answer}")
    expect(seen, sent.path)


@requirement("SDK-REQ-003")
@pytest.mark.parametrize("id", STRANGE_IDS.values(), ids=STRANGE_IDS)
@pytest.mark.parametrize("name", OF_RUN)
def test_an_id_stays_in_its_place(sdk: Conversation, name: str, id: str) -> None:
    """An id is escaped, or refused before anything is sent."""
    _expect_in_place(sdk, "retrieve_run", name, id)


@requirement("SDK-REQ-003")
@pytest.mark.parametrize(
    ("call", "name"),
    [(call, name) for call, needed in LEAST.items() for name in OF_RUN if name in needed and call != "retrieve_run"],
)
def test_the_ids_of_every_call_stay_in_their_place(sdk: Conversation, call: str, name: str) -> None:
    """Each call puts its path together by itself."""
    _expect_in_place(sdk, call, name, STRANGE)


@requirement("SDK-REQ-004")
@pytest.mark.parametrize("given", PARAMETERS.values(), ids=PARAMETERS)
def test_the_parameters_of_a_list_are_sent(sdk: Conversation, given: dict[str, Any]) -> None:
    """The server reads what the caller asked for."""
    expect(called(sdk, "list_runs", **given), sent.parameters)


@requirement("SDK-REQ-005")
@pytest.mark.parametrize("cursor", ["run&limit=1", "run+b", "run%20b", "run=b#c", "ü", "run b"])
def test_a_value_of_the_query_is_encoded(sdk: Conversation, cursor: str) -> None:
    """A cursor is the server's own, and comes back to it as it was."""
    seen = called(sdk, "list_runs", after=cursor)

    if seen.sent.param("after") is None:
        raise Untested(f"no cursor was sent, which SDK-REQ-004 is about: {seen.answer}")
    expect(seen, sent.encoding)


@requirement("SDK-REQ-007")
@pytest.mark.parametrize("given", NULLS.values(), ids=NULLS)
def test_a_null_that_was_given_is_sent(sdk: Conversation, given: dict[str, Any]) -> None:
    """The caller takes back what the assistant would give."""
    sdk.claims("send-nulls")

    seen = called(sdk, "create_run", **given)

    body = body_of(seen.sent)
    ((name, value),) = given.items()
    if any(sent.members(seen.made)):
        raise Untested(f"something else was sent, which SDK-REQ-008 is about: {shown(body)}")
    inner = body.get(name, ABSENT)
    missing = inner is ABSENT or (isinstance(value, dict) and isinstance(inner, dict) and value.keys() - inner.keys())
    seen.expect(not missing, f"{name} {shown(value)}", shown(body))


@requirement("SDK-REQ-008")
@pytest.mark.parametrize("given", GIVEN.values(), ids=GIVEN)
def test_a_body_says_what_the_caller_gave(sdk: Conversation, given: dict[str, Any]) -> None:
    """Texts, numbers and nested objects arrive as they were given."""
    expect(called(sdk, "create_run", **given), sent.members)


@requirement("SDK-REQ-008")
@pytest.mark.parametrize("call", MOST)
def test_every_body_says_all_that_the_caller_gave(sdk: Conversation, call: str) -> None:
    """Each call puts its body together by itself."""
    expect(grant(sdk, call, **MOST[call]), sent.members)


@requirement("SDK-REQ-012")
def test_a_cancel_says_nothing_in_its_body(sdk: Conversation) -> None:
    """The path says it all."""
    expect(called(sdk, "cancel_run"), sent.nothing_to_cancel_with)


@requirement("SDK-REQ-014")
def test_a_slash_at_the_end_of_the_base_url_changes_nothing(sdk: Conversation) -> None:
    """People write both."""
    seen = grant(sdk, "retrieve_run", base="/v1/", **OF_RUN)

    seen.expect("//" not in seen.sent.path, "a path without a double slash", seen.sent.path)


@requirement("SDK-REQ-015")
@pytest.mark.parametrize("call", ["retrieve_run", "create_run"])
def test_the_key_stays_with_its_server(sdk: Conversation, call: str) -> None:
    """A redirect to elsewhere is followed without the key, or not at all."""
    pointed: list[str] = []

    def elsewhere(request: Request) -> Reply:
        pointed.append(f"{sdk.elsewhere}{request.path}")
        return Reply(status=307, headers={"Location": pointed[-1]})

    sdk.answers(elsewhere)
    sdk.elsewhere_answers(granted(call))

    seen = sdk.call(call, **(OF_RUN if call == "retrieve_run" else NEW_RUN))

    headers = [header for each in seen.strayed for header in each.request.headers.items()]
    told = [name for name, value in headers if KEY in value and sent.is_for_keys(name)]
    where = f"{', '.join(told)}, after a redirect to {''.join(pointed)}"
    seen.expect(not told, "no key in what another server is sent", f"the key, as {where}")


def _expect_in_place(sdk: Conversation, call: str, name: str, id: str) -> None:
    plain = grant(sdk, call, **LEAST[call])
    plain.need_sent()
    if any(sent.path(plain.made)):
        raise Untested(f"a plain {call} goes elsewhere, which SDK-REQ-001 is about")

    seen = grant(sdk, call, **LEAST[call] | {name: id})

    if seen.made.firsts or seen.made.asides or not seen.error:
        expect(seen, sent.ids)
