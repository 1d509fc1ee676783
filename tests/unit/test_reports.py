"""What a stranger reads: the text of a failure, the command that reproduces it, and the summary."""

from __future__ import annotations

import json
from datetime import date

import pytest

from conformance.outcomes import Untested, Violation
from conformance.reports.commands import Place, curl
from conformance.reports.failure import failure_text
from conformance.reports.summary import summary
from conformance.requirements import catalogue
from conformance.states.handles import Run
from conformance.suite.steps import asked_by
from conformance.verdicts import Finding, Findings, Verdict
from conformance.wire.exchange import Exchange, Request, Response
from conformance.wire.values import apart, members_apart

KEY = "sk-secret-of-the-target"
PLACE = Place(target="http://localhost:8000/v1 (profile openai)", origin="http://localhost:8000", key=KEY)
RUN = "/v1/threads/thread_1/runs/run_1"
HEADERS = {"authorization": f"Bearer {KEY}", "openai-beta": "assistants=v2", "accept": "application/json"}


def exchange(number: int, request: Request, status: str, at: float) -> Exchange:
    body = f'{{"id": "run_1", "object": "thread.run", "status": "{status}"}}'.encode()
    return Exchange(number, "cases/one", request, Response(200, {}, body), at, 0.02)


def finding(id: str, verdict: Verdict, *violations: Violation, **more: object) -> Finding:
    row = catalogue()[id]
    item = str(more.pop("item", id))
    return Finding(requirement=row, level=row.level, item=item, verdict=verdict, violations=violations, **more)  # type: ignore[arg-type]


def test_a_failure_speaks_to_a_stranger() -> None:
    read = Request("GET", RUN, headers=HEADERS)
    history = (
        exchange(4, read, "completed", 100.0),
        exchange(5, Request("POST", f"{RUN}/cancel", headers=HEADERS), "cancelled", 100.032),
        exchange(6, read, "cancelled", 100.067),
    )
    broken = Violation('status "completed"', 'status "cancelled"', history)

    told = finding("RUN-CANCEL-011", Verdict.FAIL, broken, item="suite/test_cancel_refused.py::test_it[completed]")
    text = failure_text(told, PLACE, until=date(2027, 1, 31))

    assert text == (
        "RUN-CANCEL-011  MUST NOT change a finished run when it is cancelled\n"
        "  target     http://localhost:8000/v1 (profile openai)\n"
        "  case       test_cancel_refused.py::test_it[completed]\n"
        '  expected   status "completed"\n'
        '  actual     status "cancelled"\n'
        "  history    #4 GET run 200 completed   +12 ms   #5 POST cancel 200 cancelled   +15 ms"
        "   #6 GET run 200 cancelled\n"
        "  reproduce  curl -X GET http://localhost:8000/v1/threads/thread_1/runs/run_1"
        ' -H "Authorization: Bearer $OPENAI_API_KEY" -H "OpenAI-Beta: assistants=v2"\n'
        f"  why        {catalogue()['RUN-CANCEL-011'].why}\n"
        "  source     OpenAI API reference, Cancel a run; OpenAI Assistants guide, Run lifecycle; basis derived\n"
        '  accept     RUN-CANCEL-011 = { reason = "...", until = "2027-01-31" }   in known-failures.toml'
    )


def test_all_violations_are_told() -> None:
    violations = [Violation(f"this {n}", f"that {n}", ()) for n in range(7)]

    text = failure_text(finding("RUN-SCHEMA-001", Verdict.FAIL, *violations), PLACE, until=date(2027, 1, 31))

    assert [f"this {n}" in text for n in range(7)] == [True] * 5 + [False] * 2
    assert "2 more of the same requirement" in text


