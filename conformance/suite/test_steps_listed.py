"""Listing steps: by limit, order, after and before, like runs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from conformance.states.strangers import never_issued
from conformance.suite import requirement
from conformance.suite.expectations import expect, expect_refused, need, need_page, shown
from conformance.suite.listings import (
    ORDERS,
    expect_ids,
    expect_more_while_items_remain,
    expect_no_more_at_the_end,
    expect_nothing_selected,
    expect_what_precedes,
    expect_whole_walk,
    ids_of,
)

if TYPE_CHECKING:
    from conformance.states.lists import Listed
    from conformance.states.shared import Shared
    from conformance.states.subjects import Called

STEPS = "steps"
in_both_orders = pytest.mark.parametrize("order", ORDERS)


def all_of(steps: Listed, order: str) -> list[str]:
    """The ids of all steps in an order; there are two at least, of a run that called a function and answered."""
    ids = ids_of(steps.list(limit=100, order=order))
    need(len(ids) > 1, "there are not two steps to page through, which RUN-STEP-001 is about")
    return ids


@requirement("RUN-STEP-016")
@in_both_orders
@pytest.mark.parametrize("limit", [1, 2, 100])
def test_a_walk_visits_every_step_once(limit: int, order: str, called: Called) -> None:
    """However long its pages are, a walk from page to page visits every step, once, in the order of the list."""
    steps = called.run.steps

    expect_whole_walk(steps, all_of(steps, order), limit=limit, order=order)


@requirement("RUN-STEP-016")
@in_both_orders
def test_has_more_is_not_denied_while_steps_remain(order: str, called: Called) -> None:
    """A page that leaves steps over says so."""
    steps = called.run.steps

    expect_more_while_items_remain(steps, all_of(steps, order), limit=1, order=order)


@requirement("RUN-STEP-016")
@in_both_orders
def test_a_page_of_steps_keeps_its_limit(order: str, called: Called) -> None:
    """A limit of one yields one step, the first."""
    steps = called.run.steps
    ids = all_of(steps, order)

    expect_ids(steps.list(limit=1, order=order), ids[:1], what=STEPS)


@requirement("RUN-STEP-016")
@in_both_orders
def test_steps_come_in_the_order_of_their_creation(order: str, called: Called) -> None:
    """The function was called before the answer was written, so the one step comes before the other."""
    page = called.run.steps.list(limit=100, order=order)
    types = [step.get("type") for step in need_page(page)]
    need({"tool_calls", "message_creation"} <= set(map(str, types)), f"the list does not show both steps: {page}")

    in_time = types if order == "asc" else types[::-1]
    right = in_time.index("tool_calls") < len(in_time) - 1 - in_time[::-1].index("message_creation")
    created = [each for step in need_page(page) if isinstance(each := step.get("created_at"), int)]
    right = right and created == sorted(created, reverse=order == "desc")
    last = "the answer last" if order == "asc" else "the answer first"
    expect(right, f"steps by creation, {last}", f"steps {shown(types)}, created_at {created}", page)


@requirement("RUN-STEP-016")
@in_both_orders
def test_after_begins_behind_its_step(order: str, called: Called) -> None:
    """The page after a step shows what follows it, and not the step itself."""
    steps = called.run.steps
    ids = all_of(steps, order)

    for position, id in enumerate(ids, 1):
        expect_ids(steps.list(order=order, after=id), ids[position:], what=STEPS)


@requirement("RUN-STEP-016")
@in_both_orders
def test_before_ends_ahead_of_its_step(order: str, called: Called) -> None:
    """The page before a step shows what precedes it, and not the step itself."""
    steps = called.run.steps
    ids = all_of(steps, order)

    for position, id in enumerate(ids):
        expect_what_precedes(steps.list(order=order, before=id), ids[:position], what=STEPS)


@requirement("RUN-STEP-024")
@pytest.mark.parametrize(
    "query", [{"limit": "0"}, {"limit": "101"}, {"limit": "abc"}, {"limit": "9" * 20}, {"order": "foo"}], ids=str
)
def test_what_is_no_limit_and_no_order_of_steps_is_refused(query: dict[str, Any], called: Called) -> None:
    """The same limits and orders as for runs."""
    expect_refused(called.run.steps.list(**query), because="not a page by something else")


@requirement("RUN-STEP-024")
@pytest.mark.parametrize("side", ["after", "before"])
def test_what_is_no_step_is_no_cursor(side: str, called: Called) -> None:
    """A cursor that names no step is refused or yields nothing; the first page again would be a walk without end."""
    steps = called.run.steps
    unknown = never_issued(all_of(steps, "desc")[0])

    expect_nothing_selected(steps.list(**{side: unknown}), what=STEPS)


@requirement("RUN-STEP-024")
@pytest.mark.parametrize("side", ["after", "before"])
def test_a_step_of_another_run_is_no_cursor(side: str, called: Called, shared: Shared) -> None:
    """A step of another run is no place in this list."""
    other = ids_of(shared.run("completed").steps.list())
    need(other and other[0] not in all_of(called.run.steps, "desc"), "the other run has no step of its own")

    expect_nothing_selected(called.run.steps.list(**{side: other[0]}), what=STEPS)


@requirement("RUN-STEP-025")
def test_the_newest_step_comes_first(called: Called) -> None:
    """Without an order the list is the descending one."""
    steps = called.run.steps
    wanted = all_of(steps, "desc")

    expect_ids(steps.list(limit=100), wanted, what=STEPS)


@requirement("RUN-STEP-025")
@in_both_orders
def test_ascending_steps_are_descending_reversed(order: str, called: Called) -> None:
    """The two orders are mirror images, steps of one second included, and a page names its ends."""
    steps = called.run.steps
    ids = list(reversed(all_of(steps, "asc" if order == "desc" else "desc")))

    page = steps.list(limit=100, order=order)

    expect_ids(page, ids, what=STEPS)
    ends = {"first_id": ids[0], "last_id": ids[-1]}
    named = {name: page.json[name] for name in ends if name in page.json}
    expect(named.items() <= ends.items(), shown(ends), shown(named), page)


@requirement("RUN-STEP-025")
@in_both_orders
@pytest.mark.parametrize("limit", [1, 2, 100])
def test_the_last_page_of_steps_announces_no_more(limit: int, order: str, called: Called) -> None:
    """The page that ends with the last step, exactly full or not, says that it is the last."""
    steps = called.run.steps

    expect_no_more_at_the_end(steps, all_of(steps, order), limit=limit, order=order)
