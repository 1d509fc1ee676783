"""A session that judges a client: apart from those that judge servers, and like them in all that is reported."""

from __future__ import annotations

import json
import re
import shlex
import subprocess
import sys
from typing import TYPE_CHECKING, get_args
from xml.etree import ElementTree

import pytest

from conformance.reports.document import Target
from conformance.reports.words import kind_in_words
from conformance.requirements import Side, State, catalogue
from support import ROOT
from support.clients.mutation import driver

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from support.sessions import Ran

    Judge = Callable[..., Ran]

ACTIVE = sum(row.state is State.ACTIVE for row in catalogue(Side.CLIENT).values())
SECONDS = re.compile(r"\b\d+(\.\d+)? ?m?s\b")


def sdk(fault: str = "") -> str:
    return f"--runs-sdk={driver(fault)}"


FAILURE = """\
SDK-REQ-012  MUST cancel with no body or an empty object
  client     the faithful client with cancels-null
  case       test_requests.py::test_a_cancel_says_nothing_in_its_body
  expected   no body, or an empty object
  actual     b'null'
  history    #1 POST cancel 200 in_progress
  reproduce  {"id": 1, "call": "cancel_run", "arguments": {"thread_id": "thread_abc123", "run_id": "run_abc123"}, \
"client": {"base_url": "http://127.0.0.1:PORT/v1", "api_key": "sk-of-the-conformance-suite", "timeout": 8.0, \
"retries": 0}}
             pytest --runs-sdk=
  why        The operation takes none, and gateways refuse what they cannot read.
  source     OpenAI API reference; recorded traffic of the real service; basis stated
  accept     SDK-REQ-012 = { reason = "...", until = \
"""


def test_a_failure_speaks_to_a_stranger(judge: Judge) -> None:
    ran = judge(sdk("cancels-null"), "-q", "-k", "SDK-REQ-012")

    told = re.sub(r"(--runs-sdk=).* -k SDK-REQ-012", r"\1", ran.text)
    assert FAILURE in told, ran.text
    assert ran.code == 1
    assert f"1 of {ACTIVE} requirements were selected" in ran.text


def test_the_command_of_a_failure_repeats_it(judge: Judge) -> None:
    first = judge(sdk("cancels-null"), "-q", "-k", "SDK-REQ-012")
    (command,) = set(re.findall(r"^ +pytest (--runs-sdk=.* -k SDK-REQ-012)$", first.text, re.MULTILINE))
    again = judge(*shlex.split(command), "-q")

    assert SECONDS.sub("", again.text) == SECONDS.sub("", first.text)


def test_a_failure_of_any_request_says_where_it_was_seen(judge: Judge) -> None:
    alone = judge(sdk("beta-but-streams"), "-q", "-k", "SDK-REQ-010")
    among_others = judge(sdk("wrong-charset"), "-q", "-k", "SDK-REQ-009")
    told_already = judge(sdk("drops-empty-lists"), "-q", "-k", "SDK-REQ-008 or SDK-REQ-009")

    assert '"call": "stream_run"' in alone.text
    assert "-k SDK-REQ-010\n" in alone.text
    assert "1 failed" in alone.text
    assert "-k 'SDK-REQ-009 or SDK-REQ-008'\n" in among_others.text
    assert "SDK-REQ-008  MUST" in told_already.text
    assert "test_every_request" not in told_already.text


def test_a_key_that_follows_a_redirect_is_told_with_the_place(judge: Judge) -> None:
    ran = judge(sdk("key-for-all"), "-q", "-k", "SDK-REQ-015")

    assert re.search(r"the key, as authorization, after a redirect to http://localhost:\d+/v1/threads/", ran.text)


