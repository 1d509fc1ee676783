"""What must hold in a page of runs, and over a walk from page to page."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from conformance.invariants.judging import Answer, Broken, invariant
from conformance.invariants.messages import is_limit
from conformance.invariants.sightings import is_run
from conformance.wire.values import ABSENT, NOT_JSON, shown

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from conformance.invariants.evidence import Evidence
    from conformance.invariants.sightings import Message, Page, Walk

_ENVELOPE = ("object", "data", "first_id", "last_id", "has_more")
_ACTIVE = {"queued", "in_progress", "requires_action", "cancelling"}


def _pages(evidence: Evidence) -> Iterator[Page]:
    return iter(evidence.pages)


def _walks(evidence: Evidence) -> Iterator[Walk]:
    return iter(evidence.walks)


def _limit(page: Page) -> int | None:
    """The limit that was asked for, if one was, and one that the API has; another row is about the default."""
    asked = [value for name, value in page.exchange.request.query if name == "limit"]
    return int(asked[0]) if len(asked) == 1 and is_limit(asked[0]) else None


def _whole(page: Page) -> bool:
    """Whether every item has an id, so that the page can be compared by ids."""
    data = page.body.get("data")
    return isinstance(data, list) and len(page.ids) == len(data)


def _lists(evidence: Evidence) -> Iterator[Message]:
    """Successful replies to listing runs that are JSON at all; another row judges those that are not."""
    return (message for message in evidence.replies("run_list") if message.exchange.json is not NOT_JSON)


@invariant("RUN-PAGE-001", _lists)
def page_has_its_envelope(message: Message) -> Answer:
    """A page is an object with its five members, and its items in an array."""
    body = message.exchange.json
    if not isinstance(body, dict):
        return Broken("a JSON object", shown(body))
    missing = [name for name in _ENVELOPE if name not in body]
    if missing:
        return Broken(", ".join(_ENVELOPE), f"without {', '.join(missing)}")
    return None if isinstance(body["data"], list) else Broken("data an array", f"data {shown(body['data'])}")


@invariant("RUN-PAGE-002", _pages, lambda page: "object" in page.body)
def page_is_a_list(page: Page) -> Answer:
    """A page calls itself a list."""
    kind = page.body["object"]
    return None if kind == "list" else Broken('object "list"', f"object {shown(kind)}")


@invariant("RUN-PAGE-003", _pages, lambda page: isinstance(page.body.get("data"), list) and bool(page.body["data"]))
def page_is_of_the_thread(page: Page) -> Answer:
    """A page shows runs, and only those of its thread."""
    thread = page.exchange.ids["thread_id"]
    strange = next((item for item in page.body["data"] if not is_run(item)), ABSENT)
    if strange is not ABSENT:
        return Broken("runs in data", shown(strange))
    others = {item["thread_id"] for item in page.items if isinstance(item.get("thread_id"), str)} - {thread}
    return Broken(f"runs of {thread}", f"runs of {', '.join(sorted(others))}") if others else None


@invariant("RUN-PAGE-004", _pages, lambda page: "has_more" in page.body)
def has_more_is_a_boolean(page: Page) -> Answer:
    """Whether there is more is true or false."""
    more = page.body["has_more"]
    return None if isinstance(more, bool) else Broken("has_more true or false", f"has_more {shown(more)}")


@invariant("RUN-PAGE-005", _pages, lambda page: _whole(page) and bool(page.ids))
def page_names_its_ends(page: Page) -> Answer:
    """A page names the ids of its first and last run."""
    named, wanted = (page.body.get("first_id"), page.body.get("last_id")), (page.ids[0], page.ids[-1])
    if named == wanted or not {"first_id", "last_id"} <= set(page.body):
        return None
    expected, actual = (f"first_id {shown(first)}, last_id {shown(last)}" for first, last in (wanted, named))
    return Broken(expected, actual)


@invariant("RUN-PAGE-006", _pages, lambda page: _limit(page) is not None and isinstance(page.body.get("data"), list))
def page_keeps_its_limit(page: Page) -> Answer:
    """A page has no more runs than were asked for."""
    limit, number = _limit(page) or 0, len(page.body["data"])
    return None if number <= limit else Broken(f"at most {limit} runs", f"{number} runs")


def _is_ordered(page: Page) -> bool:
    return page.exchange.request.param("order") in {"asc", "desc"} and len(page.items) > 1


@invariant("RUN-PAGE-010", _pages, _is_ordered)
def page_is_in_order(page: Page) -> Answer:
    """A page is sorted by creation, as it was asked to be."""
    created = [item["created_at"] for item in page.items if type(item.get("created_at")) is int]
    wanted = sorted(created, reverse=page.exchange.request.param("order") == "desc")
    return None if created == wanted else Broken(f"created_at {wanted}", f"created_at {created}")


@invariant("RUN-PAGE-022", _pages, lambda page: page.body.get("data") == [])
def empty_page_has_no_ends(page: Page) -> Answer:
    """An empty page has no ends and no more."""
    told = {"first_id": page.body.get("first_id"), "last_id": page.body.get("last_id")}
    other = [f"{name} {shown(value)}" for name, value in told.items() if value is not None]
    other += ["has_more true"] if page.body.get("has_more") is True else []
    return Broken("first_id null, last_id null, has_more false", ", ".join(other)) if other else None


@invariant("RUN-INV-037", _pages, lambda page: len(page.items) > 1)
def one_active_run(page: Page) -> Answer:
    """A thread has at most one run that may still move."""
    statuses = {str(item.get("id")): item.get("status") for item in page.items}
    active = [id for id, status in statuses.items() if isinstance(status, str) and status in _ACTIVE]
    return None if len(active) <= 1 else Broken("at most one active run in the thread", f"active: {', '.join(active)}")


@invariant("RUN-PAGE-035", _walks)
def walk_repeats_nothing(walk: Walk) -> Answer:
    """A walk shows no run on two pages."""
    return _once(id for page in walk.pages for id in set(page.ids))


@invariant("RUN-PAGE-035", _pages, lambda page: len(page.ids) > 1)
def page_repeats_nothing(page: Page) -> Answer:
    """A page shows no run twice."""
    return _once(page.ids)


def _once(ids: Iterable[str]) -> Answer:
    twice = [id for id, times in Counter(ids).items() if times > 1]
    return Broken("every run once", f"more than once: {', '.join(sorted(twice))}") if twice else None
