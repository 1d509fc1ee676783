"""What a client can send wrong in some calls, on some requests, or with some values."""

from __future__ import annotations

import json
from copy import copy
from typing import TYPE_CHECKING, Any
from urllib.parse import quote_plus, urlencode, urlsplit

from support.clients.client import Client
from support.clients.faults.registry import fault, without

if TYPE_CHECKING:
    from collections.abc import Callable


def where(applies: Callable[[int, str, dict[str, Any]], bool], **members: Any) -> dict[str, Any]:
    """Parts that take the place of others where the number of the request, the call and its arguments say so."""

    def begin(self: Client, call: str, given: dict[str, Any]) -> Any:
        self.__dict__["begun"] = number = self.__dict__.get("begun", 0) + 1
        one = copy(self)
        if applies(number, call, given):
            one.__class__ = type("There", (type(self),), members)
        return Client.begin(one, call, given)

    return {"begin": begin}


def deeply(value: Any, change: Callable[[Any], Any]) -> Any:
    """A JSON value with each text and number in it changed."""
    match value:
        case dict():
            return {name: deeply(each, change) for name, each in value.items()}
        case list():
            return [deeply(each, change) for each in value]
    return change(value)


def deep(change: Callable[[Any], Any]) -> Any:
    return lambda _, call, members: deeply(members, change)


def streams(_: int, __: str, given: dict[str, Any]) -> bool:
    return "stream" in given


def later(number: int, _: str, __: dict[str, Any]) -> bool:
    return number > 1


def only(*calls: str) -> Callable[[int, str, dict[str, Any]], bool]:
    return lambda _, call, __: call in calls


# Where requests go.
def elsewhere(self: Client, call: str, given: dict[str, Any]) -> Any:
    reply = Client.begin(self, call, given)
    self.base = "http://" + urlsplit(self.base).netloc
    return reply


fault("pages-elsewhere", "Asks for further pages and polls at the root of the server.", "REQ-001", begin=elsewhere)
fault(
    "knows-v1",
    "Takes the path of every base URL for /v1.",
    "REQ-001",
    based=lambda _, url: url[: url.index("/", 8)] + "/v1",
)
fault(
    "reads-for-writes",
    "Modifies with GET.",
    "REQ-002",
    operations={**Client.operations, "modify_run": ("GET", "/threads/{thread_id}/runs/{run_id}")},
    query=lambda self, given: "" if "metadata" in given else Client.query(self, given),
)
fault(
    "raw-cancels", "Escapes ids but where it cancels.", "REQ-003", **where(only("cancel_run"), segment=lambda _, id: id)
)
fault("raw-streams", "Escapes ids but for streams.", "REQ-003", **where(streams, segment=lambda _, id: id))
fault("plus-for-space", "Escapes ids as if they were in a query.", "REQ-003", segment=lambda _, id: quote_plus(id))

# Queries.
fault(
    "caps-limits",
    "Asks for no more than 50 runs.",
    "REQ-004",
    query=lambda self, given: Client.query(
        self, given | ({"limit": min(given["limit"], 50)} if "limit" in given else {})
    ),
)
fault(
    "says-limits",
    "Asks for 20 runs where nobody says how many.",
    "REQ-016",
    **where(only("list_runs"), query=lambda self, given: Client.query(self, {"limit": 20, **given})),
)
fault(
    "empty-cursor",
    "Begins with an empty cursor.",
    "REQ-016",
    **where(only("list_runs"), query=lambda self, given: Client.query(self, {"after": "", **given})),
)

