"""Pages of a list: limit, order and cursors."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from conformance.reference.errors import Refusal, invalid

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_DEFAULT_LIMIT = 20
_HIGHEST_LIMIT = 100
#: What any Python converts, however it is set up.
_MOST_DIGITS = 640


def page(items: Sequence[Mapping[str, Any]], query: Sequence[tuple[str, str]], what: str) -> dict[str, Any]:
    """
    Cut a page out of a list.

    Args:
        items: The whole list, oldest first.
        query: The query parameters; unknown ones are ignored.
        what: What an item is, for the refusal of a cursor that names none.

    Raises:
        Refusal: a parameter has an impossible value.
    """
    params = dict(query)
    limit = _limit(params.get("limit"))
    order = params.get("order", "desc")
    if order not in {"asc", "desc"}:
        raise invalid("order", f"'{order}' is neither asc nor desc.")
    ordered = list(items) if order == "asc" else list(reversed(items))
    start, end = 0, len(ordered)
    if after := params.get("after"):
        start = _position(ordered, after, "after", what) + 1
    if before := params.get("before"):
        end = _position(ordered, before, "before", what)
    chosen = ordered[start:end]
    # The page before a cursor is the one that ends at it, unless the other end is given as well.
    cut = chosen[-limit:] if before and not after else chosen[:limit]
    return {
        "object": "list",
        "data": cut,
        "first_id": cut[0].get("id") if cut else None,
        "last_id": cut[-1].get("id") if cut else None,
        "has_more": len(cut) < len(chosen),
    }


def _limit(value: str | None) -> int:
    if value is None:
        return _DEFAULT_LIMIT
    limit = integer_of(value)
    if limit > _HIGHEST_LIMIT:
        raise invalid("limit", f"expected a value <= {_HIGHEST_LIMIT}, but got {limit}.", "integer_above_max_value")
    if limit < 1:
        raise invalid("limit", f"expected a value >= 1, but got {limit}.", "integer_below_min_value")
    return limit


def integer_of(value: str) -> int:
    """
    Read a limit, of whatever size.

    Raises:
        Refusal: it is no integer.
    """
    if not re.fullmatch(rf"-?[0-9]{{1,{_MOST_DIGITS}}}", value):
        raise Refusal("Invalid type for 'limit': expected an integer.", param="limit", code="invalid_type")
    return int(value)


def _position(items: Sequence[Mapping[str, Any]], cursor: str, param: str, what: str) -> int:
    for index, item in enumerate(items):
        if item.get("id") == cursor:
            return index
    raise invalid(param, f"there is no {what} '{cursor}' in this list.")
