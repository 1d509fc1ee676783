"""Clients that are right in another way than the faithful one: nobody may accuse them."""

from __future__ import annotations

import json
import uuid
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlencode

from support.clients.client import ApiError, Client
from support.clients.faults import Fault

if TYPE_CHECKING:
    from collections.abc import Iterator

INNOCENTS: dict[str, Fault] = {}


def innocent(name: str, does: str, **members: Any) -> None:
    """Add a client."""
    INNOCENTS[name] = Fault(does, frozenset(), members)


def other_headers(self: Client, body: bytes | None, attempt: int) -> dict[str, str]:
    told = {"User-Agent": "elsewhere/1.0", "X-Trace": "7", **Client.headers(self, body, attempt)}
    return {name.lower(): value for name, value in reversed(told.items())}


def in_chunks(self: Client, call: str, members: dict[str, Any]) -> Any:
    class Pieces:
        """A body whose length nobody knows beforehand, and that can be sent again."""

        def __iter__(self) -> Iterator[bytes]:
            text = json.dumps(members).encode()
            return (text[at : at + 11] for at in range(0, len(text), 11))

    return Pieces() if members else None


def strict(_: Client, id: str) -> str:
    if not (id.isascii() and id.replace("_", "").isalnum()):
        raise ValueError(f"{id} is no id")
    return id


def read_again(self: Client, given: dict[str, Any]) -> dict[str, Any]:
    Client.poll(self, given)
    return self.call("retrieve_run", given)


def looking(self: Client, call: str, given: dict[str, Any]) -> Any:
    if self.operations[call][0] == "POST" and "run_id" in given:
        run = self.call("retrieve_run", {"thread_id": given["thread_id"], "run_id": given["run_id"]})
        if call == "modify_run":
            given = {**given, "metadata": {**run["metadata"], **given["metadata"]}}
    return Client.begin(self, call, given)


def refused_redirect(self: Client, *, own: bool) -> dict[str, str]:
    raise ApiError("other", "redirects are not followed")


def once_unless_limited(self: Client, method: str, url: str, body: bytes | None) -> Any:
    kept, self.__dict__["retried"] = self.retried, frozenset({429})
    self.__dict__["retries_lost"] = lambda: False
    try:
        return Client.sent(self, method, url, body)
    finally:
        self.__dict__["retried"] = kept
        del self.__dict__["retries_lost"]


def counting(self: Client, body: bytes | None, attempt: int) -> dict[str, str]:
    self.__dict__["attempt"] = attempt
    return Client.headers(self, body, attempt)


innocent("other-headers", "Has other headers, in another order and in lower case.", headers=other_headers)
innocent(
    "two-betas",
    "Names another beta as well, on a line of its own.",
    headers=lambda self, body, attempt: {**Client.headers(self, body, attempt), "openai-beta": "realtime=v1"},
)
innocent(
    "bearer", "Writes the scheme in lower case.", authorization=lambda self: {"authorization": f"bearer {self.key}"}
)
innocent("charset", "Names the charset of its bodies.", body_type="application/json; charset=utf-8")
innocent(
    "ascii",
    "Escapes what is not ASCII.",
    body=lambda _, call, members: json.dumps(members).encode() if members else None,
)
innocent(
    "pretty",
    "Writes its bodies for people.",
    body=lambda _, call, members: json.dumps(members, indent=4).encode() if members else None,
)
innocent("in-chunks", "Sends its bodies in chunks.", body=in_chunks)
innocent("empty-object", "Cancels with an empty object.", body=lambda _, call, members: json.dumps(members).encode())
innocent(
    "defaults",
    "Says what is the default.",
    given=lambda _, call, members: {"stream": False, **members} if call == "create_run" else members,
)
innocent(
    "more-query",
    "Names a version in every query.",
    query=lambda self, given: Client.query(self, {"api-version": "v1", **given}),
)
innocent("strict-ids", "Refuses ids that are none.", segment=strict)
innocent("stays", "Follows no redirect.", carried=refused_redirect)
innocent(
    "slow",
    "Takes its time before it asks again.",
    backoff=0.3,
    pause=lambda self, reply: Client.pause(self, reply) + 0.2,
)
for header in ("Idempotency-Key", "Repeatability-Request-Id"):
    innocent(
        f"keyed-by-{header.lower()}",
        f"Marks what it repeats by {header}, one for each client that it makes.",
        mark=lambda *_: {},
        headers=lambda self, body, attempt, header=header: {
            **Client.headers(self, body, attempt),
            header: self.__dict__.setdefault("mark_of_all", uuid.uuid4().hex),
        },
    )
