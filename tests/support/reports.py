"""Reports: those that sessions leave, and those that tests make of findings, without a session."""

from __future__ import annotations

import json
from datetime import date
from typing import TYPE_CHECKING, Any

from jsonschema import Draft202012Validator

from conformance.data import folder
from conformance.outcomes import Violation
from conformance.redaction import Redactor
from conformance.reports import document as doc
from conformance.reports.commands import Place
from conformance.reports.record import Circumstances, report
from conformance.requirements import catalogue
from conformance.verdicts import Finding, Findings, Verdict
from conformance.wire.exchange import Request, Response
from conformance.wire.journal import Journal

if TYPE_CHECKING:
    from pathlib import Path

INTO = "--runs-report-dir=out"
ORIGIN = "http://localhost:8000"


def told(kept: Path) -> dict[str, Any]:
    """The report of a session, which is what its schema says."""
    report: dict[str, Any] = json.loads((kept / "report.json").read_text("utf-8"))
    validator().validate(report)
    return report


def validator() -> Draft202012Validator:
    described = json.loads((folder("schemas") / "report.schema.json").read_text("utf-8"))
    Draft202012Validator.check_schema(described)
    return Draft202012Validator(described)


def finding(id: str, verdict: Verdict, reason: str = "", *violations: Violation, **more: Any) -> Finding:
    row = catalogue()[id]
    item = str(more.pop("item", f"suite/test_made.py::test_{id[4:].lower().replace('-', '_')}"))
    return Finding(
        requirement=row, level=row.level, item=item, verdict=verdict, reason=reason, violations=violations, **more
    )


def broken(
    journal: Journal, expected: str = "one", actual: str = "other", body: bytes = b'{"id": "run_1"}', status: int = 200
) -> Violation:
    """A violation that an exchange shows."""
    request = Request("GET", "/v1/threads/thread_1/runs/run_1", headers={"authorization": "Bearer sk-x"})
    exchange = journal.append(
        scope="cases/test_made/test_it",
        request=request,
        response=Response(status, {"content-type": "application/json"}, body),
        at=100.0,
        duration=0.02,
    )
    return Violation(expected, actual, (exchange,))


def made(*found: Finding, journal: Journal | None = None, secret: str = "", **around: Any) -> doc.Report:
    """The report of a session against a URL with these findings."""
    findings = Findings(list(found))
    name = around.pop("name", f"{ORIGIN}/v1 (profile openai)")
    target = doc.Target(
        name=name,
        kind="url",
        profile="openai",
        cancel_policy="documented",
        capabilities=[doc.Capability(name="steps", state="not found")],
        provenance="",
        command=f"pytest --target-url={ORIGIN}/v1",
    )
    cost = doc.Cost(requests=1, runs=1, tokens=2, waits={"finish": 1.5}, idle=0.1, threads_left=1)
    told: dict[str, Any] = {
        "target": target,
        "cost": cost,
        "gate": "must",
        "exit_code": 0,
        "interrupted": False,
        "stopped": "",
        "began": 1_763_683_200.0,
        "seconds": 1.0,
        "selected": {each.requirement.id for each in found},
        "known": [],
        "place": Place(target=name, origin=ORIGIN),
        "until": date(2027, 1, 31),
    }
    return report(Circumstances(**told | around), findings, journal or Journal(), Redactor([secret] if secret else []))
