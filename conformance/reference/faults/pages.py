"""Pages: their envelope, limits and order."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from conformance.reference.errors import Refusal
from conformance.reference.faults.registry import fault
from conformance.reference.operations import Operations
from conformance.reference.pages import page

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from conformance.reference.calls import Call

    Query = list[tuple[str, str]]


class Paged(Operations):
    """A list that is asked for otherwise, or told otherwise."""

    def list_runs(self, call: Call) -> dict[str, Any]:
        told = super().list_runs(replace(call, query=self.asked(list(call.query), call)))
        return self.told(told, dict(call.query), call)

    def asked(self, query: Query, call: Call) -> Query:
        """The query as the server understands it."""
        return query

    def told(self, page: dict[str, Any], query: dict[str, str], call: Call) -> dict[str, Any]:
        """The page as it is sent."""
        return page

    def whole(self, call: Call, order: str = "desc") -> list[str]:
        """The ids of all runs."""
        ids = [*self._thread(call).runs]
        return ids if order == "asc" else ids[::-1]


def dropping(*names: str) -> Callable[[Query], Query]:
    """Take parameters out of a query."""
    return lambda query: [(name, value) for name, value in query if name not in names]


def with_items(page: dict[str, Any], data: Sequence[dict[str, Any]], **more: Any) -> dict[str, Any]:
    """Put other items on a page."""
    first, last = (data[0]["id"], data[-1]["id"]) if data else (None, None)
    return {**page, "data": list(data), "first_id": first, "last_id": last, **more}


@fault("PAGE-001")
class BareArray(Paged):
    """A list is its items and nothing else than data."""

    def told(self, page: dict[str, Any], query: dict[str, str], call: Call) -> dict[str, Any]:
        return {"data": page["data"], "has_more": page["has_more"]}


@fault("PAGE-001", seen="openai-responses 0.13.1")
class NoObject(Paged):
    """A page does not say that it is a list."""

    def told(self, page: dict[str, Any], query: dict[str, str], call: Call) -> dict[str, Any]:
        return {name: value for name, value in page.items() if name != "object"}


@fault("PAGE-002")
class ObjectPage(Paged):
    """A page calls itself a page."""

    def told(self, page: dict[str, Any], query: dict[str, str], call: Call) -> dict[str, Any]:
        return {**page, "object": "page"}


@fault("PAGE-004")
class HasMoreText(Paged):
    """has_more is a text."""

    def told(self, page: dict[str, Any], query: dict[str, str], call: Call) -> dict[str, Any]:
        return {**page, "has_more": str(page["has_more"]).lower()}


@fault("PAGE-005")
class EndsSwapped(Paged):
    """first_id and last_id are swapped."""

    def told(self, page: dict[str, Any], query: dict[str, str], call: Call) -> dict[str, Any]:
        return {**page, "first_id": page["last_id"], "last_id": page["first_id"]}


@fault("PAGE-005")
class EndsUnsaid(Paged):
    """first_id and last_id are null."""

    def told(self, page: dict[str, Any], query: dict[str, str], call: Call) -> dict[str, Any]:
        return {**page, "first_id": None, "last_id": None}


@fault("PAGE-006", "PAGE-008", "PAGE-018")
class OneTooMany(Paged):
    """A page has one run more than its limit."""

    def asked(self, query: Query, call: Call) -> Query:
        return [(n, str(int(v) + 1) if n == "limit" and v.isdigit() and 0 < int(v) < 100 else v) for n, v in query]


@fault("PAGE-007")
class DefaultOfTen(Paged):
    """Without a limit a page has ten runs."""

    def asked(self, query: Query, call: Call) -> Query:
        return query if "limit" in dict(query) else [*query, ("limit", "10")]


@fault("PAGE-007")
class DefaultOfHundred(Paged):
    """Without a limit a page has up to a hundred runs."""

    def asked(self, query: Query, call: Call) -> Query:
        return query if "limit" in dict(query) else [*query, ("limit", "100")]


@fault("PAGE-008")
class AtMostTwenty(Paged):
    """A limit above 20 is taken for 20."""

    def asked(self, query: Query, call: Call) -> Query:
        return [(n, "20" if n == "limit" and v.isdigit() and 20 < int(v) <= 100 else v) for n, v in query]


@fault("PAGE-008")
class AtMostFifty(Paged):
    """A limit above 50 is refused."""

    def asked(self, query: Query, call: Call) -> Query:
        if dict(query).get("limit") == "100":
            raise Refusal("Too many.")
        return query


@fault("PAGE-009")
class ClampsLimits(Paged):
    """A limit above 100 is taken for 100, and one below 1 for 1."""

    def asked(self, query: Query, call: Call) -> Query:
        return [
            (n, str(min(max(int(v), 1), 100)) if n == "limit" and v.removeprefix("-").isdigit() else v)
            for n, v in query
        ]


@fault("PAGE-009")
class AnyLimit(Paged):
    """A limit that is no number is ignored."""

    def asked(self, query: Query, call: Call) -> Query:
        return [(n, v) for n, v in query if n != "limit" or v.removeprefix("-").isdigit()]


@fault("PAGE-009")
class LeadingDigits(Paged):
    """A limit is the number that it begins with, whatever follows."""

    def asked(self, query: Query, call: Call) -> Query:
        return [(n, re.sub(r"(?<=^\d)[^\d.].*", "", v) if n == "limit" else v) for n, v in query]


@fault("PAGE-009", seen="openai-responses 0.13.1")
class LimitOfZero(Paged):
    """A limit of 0 is an empty page."""

    def list_runs(self, call: Call) -> dict[str, Any]:
        if dict(call.query).get("limit") == "0":
            return {"object": "list", "data": [], "first_id": None, "last_id": None, "has_more": False}
        return super().list_runs(call)


@fault("PAGE-009")
class LimitCrashes(Paged):
    """A limit that is no number is a crash."""

    def asked(self, query: Query, call: Call) -> Query:
        if not dict(query).get("limit", "1").removeprefix("-").isdigit():
            raise Refusal("Oops.", status=500, kind="server_error")
        return query


@fault("PAGE-010", "PAGE-012", "PAGE-027")
class AlwaysDescending(Paged):
    """The order is ignored."""

    def asked(self, query: Query, call: Call) -> Query:
        return dropping("order")(query) if dict(query).get("order") == "asc" else query


@fault("PAGE-011")
class OldestFirst(Paged):
    """Without an order the oldest run comes first."""

    def asked(self, query: Query, call: Call) -> Query:
        return query if "order" in dict(query) else [*query, ("order", "asc")]


@fault("PAGE-012", seen="fakeai 0.3.2")
class UnstableWithinSeconds(Operations):
    """Runs of one second keep the order in which they were made, also where it should be reversed."""

    def list_runs(self, call: Call) -> dict[str, Any]:
        if dict(call.query).get("order", "desc") != "desc":
            return super().list_runs(call)
        runs = [self.shown(run, call) for run in self._thread(call).runs.values()]
        newest_first = sorted(runs, key=lambda run: run["created_at"], reverse=True)
        return page(newest_first[::-1], call.query, "run")


@fault("PAGE-013", seen="fakeai 0.3.2")
class AnyOrder(Paged):
    """An unknown order is taken for ascending."""

    def asked(self, query: Query, call: Call) -> Query:
        return [(n, v if n != "order" or v == "desc" else "asc") for n, v in query]


@fault("PAGE-013")
class OrderInAnyCase(Paged):
    """An order is understood in capitals as well."""

    def asked(self, query: Query, call: Call) -> Query:
        return [(n, v.lower() if n == "order" else v) for n, v in query]


@fault("PAGE-016")
class NoMoreByDefault(Paged):
    """has_more is false where no limit is given."""

    def told(self, page: dict[str, Any], query: dict[str, str], call: Call) -> dict[str, Any]:
        return page if "limit" in query else {**page, "has_more": False}


@fault("PAGE-016")
class NeverMore(Paged):
    """has_more is always false."""

    def told(self, page: dict[str, Any], query: dict[str, str], call: Call) -> dict[str, Any]:
        return {**page, "has_more": False}


@fault("PAGE-036")
class MoreOnAFullPage(Paged):
    """has_more is true on a page that is exactly full."""

    def told(self, page: dict[str, Any], query: dict[str, str], call: Call) -> dict[str, Any]:
        return {**page, "has_more": len(page["data"]) == int(query.get("limit", "20"))}


@fault("PAGE-020", "PAGE-022", "PAGE-036")
class AlwaysMore(Paged):
    """has_more is always true."""

    def told(self, page: dict[str, Any], query: dict[str, str], call: Call) -> dict[str, Any]:
        return {**page, "has_more": True}


@fault("PAGE-022")
class EmptyEnds(Paged):
    """An empty page has empty ids."""

    def told(self, page: dict[str, Any], query: dict[str, str], call: Call) -> dict[str, Any]:
        return page if page["data"] else {**page, "first_id": "", "last_id": ""}


@fault("PAGE-022")
class EmptyIsNotFound(Paged):
    """The list of a thread without runs is a 404."""

    def told(self, page: dict[str, Any], query: dict[str, str], call: Call) -> dict[str, Any]:
        if not self._thread(call).runs:
            raise Refusal("No runs.", status=404)
        return page


@fault("PAGE-030")
class StrictQuery(Paged):
    """An unknown query parameter is a crash."""

    def asked(self, query: Query, call: Call) -> Query:
        if set(dict(query)) - {"limit", "order", "after", "before"}:
            raise Refusal("Oops.", status=500, kind="server_error")
        return query


@fault("PAGE-031")
class TwiceCrashes(Paged):
    """A limit that is given twice is a crash."""

    def asked(self, query: Query, call: Call) -> Query:
        if len(query) != len(dict(query)):
            raise Refusal("Oops.", status=500, kind="server_error")
        return query