innocent(
    "plain",
    "Does not offer to read gzip.",
    headers=lambda self, body, attempt: {**Client.headers(self, body, attempt), "Accept-Encoding": "identity"},
)
innocent("reads-again", "Reads a run once more when it is over.", poll=read_again)
innocent(
    "polite",
    "Polls a little later than it is told.",
    interval=lambda self, told: Client.interval(self, told) * 1.1 + 0.05,
)
innocent("looks-first", "Looks at a run before it changes it.", begin=looking)
innocent(
    "two-keys",
    "Sends the key in a header for gateways as well.",
    authorization=lambda self: {**Client.authorization(self), "X-Api-Key": self.key},
)
innocent(
    "ascii-charset",
    "Escapes what is not ASCII, and says so.",
    body_type='application/json; charset="us-ascii"',
    body=lambda _, call, members: json.dumps(members).encode() if members else None,
)
innocent(
    "typed-reads",
    "Names the type of a body where there is none.",
    headers=lambda self, body, attempt: {**Client.headers(self, body, attempt), "Content-Type": "application/json"},
)
innocent(
    "escapes-all",
    "Escapes each character of an id and of a query.",
    segment=lambda _, id: "".join(f"%{byte:02x}" for byte in id.encode()),
    query=lambda _, given: urlencode(given, quote_via=lambda text, *_: quote(text, safe="")),
)
innocent(
    "cautious",
    "Asks again after a 500 or a lost connection only where it reads.",
    sent=lambda self, method, url, body: (
        Client.sent(self, method, url, body) if method == "GET" else once_unless_limited(self, method, url, body)
    ),
)
innocent(
    "at-once-first",
    "Asks again at once the first time, and pauses after that.",
    headers=counting,
    pause=lambda self, reply: (
        Client.pause(self, reply) if self.__dict__["attempt"] or (reply and "retry-after" in reply.headers) else 0.0
    ),
)
innocent(
    "steady",
    "Polls every 0.1 s where nobody names a pause.",
    interval=lambda self, told: Client.interval(self, told) if told else 0.1,
)


def typed(value: Any) -> Any:
    """What a client with closed types keeps of a run: the members that it knows."""
    return {name: each for name, each in value.items() if name in KNOWN}


def filled(value: Any) -> Any:
    """What a language without null has instead, for members that are known to be numbers, texts or objects."""
    zeros = {"usage": {"prompt_tokens": 0}, "metadata": {}, "temperature": 0, "completed_at": 0, "instructions": ""}
    return {name: zeros.get(name) if each is None else each for name, each in value.items()}


def fussy(self: Client, name: str, data: str) -> Any:
    if not name:
        raise ApiError("other", "an event has no name")
    return Client.told(self, name, data)


KNOWN = {"id", "object", "thread_id", "assistant_id", "status", "required_action", "last_error", "incomplete_details"}
KNOWN |= {"model", "instructions", "tools", "metadata", "usage", "temperature", "top_p", "truncation_strategy"}
KNOWN |= {"max_prompt_tokens", "max_completion_tokens", "tool_choice", "parallel_tool_calls", "response_format"}
KNOWN |= {f"{what}_at" for what in ("created", "started", "expires", "completed", "failed", "cancelled")}
NO_NULLS = {"nulls": "there is no null in this language"}
innocent("typed", "Gives the members that it knows.", run=lambda _, run: typed(run))
innocent(
    "optional",
    "Gives nothing for a null.",
    lacks=NO_NULLS,
    run=lambda _, run: {name: each for name, each in run.items() if each is not None},
)
innocent("zeros", "Has zeros for nulls.", lacks=NO_NULLS, run=lambda _, run: filled(run))
innocent(
    "all-members", "Has null for what is absent.", lacks=NO_NULLS, run=lambda _, run: {**dict.fromkeys(KNOWN), **run}
)
innocent(
    "chatty-errors",
    "Says more than the message of an error.",
    refusal=lambda self, reply, text: ApiError(
        **(Client.refusal(self, reply, text).told | {"message": f"Error code {reply.status} - {text}"})
    ),
)
innocent("fussy", "Wants a name for every event.", told=fussy)
innocent(
    "nameless",
    "Leaves out events without a name.",
    told=lambda self, name, data: Client.told(self, name, data) if name else None,
)
