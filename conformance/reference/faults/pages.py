"""Pages: limits, order, cursors, walks."""

from __future__ import annotations

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


def _dropping(*names: str) -> Callable[[Query], Query]:
    return lambda query: [(name, value) for name, value in query if name not in names]


def _items(page: dict[str, Any], data: Sequence[dict[str, Any]], **more: Any) -> dict[str, Any]:
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
        return _dropping("order")(query) if dict(query).get("order") == "asc" else query


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


@fault("PAGE-014", "PAGE-015", "PAGE-019", "PAGE-020", "PAGE-023", "PAGE-027", "PAGE-032", "PAGE-035")
class AfterIncludes(Paged):
    """The page after a run begins with that run."""

    def list_runs(self, call: Call) -> dict[str, Any]:
        query = dict(call.query)
        told = super().list_runs(call)
        if (cursor := query.get("after")) and cursor in self._thread(call).runs:
            limit = int(query.get("limit", "20"))
            data = [self.shown(self._thread(call).runs[cursor], call), *told["data"]]
            return _items(told, data[:limit], has_more=told["has_more"] or len(data) > limit)
        return told


@fault(
    "PAGE-014",
    "PAGE-015",
    "PAGE-019",
    "PAGE-020",
    "PAGE-023",
    "PAGE-024",
    "PAGE-025",
    "PAGE-027",
    "PAGE-032",
    "PAGE-034",
    "PAGE-035",
)
class IgnoresAfter(Paged):
    """after is ignored."""

    def asked(self, query: Query, call: Call) -> Query:
        return _dropping("after")(query)


@fault("PAGE-017", "PAGE-018", "PAGE-019", "PAGE-021", "PAGE-023", "PAGE-024", "PAGE-025")
class IgnoresBefore(Paged):
    """before is ignored."""

    def asked(self, query: Query, call: Call) -> Query:
        return _dropping("before")(query)


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


@fault("PAGE-018", "PAGE-019", seen="fakeai 0.3.2")
class BeforeFromTheStart(Paged):
    """The page before a run is the first page of the list."""

    def list_runs(self, call: Call) -> dict[str, Any]:
        query = dict(call.query)
        if not query.get("before") or query.get("after"):
            return super().list_runs(call)
        limit = query.get("limit", "20")
        told = super().list_runs(replace(call, query=[*_dropping("limit")(list(call.query)), ("limit", "100")]))
        return _items(told, told["data"][: int(limit)], has_more=len(told["data"]) > int(limit))


@fault("PAGE-021")
class NothingBeforeIsEverything(Paged):
    """The page before the first run is the whole list."""

    def told(self, page: dict[str, Any], query: dict[str, str], call: Call) -> dict[str, Any]:
        if query.get("before") and not page["data"]:
            return super().list_runs(replace(call, query=_dropping("before")(list(call.query))))
        return page


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


@fault("PAGE-023")
class AfterWins(Paged):
    """before is ignored when after is given as well."""

    def asked(self, query: Query, call: Call) -> Query:
        return _dropping("before")(query) if "after" in dict(query) else query


@fault("PAGE-024", "PAGE-025", seen="fakeai 0.3.2")
class IgnoresUnknownCursors(Paged):
    """A cursor that names no run of the list is ignored."""

    def asked(self, query: Query, call: Call) -> Query:
        runs = self._thread(call).runs
        return [(n, v) for n, v in query if n not in {"after", "before"} or v in runs]


@fault("PAGE-024")
class UnknownCursorCrashes(Paged):
    """A cursor that names no run is a crash."""

    def asked(self, query: Query, call: Call) -> Query:
        given = dict(query)
        issued = {id for thread in self._store.threads.values() for id in thread.runs}
        if any(given.get(name, "") not in {"", *issued} for name in ("after", "before")):
            raise Refusal("Oops.", status=500, kind="server_error")
        return query


@fault("PAGE-026", "PAGE-015")
class Shuffles(Paged):
    """A short page turns around with every read."""

    _turn = 0

    def told(self, page: dict[str, Any], query: dict[str, str], call: Call) -> dict[str, Any]:
        if query.get("limit") != "3":
            return page
        self._turn += 1
        return _items(page, page["data"][1:] if self._turn % 2 else page["data"])


@fault("PAGE-027")
class SnapshotOfTheWalk(Paged):
    """A walk shows the runs that there were when it began, and no other."""

    def told(self, page: dict[str, Any], query: dict[str, str], call: Call) -> dict[str, Any]:
        known = self.__dict__.setdefault("_known", {})
        thread = call.ids["thread_id"]
        if "after" not in query:
            known[thread] = set(self.whole(call))
        return _items(page, [run for run in page["data"] if run["id"] in known.get(thread, {run["id"]})])


@fault("PAGE-028")
class ListedLater(Paged):
    """A new run is listed once it works."""

    def told(self, page: dict[str, Any], query: dict[str, str], call: Call) -> dict[str, Any]:
        return _items(page, [run for run in page["data"] if run["status"] != "queued"])


@fault("PAGE-029")
class OnlySuccesses(Paged):
    """Failed and cancelled runs are not listed."""

    def told(self, page: dict[str, Any], query: dict[str, str], call: Call) -> dict[str, Any]:
        return _items(page, [run for run in page["data"] if run["status"] not in {"failed", "cancelled"}])


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


@fault("PAGE-032", "PAGE-027")
class CursorIsTime(Paged):
    """after skips every run of the second of its run."""

    def list_runs(self, call: Call) -> dict[str, Any]:
        cursor = dict(call.query).get("after")
        runs = self._thread(call).runs
        if cursor not in runs:
            return super().list_runs(call)
        query = [*_dropping("after", "limit")(list(call.query)), ("limit", "100")]
        told = super().list_runs(replace(call, query=query))
        second, order = int(runs[cursor].created), dict(call.query).get("order", "desc")
        data = [
            run
            for run in told["data"]
            if (run["created_at"] < second if order == "desc" else run["created_at"] > second)
        ]
        limit = int(dict(call.query).get("limit", "20"))
        return _items(told, data[:limit], has_more=len(data) > limit)


@fault("PAGE-033")
class UnknownThreadIsEmpty(Operations):
    """The list of an unknown thread is an empty page."""

    def list_runs(self, call: Call) -> dict[str, Any]:
        if call.ids["thread_id"].startswith("thread_") and call.ids["thread_id"] not in self._store.threads:
            return {"object": "list", "data": [], "first_id": None, "last_id": None, "has_more": False}
        return super().list_runs(call)


@fault("PAGE-003")
class ListsStrangers(Operations):
    """A listed run is of another thread."""

    def list_runs(self, call: Call) -> dict[str, Any]:
        told = super().list_runs(call)
        return {**told, "data": [{**run, "thread_id": "thread_another"} for run in told["data"]]}
