"""Handles of what is listed page by page: the runs of a thread, and the steps of a run."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from conformance.outcomes import Untested

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from conformance.wire.exchange import Exchange


class Listed(ABC):
    """Whatever is listed with limit, order, after and before."""

    #: What the items are, in a word.
    what: ClassVar[str]

    @abstractmethod
    def list(self, **query: object) -> Exchange:
        """List the items; keyword arguments are query parameters."""

    def walk(self, *, limit: int, order: str, most: int = 50) -> Sequence[Exchange]:
        """
        Follow the pages as an SDK does, `after` the last item of each while it says that there are more.

        Args:
            limit: Items a page.
            order: `asc` or `desc`.
            most: Pages after which the walk is broken off.

        Raises:
            Untested: a page is no page, which another requirement is about.
        """
        pages: list[Exchange] = []
        query: dict[str, object] = {"limit": limit, "order": order}
        while len(pages) < most:
            pages.append(self.list(**query))
            items = items_of(pages[-1])
            if not items or pages[-1].json.get("has_more") is not True:
                break
            query["after"] = items[-1]["id"]
        return pages


@dataclass(frozen=True)
class Steps(Listed):
    """The steps of a run."""

    #: Calls an operation on the run.
    call: Callable[..., Exchange]
    what: ClassVar[str] = "steps"

    def list(self, **query: object) -> Exchange:
        """List them; keyword arguments are query parameters."""
        return self.call("list_steps", query=in_query(query))

    def retrieve(self, id: str) -> Exchange:
        """Read one of them."""
        return self.call("retrieve_step", step_id=id)


def in_query(query: dict[str, object]) -> Sequence[tuple[str, str]]:
    """Query parameters as they are sent."""
    return [(name, str(value)) for name, value in query.items()]


def items_of(reply: Exchange) -> Sequence[dict[str, Any]]:
    """The items of a successful list reply; another requirement owns a reply without a page, hence `Untested`."""
    data = reply.json.get("data") if reply.succeeded and isinstance(reply.json, dict) else None
    if isinstance(data, list) and all(isinstance(item, dict) and isinstance(item.get("id"), str) for item in data):
        return data
    raise Untested(f"{reply} returned no page")
