"""Lists of steps: limits, orders and cursors."""

from __future__ import annotations

from typing import TYPE_CHECKING

from conformance.reference.faults.pages import with_items
from conformance.reference.faults.registry import fault
from conformance.reference.faults.step_lists import Listed

if TYPE_CHECKING:
    from conformance.reference.calls import Call
    from conformance.reference.faults.step_lists import Page, Query


@fault("STEP-016")
class StepsWithoutLimit(Listed):
    """A limit of steps is not heeded."""

    def told(self, page: Page, query: Query, call: Call) -> Page:
        return {**with_items(page, self.whole(call, query)), "has_more": False} if "after" not in query else page


@fault("STEP-016")
class OneStepMore(Listed):
    """A page has one step more than its limit."""

    def asked(self, query: Query, call: Call) -> Query:
        return {**query, "limit": "2"} if query.get("limit") == "1" else query


@fault("STEP-016", "STEP-024", "STEP-025")
class StepsInOneOrder(Listed):
    """Steps are listed in descending order, whatever is asked for."""

    def asked(self, query: Query, call: Call) -> Query:
        return {name: value for name, value in query.items() if name != "order"}


@fault("STEP-016")
class StepsTurned(Listed):
    """Ascending is descending, and the other way round."""

    def asked(self, query: Query, call: Call) -> Query:
        return {**query, "order": {"asc": "desc", "desc": "asc"}.get(order := query.get("order", "desc"), order)}


@fault("STEP-016", "STEP-024")
class AfterNoStep(Listed):
    """after is not heeded in a list of steps."""

    def asked(self, query: Query, call: Call) -> Query:
        return {name: value for name, value in query.items() if name != "after"}


@fault("STEP-016")
class AfterItself(Listed):
    """The page after a step begins with it."""

    def told(self, page: Page, query: Query, call: Call) -> Page:
        ids = [step["id"] for step in self.whole(call, query)]
        if query.get("after") not in ids:
            return page
        left = self.whole(call, query)[ids.index(query["after"]) :]
        cut = left[: int(query.get("limit", "20"))]
        return with_items(page, cut, has_more=len(cut) < len(left))


@fault("STEP-016")
class AfterTheNext(Listed):
    """The page after a step leaves the next one out."""

    def told(self, page: Page, query: Query, call: Call) -> Page:
        return with_items(page, page["data"][1:]) if query.get("after") else page


@fault("STEP-016", "STEP-024")
class BeforeNoStep(Listed):
    """before is not heeded in a list of steps."""

    def asked(self, query: Query, call: Call) -> Query:
        return {name: value for name, value in query.items() if name != "before"}


@fault("STEP-016")
class BeforeAndItself(Listed):
    """The page before a step ends with it."""

    def told(self, page: Page, query: Query, call: Call) -> Page:
        own = [step for step in self.whole(call, query) if step["id"] == query.get("before")]
        return with_items(page, [*page["data"], *own])


@fault("STEP-016")
class NeverMoreSteps(Listed):
    """A page of steps denies that there are more."""

    def told(self, page: Page, query: Query, call: Call) -> Page:
        return {**page, "has_more": False}


@fault("STEP-024")
class LimitOfStepsClamped(Listed):
    """A limit of steps that is none is taken for the nearest that is one."""

    def asked(self, query: Query, call: Call) -> Query:
        return {
            **query,
            "limit": {"0": "1", "101": "100", "abc": "20"}.get(query.get("limit", "20"), query.get("limit", "20")),
        }


@fault("STEP-024")
class OrderOfStepsGuessed(Listed):
    """An order of steps that is none is taken for the descending one."""

    def asked(self, query: Query, call: Call) -> Query:
        return {**query, "order": "asc" if query.get("order") == "asc" else "desc"}


@fault("STEP-024")
class UnknownStepStartsOver(Listed):
    """A cursor that names no step of the run is not heeded."""

    def asked(self, query: Query, call: Call) -> Query:
        known = self._run(call).step_ids
        return {name: value for name, value in query.items() if name not in {"after", "before"} or value in known}
