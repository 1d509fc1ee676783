"""What a client can do wrong that asks more than once: retries, walks and polls."""

from __future__ import annotations

from typing import Any

from support.clients.client import ApiError, Client
from support.clients.faults.registry import broken, fault

# Asking again.
fault("gives-up-on-429", "Does not ask again after a 429.", "RETRY-001", retried=Client.retried - {429})
fault("gives-up-on-503", "Does not ask again after a 503.", "RETRY-002", retried=Client.retried - {503})
fault("gives-up-on-loss", "Does not ask again after a lost connection.", "RETRY-003", retries_lost=lambda _: False)
fault("own-pace", "Asks again when it likes.", "RETRY-004", pause=lambda *_: 0.02)
fault("knows-no-dates", "Takes a date in Retry-After for nothing.", "RETRY-004", until=lambda *_: 0.0)
fault(
    "hasty-after-503",
    "Heeds Retry-After only where it asked too often.",
    "RETRY-004",
    pause=lambda self, reply: Client.pause(self, reply if reply and reply.status == 429 else None),
)
fault("asks-for-good", "Asks again after a 400.", "RETRY-005", retried=Client.retried | {400})
fault("asks-422-again", "Asks again after a 422.", "RETRY-005", retried=Client.retried | {422})
fault(
    "once-too-often",
    "Asks once more than it may.",
    "RETRY-006",
    tries=lambda self: 1 + self.retries + bool(self.retries),
)
fault("empty-retries", "Asks again without a body.", "RETRY-007", again=lambda *_: None)
fault("unmarked", "Does not mark what it sends again.", "RETRY-008", mark=lambda *_: {})

fault(
    "one-key",
    "Has the same key for all that it sends.",
    "RETRY-008",
    mark=lambda *_: {},
    headers=lambda self, body, attempt: {**Client.headers(self, body, attempt), "Idempotency-Key": "7f3a"},
)


def first_problem(self: Client, first: Exception | None, reply: Any) -> Any:
    if first and not self.succeeded(reply.status):
        raise ApiError("connection", str(first))
    return reply


fault("first-problem", "Tells of the first problem, not of the last answer.", "RETRY-009", last=first_problem)

# Walking.
fault("always-more", "Says of every page that there are more.", "PAGE-001", has_more=lambda *_: True)
fault("wants-no-page", "Breaks on every page.", "PAGE-001", has_more=lambda *_: broken("has_more"))
fault("skips-one", "Leaves out the last run of a page.", "PAGE-002", visited=lambda _, ids: ids[:-1])
fault(
    "first-as-cursor",
    "Goes on from the first run of a page.",
    "PAGE-003",
    cursor=lambda _, ids: ids[0] if ids else None,
)
fault(
    "forgets-parameters",
    "Asks for further pages without limit and order.",
    "PAGE-004",
    following=lambda _, given, after: {"thread_id": given["thread_id"], "after": after},
)
fault("endless", "Goes on for ever.", "PAGE-005 PAGE-006 PAGE-007 PAGE-008", goes_on=lambda *_: True)
fault(
    "until-empty",
    "Goes on until a page is empty.",
    "PAGE-006",
    goes_on=lambda _, has_more, ids, after: bool(ids and ids[-1] != after),
)
fault(
    "believes-more",
    "Goes on after an empty page that promises more.",
    "PAGE-007",
    goes_on=lambda _, has_more, ids, after: bool(has_more and not (ids and ids[-1] == after)),
)
fault(
    "believes-cursors",
    "Goes on with the same cursor.",
    "PAGE-008",
    goes_on=lambda _, has_more, ids, after: bool(has_more and ids),
)
fault("part-for-whole", "Ends a walk without a word where a page is refused.", "PAGE-009", broken_off=lambda _: None)

# Waiting.
fault("unexpired", "Waits on for a run that expired.", "POLL-001", final=Client.final - {"expired"})
fault(
    "incomplete-goes-on", "Waits on for a run that ended incomplete.", "POLL-001", final=Client.final - {"incomplete"}
)
fault("waits-for-itself", "Waits on for a run that waits for its caller.", "POLL-002", waiting=frozenset())
fault("cancelling-is-over", "Takes cancelling for the end.", "POLL-003", final=Client.final | {"cancelling"})
fault(
    "eager",
    "Asks sooner than it is told.",
    "POLL-004",
    interval=lambda self, told: 0.01 if told else Client.interval(self, told),
)
fault("lazy", "Asks as rarely as it likes.", "POLL-005", interval=lambda *_: 0.75)
fault(
    "waits-for-nothing",
    "Gives the last run where a poll is refused.",
    "POLL-006",
    poll_refused=lambda _, problem, run: run or {"status": str(problem)},
)
