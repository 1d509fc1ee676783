"""What is pure in the comparison with other tools: the draw, the arithmetic, the tables, what is read from reports."""

from __future__ import annotations

import json
import re
from collections import Counter

import pytest
import yaml

from conformance.reference.faults import FAULTS
from support import ROOT
from tools.peers import drawing, dredd, fuzzer, ours, page, prism, swagger, tables
from tools.peers.tables import Result, Session

A, B, C = drawing.draw(44)[:3]


def result(name: str, *sessions: Session, absent: str = "") -> Result:
    return Result(name, "1.0", sessions, sessions, absent)


def session(fault: str | None, *failures: str, requests: int = 10, problem: str = "") -> Session:
    return Session(fault, frozenset(failures), requests, 2.0, problem)


def test_the_draw_is_stable_and_of_every_kind() -> None:
    drawn = drawing.draw()

    assert drawn == drawing.draw()
    assert len({fault.name for fault in drawn}) == drawing.FULL >= 44
    assert {fault.kind for fault in drawn} == {fault.kind for fault in FAULTS.values()}
    assert drawn != drawing.draw(seed=drawing.SEED + 1)


def test_the_draw_is_in_proportion_to_the_kinds() -> None:
    drawn = Counter(fault.kind for fault in drawing.draw())
    sizes = Counter(fault.kind for fault in drawing.eligible())

    for kind, size in sizes.items():
        assert abs(drawn[kind] - drawing.FULL * size / sizes.total()) < 1, kind


def test_no_drawn_fault_breaks_only_a_may() -> None:
    assert "extra-member" not in {fault.name for fault in drawing.eligible()}


@pytest.mark.parametrize(
    ("number", "shares"),
    [(10, {"a": 7, "b": 2, "c": 1}), (3, {"a": 1, "b": 1, "c": 1}), (1, {"a": 1, "b": 1, "c": 1}), (99, None)],
)
def test_shares_are_proportional_and_at_least_one(number: int, shares: dict[str, int] | None) -> None:
    sizes = {"a": 70, "b": 20, "c": 1}
    drawn = drawing.shares(sizes, number)

    assert drawn == (shares or sizes)


def test_what_is_reported_of_the_faithful_server_finds_nothing() -> None:
    told = result("tool", session(None, "x"), session(None, "y"), session("f", "x", "y"), session("g", "x", "z"))

    assert told.alarms == {"x", "y"}
    assert told.found == {"g"}
    assert told.requests == 20
    assert told.per_found == 20
    assert (told.seconds, told.alone) == (4.0, 2.0)


def test_what_is_reported_only_once_is_not_found() -> None:
    told = Result("tool", "1.0", [session("f", "x"), session("g", "x", "y")], [session("f", "z"), session("g", "y")])

    assert told.suspected == {"f", "g"}
    assert told.found == {"g"}


def test_a_tool_that_found_nothing_has_no_requests_per_found_fault() -> None:
    assert result("tool", session(None), session("f")).per_found is None


def test_marks() -> None:
    told = result("tool", session(None), session(A.name, "x"), session(B.name), session(C.name, problem="crashed"))

    assert [told.mark(fault) for fault in (A, B, C)] == ["✓", "·", "?"]


def test_the_tables_are_markdown() -> None:
    mine = result("ours", session(None), session(A.name, "x", requests=1500), session(B.name, "y", requests=1500))
    peer = result("peer", session(None, "z"), session(A.name, "x", requests=20), session(B.name, "z", requests=20))
    gone = result("gone", absent="npm is not present")
    results = [mine, peer, gone]

    assert tables.overview(results, [A, B]).splitlines()[2:] == [
        "| ours 1.0 | 2 of 2 | 3,000 | 1,500 | 4 | 2.0 | 0 |",
        "| peer 1.0 | 1 of 2 | 40 | 40 | 4 | 2.0 | 1 |",
        "| gone 1.0 | not run: npm is not present |  |  |  |  |  |",
    ]
    assert tables.by_kind(results, [A, B]).splitlines()[0] == "| kind | drawn | ours | peer |"
    assert tables.by_fault(results, [A, B]).splitlines()[2].endswith("| ✓ | ✓ |")
    assert tables.alarms(results) == "- peer: z"
    assert tables.problems(results) == "None."
    assert "2.0 times as many faults found as peer, the best peer (goal: at least 2.5): missed" in tables.goals(
        mine, [peer, gone]
    )


