"""What the cases about listing share: a page by its ids, a listing in the target's own order, what holds of any."""

from __future__ import annotations

from typing import TYPE_CHECKING

from conformance.suite.expectations import expect, need, need_page

if TYPE_CHECKING:
    from collections.abc import Sequence

    from conformance.states.handles import Listing
    from conformance.states.lists import Listed
    from conformance.wire.exchange import Exchange

ORDERS = ("asc", "desc")


def ids_of(reply: Exchange) -> list[str]:
    """The ids of a page, in its order; one that shows something twice is another requirement's."""
    ids = [item["id"] for item in need_page(reply)]
    need(len(set(ids)) == len(ids), f"something is on the page twice, which other requirements are about: {reply}")
    return ids


def in_order(listing: Listing, order: str | None = "desc") -> list[str]:
    """All runs of a listing in the target's own order; where runs are missing, other requirements are about that."""
    ids = ids_of(listing.thread.list(limit=100, **({"order": order} if order else {})))
    need(sorted(ids) == sorted(run.id for run in listing.runs), "the whole list does not show the runs that were made")
    return ids


def whole_walk(pages: Sequence[Exchange], ids: Sequence[str]) -> list[str]:
    """The ids of a walk; one that has_more broke off early, or that is no boolean, is another requirement's."""
    visited = [id for page in pages for id in ids_of(page)]
    more = pages[-1].json.get("has_more")
    early = bool(ids_of(pages[-1])) and len(visited) < len(ids) and visited == list(ids[: len(visited)])
    need(isinstance(more, bool) and not (early and more is False), f"has_more ended the walk early: it is {more!r}")
    return visited


def short(ids: Sequence[str], what: str = "runs") -> str:
    """Items by the ends of their ids, which tell them apart."""
    return f"{what} {', '.join(f'...{id[-6:]}' for id in ids)}" if ids else f"no {what}"


def expect_ids(reply: Exchange, wanted: Sequence[str], *before: Exchange, what: str = "runs") -> None:
    """The page must show exactly these items, in this order."""
    expect(reply.succeeded, f"a page with {short(wanted, what)}", f"status {reply.status}", *before, reply)
    got = ids_of(reply)
    expect(got == list(wanted), short(wanted, what), short(got, what), *before, reply)


# What holds of every list; `ids` are those of all its items, in the order that is asked for.


def expect_whole_walk(listed: Listed, ids: Sequence[str], *, limit: int, order: str) -> None:
    """A walk must visit every item once, in the order of the list."""
    pages = listed.walk(limit=limit, order=order, most=len(ids) + 2)

    visited = whole_walk(pages, ids)
    expect(visited == list(ids), short(ids, listed.what), short(visited, listed.what), *pages)


def expect_more_while_items_remain(listed: Listed, ids: Sequence[str], *, limit: int, order: str) -> None:
    """No page that leaves items over may say that there are none."""
    for start in range(len(ids) - limit):
        after = {"after": ids[start - 1]} if start else {}
        page = listed.list(limit=limit, order=order, **after)
        need(ids_of(page) == list(ids[start : start + limit]), "the page does not show what it should")
        more = page.json.get("has_more")
        left = f"has_more false, {len(ids) - start - limit} {listed.what} remain"
        expect(more is not False, "has_more true", left, page)


def expect_no_more_at_the_end(listed: Listed, ids: Sequence[str], *, limit: int, order: str) -> None:
    """The page that ends with the last item must say that it is the last."""
    left = min(limit, len(ids))
    after = {"after": ids[-left - 1]} if left < len(ids) else {}

    page = listed.list(limit=limit, order=order, **after)

    need(ids_of(page) == list(ids[-left:]), f"the page does not end with the last of the {listed.what}")
    more = page.json.get("has_more")
    expect(more is not True, "has_more false", f"has_more true, although none of the {listed.what} follows", page)


def expect_what_precedes(page: Exchange, wanted: Sequence[str], what: str = "runs") -> None:
    """The page must show these items; in which order is another requirement's."""
    expect(page.succeeded, "a page", f"status {page.status}", page)
    got = ids_of(page)
    expect(sorted(got) == sorted(wanted), short(wanted, what), short(got, what), page)


def expect_nothing_selected(page: Exchange, *before: Exchange, what: str = "runs") -> None:
    """A cursor that is no place in the list must be refused, or select nothing."""
    if not page.refused:
        expect(page.status < 500, "a refusal (4xx) or an empty page", f"status {page.status}", *before, page)
        got = ids_of(page)
        expect(not got, "a refusal (4xx) or an empty page", f"{len(got)} {what}", *before, page)
