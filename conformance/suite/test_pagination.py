"""Listing runs: limits, order, cursors and walks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from conformance.states.strangers import never_issued
from conformance.suite import requirement, shared_run
from conformance.suite.expectations import (
    expect,
    expect_no_crash,
    expect_refused,
    expect_status,
    need,
    need_page,
    need_run,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from conformance.client import Client
    from conformance.states.handles import Listing, Run, Thread
    from conformance.states.shared import Shared
    from conformance.states.stage import Stage
    from conformance.wire.exchange import Exchange

ORDERS = ("asc", "desc")


def ids_of(reply: Exchange) -> list[str]:
    """The ids of a page, in its order."""
    return [item["id"] for item in need_page(reply)]


def in_order(listing: Listing, order: str = "desc") -> list[str]:
    """All runs of a listing in the target's own order; where runs are missing, other requirements are about that."""
    ids = ids_of(listing.thread.list(limit=100, order=order))
    need(sorted(ids) == sorted(run.id for run in listing.runs), "the whole list does not show the runs that were made")
    return ids


def expect_ids(reply: Exchange, wanted: Sequence[str], *before: Exchange) -> None:
    """The page must show exactly these runs, in this order."""
    expect(reply.succeeded, f"a page with {list(wanted)}", f"status {reply.status}", *before, reply)
    got = ids_of(reply)
    expect(got == list(wanted), f"runs {list(wanted)}", f"runs {got}", *before, reply)


@requirement("RUN-PAGE-007")
def test_the_default_limit_is_20(stage: Stage) -> None:
    """Of 21 runs, a list without a limit shows 20 and says that there are more."""
    thread = stage.thread()
    stage.fill(thread, 21, optional=True)

    page = thread.list()

    number, more = len(need_page(page)), page.json.get("has_more")
    expect(number == 20 and more is True, "20 runs and has_more true", f"{number} runs and has_more {more}", page)


@requirement("RUN-PAGE-008")
@pytest.mark.parametrize("limit", [1, 100])
def test_both_ends_of_the_range_are_accepted(limit: int, listing: Listing) -> None:
    """The smallest and the largest limit are limits, and yield as many runs as there are."""
    page = listing.thread.list(limit=limit)

    expect_status(page, 200)
    number, wanted = len(need_page(page)), min(limit, len(listing.runs))
    expect(number == wanted, f"{wanted} runs", f"{number} runs", page)


@requirement("RUN-PAGE-009")
@pytest.mark.parametrize("limit", ["0", "-1", "101", "1000", "abc", "1.5", ""], ids=lambda value: value or "empty")
def test_a_limit_out_of_range_is_refused(limit: str, listing: Listing) -> None:
    """What is no integer from 1 to 100 is no limit."""
    page = listing.thread.list(limit=limit)

    expect_refused(page, because="not a page cut by another limit")


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
@pytest.mark.parametrize("order", ["foo", "ascending", ""], ids=lambda value: value or "empty")
def test_an_unknown_order_is_refused(order: str, listing: Listing) -> None:
    """What is neither asc nor desc is no order."""
    expect_refused(listing.thread.list(order=order), because="not a list in some order")


@requirement("RUN-PAGE-014")
@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("position", range(4))
def test_after_begins_behind_its_run(position: int, order: str, listing: Listing) -> None:
    """The page after a run shows what follows it, and not the run itself."""
    ids = in_order(listing, order)

    page = listing.thread.list(limit=100, order=order, after=ids[position])

    expect_ids(page, ids[position + 1 :])


@requirement("RUN-PAGE-015")
@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("limit", range(1, 7))
def test_a_walk_visits_every_run_once(limit: int, order: str, listing: Listing) -> None:
    """However long its pages are, a walk from page to page visits every run, once, in the order of the list."""
    ids = in_order(listing, order)

    pages = listing.thread.walk(limit=limit, order=order, most=len(ids) + 2)

    visited = [id for page in pages for id in ids_of(page)]
    lost = pages[-1].json.get("has_more") is False and visited == ids[: len(visited)] != ids
    need(not lost, "the walk ended early because has_more was false, which is another requirement's")
    expect(visited == ids, f"runs {ids}", f"runs {visited}", *pages)


