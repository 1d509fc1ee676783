"""What a client can do wrong with how often, how soon and for how long it asks."""

from __future__ import annotations

import hashlib
import time
from typing import TYPE_CHECKING, Any

from support.clients.client import Client
from support.clients.faults.registry import fault

if TYPE_CHECKING:
    from collections.abc import Iterator

# Asking again: each way to ask is one that may have been forgotten.
fault(
    "reads-alone-again",
    "Asks again only what reads.",
    "RETRY-001",
    may_retry=lambda _, method, url, body: method == "GET",
)
fault(
    "streams-once",
    "Does not ask for a stream again.",
    "RETRY-001",
    may_retry=lambda _, method, url, body: b'"stream": true' not in (body or b""),
)
fault(
    "lists-once",
    "Does not ask for a page again.",
    "RETRY-001 RETRY-002 RETRY-003",
    may_retry=lambda _, method, url, body: not (method == "GET" and url.partition("?")[0].endswith("/runs")),
)
fault("late-is-final", "Does not ask again after a time-out.", "RETRY-014", retries_late=lambda _: False)
fault("hammers", "Asks again without a pause.", "RETRY-011", backoff=0.0)
fault(
    "over-patient",
    "Waits five times as long as Retry-After says.",
    "RETRY-012",
    pause=lambda self, reply: Client.pause(self, reply) * 5,
)


def wait_for_nothing(self: Client, reply: Any) -> None:
    if reply.status in self.retried:
        time.sleep(self.pause(reply))


fault("waits-and-tells", "Waits once more before it tells of the last refusal.", "RETRY-013", given_up=wait_for_nothing)
fault("empty-queries", "Asks again without the query.", "RETRY-007", again_at=lambda _, url: url.partition("?")[0])
fault(
    "forgets-the-beta",
    "Asks again without naming the beta.",
    "RETRY-007",
    headers=lambda self, body, attempt: {
        name: value for name, value in Client.headers(self, body, attempt).items() if not attempt or "Beta" not in name
    },
)
fault(
    "keyed-by-body",
    "Has the same key for all calls with the same body.",
    "RETRY-008",
    headers=lambda self, body, attempt: {
        **Client.headers(self, body, attempt),
        **({"Idempotency-Key": hashlib.sha256(body).hexdigest()} if body else {}),
    },
)
fault("always-twice", "Asks again whether it may or not.", "RETRY-006", tries=lambda self: max(2, 1 + self.retries))


def submits_twice(self: Client, call: str, given: dict[str, Any]) -> dict[str, Any]:
    if call == "submit_tool_outputs":
        Client.call(self, call, given)
    return Client.call(self, call, given)


fault("submits-twice", "Submits outputs twice.", "RETRY-010", call=submits_twice)

# Walking.


def a_dozen(self: Client, given: dict[str, Any]) -> Iterator[str]:
    for number, id in enumerate(Client.iterate(self, given)):
        if number == 12:
            return
        yield id


fault("dozen", "Ends a walk after a dozen runs.", "PAGE-002", iterate=a_dozen)

# Waiting.


def counts(self: Client, most: int) -> bool:
    self.__dict__["polls"] = self.__dict__.get("polls", 0) + 1
    return bool(self.__dict__["polls"] > most)


def few_polls(self: Client, told: str) -> float:
    if counts(self, 10):
        raise RuntimeError("the run takes too long")
    return Client.interval(self, told)


def within_its_time_out(self: Client, given: dict[str, Any]) -> dict[str, Any]:
    until = time.monotonic() + self.timeout

    def interval(told: str) -> float:
        if time.monotonic() > until:
            raise self.timed_out()
        return Client.interval(self, told)

    self.__dict__["interval"] = interval
    return Client.poll(self, given)


def sticky(self: Client, told: str) -> float:
    return float(self.__dict__.setdefault("first", Client.interval(self, told)))


fault("ten-polls", "Gives a run up after ten polls.", "POLL-003", interval=few_polls)
fault("poll-in-all", "Takes its time-out for that of the whole wait.", "POLL-003", poll=within_its_time_out)
fault("sticky", "Takes the first openai-poll-after-ms for all.", "POLL-004 POLL-005", interval=sticky)
fault(
    "first-only",
    "Heeds openai-poll-after-ms once.",
    "POLL-004",
    interval=lambda self, told: 0.05 if counts(self, 1) else Client.interval(self, told),
)
fault(
    "capped",
    "Waits no longer than 0.3 s between polls.",
    "POLL-004",
    interval=lambda self, told: min(Client.interval(self, told), 0.3),
)
fault(
    "twice-as-lazy",
    "Waits twice as long as it is told between polls.",
    "POLL-005",
    interval=lambda self, told: 2 * Client.interval(self, told),
)
fault(
    "restless",
    "Polls without a pause where nobody names one.",
    "POLL-007",
    interval=lambda self, told: Client.interval(self, told) if told else 0.0,
)

# Time-outs.
fault(
    "patient-in-writing",
    "Has no time-out for what it writes.",
    "TIME-001",
    patience_with=lambda self, method, url: None if method == "POST" else self.timeout,
)
fault(
    "patient-with-lists",
    "Has no time-out for lists.",
    "TIME-001",
    patience_with=lambda self, method, url: None if url.partition("?")[0].endswith("/runs") else self.timeout,
)


def no_end(self: Client, reply: Any) -> Any:
    reply.raw.fp.raw._sock.settimeout(None)
    return Client.heard(self, reply)


fault("endless-streams", "Listens to a stream for ever.", "TIME-002", heard=no_end)
fault("twice-as-patient", "Waits for twice its time-out.", "TIME-007", patience=lambda self: 2 * self.timeout)
fault("half-as-patient", "Waits for half its time-out.", "TIME-004", patience=lambda self: self.timeout / 2)
fault("hangs", "Never ends where an answer is cut off.", "TIME-006", cut_off=lambda *_: time.sleep(600))
