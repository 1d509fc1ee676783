"""The moves that list the runs of a thread."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from conformance.outcomes import Untested
from conformance.search.claims import claim, told
from conformance.search.moves import Moves
from conformance.search.pages import (
    DEFAULT_LIMIT,
    growth_claims,
    order_claims,
    presence_claims,
    repeated_claims,
    short,
    slice_claims,
    unpaged_claims,
    walk_claims,
)
from conformance.states.lists import items_of

if TYPE_CHECKING:
    from conformance.search.known import KnownThread
    from conformance.wire.exchange import Exchange

_HIGHEST_LIMIT: Final = 100


class ListingMoves(Moves):
    """What can be done next, listing among it."""

    def list_runs(self, at: int, limit: int | None, order: str | None, after: int | None, *, filled: bool) -> None:
        """
        List a page of a thread.

        Args:
            at: The thread.
            limit: Runs a page, if asked for.
            order: `asc` or `desc`, if asked for.
            after: A place in the whole list.
            filled: Whether it is to be a thread with several runs, all at rest.
        """
        with self.move():
            thread = self._filled(at) if filled else self._at(at)
            if after is None:
                if order != "desc" and thread.rests and len(thread.runs) > 1:
                    self._whole(thread, "desc")  # which the other orders are compared with
                self._page(thread, limit, order)
                return
            order = order or "desc"
            ids = self._whole(thread, order)
            self._page(thread, limit, order, ids[after % len(ids)])

    def walk(self, at: int, limit: int, order: str) -> None:
        """Follow the pages of a thread from the first to the last."""
        with self.move():
            thread = self._filled(at)
            whole = self._whole(thread, order)
            pages = thread.handle.walk(limit=limit, order=order, most=len(whole) + 2)
            self.say(walk_claims(thread, pages, [id for page in pages for id in _ids_of(page)], whole))

    def walk_while_it_grows(self, at: int) -> None:
        """List the first run, let another one finish, and list what follows the first."""
        with self.move():
            thread = self._filled(at)
            ids = self._whole(thread, "asc")
            first = thread.handle.list(limit=1, order="asc")
            if _ids_of(first) != ids[:1] or len(ids) < 2:  # noqa: PLR2004 - a walk has more than one page
                raise Untested("the walk does not begin as it should")
            self._create(thread, "quick", "rest")
            if thread.rests:
                rest = thread.handle.list(limit=_HIGHEST_LIMIT, order="asc", after=ids[0])
                wanted = [run.handle.id for run in thread.runs if run.handle.id != ids[0]]
                self.say(growth_claims(thread, first, rest, _ids_of(rest), wanted))

    def _filled(self, at: int) -> KnownThread:
        """A thread that has several runs, all at rest."""
        filled = [thread for thread in self.threads if thread.rests and len(thread.runs) > 1]
        if not filled:
            filled.append(self._thread(long=False))
            for _ in range(2):
                self._create(filled[0], "quick", "rest")
                self.pause(self.waits.budget("apart"), "apart")
        return filled[-1 - at % len(filled)]

    def _page(self, thread: KnownThread, limit: int | None, order: str | None, after: str | None = None) -> None:
        asked = {"limit": limit, "order": order, "after": after}
        given = {name: value for name, value in asked.items() if value is not None}
        page = self.need_patience(thread.handle.list(**given))
        if not page.succeeded:
            self._unpaged(thread, page, given)
            return
        ids = _ids_of(page)
        if limit in {1, _HIGHEST_LIMIT}:
            self.say([claim("RUN-PAGE-008", True, "a page (2xx)", told(page), page)])
        if not thread.runs and not thread.lost:
            self.say([claim("RUN-PAGE-022", not ids, "no runs", short(ids), page)])
        room = after is None and len(thread.runs) < (limit or DEFAULT_LIMIT)
        if room:
            self.say(presence_claims(thread, page, ids))
        if not thread.rests or not thread.runs:
            return
        if room and sorted(ids) == sorted(run.handle.id for run in thread.runs):
            self.say(order_claims(thread, page, order, ids))
            thread.whole.setdefault(order, (page, ids))
        if earlier := thread.pages.setdefault(page.request.query, (page, ids)):
            self.say(repeated_claims(page, ids, earlier) if earlier[0] is not page else ())
        if order in thread.whole and order is not None:
            self.say(slice_claims(thread, page, ids, thread.whole[order]))

    def _unpaged(self, thread: KnownThread, page: Exchange, given: dict[str, int | str]) -> None:
        limit = given.get("limit")
        if not thread.runs and not thread.lost and limit not in {1, _HIGHEST_LIMIT}:
            self.say([claim("RUN-PAGE-022", False, "an empty page (2xx)", told(page), page)])
        else:
            without = {**given}
            without.pop("limit" if limit in {1, _HIGHEST_LIMIT} else "after", None)
            self.say(unpaged_claims(thread, page, thread.handle.list(**without) if given else None))

    def _whole(self, thread: KnownThread, order: str) -> list[str]:
        """All runs of a thread in the target's own order, which is what a page of it is compared with."""
        for run in thread.runs:
            if run.may_move:
                self.look(run)
        if order not in thread.whole:
            self._page(thread, _HIGHEST_LIMIT, order)
        if order not in thread.whole or not thread.runs:
            raise Untested("the whole list is not known")
        return thread.whole[order][1]


def _ids_of(page: Exchange) -> list[str]:
    return [str(item["id"]) for item in items_of(page)]