# Bodies.
fault(
    "null-thread",
    "Sends null for a thread that was not given.",
    "REQ-006",
    **where(only("create_thread_and_run"), given=lambda _, call, members: {"thread": None, **members}),
)
fault(
    "drops-inner-nulls",
    "Leaves out nulls within what it is given.",
    "REQ-007",
    given=lambda _, call, members: {
        name: {key: each for key, each in value.items() if each is not None} if isinstance(value, dict) else value
        for name, value in members.items()
    },
)
fault(
    "empty-for-null",
    "Sends an object without members for null metadata.",
    "REQ-008",
    given=lambda _, call, members: {**members, **({"metadata": {}} if members.get("metadata", 1) is None else {})},
)
fault(
    "forgets-metadata",
    "Sends no metadata along with a thread.",
    "REQ-008",
    **where(only("create_thread_and_run"), given=lambda _, call, members: without(members, "metadata")),
)
fault(
    "streams-little",
    "Sends little of what it is given where it asks for a stream.",
    "REQ-008",
    **where(
        streams,
        given=lambda _, call, members: {
            name: value for name, value in members.items() if name in {"assistant_id", "stream", "tool_outputs"}
        },
    ),
)
fault(
    "first-output",
    "Sends the first of several outputs.",
    "REQ-008",
    given=lambda _, call, members: {
        name: value[:1] if name == "tool_outputs" else value for name, value in members.items()
    },
)


def parsed(value: Any) -> Any:
    try:
        return json.loads(value) if isinstance(value, str) and value.startswith("{") else value
    except ValueError:
        return value


fault("parses-outputs", "Sends outputs that are JSON as objects.", "REQ-008", given=deep(parsed))
fault(
    "drops-empty-lists",
    "Leaves out empty lists.",
    "REQ-008",
    given=lambda _, call, members: {name: value for name, value in members.items() if value != []},
)
fault(
    "trims",
    "Trims what it is given.",
    "REQ-008",
    given=deep(lambda each: each.strip() if isinstance(each, str) else each),
)
fault(
    "one-end-of-line",
    "Has one end of a line in all that it sends.",
    "REQ-008",
    given=deep(lambda each: each.replace("\r\n", "\n") if isinstance(each, str) else each),
)
fault(
    "rounds", "Rounds numbers.", "REQ-008", given=deep(lambda each: round(each, 1) if isinstance(each, float) else each)
)
fault(
    "cuts",
    "Sends 256 characters of a text.",
    "REQ-008",
    given=deep(lambda each: each[:256] if isinstance(each, str) else each),
)
fault(
    "form",
    "Modifies with a form.",
    "REQ-008",
    **where(only("modify_run"), body=lambda _, call, members: urlencode({"metadata": json.dumps(members)}).encode()),
)

# Headers.
fault(
    "untyped-outputs",
    "Does not say what the outputs are in.",
    "REQ-009",
    **where(only("submit_tool_outputs"), headers=lambda *told: without(Client.headers(*told), "Content-Type")),
)
fault("wrong-charset", "Calls UTF-8 Latin-1.", "REQ-009", body_type="application/json; charset=iso-8859-1")
fault("beta-but-streams", "Names no beta version where it asks for a stream.", "REQ-010", **where(streams, beta=""))
fault("beta-at-first", "Names the beta version once.", "REQ-010", **where(later, beta=""))
fault("key-at-first", "Sends the key once.", "REQ-011", **where(later, authorization=lambda _: {}))
fault(
    "key-in-urls",
    "Puts the key into queries as well.",
    "REQ-017",
    query=lambda self, given: Client.query(self, {**given, "api_key": self.key}),
)
fault(
    "key-as-name",
    "Calls itself by its key.",
    "REQ-017",
    headers=lambda self, *told: {**Client.headers(self, *told), "User-Agent": f"client/1.0 ({self.key})"},
)
fault(
    "no-port",
    "Names the server without its port.",
    "REQ-018",
    headers=lambda self, *told: {**Client.headers(self, *told), "Host": urlsplit(self.base).hostname or ""},
)
fault(
    "offers-brotli",
    "Offers to read br, and does not.",
    "RUN-012",
    headers=lambda self, *told: {**Client.headers(self, *told), "Accept-Encoding": "gzip, br"},
)
