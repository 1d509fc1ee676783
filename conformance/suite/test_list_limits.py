"""Listing runs: how many there are on a page."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from conformance.suite import requirement
from conformance.suite.expectations import expect, expect_no_crash, expect_refused, expect_status, need_page

if TYPE_CHECKING:
    from conformance.client import Client
    from conformance.states.handles import Listing
    from conformance.states.stage import Stage


@requirement("RUN-PAGE-007")
def test_the_default_limit_is_20(stage: Stage) -> None:
    """Of 21 runs, a list without a limit shows 20 and says that there are more."""
    thread = stage.thread()
    stage.fill(thread, 21, optional=True)

    page = thread.list()

    number = len(need_page(page))
    expect(number == 20, "20 runs", f"{number} runs", page)


@requirement("RUN-PAGE-008")
@pytest.mark.parametrize("limit", [1, 100])
def test_both_ends_of_the_range_are_accepted(limit: int, listing: Listing) -> None:
    """The smallest and the largest limit are limits, and yield as many runs as there are."""
    page = listing.thread.list(limit=limit)

    expect_status(page, 200)
    number, wanted = len(need_page(page)), min(limit, len(listing.runs))
    expect(number == wanted, f"{wanted} runs", f"{number} runs", page)


@requirement("RUN-PAGE-009")
@pytest.mark.parametrize("limit", ["0", "-1", "101", "1000", "abc", "1.5"])
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
