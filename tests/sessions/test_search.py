"""Random sequences: the faithful server breaks nothing; what a fault breaks is told by its row, and shrunk."""

from __future__ import annotations

import os
import re
import subprocess
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from conformance.outcomes import Untested, Violated
from conformance.reference import DEFAULT_KEY
from conformance.reference.faults import FAULTS
from conformance.reports.commands import Place, script
from conformance.requirements import catalogue
from conformance.search import ROWS, search
from conformance.search.ledger import Cost
from conformance.session import Session
from conformance.settings import Settings
from conformance.states.waits import BUDGETS
from support.servers import serving

if TYPE_CHECKING:
    from collections.abc import Callable

    from _pytest.mark import ParameterSet

    from conformance.outcomes import Violation
    from support.sessions import Ran


ITEMS = ("-p", "no:cacheprovider", "--runs-fuzz=writes", "--pyargs", "conformance.suite.test_sequences")
PLACE = Place(target="the reference server", origin="http://localhost:8000", key=DEFAULT_KEY)
KEY = {"OPENAI_API_KEY": DEFAULT_KEY}


def searched(fault: str = "", **more: object) -> Session:
    """A session against the embedded reference server, after its search."""
    given = {"target_url": "reference", "gate": "must", "fuzz": "writes", "fault": [fault] if fault else None}
    given |= {"cancel_policy": FAULTS[fault].policy or None} if fault else {}
    given |= more
    session = Session(Settings.read(lambda name: given.get(name.removeprefix("runs_")), BUDGETS), Path.cwd())
    session.arrive([catalogue()["RUN-CANCEL-001"]])
    with suppress(Untested, Violated):
        session.search.judge(ROWS[0])
    return session


def broken(session: Session) -> dict[str, Violation]:
    return {row: found.violation for row, found in session.search.ledger.found.items()}


def by_fault(fault: str, row: str, *more: object, exhaustive: bool = False) -> ParameterSet:
    """A fault and what finds it; tests of one fault are run by one process, so that they share its search."""
    marks = [pytest.mark.xdist_group(f"search for {fault}"), *([pytest.mark.exhaustive] if exhaustive else [])]
    return pytest.param(fault, row, *more, marks=marks)


@cache
def broken_by(fault: str, row: str) -> dict[str, Violation]:
    """What a search finds that finds a fault by this row; the first of the seeds need not be lucky."""
    return next((found for seed in range(4) if row in (found := broken(searched(fault, seed=seed)))), {})


@pytest.mark.parametrize(
    "policy",
    ["documented", *(pytest.param(each, marks=pytest.mark.exhaustive) for each in ("strict", "observed"))],
)
def test_the_faithful_server_breaks_nothing(policy: str) -> None:
    ledgers = [searched(seed=seed, cancel_policy=policy).search.ledger for seed in range(1, 5)]

    assert [ledger.found for ledger in ledgers] == [{}] * 4
    assert len(set(ROWS) - set[str]().union(*(ledger.measured for ledger in ledgers))) <= 2  # where chance did not lead


@pytest.mark.parametrize(
    ("fault", "row", "steps"),
    [
        by_fault("interrupts-runs", "RUN-LIFE-013", 5),
        by_fault("never-more", "RUN-PAGE-016", 14),
        by_fault("after-includes", "RUN-PAGE-014", 9, exhaustive=True),
        by_fault("takes-late-outputs", "RUN-CANCEL-022", 9, exhaustive=True),
        by_fault("cancels-the-finished-silently", "RUN-CANCEL-031", 6, exhaustive=True),
        by_fault("cancels-the-waiting", "RUN-CANCEL-017", 6, exhaustive=True),
        by_fault("cancelled-locks", "RUN-CANCEL-023", 10, exhaustive=True),
        by_fault("appears-later", "RUN-GET-003", 5, exhaustive=True),
        by_fault("reads-through-any-thread", "RUN-ERR-005", 7, exhaustive=True),
        # a single move: create, cancel what was created, create again
        by_fault("many-runs", "RUN-LIFE-012", 8, exhaustive=True),
        by_fault("only-successes", "RUN-PAGE-029", 8, exhaustive=True),
        # those that are told by an invariant alone
        by_fault("comes-back", "RUN-LIFE-004", 12),
        by_fault("never-expires", "RUN-INV-024", 3, exhaustive=True),
    ],
)
def test_a_fault_is_told_by_its_row_and_shrunk(fault: str, row: str, steps: int) -> None:
    found = broken_by(fault, row)

    assert row in found
    assert set(found) <= FAULTS[fault].breaks
    assert len(found[row].sequence) <= steps, "\n".join(script(found[row].sequence, PLACE))


@pytest.mark.exhaustive
def test_a_seed_makes_the_same_requests_again() -> None:
    first, again, other = (
        [(each.scope, each.request) for each in searched("cancels-again", seed=seed).journal] for seed in (1, 1, 2)
    )

    assert first == again
    assert first != other


