"""Pages of the reference server, against a list that is cut by hand."""

from __future__ import annotations

from itertools import product
from typing import Any

import pytest

from support.reference_caller import Caller

COUNT = 6


@pytest.fixture(scope="module")
def caller() -> Caller:
    return Caller()


@pytest.fixture(scope="module")
def thread(caller: Caller) -> str:
    """A thread with some runs, of which several were created within one second."""
    thread = caller.thread()
    fill(caller, thread, COUNT)
    return thread


@pytest.fixture(scope="module")
def oldest_first(caller: Caller, thread: str) -> list[str]:
    return ids(caller.get(f"{thread}/runs", order="asc"))


def short(limit: str) -> str:
    return limit[:20]


def fill(caller: Caller, thread: str, count: int) -> list[str]:
    """Create runs, and give back their ids, oldest first."""
    assistant = caller.assistant(model="reference-quick")
    created = []
    for _ in range(count):
        created.append(caller.create(thread, assistant_id=assistant)["id"])
        caller.wait(0.2)
    return created


def ids(page: dict[str, Any]) -> list[str]:
    return [run["id"] for run in page["data"]]


def test_ties_within_a_second_keep_the_order_of_creation(caller: Caller) -> None:
    thread = caller.thread()
    created = fill(caller, thread, COUNT)

    page = caller.get(f"{thread}/runs", order="asc")

    assert ids(page) == created
    assert len({run["created_at"] for run in page["data"]}) < COUNT


@pytest.mark.parametrize("order", ["asc", "desc", None])
@pytest.mark.parametrize("limit", [*range(1, COUNT + 2), 99, 100, None])
def test_every_cut_is_the_one_made_by_hand(
    caller: Caller, thread: str, oldest_first: list[str], limit: int | None, order: str | None
) -> None:
    everything = oldest_first if order == "asc" else oldest_first[::-1]
    fits = 20 if limit is None else limit
    asked: dict[str, Any] = {"order": order, "limit": limit}

    for after, before in product([None, *everything], repeat=2):
        query = {**asked, "after": after, "before": before}
        page = caller.get(f"{thread}/runs", **{name: value for name, value in query.items() if value is not None})

        eligible = [
            id
            for place, id in enumerate(everything)
            if (after is None or place > everything.index(after))
            and (before is None or place < everything.index(before))
        ]
        backward = before is not None and after is None
        wanted = eligible[max(0, len(eligible) - fits) :] if backward else eligible[:fits]
        assert ids(page) == wanted
        assert page["has_more"] is (len(eligible) > fits)
        assert page["first_id"] == (wanted[0] if wanted else None)
        assert page["last_id"] == (wanted[-1] if wanted else None)
        assert list(page) == ["object", "data", "first_id", "last_id", "has_more"]
        assert page["object"] == "list"


