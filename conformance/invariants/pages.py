"""What must hold in a page of runs, and over a walk from page to page."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from conformance.invariants.judging import Answer, Broken, invariant

if TYPE_CHECKING:
    from collections.abc import Iterator

    from conformance.invariants.evidence import Evidence, Page, Walk

_ENVELOPE = ("object", "data", "first_id", "last_id", "has_more")
_DEFAULT_LIMIT = "20"
_ACTIVE = {"queued", "in_progress", "requires_action", "cancelling"}


def _pages(evidence: Evidence) -> Iterator[Page]:
    return iter(evidence.pages)


def _walks(evidence: Evidence) -> Iterator[Walk]:
    return iter(evidence.walks)


def _limit(page: Page) -> int | None:
    """The limit that was asked for, if it was one that the API has."""
    asked = [value for name, value in page.exchange.request.query if name == "limit"] or [_DEFAULT_LIMIT]
    legal = len(asked) == 1 and asked[0].isascii() and asked[0].isdigit() and 1 <= int(asked[0]) <= 100  # noqa: PLR2004
    return int(asked[0]) if legal else None


def _whole(page: Page) -> bool:
    """Whether every item has an id, so that the page can be compared by ids."""
    data = page.body.get("data")
    return isinstance(data, list) and len(page.ids) == len(data)


@invariant("RUN-PAGE-001", _pages)
def page_has_its_envelope(page: Page) -> Answer:
    """A page has its five members, and its items in an array."""
    missing = [name for name in _ENVELOPE if name not in page.body]
    if missing:
        return Broken(", ".join(_ENVELOPE), f"without {', '.join(missing)}")
    return None if isinstance(page.body["data"], list) else Broken("data an array", "data is none")


@invariant("RUN-PAGE-002", _pages, lambda page: "object" in page.body)
def page_is_a_list(page: Page) -> Answer:
    """A page calls itself a list."""
    kind = page.body["object"]
    return None if kind == "list" else Broken('object "list"', f"object {kind!r}")


@invariant("RUN-PAGE-003", _pages, lambda page: bool(page.body.get("data")))
def page_is_of_the_thread(page: Page) -> Answer:
    """A page shows runs, and only those of its thread."""
    thread, data = page.exchange.ids["thread_id"], page.body["data"]
    if isinstance(data, list) and not all(isinstance(item, dict) for item in data):
        return Broken("objects in data", "something else")
    others = {item["thread_id"] for item in page.items if isinstance(item.get("thread_id"), str)} - {thread}
    return Broken(f"runs of {thread}", f"runs of {', '.join(sorted(others))}") if others else None


@invariant("RUN-PAGE-004", _pages, lambda page: "has_more" in page.body)
def has_more_is_a_boolean(page: Page) -> Answer:
    """Whether there is more is true or false."""
    more = page.body["has_more"]
    return None if isinstance(more, bool) else Broken("has_more true or false", f"has_more {more!r}")


@invariant("RUN-PAGE-005", _pages, lambda page: _whole(page) and bool(page.ids))
def page_names_its_ends(page: Page) -> Answer:
    """A page names the ids of its first and last run."""
    named, wanted = (page.body.get("first_id"), page.body.get("last_id")), (page.ids[0], page.ids[-1])
    if named == wanted or not {"first_id", "last_id"} <= set(page.body):
        return None
    return Broken(f"first_id {wanted[0]}, last_id {wanted[1]}", f"first_id {named[0]}, last_id {named[1]}")


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
    told = {name: page.body.get(name) for name in ("first_id", "last_id", "has_more") if name in page.body}
    other = {name: value for name, value in told.items() if value not in (None, False)}
    return Broken("first_id null, last_id null, has_more false", str(other)) if other else None


@invariant("RUN-INV-037", _pages, lambda page: len(page.items) > 1)
def one_active_run(page: Page) -> Answer:
    """A thread has at most one run that may still move."""
    active = [str(item.get("id")) for item in page.items if item.get("status") in _ACTIVE]
    return None if len(active) <= 1 else Broken("at most one active run in the thread", f"active: {', '.join(active)}")


@invariant("RUN-PAGE-035", _walks)
def walk_repeats_nothing(walk: Walk) -> Answer:
    """A walk shows no run twice."""
    twice = [id for id, times in Counter(id for page in walk.pages for id in page.ids).items() if times > 1]
    return Broken("every run once", f"more than once: {', '.join(twice)}") if twice else None
