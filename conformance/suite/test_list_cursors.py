"""Listing runs: what lies after and before a run."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import pytest

from conformance.states.stage import LONG_PROMPT
from conformance.states.strangers import never_issued
from conformance.suite import requirement
from conformance.suite.expectations import expect, need
from conformance.suite.listings import (
    ORDERS,
    expect_ids,
    expect_nothing_selected,
    expect_what_precedes,
    ids_of,
    in_order,
    short,
)

if TYPE_CHECKING:
    from conformance.states.handles import Listing, Run
    from conformance.states.stage import Stage

#: What may be asked for beside a cursor, apart from nothing.
BESIDE: Final = {"limit": 2, "order": "asc"}


@requirement("RUN-PAGE-014")
@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("position", range(4))
def test_after_begins_behind_its_run(position: int, order: str, listing: Listing) -> None:
    """The page after a run shows what follows it, and not the run itself."""
    ids = in_order(listing, order)

    page = listing.thread.list(limit=100, order=order, after=ids[position])

    expect_ids(page, ids[position + 1 :])


@requirement("RUN-PAGE-014")
@pytest.mark.long
def test_a_run_that_works_is_a_cursor_as_well(stage: Stage) -> None:
    """A run is in the list before it has ended, and so is what follows it."""
    thread = stage.thread()
    (older,) = stage.fill(thread, 1)
    older.pause("apart")
    newer = stage.started(thread, instructions=LONG_PROMPT)  # only this run is to take long
    need(newer.id != older.id, "both runs have one id, so that no page can tell them apart")
    need(newer.id in ids_of(thread.list()), "the new run is not listed, which other requirements are about")

    page = thread.list(order="desc", after=newer.id)

    expect_ids(page, [older.id])


@requirement("RUN-PAGE-014")
@pytest.mark.parametrize("query", [{}, {"order": "asc"}], ids=["alone", "with-order"])
def test_after_needs_no_limit(query: dict[str, Any], listing: Listing) -> None:
    """A cursor is heeded without a limit beside it, and without an order."""
    ids = in_order(listing, query.get("order"))

    page = listing.thread.list(**query, after=ids[1])

    expect_ids(page, ids[2:])


@requirement("RUN-PAGE-017")
@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("position", range(1, 5))
def test_before_ends_ahead_of_its_run(position: int, order: str, listing: Listing) -> None:
    """With room for all, the page before a run shows what precedes it, and not the run itself."""
    ids = in_order(listing, order)

    page = listing.thread.list(limit=100, order=order, before=ids[position])

    expect_what_precedes(page, ids[:position])


@requirement("RUN-PAGE-017")
@pytest.mark.parametrize("order", ORDERS)
def test_before_needs_no_limit(order: str, listing: Listing) -> None:
    """A cursor is heeded where no limit is given, too."""
    ids = in_order(listing, order)

    page = listing.thread.list(order=order, before=ids[3])

    expect_what_precedes(page, ids[:3])


@requirement("RUN-PAGE-018")
@pytest.mark.parametrize("order", ORDERS)
def test_before_shows_the_runs_next_to_its_run(order: str, listing: Listing) -> None:
    """A page before a run that is too small for all that precedes it shows what lies next to the run, in order."""
    ids = in_order(listing, order)

    page = listing.thread.list(limit=2, order=order, before=ids[4])

    expect_ids(page, ids[2:4])


@requirement("RUN-PAGE-019")
@pytest.mark.parametrize("order", ORDERS)
def test_before_leads_back_to_the_page_that_after_left(order: str, listing: Listing) -> None:
    """Paging on and back again shows the same page."""
    thread = listing.thread
    first = thread.list(limit=2, order=order)
    need(ids_of(first), "the first page is empty")
    second = thread.list(limit=2, order=order, after=ids_of(first)[-1])
    need(ids_of(second), "the second page is empty")
    third = thread.list(limit=2, order=order, after=ids_of(second)[-1])
    need(ids_of(third), "the third page is empty")

    back = thread.list(limit=2, order=order, before=ids_of(third)[0])

    expect_ids(back, ids_of(second), second, third)


@requirement("RUN-PAGE-020")
@pytest.mark.parametrize("order", ORDERS)
def test_nothing_follows_the_last_run(order: str, listing: Listing) -> None:
    """The page after the last run is empty, and the last."""
    page = listing.thread.list(order=order, after=in_order(listing, order)[-1])

    expect_ids(page, [])
    expect(page.json.get("has_more") is not True, "has_more false", "has_more true", page)


@requirement("RUN-PAGE-021")
@pytest.mark.parametrize("order", ORDERS)
def test_nothing_precedes_the_first_run(order: str, listing: Listing) -> None:
    """The page before the first run is empty."""
    expect_ids(listing.thread.list(order=order, before=in_order(listing, order)[0]), [])


@requirement("RUN-PAGE-023")
@pytest.mark.parametrize("order", ORDERS)
def test_after_and_before_together_enclose_runs(order: str, listing: Listing) -> None:
    """Two cursors select what lies between them, unless they are refused together."""
    ids = in_order(listing, order)

    page = listing.thread.list(order=order, after=ids[0], before=ids[4])

    if not page.refused:
        expect(page.succeeded, "a page, or a refusal (4xx)", f"status {page.status}", page)
        got = ids_of(page)
        expect(sorted(got) == sorted(ids[1:4]), short(ids[1:4]), short(got), page)


@requirement("RUN-PAGE-023")
@pytest.mark.parametrize("order", ORDERS)
def test_a_limit_cuts_what_two_cursors_enclose(order: str, listing: Listing) -> None:
    """A small page between two cursors lies next to one of them, and nobody says to which; a large one shows it all."""
    ids = in_order(listing, order)

    for after, before, wanted in ((0, 4, (ids[1:3], ids[2:4])), (1, 3, (ids[2:3],))):
        page = listing.thread.list(limit=2, order=order, after=ids[after], before=ids[before])
        if not page.refused:
            expect(page.succeeded, "a page, or a refusal (4xx)", f"status {page.status}", page)
            got = ids_of(page)
            need(len(got) <= 2, f"the limit was not kept, which RUN-PAGE-006 is about: {page}")
            expected = " or ".join(map(short, wanted))
            expect(sorted(got) in map(sorted, wanted), expected, short(got), page)


@requirement("RUN-PAGE-024")
@pytest.mark.parametrize(
    ("cursor", "query"),
    [("never-issued", {}), ("never-issued", BESIDE), ("undefined", {}), ("null", {}), ("0", {})],
    ids=["never-issued", "never-issued-with-limit-and-order", "undefined", "null", "0"],
)
@pytest.mark.parametrize("side", ["after", "before"])
def test_an_unknown_cursor_does_not_start_over(side: str, cursor: str, query: dict[str, Any], listing: Listing) -> None:
    """
    A cursor that names no run is refused or yields nothing; the first page again would be a walk without end.

    One that is empty names nothing at all: clients send it for none, and that is not judged.
    """
    unknown = never_issued(listing.runs[0].id) if cursor == "never-issued" else cursor

    expect_nothing_selected(listing.thread.list(**query, **{side: unknown}))


@requirement("RUN-PAGE-025")
@pytest.mark.parametrize("query", [{}, BESIDE], ids=["alone", "with-limit-and-order"])
@pytest.mark.parametrize("side", ["after", "before"])
def test_a_cursor_of_another_thread_selects_nothing(
    side: str, query: dict[str, Any], listing: Listing, some_run: Run
) -> None:
    """A run of another thread is no place in this list."""
    expect_nothing_selected(listing.thread.list(**query, **{side: some_run.id}), some_run.seen)
