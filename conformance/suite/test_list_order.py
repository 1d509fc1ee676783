"""Listing runs: in which order, and always the same one."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from conformance.suite import requirement
from conformance.suite.expectations import expect, expect_refused, need, need_page
from conformance.suite.listings import ORDERS, expect_ids, ids_of, in_order, short, whole_walk

if TYPE_CHECKING:
    from conformance.states.handles import Listing, Thread
    from conformance.states.shared import Shared


@requirement("RUN-PAGE-011")
def test_the_newest_run_comes_first(listing: Listing) -> None:
    """Without an order the list is the descending one."""
    wanted = in_order(listing, "desc")

    expect_ids(listing.thread.list(limit=100), wanted)


@requirement("RUN-PAGE-011")
def test_the_default_order_is_descending_in_time(listing: Listing) -> None:
    """The first run of the list is no older than the last."""
    page = listing.thread.list(limit=100)
    created = [each for item in need_page(page) if isinstance(each := item.get("created_at"), int)]
    need(len(created) > 1, f"the list has no times to compare: {page}")

    expect(created[0] >= created[-1], "the newest run first", f"created_at {created}", page)


@requirement("RUN-PAGE-012")
@pytest.mark.parametrize("kind", ["listing", "tied_listing"])
def test_ascending_is_descending_reversed(kind: str, shared: Shared) -> None:
    """The two orders are mirror images, runs of one second included."""
    thread: Thread = getattr(shared, kind).thread
    down = thread.list(limit=100, order="desc")

    up = thread.list(limit=100, order="asc")

    expect_ids(up, list(reversed(ids_of(down))), down)


@requirement("RUN-PAGE-013")
@pytest.mark.parametrize("order", ["foo", "ascending", "ASC"])
def test_an_unknown_order_is_refused(order: str, listing: Listing) -> None:
    """What is neither asc nor desc is no order."""
    expect_refused(listing.thread.list(order=order), because="not a list in some order")


@requirement("RUN-PAGE-026")
@pytest.mark.parametrize("kind", ["listing", "tied_listing"])
@pytest.mark.parametrize("order", ORDERS)
def test_a_page_stays_the_same(order: str, kind: str, shared: Shared) -> None:
    """Nothing happened in between, so the page shows the same runs in the same order."""
    thread: Thread = getattr(shared, kind).thread
    first = thread.list(limit=3, order=order)

    for _ in range(2):
        expect_ids(thread.list(limit=3, order=order), ids_of(first), first)


@requirement("RUN-PAGE-032")
@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("limit", [1, 2])
def test_runs_of_one_second_are_neither_lost_nor_repeated(limit: int, order: str, tied_listing: Listing) -> None:
    """A cursor is a run and not a time, so a walk also visits each of the runs that share a second."""
    seconds = [run.body.get("created_at") for run in tied_listing.runs]
    need(len(set(seconds)) < len(seconds), "no two of the runs were created within one second")
    ids = in_order(tied_listing, order)

    pages = tied_listing.thread.walk(limit=limit, order=order, most=len(ids) + 2)

    visited = whole_walk(pages, ids)
    expect(sorted(visited) == sorted(ids), f"each of {short(ids)} once", short(visited), *pages)


@requirement("RUN-PAGE-032")
@pytest.mark.parametrize("order", ORDERS)
def test_before_loses_no_run_of_the_second_of_its_run(order: str, tied_listing: Listing) -> None:
    """The run next to the cursor shares its second, and comes before it nevertheless."""
    ids = in_order(tied_listing, order)
    second = {run.id: run.body.get("created_at") for run in tied_listing.runs}
    tied = next((at for at in range(1, len(ids)) if second[ids[at]] == second[ids[at - 1]]), 0)
    need(tied, "no two of the runs were created within one second")

    page = tied_listing.thread.list(limit=100, order=order, before=ids[tied])

    need(page.succeeded, f"before is refused with {page.status}, which RUN-PAGE-017 is about")
    got = ids_of(page)
    expect(ids[tied - 1] in got, f"{short(ids[:tied])}", short(got), page)
