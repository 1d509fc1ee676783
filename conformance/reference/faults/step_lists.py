"""Lists of steps: their envelope, their ends, and what is on them."""

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