def test_the_line_of_a_failure_can_be_given_to_a_driver(judge: Judge) -> None:
    ran = judge(sdk("cancels-null"), "-q", "-k", "SDK-REQ-012")
    (line,) = set(re.findall(r"^ +reproduce +(\{.*\})$", ran.text, re.MULTILINE))

    told = subprocess.run(
        shlex.split(driver()), input=line.replace("PORT", "1"), capture_output=True, text=True, check=True, timeout=30
    )

    assert json.loads(told.stdout)["id"] == 1


def test_each_side_lists_its_own_requirements(judge: Judge) -> None:
    client = judge(sdk(), "--runs-list")
    server = judge("--runs-list", "--target-url=reference")

    assert "SDK-REQ-001" in client.text
    assert "RUN-CANCEL-001" not in client.text
    assert "RUN-CANCEL-001" in server.text
    assert "SDK-" not in server.text
    assert f"{ACTIVE} active" in client.text


def test_each_side_collects_its_own_cases(judge: Judge) -> None:
    package = ("--pyargs", "conformance", "--collect-only", "-q")
    client, server = judge(*package, sdk()), judge(*package, "--target-url=reference")

    assert "test_a_cancel_says_nothing_in_its_body" in client.text
    assert "test_a_run_in_progress_is_cancelled" not in client.text
    assert "test_a_run_in_progress_is_cancelled" in server.text
    assert "test_a_cancel_says_nothing_in_its_body" not in server.text
    assert "deselected" not in client.text


@pytest.mark.parametrize(
    ("path", "option"), [("sdk/suite", "--target-url=reference"), ("suite/test_cancel.py", "--runs-sdk=openai-python")]
)
def test_cases_of_the_other_side_are_refused(path: str, option: str, judge: Judge) -> None:
    ran = judge(str(ROOT / "conformance" / path), option)

    assert ran.code == 4, ran.text
    assert "these cases judge" in ran.text


@pytest.mark.parametrize(
    "option",
    [
        "--target-url=reference",
        "--runs-replay=reference",
        "--runs-record=x",
        "--runs-fuzz=reads",
        "--runs-repeat=2",
        "--runs-plan",
        "--runs-fault=comes-back",
    ],
)
def test_what_is_about_a_server_is_refused(option: str, judge: Judge) -> None:
    ran = judge(sdk(), option)

    assert ran.code == 4
    assert option.partition("=")[0] in ran.text


def test_a_known_failure_of_a_client_is_known(judge: Judge, tmp_path: Path) -> None:
    entries = 'SDK-REQ-012 = { reason = "our issue 7" }\nRUN-CANCEL-001 = { reason = "a server of ours" }\n'
    (tmp_path / "known-failures.toml").write_text(entries, "utf-8")

    known = judge(sdk("cancels-null"), "-q", "-k", "SDK-REQ-012")
    stale = judge(sdk(), "-q", "-k", "SDK-REQ-012")

    assert (known.code, stale.code) == (0, 1), known.text + stale.text
    assert "our issue 7" in known.text
    assert "RUN-CANCEL-001" not in known.text + stale.text
    assert "delete SDK-REQ-012 from the list" in stale.text


def test_the_list_of_known_failures_is_kept_for_both_sides(judge: Judge, tmp_path: Path) -> None:
    pytest.importorskip("tomlkit")
    file = tmp_path / "known-failures.toml"
    file.write_text('RUN-CANCEL-001 = { reason = "a server of ours" }\n', "utf-8")

    judge(sdk("cancels-null"), "-q", "-k", "SDK-REQ-012", "--runs-update-known-failures")

    told = file.read_text("utf-8")
    assert "RUN-CANCEL-001" in told
    assert "SDK-REQ-012" in told


def test_a_contract_of_clients_is_one_of_its_own(judge: Judge) -> None:
    ran = judge(sdk(), "-q", "--runs-contract=2026.1", "-k", "SDK-REQ-012")

    assert ran.code == 0, ran.text
    assert f"contract 2026.1, {ACTIVE} requirements" in ran.text


