"""What a page and a walk must show, where the runs of the thread are known."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from conformance.search.claims import claim, told

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from conformance.search.claims import Claim
    from conformance.search.known import KnownThread
    from conformance.wire.exchange import Exchange

#: Runs on a page where no limit is asked for.
DEFAULT_LIMIT: Final = 20
_WITHOUT_RESULT: Final = frozenset({"cancelled", "failed", "expired", "incomplete"})
#: Runs from which on an order can be told.
_SEVERAL: Final = 2
#: The orders that a list in one order is compared with: the other one is its mirror image, none is descending.
_COMPARED: Final[Mapping[str | None, tuple[tuple[str | None, str], ...]]] = {
    "asc": (("desc", "RUN-PAGE-012"),),
    "desc": (("asc", "RUN-PAGE-012"), (None, "RUN-PAGE-011")),
    None: (("desc", "RUN-PAGE-011"),),
}


def presence_claims(thread: KnownThread, page: Exchange, ids: Sequence[str]) -> Iterator[Claim]:
    """Judge which runs are on a page that has room for all of them."""
    if thread.lost:
        return
    for run in thread.runs:
        if run.found and not run.astray:
            listed = run.handle.id in ids
            if run is thread.runs[-1] and run.may_move:
                yield claim("RUN-PAGE-028", listed, f"run {run.handle.id} in the list", short(ids), run.seen, page)
            elif run.status in _WITHOUT_RESULT and run.rests:
                yield claim("RUN-PAGE-029", listed, f"run {run.handle.id} in the list", short(ids), run.seen, page)
    yield from stranger_claims(thread, page, ids)


def stranger_claims(thread: KnownThread, page: Exchange, ids: Sequence[str]) -> Iterator[Claim]:
    """Judge that a run whose creation was refused is not there after all."""
    strangers = [id for id in ids if id not in {run.handle.id for run in thread.runs}]
    if thread.refused and not thread.lost:
        yield claim(
            "RUN-LIFE-012",
            not strangers,
            "no run on the thread that was refused",
            short(strangers),
            *thread.refused[-1:],
            page,
        )


def order_claims(thread: KnownThread, page: Exchange, order: str | None, ids: list[str]) -> Iterator[Claim]:
    """Judge the order of a whole list by the same list in another order."""
    for other, row in _COMPARED[order] if len(ids) >= _SEVERAL else ():
        if other in thread.whole:
            seen, before = thread.whole[other]
            wanted = before[::-1] if row == "RUN-PAGE-012" else before
            yield claim(row, ids == wanted, short(wanted), short(ids), seen, page)


def repeated_claims(page: Exchange, ids: list[str], earlier: tuple[Exchange, list[str]]) -> Iterator[Claim]:
    """Judge a page that was asked for before, with nothing done in between."""
    seen, before = earlier
    yield claim("RUN-PAGE-026", ids == before, short(before), short(ids), seen, page)


def slice_claims(
    thread: KnownThread, page: Exchange, ids: list[str], whole: tuple[Exchange, list[str]]
) -> Iterator[Claim]:
    """Judge a page by the whole list in the same order: where it begins, and whether it says what is left."""
    seen, all_ids = whole
    after, limit = page.request.param("after"), int(page.request.param("limit") or DEFAULT_LIMIT)
    rest = all_ids[all_ids.index(after) + 1 :] if after else all_ids
    wanted, more = rest[:limit], page.json.get("has_more") if isinstance(page.json, dict) else None
    if after and not wanted:
        yield claim("RUN-PAGE-020", not ids and more is not True, "an empty last page", short(ids), seen, page)
    elif after and (row := _cursor_row(thread)):
        yield claim(row, _alike(thread, ids[:limit], wanted), short(wanted), short(ids), seen, page)
    if wanted and ids == wanted:
        left = len(rest) - len(wanted)
        row = "RUN-PAGE-016" if left else "RUN-PAGE-036"
        wrong = more is False if left else more is True
        yield claim(row, not wrong, f"has_more {str(bool(left)).lower()}", f"{left} runs remain", seen, page)


def walk_claims(
    thread: KnownThread, pages: Sequence[Exchange], visited: list[str], whole: list[str]
) -> Iterator[Claim]:
    """Judge a walk from page to page by the whole list; one that has_more ended early is that member's fault."""
    more = pages[-1].json.get("has_more")
    early = visited == whole[: len(visited)] and len(visited) < len(whole) and more is False
    if not early and isinstance(more, bool) and (row := _cursor_row(thread, of_walk=True)):
        yield claim(row, _alike(thread, visited, whole), short(whole), short(visited), *pages)
    if visited == whole and len(pages) > 1 and isinstance(more, bool):
        announced = not pages[-1].json.get("data")
        yield claim("RUN-PAGE-036", not announced, "has_more false", "has_more true, although no run follows", *pages)


def _cursor_row(thread: KnownThread, *, of_walk: bool = False) -> str | None:
    """The row about where a page begins; runs of one second have one of their own, and some do not say."""
    if thread.tied is None:
        return None
    return "RUN-PAGE-032" if thread.tied else "RUN-PAGE-015" if of_walk else "RUN-PAGE-014"


def _alike(thread: KnownThread, ids: list[str], wanted: list[str]) -> bool:
    """Whether two lists of runs are the same; among runs of one second only what is lost or repeated counts."""
    return sorted(ids) == sorted(wanted) if thread.tied else ids == wanted


def growth_claims(
    thread: KnownThread, first: Exchange, rest: Exchange, ids: list[str], wanted: list[str]
) -> Iterator[Claim]:
    """Judge the rest of a walk in ascending order during which the last of the runs was created."""
    whole = sorted(ids) == sorted(wanted) and ids[-1] == wanted[-1]
    yield claim("RUN-PAGE-027", whole, short(wanted), short(ids), first, thread.runs[-1].created, rest)


def unpaged_claims(thread: KnownThread, page: Exchange, control: Exchange | None) -> Iterator[Claim]:
    """
    Judge a reply without a page, though nothing was wrong with the request.

    Args:
        thread: That was listed.
        page: The reply.
        control: The same list without the limit if that is at an end of its range, else without a cursor.
    """
    if control is None or not control.succeeded:
        return
    if page.request.param("limit") in {"1", "100"}:
        if page.refused:
            yield claim("RUN-PAGE-008", False, "a page (2xx)", told(page), control, page)
    elif page.request.param("after") and (row := _cursor_row(thread)):
        yield claim(row, False, "a page (2xx)", told(page), control, page)


def short(ids: Sequence[str]) -> str:
    """Runs by the ends of their ids, which tell them apart."""
    return f"runs {', '.join(f'...{id[-6:]}' for id in ids)}" if ids else "no runs"
