"""What the cases about listing share: a page by its ids, and a listing in the target's own order."""

from __future__ import annotations

from typing import TYPE_CHECKING

from conformance.suite.expectations import expect, need, need_page

if TYPE_CHECKING:
    from collections.abc import Sequence

    from conformance.states.handles import Listing
    from conformance.wire.exchange import Exchange

ORDERS = ("asc", "desc")


def ids_of(reply: Exchange) -> list[str]:
    """The ids of a page, in its order; one that shows a run twice is another requirement's."""
    ids = [item["id"] for item in need_page(reply)]
    need(len(set(ids)) == len(ids), f"a run is on the page twice, which RUN-PAGE-035 is about: {reply}")
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


def short(ids: Sequence[str]) -> str:
    """Runs by the ends of their ids, which tell them apart."""
    return f"runs {', '.join(f'...{id[-6:]}' for id in ids)}" if ids else "no runs"


def expect_ids(reply: Exchange, wanted: Sequence[str], *before: Exchange) -> None:
    """The page must show exactly these runs, in this order."""
    expect(reply.succeeded, f"a page with {short(wanted)}", f"status {reply.status}", *before, reply)
    got = ids_of(reply)
    expect(got == list(wanted), short(wanted), short(got), *before, reply)
