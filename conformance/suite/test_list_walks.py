"""Listing runs: from page to page, and what is on the list at all."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from conformance.outcomes import Untested
from conformance.states import ACTIVE
from conformance.states.strangers import never_issued
from conformance.suite import fresh_run, requirement, shared_run
from conformance.suite.expectations import (
    expect,
    expect_no_crash,
    expect_status,
    need,
    need_page,
    need_run,
    status_of,
)
from conformance.suite.listings import (
    ORDERS,
    expect_ids,
    expect_more_while_items_remain,
    expect_no_more_at_the_end,
    expect_whole_walk,
    ids_of,
    in_order,
    short,
)

if TYPE_CHECKING:
    from conformance.client import Client
    from conformance.states.handles import Listing, Run, Thread
    from conformance.states.shared import Shared
    from conformance.states.stage import Stage


@requirement("RUN-PAGE-015")
@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("limit", range(1, 7))
def test_a_walk_visits_every_run_once(limit: int, order: str, listing: Listing) -> None:
    """However long its pages are, a walk from page to page visits every run, once, in the order of the list."""
    expect_whole_walk(listing.thread, in_order(listing, order), limit=limit, order=order)


@requirement("RUN-PAGE-016")
@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("limit", range(1, 5))
def test_has_more_is_not_denied_while_runs_remain(limit: int, order: str, listing: Listing) -> None:
    """A page that leaves runs over says so."""
    expect_more_while_items_remain(listing.thread, in_order(listing, order), limit=limit, order=order)


@requirement("RUN-PAGE-016")
def test_the_default_page_does_not_deny_the_21st_run(long_listing: Listing) -> None:
    """A page without a limit that leaves a run over says so, too."""
    page = long_listing.thread.list()

    left = len(long_listing.runs) - len(ids_of(page))
    need(left > 0, f"the page shows every run, which RUN-PAGE-007 is about: {page}")
    expect(page.json.get("has_more") is not False, "has_more true", f"has_more false, {left} runs remain", page)


@requirement("RUN-PAGE-016")
@pytest.mark.parametrize("order", ORDERS)
def test_has_more_is_not_denied_in_the_midst_of_the_list(order: str, listing: Listing) -> None:
    """
    A page before a run that has runs on either side does not say that there are none.

    Nobody says which side has_more is about when a client pages back, so nothing else is judged of it.
    """
    ids = in_order(listing, order)

    page = listing.thread.list(limit=2, order=order, before=ids[4])

    need(ids_of(page) == ids[2:4], "the page is not the one right before the run")
    more = page.json.get("has_more")
    expect(more is not False, "has_more true", "has_more false, with runs on either side of the page", page)


@requirement("RUN-PAGE-036")
@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("limit", [1, 2, 5, 6, 100])
def test_the_last_page_announces_no_more(limit: int, order: str, listing: Listing) -> None:
    """The page that ends with the last run, exactly full or not, says that it is the last."""
    expect_no_more_at_the_end(listing.thread, in_order(listing, order), limit=limit, order=order)


@requirement("RUN-PAGE-022")
def test_a_thread_without_runs_has_an_empty_page(other_thread: Thread) -> None:
    """A thread without runs is listed as a page without items; the invariants judge its members."""
    expect_ids(other_thread.list(), [])


@requirement("RUN-PAGE-027")
@pytest.mark.long
def test_a_walk_stays_whole_while_a_run_is_created(stage: Stage) -> None:
    """The list grows: an ascending walk ends with the new run, the other is past it; neither loses any."""
    thread = stage.thread()
    runs = [run.id for run in stage.fill(thread, 4)]
    first = {order: thread.list(limit=2, order=order) for order in ORDERS}
    begun = [ids_of(page) for page in first.values()]
    need(all(set(ids) <= set(runs) and len(ids) == 2 for ids in begun), "no walk began with two of the runs")

    new = stage.fill(thread, 1)[0].id

    for order, page in first.items():
        rest = thread.list(limit=100, order=order, after=ids_of(page)[-1])
        visited = [*ids_of(page), *ids_of(rest)]
        expected = [*runs, new]
        if order == "desc":  # where the new run is no loss either, should it share its second with those to come
            visited, expected = [id for id in visited if id != new], runs
        expect(sorted(visited) == sorted(expected), short(expected), short(visited), page, rest)
        if order == "asc":
            expect(visited[-1] == new, f"the new run {new} at the end", f"{visited[-1]} at the end", page, rest)


@requirement("RUN-PAGE-028")
def test_a_new_run_is_listed_at_once(client: Client, stage: Stage) -> None:
    """Whoever created a run finds it in the list, also after a look at it when it was empty."""
    thread = stage.thread()
    thread.list()
    created = stage.create_run(thread)
    run = need_run(created)
    read = client.call("retrieve_run", thread_id=thread.id, run_id=run["id"])
    need(read.succeeded, f"the run does not exist, which RUN-CREATE-001 is about: {read}")

    page = thread.list()

    expect(run["id"] in ids_of(page), f"run {run['id']} in the list", short(ids_of(page)), created, page)


@requirement("RUN-PAGE-029")
@shared_run("cancelled", "incomplete", "failed", "expired")
def test_a_run_without_a_result_stays_listed(run: Run) -> None:
    """However a run ended, it is part of the thread's history, and remains so."""
    at_once = run.thread.list()
    run.pause("afterlife", since=run.seen)
    later = run.thread.list()

    for page in (at_once, later):
        expect(run.id in ids_of(page), f"run {run.id} in the list", short(ids_of(page)), run.seen, page)