def test_goals_without_a_peer_that_found_anything() -> None:
    assert "could not be measured" in tables.goals(result("ours", session(A.name, "x")), [result("gone", absent="")])


def test_the_page_keeps_its_prose() -> None:
    old = page.PAGE.read_text("utf-8")
    new = page.written(old, "numbers")

    assert old.count(page.BEGIN) == old.count(page.END) == 1
    assert new.partition(page.BEGIN)[0] == old.partition(page.BEGIN)[0]
    assert new.partition(page.END)[2] == old.partition(page.END)[2]
    assert "numbers" in new


def test_the_page_shows_faults_that_there_are() -> None:
    listed = re.findall(r"^\| `(.+?)` \| \w+ \|", page.PAGE.read_text("utf-8"), re.MULTILINE)

    assert len(listed) >= 44
    assert set(listed) <= set(FAULTS)


def test_our_report_is_read_by_its_verdicts() -> None:
    case = '<testcase><properties><property name="requirement" value="{}"/><property name="verdict" value="{}"/>'
    rows = [("RUN-A-001", "fail"), ("RUN-A-002", "warn"), ("RUN-A-003", "pass"), ("RUN-A-004", "untested")]
    text = "".join(f"{case.format(*row)}</properties></testcase>" for row in rows)

    assert ours.broken(f"<testsuites>{text}</testsuites>") == {"RUN-A-001 fail", "RUN-A-002 warn"}


def test_failures_of_schemathesis_are_told_apart_by_operation_and_kind() -> None:
    def check(title: str, message: str, kind: str = "JsonSchemaError") -> dict[str, object]:
        failure = {"type": kind, "operation": "GET /x", "title": title, "message": message}
        return {"status": "failure", "failure_info": {"failure": failure}}

    checks = [check("Wrong", "1"), check("Wrong", "2"), check("Status", "Received: 500\nmore", "UndefinedStatusCode")]
    events = [{"ScenarioFinished": {"recorder": {"checks": {"case": [*checks, {"status": "success"}]}}}}, {"Other": {}}]

    assert fuzzer.failures(json.dumps(each) for each in events) == {"GET /x: Wrong", "GET /x: Status Received: 500"}


def test_violations_of_prism_are_those_of_answers() -> None:
    log = [
        "[HTTP SERVER] get /threads/thread_a1/runs/run_b2 info Request received",
        "[VALIDATOR] Violation: request.query.limit must be <= 100",
        "[VALIDATOR] Violation: response.body.data.3.status must be one of",
        "[VALIDATOR] Violation: response.body.data.4.status must be one of",
    ]

    operation = "GET /threads/{thread_id}/runs/{run_id}"
    assert prism.violations(log) == {f"{operation}: response.body.data.n.status must be one of"}


def test_failures_of_dredd_end_where_it_quotes_the_request() -> None:
    log = [
        "pass: GET (200) /threads/thread_a/runs duration: 3ms",
        "fail: GET (404) /threads/thread_a/runs duration: 3ms",
        "fail: body: At '/data/3/status' no",
        "statusCode: Expected status code '404', but got '200'.",
        "",
        "statusCode: 200",
    ]

    assert dredd.failures(log) == {
        "GET (404) /threads/{thread_id}/runs: body: At '/data/n/status' no",
        "GET (404) /threads/{thread_id}/runs: statusCode: Expected status code '404', but got '200'.",
    }


def test_the_document_converts_down_to_what_swagger_can_say() -> None:
    document = yaml.safe_load((ROOT / "schemas" / "openapi.yaml").read_text("utf-8"))
    run = swagger.schema({"$ref": "#/components/schemas/Run"}, document)

    assert run["properties"]["object"] == {"enum": ["thread.run"], "type": "string"}
    assert run["properties"]["expires_at"]["x-nullable"] is True
    assert run["properties"]["tool_choice"] == {}
    assert "$ref" not in json.dumps(run)
    assert "anyOf" not in json.dumps(run)