@pytest.mark.parametrize(
    ("request_", "command"),
    [
        (
            Request("HEAD", "/v1/threads/t/runs/r"),
            "curl -I http://localhost:8000/v1/threads/t/runs/r",
        ),
        (
            Request("GET", "/v1/threads/t/runs", (("limit", "1"), ("after", "a b&c"))),
            "curl -X GET 'http://localhost:8000/v1/threads/t/runs?limit=1&after=a%20b%26c'",
        ),
        (
            Request("GET", "/v1/threads/t/runs", headers={"authorization": "Bearer sk-wrong"}),
            "curl -X GET http://localhost:8000/v1/threads/t/runs -H 'Authorization: Bearer sk-wrong'",
        ),
        (
            Request("POST", "/v1/threads", headers={"content-type": "application/json"}, body=b'{"a": "it\'s"}'),
            (
                'curl -X POST http://localhost:8000/v1/threads -H "Content-Type: application/json"'
                ' --data-raw \'{"a": "it\'"\'"\'s"}\''
            ),
        ),
        (
            Request("POST", "/v1/threads", body=b"\xff{"),
            "curl -X POST http://localhost:8000/v1/threads -H Content-Type: --data-raw $'\\xff\\x7b'",
        ),
    ],
    ids=["head", "query", "wrong-key", "quoted-body", "no-text"],
)
def test_the_command_sends_the_same_request(request_: Request, command: str) -> None:
    assert curl(request_, PLACE) == command


def test_the_summary_counts_requirements_and_not_items() -> None:
    findings = Findings()
    findings.add(finding("RUN-CANCEL-011", Verdict.PASS))
    findings.add(
        finding("RUN-CANCEL-011", Verdict.FAIL, Violation("rest", "life", ()), reason="expected rest, got life")
    )
    findings.add(finding("RUN-PAGE-007", Verdict.UNTESTED, reason="it takes 21 runs"))

    told = "\n".join(summary(findings, gate="must"))

    assert "CANCEL   Cancel a run MUST          .        1" in told
    assert "RUN-CANCEL-011  MUST NOT change a finished run when it is cancelled [1 of 2 items]: expected rest" in told
    assert "verdict: does not conform (1 fail, 1 untested; 2 of " in told


FAIL, WARN, PASS, ERROR = Verdict.FAIL, Verdict.WARN, Verdict.PASS, Verdict.ERROR
MUST_ROW, SHOULD_ROW, OTHER_ROW = "RUN-CANCEL-011", "RUN-CANCEL-012", "RUN-PAGE-007"


@pytest.mark.parametrize(
    ("verdicts", "gate", "code"),
    [
        ([(MUST_ROW, PASS)], "must", 0),
        ([(MUST_ROW, PASS), (SHOULD_ROW, WARN)], "must", 0),
        ([(MUST_ROW, PASS), (SHOULD_ROW, WARN)], "should", 1),
        ([(MUST_ROW, FAIL), (OTHER_ROW, ERROR)], "must", 1),
        ([(MUST_ROW, PASS), (OTHER_ROW, ERROR)], "must", 10),
        ([(MUST_ROW, PASS), (MUST_ROW, ERROR)], "must", 10),
        ([(MUST_ROW, PASS), (OTHER_ROW, Verdict.UNTESTED)], "must", 10),
        ([(MUST_ROW, PASS), (MUST_ROW, Verdict.UNTESTED)], "must", 0),
        ([(MUST_ROW, Verdict.UNTESTED)], "must", 11),
        ([(MUST_ROW, Verdict.NOT_APPLICABLE)], "must", 11),
        ([(MUST_ROW, Verdict.NOT_APPLICABLE), (OTHER_ROW, Verdict.DISABLED)], "should", 11),
        ([(MUST_ROW, Verdict.KNOWN)], "should", 0),
        ([(MUST_ROW, Verdict.STALE)], "must", 1),
        ([(MUST_ROW, PASS), (OTHER_ROW, Verdict.NOT_APPLICABLE)], "should", 0),
    ],
)
def test_the_exit_code_follows_the_verdicts(verdicts: list[tuple[str, Verdict]], gate: str, code: int) -> None:
    findings = Findings()
    for id, verdict in verdicts:
        findings.add(finding(id, verdict))

    assert findings.exit_code(gate) == code