def test_a_broken_should_counts_where_it_is_to(judge: Judge) -> None:
    selected = (sdk("until-empty"), "-q", "-k", "SDK-PAGE-006")

    assert judge(*selected).code == 0
    assert judge(*selected, "--runs-gate=should").code == 1


def test_what_a_client_lacks_is_not_applicable(judge: Judge, tmp_path: Path) -> None:
    lines = [
        "import json, sys",
        "lacks = {'poll_run': 'no such helper', 'cancel_run': 'left out'}",
        "for line in sys.stdin:",
        "    print(json.dumps({'id': json.loads(line)['id'], 'client': 'x', 'lacks': lacks}), flush=True)",
    ]
    (tmp_path / "d.py").write_text("\n".join(lines), "utf-8")

    ran = judge(f"--runs-sdk={sys.executable} {tmp_path / 'd.py'}", "-q", "-k", "SDK-POLL-002 or SDK-REQ-012")

    assert ran.code == 11, ran.text  # a client that cannot cancel has not been measured
    assert "1 n/a, 1 untested" in ran.text
    assert "lacks poll_run: no such helper" in ran.text


@pytest.mark.parametrize(
    "answer",
    [
        "'error': {'kind': 'other'}",
        pytest.param("'error': {'kind': 'timeout'}", marks=pytest.mark.exhaustive),
        "'run': {'id': 'run_abc123', 'status': 'completed'}, 'page': {'ids': []}, 'ids': [], 'events': []",
    ],
    ids=["breaks", "times-out", "makes-up"],
)
def test_a_client_that_sends_nothing_passes_nothing(answer: str, judge: Judge, tmp_path: Path) -> None:
    lines = [
        "import json, sys",
        "for line in sys.stdin:",
        f"    print(json.dumps({{'id': json.loads(line)['id'], 'client': 'x', {answer}}}), flush=True)",
    ]
    (tmp_path / "d.py").write_text("\n".join(lines), "utf-8")

    ran = judge(f"--runs-sdk={sys.executable} {tmp_path / 'd.py'}", "-q", "--runs-report-dir=out")

    told = json.loads((tmp_path / "out" / "report.json").read_text("utf-8"))
    assert ran.code == 1
    assert [each["id"] for each in told["requirements"] if each["verdict"] == "pass"] == []


def test_reports_say_who_was_judged(judge: Judge, tmp_path: Path) -> None:
    ran = judge(sdk("cancels-null"), "-q", "-m", "req", "--runs-report-dir=out", "--alluredir=allure")

    told = json.loads((tmp_path / "out" / "report.json").read_text("utf-8"))
    assert told["target"]["kind"] == "sdk", ran.text
    assert told["target"]["command"].startswith("pytest '--runs-sdk=")
    assert told["coverage"]["active"] == ACTIVE
    assert told["ended"]["outcome"] == "does not conform"
    (broken,) = [each for each in told["requirements"] if each["verdict"] == "fail"]
    assert broken["id"] == "SDK-REQ-012"
    assert broken["items"][0]["violations"][0]["reproduce"][0].startswith('{"id": 1, "call": "cancel_run"')
    assert told["exchanges"][0]["path"].endswith("/cancel")
    junit = ElementTree.fromstring((tmp_path / "out" / "junit.xml").read_text("utf-8"))
    assert [each.get("name") for each in junit.iter("testcase") if each.find("failure") is not None] == [
        "test_a_cancel_says_nothing_in_its_body"
    ]
    results = [json.loads(each.read_text("utf-8")) for each in (tmp_path / "allure").glob("*-result.json")]
    (failed,) = [each for each in results if each["status"] == "failed"]
    assert "SDK-REQ-012" in json.dumps(failed)
    for name in ("report.html", "report.md"):
        assert "SDK-REQ-012" in (tmp_path / "out" / name).read_text("utf-8")


def test_every_kind_of_target_has_words() -> None:
    assert all(kind_in_words(kind) for kind in get_args(Target.model_fields["kind"].annotation))
