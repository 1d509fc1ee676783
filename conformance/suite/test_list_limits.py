"""Listing runs: how many there are on a page."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from conformance.suite import requirement
from conformance.suite.expectations import expect, expect_no_crash, expect_refused, need_page
from conformance.suite.listings import ids_of

if TYPE_CHECKING:
    from conformance.client import Client
    from conformance.states.handles import Listing
    from conformance.states.shared import Shared


@requirement("RUN-PAGE-007")
def test_the_default_limit_is_20(long_listing: Listing) -> None:
    """Of 21 runs, a list without a limit shows 20."""
    page = long_listing.thread.list()

    number = len(need_page(page))
    expect(number == 20, "20 runs", f"{number} runs", page)


@requirement("RUN-PAGE-008")
@pytest.mark.parametrize(
    ("kind", "limit"), [("listing", 1), ("listing", 100), ("long_listing", 21), ("long_listing", 100)]
)
def test_a_limit_within_the_range_is_kept(kind: str, limit: int, shared: Shared) -> None:
    """Both ends of the range are limits, as is what lies above the default, and yield as many runs as there are."""
    listing: Listing = getattr(shared, kind)

    page = listing.thread.list(limit=limit)

    expect(page.succeeded, "a page (2xx)", f"status {page.status}", page)
    number, wanted = len(ids_of(page)), min(limit, len(listing.runs))
    expect(number == wanted, f"{wanted} runs", f"{number} runs", page)


@requirement("RUN-PAGE-009")
@pytest.mark.parametrize("limit", ["0", "-1", "101", "1000", "abc", "1.5", "5abc", "9" * 20])
def test_a_limit_out_of_range_is_refused(limit: str, listing: Listing) -> None:
    """What is no integer from 1 to 100 is no limit."""
    page = listing.thread.list(limit=limit)

    expect_refused(page, because="not a page cut by another limit")


@requirement("RUN-PAGE-031")
@pytest.mark.parametrize("limits", [("1", "200"), ("200", "1")], ids=["small-then-large", "large-then-small"])
def test_two_limits_do_no_harm(limits: tuple[str, str], client: Client, listing: Listing) -> None:
    """A limit that is given twice is refused, or is one of the two as far as that is a limit."""
    query: Any = [("limit", each) for each in limits]

    page = client.call("list_runs", thread_id=listing.thread.id, query=query)

    expect_no_crash(page)
    if page.succeeded:
        number = len(need_page(page))
        expect(number <= 100, "at most 100 runs", f"{number} runs", page)
