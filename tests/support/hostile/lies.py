"""Targets that speak the protocol and cannot be trusted: ids, pages, states, and answers of somebody else."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from support.hostile.core import behaves, http, told

if TYPE_CHECKING:
    from collections.abc import Iterable

    from support.hostile.core import Call

_IDS: tuple[Any, ...] = (
    "../../../etc/passwd",
    "..",
    ".",
    "",
    " ",
    "a/b?c#d",
    "%2e%2e%2f%00",
    "run_\x00",
    "run_\r\nauthorization: x",
    "run_\x1b[2J\u202e",
    "run_\ud800",
    "'; rm -rf ~ #`$(reboot)`",
    "http://elsewhere.invalid/",
    "\u0440\u0443\u0301\u043d",
    "x" * 100_000,
    "x" * 7000,
    7,
    -0.0,
    True,
    None,
    [],
    {"$ne": 1},
)


def _named(call: Call, id: Any) -> bytes:
    return told(call, {**call.value, "id": id})


@behaves("create", "retrieve", "third")
def ids_of_all_kinds(call: Call) -> Iterable[bytes]:
    """Gives ids that are paths, commands, control characters, far too long, or no text."""
    yield _named(call, _IDS[call.number % len(_IDS)])


@behaves("always")
def threads_of_all_kinds(call: Call) -> Iterable[bytes]:
    """Gives every thing that is created such an id, except the first thread."""
    strange = call.number > 1 and call.faithful.status == 200
    yield _named(call, _IDS[call.number % len(_IDS)]) if strange else told(call)


@behaves("always")
def a_number_as_id(call: Call) -> Iterable[bytes]:
    """Numbers its threads."""
    yield _named(call, call.number)


@behaves("always", "create")
def the_same_id_for_all(call: Call) -> Iterable[bytes]:
    """Gives everything the same id."""
    yield http({**call.value, "id": "run_the_same"})


@behaves("third", "retrieve")
def the_answer_before(call: Call) -> Iterable[bytes]:
    """Answers with the body of the previous request."""
    body = call.server.memory.get("before", call.faithful.body)
    call.server.memory["before"] = call.faithful.body
    yield told(call, body)


@behaves("list", seconds=45)
def infinite_pages(call: Call) -> Iterable[bytes]:
    """Lists fresh runs on every page, and always has more."""
    pages = call.value
    for number, run in enumerate(pages.get("data", [])):
        run["id"] = f"run_{call.number}_{number}"
    yield told(call, {**pages, "has_more": True})


@behaves("list", seconds=45)
def the_same_page_for_ever(call: Call) -> Iterable[bytes]:
    """Lists the same page whatever is asked, and always has more."""
    first = call.server.memory.setdefault("page", call.faithful.body) if call.is_list else call.faithful.body
    yield told(call, {**json.loads(first), "has_more": True})


@behaves("list", seconds=45, megabytes=700)
def a_hundred_thousand_runs(call: Call) -> Iterable[bytes]:
    """Lists a hundred thousand runs on one page."""
    runs = [{"id": f"run_{number}", "object": "thread.run"} for number in range(100_000)]
    yield told(call, {**call.value, "data": runs, "has_more": True})


@behaves("list")
def a_page_that_is_none(call: Call) -> Iterable[bytes]:
    """Lists numbers, texts, lists and itself."""
    listed = (None, 0, "runs", {"0": {}}, [None], [[]], [1, "x"], [{"id": 1}], [{"id": "x"}] * 1000)
    yield told(call, {**call.value, "data": listed[call.number % len(listed)]})


@behaves("retrieve", seconds=45)
def a_status_that_flips(call: Call) -> Iterable[bytes]:
    """Shows another status with every read, for ever."""
    states = ("queued", "completed", "in_progress", "cancelled", "cancelling", "expired", "requires_action", "failed")
    yield told(call, {**call.value, "status": states[call.number % len(states)]} if call.is_run else None)


@behaves("retrieve", "create", seconds=60)
def a_run_that_never_ends(call: Call) -> Iterable[bytes]:
    """Shows every run in progress, whatever became of it."""
    yield told(call, {**call.value, "status": "in_progress"} if call.is_run else None)


@behaves("retrieve", seconds=60)
def a_run_in_the_queue_for_ever(call: Call) -> Iterable[bytes]:
    """Shows every run in the queue."""
    yield told(call, {**call.value, "status": "queued"} if call.is_run else None)


@behaves("retrieve", seconds=45)
def a_status_of_any_kind(call: Call) -> Iterable[bytes]:
    """Shows a status that is a number, a list, or unheard of."""
    states = (1, [], {}, None, "COMPLETED", "", "\x00", "x" * 100_000)
    yield told(call, {**call.value, "status": states[call.number % len(states)]} if call.is_run else None)


@behaves("retrieve", seconds=45)
def polls_in_a_century(call: Call) -> Iterable[bytes]:
    """Asks for polls a century apart, or no time apart."""
    hints = ("999999999", "9" * 5000, "0", "-1", "\xb2", "1e9")
    yield told(call, None, f"openai-poll-after-ms: {hints[call.number % len(hints)]}")


@behaves("retrieve")
def tool_calls_of_all_kinds(call: Call) -> Iterable[bytes]:
    """Waits for the outputs of calls that are none, or ten thousand."""
    body = call.value
    if call.is_run and body["status"] == "requires_action":
        calls = (None, 7, {}, [{}], [{"id": []}], [{"id": f"call_{number}"} for number in range(10_000)])
        body["required_action"] = {"submit_tool_outputs": {"tool_calls": calls[call.number % len(calls)]}}
    yield told(call, body)


@behaves("retrieve")
def everything_has_another_type(call: Call) -> Iterable[bytes]:
    """Gives every member of a run another type than it has."""
    values = (None, 1, "x", [], {}, True, [{}], {"type": []})
    body = call.value
    changed = {name: values[(call.number + place) % len(values)] for place, name in enumerate(body)}
    yield told(call, {**changed, "id": body.get("id"), "status": body.get("status")})


@behaves("create")
def a_run_of_a_billion_tokens(call: Call) -> Iterable[bytes]:
    """Says that a run used more tokens than there are."""
    usage = dict.fromkeys(("prompt_tokens", "completion_tokens", "total_tokens"), 10**4000)
    yield told(call, {**call.value, "status": "completed", "usage": usage} if call.is_run else None)