@requirement("RUN-PAGE-037")
@shared_run("requires_action")
def test_a_run_that_waits_for_outputs_is_listed(run: Run) -> None:
    """Whoever lost the id of a run finds it in the list, and can go on with it."""
    _expect_listed_while_active(run)


@requirement("RUN-PAGE-037")
@fresh_run("in_progress")
def test_a_run_is_listed_while_it_works_and_while_it_is_cancelled(run: Run) -> None:
    """A run does not leave the list to be worked on, nor to be cancelled."""
    _expect_listed_while_active(run)

    reply = run.cancel()

    if reply.succeeded and need_run(reply).get("status") == "cancelling":
        _expect_listed_while_active(run, limit=1)  # by another URL: a page that was kept is RUN-PAGE-028's business


@requirement("RUN-PAGE-030")
def test_an_unknown_parameter_does_no_harm(listing: Listing) -> None:
    """A parameter that the API does not have is ignored or refused."""
    page = listing.thread.list(conformance="1")

    expect_no_crash(page)
    if page.succeeded:
        expect_ids(page, ids_of(listing.thread.list()))


@requirement("RUN-PAGE-033")
def test_a_thread_that_does_not_exist_has_no_list(client: Client, other_thread: Thread) -> None:
    """No thread is another answer than no runs."""
    page = client.call("list_runs", thread_id=never_issued(other_thread.id))

    expect_status(page, 404)


@requirement("RUN-PAGE-033")
def test_a_deleted_thread_has_no_list(client: Client, stage: Stage) -> None:
    """A thread that is gone is no thread without runs."""
    thread = stage.thread()
    deleted = client.call("delete_thread", thread_id=thread.id)
    if not deleted.succeeded:
        raise Untested(f"the target does not delete threads: {deleted}", gates=False)

    there = client.call("retrieve_thread", thread_id=thread.id)
    need(not there.succeeded, f"the thread was not deleted at all: {there}")

    page = thread.list()

    expect(page.status == 404, "status 404", f"status {page.status}", deleted, there, page)


@requirement("RUN-PAGE-034")
@pytest.mark.parametrize("kind", ["listing", "tied_listing", "empty"])
def test_the_walk_of_an_sdk_ends(kind: str, shared: Shared, other_thread: Thread) -> None:
    """The loop of the official clients, on while there is more, after the last run seen, comes to an end."""
    thread: Thread = other_thread if kind == "empty" else getattr(shared, kind).thread
    runs = 0 if kind == "empty" else len(getattr(shared, kind).runs)

    pages = thread.walk(limit=2, order="desc", most=runs + 3)

    ended = not need_page(pages[-1]) or pages[-1].json.get("has_more") is not True
    expect(ended, f"an end within {runs + 2} pages", f"more is announced after {len(pages)} pages", *pages)


def _expect_listed_while_active(run: Run, **query: object) -> None:
    """Expect a run in its thread's list; one that came to rest meanwhile is another requirement's business."""
    page = run.thread.list(**query)

    if run.id not in ids_of(page):
        seen = run.retrieve()
        status = status_of(seen)
        need(status in ACTIVE, f"the run was {status} by then, which RUN-PAGE-029 is about: {seen}")
        expect(False, f"run {run.id}, which is {status}, in the list", short(ids_of(page)), run.seen, page, seen)