@pytest.mark.parametrize("order", ["asc", "desc"])
@pytest.mark.parametrize("limit", range(1, COUNT + 2))
def test_a_walk_meets_every_run_once_and_needs_no_empty_page(
    caller: Caller, thread: str, oldest_first: list[str], limit: int, order: str
) -> None:
    pages = [caller.get(f"{thread}/runs", order=order, limit=limit)]
    while pages[-1]["has_more"]:
        pages.append(caller.get(f"{thread}/runs", order=order, limit=limit, after=pages[-1]["last_id"]))

    met = [id for page in pages for id in ids(page)]
    assert met == (oldest_first if order == "asc" else oldest_first[::-1])
    assert len(pages) == -(-COUNT // limit)


@pytest.mark.parametrize("limit", range(1, COUNT + 2))
def test_a_walk_backward_leads_to_where_one_forward_came_from(
    caller: Caller, thread: str, oldest_first: list[str], limit: int
) -> None:
    pages = [caller.get(f"{thread}/runs", order="asc", limit=limit, before=oldest_first[-1])]
    while pages[-1]["has_more"]:
        pages.append(caller.get(f"{thread}/runs", order="asc", limit=limit, before=pages[-1]["first_id"]))

    assert [id for page in reversed(pages) for id in ids(page)] == oldest_first[:-1]


def test_an_empty_list_has_no_first_and_no_last(caller: Caller) -> None:
    page = caller.get(f"{caller.thread()}/runs")

    assert page == {"object": "list", "data": [], "first_id": None, "last_id": None, "has_more": False}


@pytest.mark.parametrize(("count", "limit"), [(20, None), (21, None), (100, 100), (101, 100)])
def test_there_is_more_only_when_there_is(caller: Caller, count: int, limit: int | None) -> None:
    thread = caller.thread()
    created = fill(caller, thread, count)
    asked = {} if limit is None else {"limit": limit}
    fits = limit or 20

    page = caller.get(f"{thread}/runs", **asked)

    assert ids(page) == created[::-1][:fits]
    assert page["has_more"] is (count > fits)


def test_messages_are_paged_as_runs_are(caller: Caller) -> None:
    said = [{"role": "user", "content": str(number)} for number in range(COUNT)]
    thread = caller.thread(*said)

    page = caller.get(f"{thread}/messages", order="asc", limit=2)
    assert [each["content"][0]["text"]["value"] for each in page["data"]] == ["0", "1"]
    assert page["has_more"]
    page = caller.get(f"{thread}/messages", order="asc", limit=4, after=page["last_id"])
    assert [each["content"][0]["text"]["value"] for each in page["data"]] == ["2", "3", "4", "5"]
    assert not page["has_more"]
    assert caller.refused("GET", f"{thread}/messages", after="msg_x")["param"] == "after"


@pytest.mark.parametrize("limit", ["0", "-1", "-0", "101", "1000", "9" * 19, "-" + "9" * 19, "9" * 640], ids=short)
def test_a_limit_beyond_its_bounds_is_refused(caller: Caller, thread: str, limit: str) -> None:
    told = caller.refused("GET", f"{thread}/runs", limit=limit)

    assert told["param"] == "limit"
    low = limit.startswith("-") or limit == "0"
    assert told["code"] == ("integer_below_min_value" if low else "integer_above_max_value")


@pytest.mark.parametrize(
    "limit", ["", "abc", "1.0", "1e1", "0x1", " 1", "1\n", "+1", "\u0661", "\u00b2", "1_0", "null"]
)
def test_a_limit_that_is_no_integer_is_refused(caller: Caller, thread: str, limit: str) -> None:
    told = caller.refused("GET", f"{thread}/runs", limit=limit)

    assert (told["param"], told["code"]) == ("limit", "invalid_type")


@pytest.mark.parametrize("order", ["", "ASC", "asc ", "descending", "created_at", "\x00"])
def test_an_order_that_does_not_exist_is_refused(caller: Caller, thread: str, order: str) -> None:
    told = caller.refused("GET", f"{thread}/runs", order=order)

    assert (told["param"], told["code"]) == ("order", "invalid_value")


@pytest.mark.parametrize("param", ["after", "before"])
def test_a_cursor_that_names_no_run_of_the_thread_is_refused(caller: Caller, thread: str, param: str) -> None:
    elsewhere = caller.create()["id"]
    message = caller.get(f"{thread}/messages")["first_id"]

    for cursor in ("run_000000000000000000000000", "x", elsewhere, message):
        told = caller.refused("GET", f"{thread}/runs", **{param: cursor})
        assert (told["param"], told["code"]) == (param, "invalid_value")


def test_empty_cursors_and_unknown_parameters_are_ignored(caller: Caller, thread: str, oldest_first: list[str]) -> None:
    page = caller.get(f"{thread}/runs", after="", before="", timeout=120, Limit=0)

    assert ids(page) == oldest_first[::-1]


def test_of_a_repeated_parameter_the_last_one_counts(caller: Caller, thread: str) -> None:
    answer = caller.send("GET", f"{thread}/runs", query=[("limit", "x"), ("limit", "1")])

    assert answer.status == 200