@requirement("RUN-PAGE-016")
@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("limit", range(1, 5))
def test_has_more_is_not_denied_while_runs_remain(limit: int, order: str, listing: Listing) -> None:
    """A page that leaves runs over says so."""
    ids = in_order(listing, order)

    for start in range(len(ids) - limit):
        after = {"after": ids[start - 1]} if start else {}
        page = listing.thread.list(limit=limit, order=order, **after)
        need(ids_of(page) == ids[start : start + limit], "the page does not show the runs that it should")
        more = page.json.get("has_more")
        expect(more is not False, "has_more true", f"has_more false, {len(ids) - start - limit} runs remain", page)


@requirement("RUN-PAGE-036")
@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("limit", [1, 2, 5, 6, 100])
def test_the_last_page_announces_no_more(limit: int, order: str, listing: Listing) -> None:
    """The page that ends with the last run, exactly full or not, says that it is the last."""
    ids = in_order(listing, order)
    left = min(limit, len(ids))
    after = {"after": ids[-left - 1]} if left < len(ids) else {}

    page = listing.thread.list(limit=limit, order=order, **after)

    need(ids_of(page) == ids[-left:], "the page does not end with the last run")
    more = page.json.get("has_more")
    expect(more is not True, "has_more false", "has_more true, although no run follows", page)


@requirement("RUN-PAGE-017")
@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("position", range(1, 5))
def test_before_ends_ahead_of_its_run(position: int, order: str, listing: Listing) -> None:
    """With room for all, the page before a run shows what precedes it, and not the run itself."""
    ids = in_order(listing, order)

    page = listing.thread.list(limit=100, order=order, before=ids[position])

    expect(page.succeeded, "a page", f"status {page.status}", page)
    got = ids_of(page)
    expect(sorted(got) == sorted(ids[:position]), f"runs {ids[:position]}", f"runs {got}", page)


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
    second = thread.list(limit=2, order=order, after=ids_of(first)[-1])

    back = thread.list(limit=2, order=order, before=ids_of(second)[0])

    expect_ids(back, ids_of(first), first, second)


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


@requirement("RUN-PAGE-022")
def test_a_thread_without_runs_has_an_empty_page(other_thread: Thread) -> None:
    """A thread without runs is listed as a page without items; the invariants judge its members."""
    expect_ids(other_thread.list(), [])


@requirement("RUN-PAGE-023")
@pytest.mark.parametrize("order", ORDERS)
def test_after_and_before_together_enclose_runs(order: str, listing: Listing) -> None:
    """Two cursors select what lies between them, unless they are refused together."""
    ids = in_order(listing, order)

    page = listing.thread.list(order=order, after=ids[0], before=ids[4])

    if not page.refused:
        expect_ids(page, ids[1:4])


@requirement("RUN-PAGE-024")
@pytest.mark.parametrize("cursor", ["never-issued", "undefined", "0"])
@pytest.mark.parametrize("side", ["after", "before"])
def test_an_unknown_cursor_does_not_start_over(side: str, cursor: str, listing: Listing) -> None:
    """A cursor that names no run is refused or yields nothing; the first page again would be a walk without end."""
    unknown = never_issued(listing.runs[0].id) if cursor == "never-issued" else cursor

    page = listing.thread.list(**{side: unknown})

    if not page.refused:
        expect(page.status < 500, "a refusal (4xx) or an empty page", f"status {page.status}", page)
        got = ids_of(page)
        expect(not got, "a refusal (4xx) or an empty page", f"{len(got)} runs", page)


@requirement("RUN-PAGE-025")
@pytest.mark.parametrize("side", ["after", "before"])
@shared_run("completed")
def test_a_cursor_of_another_thread_selects_nothing(side: str, listing: Listing, run: Run) -> None:
    """A run of another thread is no place in this list."""
    page = listing.thread.list(**{side: run.id})

    if not page.refused:
        expect(page.status < 500, "a refusal (4xx) or an empty page", f"status {page.status}", run.seen, page)
        got = ids_of(page)
        expect(not got, "a refusal (4xx) or an empty page", f"{len(got)} runs", run.seen, page)


