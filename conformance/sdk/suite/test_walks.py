"""Pages, and walks through them that a client makes by itself."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from conformance.outcomes import Untested
from conformance.sdk import bodies
from conformance.sdk.bodies import THREAD
from conformance.sdk.script import refusal, reply
from conformance.suite import requirement
from conformance.wire.values import shown

if TYPE_CHECKING:
    from conformance.sdk.conversation import Conversation, Seen

FIRST = reply(bodies.page("run_1", "run_2", has_more=True))
SECOND = reply(bodies.page("run_3", "run_4", has_more=True))
LAST = reply(bodies.page("run_5"))
NOTHING = reply(bodies.page())
NOTHING_AND_MORE = reply(bodies.page(has_more=True))
#: More than anybody has a reason to ask for.
MANY = 12
#: The pages of a long walk.
PAGES = 25


def walked(sdk: Conversation, **options: Any) -> Seen:
    """A walk through all runs of a thread."""
    return sdk.call("iterate_runs", thread_id=THREAD, **options)


@requirement("SDK-PAGE-001")
@pytest.mark.parametrize("has_more", [True, False])
def test_a_page_is_given_as_it_is(sdk: Conversation, has_more: bool) -> None:
    """Its runs, and whether it is the last one."""
    sdk.answers(reply(bodies.page("run_2", "run_1", "run_3", has_more=has_more)))

    seen = sdk.call("list_runs", thread_id=THREAD)

    seen.expect(seen.answer.error is None, "the page")
    page = seen.result
    seen.expect(page["ids"] == ["run_2", "run_1", "run_3"], "run_2, run_1, run_3", shown(page["ids"]))
    if "has_more" not in page:
        sdk.claims("has-more")
    seen.expect(page.get("has_more") is has_more, f"has_more {has_more}", f"has_more {shown(page.get('has_more'))}")


@requirement("SDK-PAGE-002")
def test_a_walk_visits_each_run_once(sdk: Conversation) -> None:
    """Over three pages, in their order."""
    sdk.answers(FIRST, SECOND, LAST, *[NOTHING] * MANY)

    seen = walked(sdk)

    ids = [f"run_{number}" for number in range(1, 6)]
    seen.expect(seen.answer.result == ids, f"each once: {shown(ids)}")


@requirement("SDK-PAGE-002")
def test_a_walk_visits_every_page(sdk: Conversation) -> None:
    """However many there are."""
    ids = [f"run_{number}" for number in range(PAGES)]
    sdk.answers(*(reply(bodies.page(id, has_more=id != ids[-1])) for id in ids), *[NOTHING] * MANY)

    seen = walked(sdk)

    told = f"{seen.answer}, after {len(seen.requests)} requests"
    seen.expect(seen.answer.result == ids, f"each of {PAGES} runs, one on a page, once", told)


@requirement("SDK-PAGE-003")
def test_the_cursor_is_the_last_id(sdk: Conversation) -> None:
    """Of the page before."""
    sdk.answers(FIRST, SECOND, LAST, *[NOTHING] * MANY)

    seen = walked(sdk)

    cursors = [each.request.param("after") for each in _further(seen)[:2]]
    seen.expect(cursors == ["run_2", "run_4"], "after=run_2, then after=run_4", f"after={shown(cursors)}")


@requirement("SDK-PAGE-004")
@pytest.mark.parametrize(("name", "value"), [("limit", 2), ("order", "asc")])
def test_a_walk_keeps_its_parameters(sdk: Conversation, name: str, value: object) -> None:
    """Each page is asked for as the first one."""
    sdk.answers(FIRST, LAST, *[NOTHING] * MANY)

    seen = walked(sdk, **{name: value})

    sent = [each.request.param(name) for each in _further(seen)]
    if (first := seen.sent.param(name)) != str(value):
        raise Untested(f"the first page was asked for with {name}={shown(first)}, which SDK-REQ-004 is about")
    seen.expect(set(sent) == {str(value)}, f"{name}={value} on every page", f"{name}={shown(sent)}")


@requirement("SDK-PAGE-005")
def test_a_walk_ends(sdk: Conversation) -> None:
    """Where there are no more, at the latest when there is nothing on a page."""
    sdk.answers(FIRST, LAST, *[NOTHING] * MANY)

    seen = walked(sdk)

    _further(seen)
    seen.expect(len(seen.requests) <= 3, "an end", f"{len(seen.requests)} requests")


@requirement("SDK-PAGE-006")
def test_nothing_is_asked_after_the_last_page(sdk: Conversation) -> None:
    """It said that there are no more."""
    sdk.answers(FIRST, LAST, *[NOTHING] * MANY)

    seen = walked(sdk)

    _further(seen)
    seen.expect(len(seen.requests) <= 2, "two requests", f"{len(seen.requests)} requests")


@requirement("SDK-PAGE-007")
def test_a_walk_ends_on_an_empty_page(sdk: Conversation) -> None:
    """Though it promises more."""
    sdk.answers(FIRST, *[NOTHING_AND_MORE] * MANY)

    seen = walked(sdk)

    _further(seen)
    seen.expect(len(seen.requests) <= 3, "an end at the empty page", f"{len(seen.requests)} requests")


@requirement("SDK-PAGE-008")
def test_a_walk_ends_where_the_cursor_stands_still(sdk: Conversation) -> None:
    """The server gives the same page for every cursor."""
    sdk.answers(*[FIRST] * MANY, NOTHING)

    seen = walked(sdk)

    _further(seen)
    seen.expect(len(seen.requests) <= 3, "an end, or an error", f"{len(seen.requests)} requests for the same page")


@requirement("SDK-PAGE-009")
@pytest.mark.parametrize("status", [400, 500])
def test_a_walk_that_is_refused_is_an_error(sdk: Conversation, status: int) -> None:
    """A part is not the whole."""
    sdk.answers(FIRST, *[refusal(status)] * 4)

    seen = walked(sdk)

    _further(seen)
    seen.expect(seen.error.get("status") == status, f"an error with the status {status}")


def _further(seen: Seen) -> list[Any]:
    """The requests for further pages."""
    if len(seen.requests) < 2:
        raise Untested(f"no second page was asked for, which SDK-PAGE-002 is about: {seen.answer}")
    return list(seen.requests[1:])
