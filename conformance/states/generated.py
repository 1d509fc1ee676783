"""Requests drawn from `schemas/openapi.yaml` by schemathesis, the same ones for the same seed."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from conformance.data import folder
from conformance.dialect import UNSET
from conformance.wire.operations import OPERATIONS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import hypothesis

    from conformance.states.handles import Run
    from conformance.wire.exchange import Exchange

#: The operations that requests are drawn for.
FUZZED = ("list_runs", "list_steps", "retrieve_run", "create_run", "modify_run", "cancel_run", "submit_tool_outputs")

#: Requests drawn for an operation.
DRAWS = 30


@dataclass(frozen=True)
class Drawn:
    """One drawn request; where it goes is decided when it is sent."""

    operation: str
    query: Sequence[tuple[str, str]] = ()
    json: Any = UNSET
    ids: Mapping[str, str] = field(default_factory=dict)

    def send(self, run: Run, *, may_write: bool) -> Exchange:
        """
        Send it.

        Reads go to the given run and its thread; so do writes that are permitted. Every other write goes to the
        ids that were drawn with it, which no target has issued, so that it must be refused.
        """
        to_it = may_write or OPERATIONS[self.operation].method == "GET"
        ids = {"thread_id": run.thread_id, "run_id": run.id} if to_it else self.ids
        json = self._meant_for(run) if to_it else self.json
        return run.client.call(self.operation, query=self.query, json=json, **ids)

    def _meant_for(self, run: Run) -> Any:
        """The body with the run's assistant instead of one that no target has, so that it is not refused for that."""
        if isinstance(self.json, dict) and isinstance(self.json.get("assistant_id"), str):
            return {**self.json, "assistant_id": run.body.get("assistant_id")}
        return self.json


def drawing(**settings: Any) -> hypothesis.settings:
    """How hypothesis draws here: without a memory, a deadline, or a file in the user's folder."""
    import hypothesis
    from hypothesis.configuration import set_hypothesis_home_dir

    set_hypothesis_home_dir(Path(tempfile.gettempdir()) / "runs-conformance-hypothesis")
    checks = list(hypothesis.HealthCheck)
    return hypothesis.settings(
        database=None,
        deadline=None,
        suppress_health_check=checks,
        verbosity=hypothesis.Verbosity.quiet,
        print_blob=False,
        **settings,
    )


@cache
def draws(operation: str, *, seed: int) -> Sequence[Drawn]:
    """Draw the requests for an operation; that takes the extra `fuzz`."""
    import hypothesis
    import schemathesis

    described = OPERATIONS[operation]
    schema = schemathesis.openapi.from_path(folder("schemas") / "openapi.yaml")
    drawn: list[Drawn] = []

    @hypothesis.seed(f"{seed}/{operation}")
    @drawing(max_examples=DRAWS, phases=[hypothesis.Phase.generate])
    @hypothesis.given(schema[described.path][described.method].as_strategy())
    def collect(case: Any) -> None:
        query = [(name, str(value)) for name, value in (case.query or {}).items()]
        ids = {name: unquote(str(value)) for name, value in (case.path_parameters or {}).items()}
        body = UNSET if isinstance(case.body, schemathesis.core.NotSet) else case.body
        drawn.append(Drawn(operation, query, body, ids))

    collect()
    return drawn