@pytest.mark.xdist_group("search for interrupts-runs")
def test_the_sequence_is_told_as_commands() -> None:
    violation = broken_by("interrupts-runs", "RUN-LIFE-013")["RUN-LIFE-013"]
    common = (
        '-H "Authorization: Bearer $OPENAI_API_KEY" -H "Content-Type: application/json" -H "OpenAI-Beta: assistants=v2"'
    )
    prompt = '{"messages": [{"role": "user", "content": "Say hello."}]}'

    assistant = '{"model": "gpt-4o-mini", "instructions": "Answer in one word.", "name": "conformance_probe"}'
    run = """{"assistant_id": "'"$assistant"'", "metadata": {"created_by": "runs-conformance"}}"""
    message = '{"role": "user", "content": "Say hello."}'
    base, read = "http://localhost:8000/v1", common.replace('-H "Content-Type: application/json" ', "")
    look = f'curl -i -s -X GET "{base}/threads/$thread/runs/$run" {read}'

    assert script(violation.sequence, PLACE) == [
        f"assistant=$(curl -s -X POST {base}/assistants {common} --data-raw '{assistant}' | jq -r .id)",
        f"thread=$(curl -s -X POST {base}/threads {common} --data-raw '{prompt}' | jq -r .id)",
        f"run=$(curl -s -X POST \"{base}/threads/$thread/runs\" {common} --data-raw '{run}' | jq -r .id)",
        f"curl -i -s -X POST \"{base}/threads/$thread/messages\" {common} --data-raw '{message}'",
        look,
    ]


@pytest.mark.parametrize(
    ("fault", "row"),
    [
        by_fault("never-more", "RUN-PAGE-016"),
        by_fault("after-includes", "RUN-PAGE-014", exhaustive=True),
        by_fault("comes-back", "RUN-LIFE-004"),
        by_fault("cancels-the-finished-silently", "RUN-CANCEL-031", exhaustive=True),
        by_fault("takes-late-outputs", "RUN-CANCEL-022", exhaustive=True),
        by_fault("action-after-outputs", "RUN-INV-035", exhaustive=True),
    ],
)
def test_the_commands_show_it_again(fault: str, row: str) -> None:
    sequence = broken_by(fault, row)[row].sequence

    with serving(f"--fault={fault}") as url:
        place = Place(target=url, origin=url.removesuffix("/v1"), key=DEFAULT_KEY)
        lines = script(sequence, place)
        done = subprocess.run(
            ["bash", "-c", "\n".join(lines)], env={**os.environ, **KEY}, capture_output=True, text=True, check=True
        )

    *_, shown = done.stdout.split("HTTP/1.1 ")
    assert shown.startswith(str(sequence[-1].status))
    if "data" in sequence[-1].json:
        assert shown.count('"object": "thread.run"') == len(sequence[-1].json["data"])
    else:
        assert f'"status": "{sequence[-1].json["status"]}"' in shown


def test_a_budget_ends_the_search(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(search, "FREE", Cost(requests=100, runs=100, seconds=float("inf")))
    few = searched()
    monkeypatch.setattr(search, "FREE", Cost(requests=10_000, runs=3, seconds=float("inf")))

    assert len(few.journal) < 250
    assert few.search.ledger.spent.requests >= 60
    assert searched().means.runs <= 12


def test_the_runs_of_a_session_are_not_exceeded() -> None:
    session = searched("cancels-the-finished", max_runs=6)

    assert session.means.runs <= 6


def test_sequences_exist_only_where_writes_are_wanted(judge: Callable[..., Ran]) -> None:
    reads, writes = (
        judge("--target-url=reference", f"--runs-fuzz={kind}", "--co", "-q") for kind in ("reads", "writes")
    )

    assert "test_no_generated_request" in reads.text
    assert "test_sequences" not in reads.text
    assert "test_random_sequences_break_nothing[RUN-CANCEL-031]" in writes.text


def test_a_recording_has_no_sequences(judge: Callable[..., Ran]) -> None:
    ran = judge(*ITEMS)

    assert ran.code in {0, 11}, ran.text
    assert "random sequences are not recorded" in ran.text


@pytest.mark.exhaustive
def test_the_failure_of_a_row_and_of_an_invariant_show_the_sequence(judge: Callable[..., Ran]) -> None:
    faults = ("--runs-fault=cancels-the-finished-silently", "--runs-fault=completed-without-time")
    ran = judge("--target-url=reference", *faults, *ITEMS, "conformance.suite.test_invariants")

    texts = dict(re.findall(r"^(RUN-\S+)  MUST [^\n]*\n((?:  .*\n)+)", ran.text, re.MULTILINE))
    for row in ("RUN-CANCEL-031", "RUN-INV-011"):
        assert "reproduce  python -m conformance.reference --port 8000" in texts[row], ran.text
        assert "  assistant=$(curl" in texts[row]
        assert 'run=$(curl -s -X POST "http://127.0.0.1:8000/v1/threads/$thread/runs"' in texts[row]
    assert DEFAULT_KEY not in ran.text


@pytest.mark.exhaustive
def test_a_served_and_slow_server_breaks_nothing(judge: Callable[..., Ran]) -> None:
    with serving("--latency=50") as url:
        ran = judge(f"--target-url={url}", "--runs-gate=should", "--runs-wait=search=25", *ITEMS, **KEY)

    assert ran.code == 0, ran.text
