"""Lists: which runs are on them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from conformance.reference.faults.pages import Paged, with_items
from conformance.reference.faults.registry import fault
from conformance.reference.operations import Operations

if TYPE_CHECKING:
    from conformance.reference.calls import Call


@fault("PAGE-026", "PAGE-015")
class Shuffles(Paged):
    """A short page turns around with every read."""

    _turn = 0

    def told(self, page: dict[str, Any], query: dict[str, str], call: Call) -> dict[str, Any]:
        if query.get("limit") != "3":
            return page
        self._turn += 1
        return with_items(page, page["data"][1:] if self._turn % 2 else page["data"])


@fault("PAGE-028")
class ListedLater(Paged):
    """A new run is listed once it works."""

    def told(self, page: dict[str, Any], query: dict[str, str], call: Call) -> dict[str, Any]:
        return with_items(page, [run for run in page["data"] if run["status"] != "queued"])


@fault("PAGE-029")
class OnlySuccesses(Paged):
    """Failed and cancelled runs are not listed."""

    def told(self, page: dict[str, Any], query: dict[str, str], call: Call) -> dict[str, Any]:
        return with_items(page, [run for run in page["data"] if run["status"] not in {"failed", "cancelled"}])


@fault("PAGE-029")
class ForgetsTheCancelled(Paged):
    """A cancelled run leaves the list a second later."""

    def told(self, page: dict[str, Any], query: dict[str, str], call: Call) -> dict[str, Any]:
        return with_items(page, [run for run in page["data"] if call.now < (run["cancelled_at"] or call.now) + 2])


@fault("PAGE-037")
class OnlyTheRested(Paged):
    """A run is not listed from when work on it begins until it has come to rest."""

    def told(self, page: dict[str, Any], query: dict[str, str], call: Call) -> dict[str, Any]:
        moving = {"in_progress", "requires_action", "cancelling"}
        return with_items(page, [run for run in page["data"] if run["status"] not in moving])


@fault("PAGE-037")
class HidesTheCancelling(Paged):
    """A run is not listed while it is being cancelled."""

    def told(self, page: dict[str, Any], query: dict[str, str], call: Call) -> dict[str, Any]:
        return with_items(page, [run for run in page["data"] if run["status"] != "cancelling"])


@fault("INV-033", "PAGE-028")
class CachedList(Paged):
    """A page is kept for a second, and shown again to who asks for the same URL."""

    def list_runs(self, call: Call) -> dict[str, Any]:
        kept: dict[Any, tuple[float, dict[str, Any]]] = self.__dict__.setdefault("_kept", {})
        url = (call.ids["thread_id"], *call.query)
        if url not in kept or not 0 <= call.now - kept[url][0] < 1:
            kept[url] = (call.now, super().list_runs(call))
        return kept[url][1]


@fault("PAGE-035")
class ShownTwice(Paged):
    """The first run of a page is shown twice."""

    def told(self, page: dict[str, Any], query: dict[str, str], call: Call) -> dict[str, Any]:
        return with_items(page, [*page["data"][:1], *page["data"]][: int(query.get("limit", "20"))])


@fault("PAGE-033", "ERR-004")
class UnknownThreadIsEmpty(Operations):
    """The list of an unknown thread is an empty page."""

    def list_runs(self, call: Call) -> dict[str, Any]:
        if call.ids["thread_id"].startswith("thread_") and call.ids["thread_id"] not in self._store.threads:
            return {"object": "list", "data": [], "first_id": None, "last_id": None, "has_more": False}
        return super().list_runs(call)


@fault("PAGE-033")
class DeletedThreadIsEmpty(Operations):
    """The list of a deleted thread is an empty page."""

    def delete_thread(self, call: Call) -> dict[str, Any]:
        told = super().delete_thread(call)
        self.__dict__.setdefault("_deleted", set()).add(told["id"])
        return told

    def list_runs(self, call: Call) -> dict[str, Any]:
        if call.ids["thread_id"] in self.__dict__.get("_deleted", ()):
            return {"object": "list", "data": [], "first_id": None, "last_id": None, "has_more": False}
        return super().list_runs(call)


@fault("PAGE-003")
class ListsStrangers(Operations):
    """A listed run is of another thread."""

    def list_runs(self, call: Call) -> dict[str, Any]:
        told = super().list_runs(call)
        return {**told, "data": [{**run, "thread_id": "thread_another"} for run in told["data"]]}
