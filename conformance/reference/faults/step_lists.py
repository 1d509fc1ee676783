"""Lists of steps, and how a single one is found."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from conformance.reference.errors import Refusal
from conformance.reference.faults.pages import with_items
from conformance.reference.faults.registry import fault
from conformance.reference.operations import Operations

if TYPE_CHECKING:
    from conformance.reference.calls import Call

    Page = dict[str, Any]
    Query = dict[str, str]


class Listed(Operations):
    """Steps are listed otherwise: another query is understood, or another page is told."""

    def list_run_steps(self, call: Call) -> Page:
        query = dict(call.query)
        told = super().list_run_steps(replace(call, query=[*self.asked(query, call).items()]))
        return self.told(told, query, call)

    def asked(self, query: Query, call: Call) -> Query:
        """The query as the server understands it."""
        return query

    def told(self, page: Page, query: Query, call: Call) -> Page:
        """The page as it is sent."""
        return page

    def whole(self, call: Call, query: Query) -> list[dict[str, Any]]:
        """All steps, in the order that is asked for."""
        order = query.get("order", "desc")
        steps: list[dict[str, Any]] = Operations.list_run_steps(self, replace(call, query=[("order", order)]))["data"]
        return steps


@fault("STEP-001")
class StepsWithoutEnvelope(Listed):
    """A list of steps is its items and whether there are more."""

    def told(self, page: Page, query: Query, call: Call) -> Page:
        return {"data": page["data"], "has_more": page["has_more"]}


@fault("STEP-001")
class StepsInAPage(Listed):
    """A list of steps calls itself a page."""

    def told(self, page: Page, query: Query, call: Call) -> Page:
        return {**page, "object": "page"}


@fault("STEP-001")
class MoreStepsInText(Listed):
    """Whether there are more steps is a text."""

    def told(self, page: Page, query: Query, call: Call) -> Page:
        return {**page, "has_more": str(page["has_more"]).lower()}


@fault("STEP-001")
class OnlyIdsOfSteps(Listed):
    """A list of steps holds their ids."""

    def told(self, page: Page, query: Query, call: Call) -> Page:
        return {**page, "data": [step["id"] for step in page["data"]]}


@fault("STEP-001", "INV-036")
class NoSteps(Listed):
    """Every list of steps is empty."""

    def told(self, page: Page, query: Query, call: Call) -> Page:
        return with_items(page, [])


@fault("STEP-001", "INV-036")
class OnlyTheAnswer(Listed):
    """Calls are no steps."""

    def told(self, page: Page, query: Query, call: Call) -> Page:
        return with_items(page, [step for step in page["data"] if step["type"] == "message_creation"])


@fault("STEP-001", "STEP-020", "ERR-011")
class StepsCrash(Operations):
    """Listing steps crashes the server."""

    def list_run_steps(self, call: Call) -> Page:
        super().list_run_steps(call)
        raise Refusal("Something went wrong.", status=500, kind="server_error")


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


@fault("STEP-025", "STEP-020")
class AlwaysMoreSteps(Listed):
    """A page of steps announces more, whatever is left."""

    def told(self, page: Page, query: Query, call: Call) -> Page:
        return {**page, "has_more": True}


@fault("STEP-025")
class OldestStepFirst(Listed):
    """Without an order the oldest step comes first."""

    def asked(self, query: Query, call: Call) -> Query:
        return {"order": "asc", **query}


@fault("STEP-025")
class EndsOfStepsSwapped(Listed):
    """first_id is the id of the last step of a page, and the other way round."""

    def told(self, page: Page, query: Query, call: Call) -> Page:
        return {**page, "first_id": page["last_id"], "last_id": page["first_id"]}


@fault("STEP-025")
class EndsOfStepsNull(Listed):
    """A page of steps does not name its ends."""

    def told(self, page: Page, query: Query, call: Call) -> Page:
        return {**page, "first_id": None, "last_id": None}


@fault("STEP-020")
class EndsOfNoStepsEmpty(Listed):
    """An empty page of steps names its ends with empty texts."""

    def told(self, page: Page, query: Query, call: Call) -> Page:
        return page if page["data"] else {**page, "first_id": "", "last_id": ""}


@fault("STEP-020")
class NoStepsIsNotFound(Operations):
    """The steps of a queued run are not found."""

    def list_run_steps(self, call: Call) -> Page:
        if self._run(call).status(call.now) == "queued":
            raise Refusal("There are no steps yet.", status=404)
        return super().list_run_steps(call)


@fault("STEP-020")
class StepFromTheBeginning(Listed):
    """A step is there as soon as its run is."""

    def told(self, page: Page, query: Query, call: Call) -> Page:
        run = self._run(call)
        if page["data"] or run.status(call.now) != "queued" or query:
            return page
        step: dict[str, Any] = {
            **dict.fromkeys(("cancelled_at", "completed_at", "failed_at", "last_error", "usage")),
            "id": run.step_ids[0],
            "object": "thread.run.step",
            "created_at": int(run.created),
            "run_id": run.id,
            "thread_id": run.thread_id,
            "assistant_id": run.assistant_id,
            "type": "tool_calls",
            "status": "in_progress",
            "step_details": {"type": "tool_calls", "tool_calls": []},
        }
        return with_items(page, [step])


@fault("STEP-023")
class StepsTwice(Listed):
    """The first step of a page is there twice."""

    def told(self, page: Page, query: Query, call: Call) -> Page:
        return with_items(page, [*page["data"][:1], *page["data"]])


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