@requirement("RUN-PAGE-026")
@pytest.mark.parametrize("kind", ["listing", "tied_listing"])
@pytest.mark.parametrize("order", ORDERS)
def test_a_page_stays_the_same(order: str, kind: str, shared: Shared) -> None:
    """Nothing happened in between, so the page shows the same runs in the same order."""
    thread: Thread = getattr(shared, kind).thread
    first = thread.list(limit=3, order=order)

    for _ in range(2):
        expect_ids(thread.list(limit=3, order=order), ids_of(first), first)


@requirement("RUN-PAGE-027")
def test_a_run_that_is_created_during_a_walk_comes_last(stage: Stage) -> None:
    """A walk in ascending order repeats and loses nothing while the list grows at its end."""
    thread = stage.thread()
    runs = [run.id for run in stage.fill(thread, 4)]
    first = thread.list(limit=2, order="asc")
    need(set(ids_of(first)) <= set(runs) and len(ids_of(first)) == 2, "the walk did not begin with two of the runs")

    new = stage.fill(thread, 1)[0].id

    rest = thread.list(limit=100, order="asc", after=ids_of(first)[-1])
    visited = [*ids_of(first), *ids_of(rest)]
    expect(sorted(visited) == sorted([*runs, new]), f"runs {[*runs, new]}", f"runs {visited}", first, rest)
    expect(visited[-1] == new, f"the new run {new} at the end", f"{visited[-1]} at the end", first, rest)


@requirement("RUN-PAGE-028")
def test_a_new_run_is_listed_at_once(stage: Stage) -> None:
    """Whoever created a run finds it in the list."""
    thread = stage.thread()
    created = stage.create_run(thread)
    run = need_run(created)

    page = thread.list()

    expect(run["id"] in ids_of(page), f"run {run['id']} in the list", f"runs {ids_of(page)}", created, page)


@requirement("RUN-PAGE-029")
@shared_run("cancelled", "incomplete", "failed", "expired")
def test_a_run_without_a_result_stays_listed(run: Run) -> None:
    """However a run ended, it is part of the thread's history."""
    page = run.thread.list()

    expect(run.id in ids_of(page), f"run {run.id} in the list", f"runs {ids_of(page)}", run.seen, page)


@requirement("RUN-PAGE-030")
def test_an_unknown_parameter_does_no_harm(listing: Listing) -> None:
    """A parameter that the API does not have is ignored or refused."""
    page = listing.thread.list(conformance="1")

    expect_no_crash(page)
    if page.succeeded:
        expect_ids(page, in_order(listing))


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


@requirement("RUN-PAGE-032")
@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("limit", [1, 2])
def test_runs_of_one_second_are_neither_lost_nor_repeated(limit: int, order: str, tied_listing: Listing) -> None:
    """A cursor is a run and not a time, so a walk also visits each of the runs that share a second."""
    seconds = [run.body.get("created_at") for run in tied_listing.runs]
    need(len(set(seconds)) < len(seconds), "no two of the runs were created within one second")

    pages = tied_listing.thread.walk(limit=limit, order=order, most=len(tied_listing.runs) + 2)

    visited = [id for page in pages for id in ids_of(page)]
    wanted = sorted(run.id for run in tied_listing.runs)
    expect(sorted(visited) == wanted, f"each of {wanted} once", f"runs {visited}", *pages)


@requirement("RUN-PAGE-033")
def test_a_thread_that_does_not_exist_has_no_list(client: Client) -> None:
    """No thread is another answer than no runs."""
    page = client.call("list_runs", thread_id="thread_conformanceneverissued00")

    expect_status(page, 404)


@requirement("RUN-PAGE-034")
@pytest.mark.parametrize("kind", ["listing", "tied_listing", "empty"])
def test_the_walk_of_an_sdk_ends(kind: str, shared: Shared, other_thread: Thread) -> None:
    """The loop of the official clients, on while there is more, after the last run seen, comes to an end."""
    thread: Thread = other_thread if kind == "empty" else getattr(shared, kind).thread
    runs = 0 if kind == "empty" else len(getattr(shared, kind).runs)

    pages = thread.walk(limit=2, order="desc", most=runs + 3)

    ended = not need_page(pages[-1]) or pages[-1].json.get("has_more") is not True
    expect(ended, f"an end within {runs + 2} pages", f"more is announced after {len(pages)} pages", *pages)
