"""Cursors: what lies after and before a run, and walks from page to page."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from conformance.reference.errors import Refusal
from conformance.reference.faults.pages import Paged, dropping, with_items
from conformance.reference.faults.registry import fault

if TYPE_CHECKING:
    from conformance.reference.calls import Call
    from conformance.reference.faults.pages import Query


@fault("PAGE-014", "PAGE-015", "PAGE-019", "PAGE-020", "PAGE-023", "PAGE-027", "PAGE-032", "PAGE-035")
class AfterIncludes(Paged):
    """The page after a run begins with that run."""

    def list_runs(self, call: Call) -> dict[str, Any]:
        query = dict(call.query)
        told = super().list_runs(call)
        if (cursor := query.get("after")) and cursor in self._thread(call).runs:
            limit = int(query.get("limit", "20"))
            data = [self.shown(self._thread(call).runs[cursor], call), *told["data"]]
            return with_items(told, data[:limit], has_more=told["has_more"] or len(data) > limit)
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
        return dropping("after")(query)


@fault("PAGE-014", "PAGE-020", "PAGE-023", "PAGE-024", "PAGE-025")
class AfterNeedsLimit(Paged):
    """after is ignored where no limit is given."""

    def asked(self, query: Query, call: Call) -> Query:
        return query if "limit" in dict(query) else dropping("after")(query)


@fault("PAGE-017", "PAGE-021", "PAGE-023", "PAGE-024", "PAGE-025")
class BeforeNeedsLimit(Paged):
    """before is ignored where no limit is given."""

    def asked(self, query: Query, call: Call) -> Query:
        return query if "limit" in dict(query) else dropping("before")(query)


@fault("PAGE-017", "PAGE-018", "PAGE-019", "PAGE-021", "PAGE-023", "PAGE-024", "PAGE-025")
class IgnoresBefore(Paged):
    """before is ignored."""

    def asked(self, query: Query, call: Call) -> Query:
        return dropping("before")(query)


@fault("PAGE-018", "PAGE-019", seen="fakeai 0.3.2")
class BeforeFromTheStart(Paged):
    """The page before a run is the first page of the list."""

    def list_runs(self, call: Call) -> dict[str, Any]:
        query = dict(call.query)
        if not query.get("before") or query.get("after"):
            return super().list_runs(call)
        limit = query.get("limit", "20")
        told = super().list_runs(replace(call, query=[*dropping("limit")(list(call.query)), ("limit", "100")]))
        return with_items(told, told["data"][: int(limit)], has_more=len(told["data"]) > int(limit))


@fault("PAGE-016")
class NeverMoreBefore(Paged):
    """With before, has_more is always false."""

    def told(self, page: dict[str, Any], query: dict[str, str], call: Call) -> dict[str, Any]:
        return {**page, "has_more": False} if "before" in query else page


@fault("PAGE-022")
class AlwaysMoreBefore(Paged):
    """With before, has_more is always true."""

    def told(self, page: dict[str, Any], query: dict[str, str], call: Call) -> dict[str, Any]:
        return {**page, "has_more": True} if "before" in query else page


@fault()
class MoreBehindBefore(Paged):
    """With before, has_more says whether runs follow the page, as the run itself does: nobody says otherwise."""

    def told(self, page: dict[str, Any], query: dict[str, str], call: Call) -> dict[str, Any]:
        return {**page, "has_more": bool(page["data"])} if "before" in query else page


@fault("PAGE-021")
class NothingBeforeIsEverything(Paged):
    """The page before the first run is the whole list."""

    def told(self, page: dict[str, Any], query: dict[str, str], call: Call) -> dict[str, Any]:
        if query.get("before") and not page["data"]:
            return super().list_runs(replace(call, query=dropping("before")(list(call.query))))
        return page


@fault("PAGE-023")
class AfterWins(Paged):
    """before is ignored when after is given as well."""

    def asked(self, query: Query, call: Call) -> Query:
        return dropping("before")(query) if "after" in dict(query) else query


@fault("PAGE-023")
class AfterWinsWithLimit(Paged):
    """before is ignored when after and a limit are given as well."""

    def asked(self, query: Query, call: Call) -> Query:
        return dropping("before")(query) if {"after", "limit"} <= set(dict(query)) else query


@fault("PAGE-006")
class NoLimitInBetween(Paged):
    """The limit is ignored when after and before are both given."""

    def asked(self, query: Query, call: Call) -> Query:
        return dropping("limit")(query) if {"after", "before"} <= set(dict(query)) else query


@fault("PAGE-010")
class TurnedInBetween(Paged):
    """A page with a limit between after and before is turned around."""

    def told(self, page: dict[str, Any], query: dict[str, str], call: Call) -> dict[str, Any]:
        return with_items(page, page["data"][::-1]) if {"after", "before", "limit"} <= set(query) else page


@fault()
class LastInBetween(Paged):
    """A page with a limit between after and before ends at before, and not at after: nobody says otherwise."""

    def list_runs(self, call: Call) -> dict[str, Any]:
        query = dict(call.query)
        if not {"after", "before", "limit"} <= set(query):
            return super().list_runs(call)
        told = super().list_runs(replace(call, query=dropping("limit")(list(call.query))))
        limit = int(query["limit"])
        return with_items(told, told["data"][-limit:], has_more=len(told["data"]) > limit)


@fault("PAGE-024", "PAGE-025")
class UnknownCursorsWithLimit(Paged):
    """A cursor that names no run of the list is ignored where a limit is given."""

    def asked(self, query: Query, call: Call) -> Query:
        runs = self._thread(call).runs
        kept = [(n, v) for n, v in query if n not in {"after", "before"} or v in runs]
        return kept if "limit" in dict(query) else query


@fault("PAGE-024", "PAGE-025")
class UnknownCursorsAscending(Paged):
    """A cursor that names no run of the list is ignored in ascending order."""

    def asked(self, query: Query, call: Call) -> Query:
        runs = self._thread(call).runs
        kept = [(n, v) for n, v in query if n not in {"after", "before"} or v in runs]
        return kept if dict(query).get("order") == "asc" else query


@fault("PAGE-014")
class OnlyTheRestedAreCursors(Paged):
    """A cursor that names a run which has not ended is not found."""

    def list_runs(self, call: Call) -> dict[str, Any]:
        named = [self._thread(call).runs.get(value) for name, value in call.query if name in {"after", "before"}]
        if any(run and not run.is_final(call.now) for run in named):
            raise Refusal("The cursor names no run.")
        return super().list_runs(call)


@fault("PAGE-024")
class NullIsNoCursor(Paged):
    """The word null is taken for no cursor."""

    def asked(self, query: Query, call: Call) -> Query:
        return [(n, v) for n, v in query if v != "null"]


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


@fault("PAGE-027")
class SnapshotOfTheWalk(Paged):
    """A walk shows the runs that there were when it began, and no other."""

    def told(self, page: dict[str, Any], query: dict[str, str], call: Call) -> dict[str, Any]:
        known = self.__dict__.setdefault("_known", {})
        thread = call.ids["thread_id"]
        if "after" not in query:
            known[thread] = set(self.whole(call))
        return with_items(page, [run for run in page["data"] if run["id"] in known.get(thread, {run["id"]})])


@fault("PAGE-032", "PAGE-027")
class CursorIsTime(Paged):
    """after skips every run of the second of its run."""

    def list_runs(self, call: Call) -> dict[str, Any]:
        cursor = dict(call.query).get("after")
        runs = self._thread(call).runs
        if cursor not in runs:
            return super().list_runs(call)
        query = [*dropping("after", "limit")(list(call.query)), ("limit", "100")]
        told = super().list_runs(replace(call, query=query))
        second, order = int(runs[cursor].created), dict(call.query).get("order", "desc")
        data = [
            run
            for run in told["data"]
            if (run["created_at"] < second if order == "desc" else run["created_at"] > second)
        ]
        limit = int(dict(call.query).get("limit", "20"))
        return with_items(told, data[:limit], has_more=len(data) > limit)


@fault("PAGE-032")
class BeforeIsTime(Paged):
    """before skips every run of the second of its run."""

    def told(self, page: dict[str, Any], query: dict[str, str], call: Call) -> dict[str, Any]:
        run = self._thread(call).runs.get(query.get("before", ""))
        second = int(run.created) if run else None
        return with_items(page, [each for each in page["data"] if each["created_at"] != second])