def test_an_entry_that_matches_nothing_measures_nothing() -> None:
    entry = finding(MUST_ROW, Verdict.STALE, unmatched=True)

    assert Findings([entry]).exit_code("must") == 11
    assert Findings([entry, finding(OTHER_ROW, PASS)]).exit_code("must") == 1


def test_the_summary_tells_a_selection_from_a_session_that_was_cut_short() -> None:
    findings = Findings([finding(MUST_ROW, FAIL, reason="x")])

    assert "1 of 317 requirements were selected)" in list(summary(findings, gate="must", selected={MUST_ROW}))[-1]
    cut_short = list(summary(findings, gate="must", selected={MUST_ROW, OTHER_ROW}))[-1]
    assert "1 of 317 requirements were reached)" in cut_short


def test_what_gates_nobody_leaves_the_session_complete() -> None:
    findings = Findings()
    findings.add(finding(MUST_ROW, PASS))
    findings.add(finding(OTHER_ROW, Verdict.UNTESTED, gates=False))

    assert findings.exit_code("must") == 0
    assert not Untested("a race that did not happen", gates=False).gates


@pytest.mark.parametrize(
    ("one", "other", "told"),
    [
        ("short", "other", ("short", "other")),
        ("a" * 50 + "b", "a" * 50 + "c", ("a" * 17 + "...", "a" * 17 + "...")),
        ("word " * 20 + "end", "word " * 20, ("...word word end", "...word word ")),
        ("x" + "a" * 50, "y", ("x" + "a" * 16 + "...", "y")),
    ],
    ids=["whole", "one-word", "longer", "at-once"],
)
def test_two_texts_are_cut_around_their_difference(one: str, other: str, told: tuple[str, str]) -> None:
    assert apart(one, other, 20) == told


def test_a_secret_does_not_lose_its_beginning_when_a_text_is_cut() -> None:
    one, other = apart(f"{'a ' * 90}{KEY} ends so", f"{'a ' * 90}{KEY} ends otherwise", 40)

    assert KEY[:12] in one
    assert one == f"...{KEY} ends so"
    assert other == f"...{KEY} ends otherwise"


def test_the_summary_shows_where_long_values_differ() -> None:
    same = "tool " * 200
    findings = Findings()
    reason = f"broken 2 of 3 times: expected {same}kept, got {same}lost (and 3 more)"
    findings.add(finding(MUST_ROW, Verdict.FAIL, Violation("kept", "lost", ()), reason=reason))

    (line,) = [each for each in summary(findings, gate="must") if MUST_ROW in each]

    assert " tool kept, got ...tool" in line
    assert line.endswith(" tool lost (and 3 more)")
    assert "broken 2 of 3 times: expected ...tool" in line
    assert len(line) < 500


def test_members_are_told_apart_where_they_differ() -> None:
    tools = [{"type": "function", "function": {"name": f"probe_{number}"}} for number in range(9)]

    wanted, got = members_apart(["tools"], {"tools": tools}, {"tools": tools[:-1]})

    assert wanted.startswith("tools ...")
    assert "probe_8" in wanted
    assert got.endswith('"probe_7"}}]')


@pytest.mark.parametrize(
    ("action", "row"),
    [
        (None, "RUN-INV-002"),
        ({"submit_tool_outputs": {"tool_calls": []}}, "RUN-SCHEMA-013"),
        ({"submit_tool_outputs": {"tool_calls": [{"function": {"name": "f"}}]}}, "RUN-SCHEMA-012"),
    ],
    ids=["unsaid", "none", "no-id"],
)
def test_what_says_nothing_of_its_calls_is_for_the_row_about_it(action: object, row: str) -> None:
    body = {"id": "run_1", "status": "requires_action", "required_action": action}
    seen = Exchange(1, "cases/one", Request("GET", RUN), Response(200, {}, json.dumps(body).encode()), 1.0, 0.1)
    run = Run(None, None, seen)  # type: ignore[arg-type]

    with pytest.raises(Untested, match=f"which {row} is about"):
        asked_by(run)
