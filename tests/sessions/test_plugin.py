"""The suite as a pytest plugin: what a user types, and what comes back."""

from __future__ import annotations

import re
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import TYPE_CHECKING
from xml.etree import ElementTree

import pytest

from support.servers import answering, heard, listening

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from support.sessions import Ran

    Judge = Callable[..., Ran]


@pytest.fixture
def small_server(request: pytest.FixtureRequest) -> Iterator[str]:
    """A server that answers every request with the status, content type and body of the parameter."""
    status, kind, body = request.param

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers.get("content-length") or 0))
            self.send_response(status)
            self.send_header("content-type", kind)
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        do_GET = do_POST

        def log_message(self, format: str, *args: object) -> None:
            """Say nothing."""

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/v1"
        server.shutdown()
        thread.join()


def test_replays_the_bundled_cassettes_by_default(judge: Judge) -> None:
    ran = judge("--pyargs", "conformance")

    assert ran.code == 0, ran.text
    assert "verdict: conforms" in ran.text
    assert "recorded" in ran.text


def test_judges_the_embedded_reference_server_from_any_folder(judge: Judge) -> None:
    ran = judge("--target-url=reference", "--runs-gate=should")

    assert ran.code == 0, ran.text
    assert "verdict: conforms" in ran.text


@pytest.mark.parametrize(
    "selection",
    [("-m", "stream or get or auth"), pytest.param((), marks=pytest.mark.exhaustive)],
    ids=["streams", "all"],
)
def test_judges_the_reference_server_over_a_socket(
    judge: Judge, reference_url: str, selection: tuple[str, ...]
) -> None:
    ran = judge(f"--target-url={reference_url}", "--runs-gate=should", *selection, OPENAI_API_KEY="sk-reference")

    assert ran.code == 0, ran.text


@pytest.mark.parametrize(
    "selection",
    ["cancel and must", pytest.param("cancel or page", marks=pytest.mark.exhaustive)],
)
def test_a_recording_replays_to_the_same_verdict(
    judge: Judge, tmp_path: Path, reference_url: str, selection: str
) -> None:
    key = {"OPENAI_API_KEY": "sk-reference"}
    live = judge(f"--target-url={reference_url}", "--runs-record=mine", "-m", selection, **key)
    assert live.code == 0, live.text

    replayed = judge("--runs-replay=mine", "-m", selection)

    assert replayed.code == 0, replayed.text
    assert not any("sk-reference" in path.read_text("utf-8") for path in tmp_path.rglob("*.json"))


@pytest.mark.parametrize("selection", [("-k", "RUN-CANCEL-011"), ("-m", "cancel and must")], ids=["id", "mark"])
def test_selects_by_id_level_and_area(judge: Judge, selection: tuple[str, str]) -> None:
    ran = judge("--target-url=reference", "-v", *selection)

    assert ran.code == 0, ran.text
    assert "test_cancel" in ran.text
    assert "test_list_order" not in ran.text


def test_invariants_alone_stage_a_survey(judge: Judge) -> None:
    ran = judge("--target-url=reference", "-k", "RUN-INV-009")

    assert ran.code == 0, ran.text
    assert "1 passed" in ran.text


def test_lists_the_catalogue(judge: Judge) -> None:
    ran = judge("--runs-list")

    assert ran.code == 0, ran.text
    assert "RUN-CANCEL-011  MUST" in ran.text
    assert "sentences of the sources that cannot be tested" in ran.text


def test_does_nothing_without_options_and_items(judge_as_process: Judge, tmp_path: Path) -> None:
    (tmp_path / "test_mine.py").write_text(
        "import sys\ndef test_light():\n    heavy = {'httpx', 'pydantic', 'vcr', 'schemathesis', 'yaml'}\n"
        "    assert not heavy & set(sys.modules)\n",
        "utf-8",
    )

    ran = judge_as_process("-p", "no:allure_pytest", "-p", "no:anyio")

    assert ran.code == 0, ran.text
    assert "compliance" not in ran.text


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--target-url=reference", "--runs-replay=reference"), "two targets"),
        (("--target-url=ftp://x/v1",), "no http(s) URL"),
        (("--target-url=http://user:secret@127.0.0.1:1/v1",), "must not carry a key"),
        (("--target-url=reference", "--runs-profile=nosuch"), "no profile 'nosuch'"),
        (("--target-url=reference", "--runs-without=telepathy"), "knows no telepathy"),
        (("--target-url=reference", "--runs-gate=maybe"), "invalid choice"),
        (("--target-url=reference", "--runs-max-runs=0"), "at least 1"),
        (("--target-url=reference", "--runs-wait=finish=soon"), "NAME=SECONDS"),
        (("--runs-replay=nosuch",), "nosuch"),
        (("--runs-record=mine",), "needs a --target-url"),
        (("--target-url=http://127.0.0.1:abc/v1",), "is no URL"),
        (("--target-url=http://127.0.0.1:99999/v1",), "is no URL"),
        (("--target-url=http://[::1/v1",), "is no URL"),
        (("--target-url=http://127.0.0.1:1/v1/ü x",), "characters that no URL has"),
        (("--target-url= http://127.0.0.1:1/v1",), "characters that no URL has"),
        (("--target-url=http://a..b/v1",), "names no host"),
        ((f"--target-url=http://{'a' * 64}.example/v1",), "names no host"),
        (("--runs-replay=",), "--runs-replay is empty"),
        (("--target-url=reference", "--runs-record="), "--runs-record is empty"),
        (("--target-url=reference", "--runs-without="), "--runs-without is empty"),
        (("--target-url=reference", "--runs-profile= "), "--runs-profile is empty"),
        (("--target-url=reference", "--runs-record=/dev/null/mine"), "nothing can be recorded in /dev/null/mine"),
        (("--target-url=reference", f"--runs-record={'x' * 300}"), "name too long"),
    ],
    ids=lambda value: value[-1][:60] if isinstance(value, tuple) else "",
)
def test_a_wrong_option_is_one_clear_message(judge: Judge, arguments: tuple[str, ...], message: str) -> None:
    ran = judge(*arguments)

    assert ran.code == 4, ran.text
    assert message in ran.text
    assert "Traceback" not in ran.text
    assert "INTERNALERROR" not in ran.text


def test_nothing_is_sent_where_nothing_can_be_recorded(judge: Judge, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("", "utf-8")
    asked: list[bytes] = []
    with listening(lambda connection: asked.append(heard(connection))) as origin:
        ran = judge(f"--target-url={origin}/v1", "--runs-record=./file/mine")

    assert ran.code == 4, ran.text
    assert asked == []


def test_a_name_that_does_not_resolve_is_one_clear_message(judge: Judge) -> None:
    ran = judge("--target-url=http://nosuch.invalid/v1")

    assert ran.code == 11, ran.text
    assert "there is no server at http://nosuch.invalid/v1" in ran.text


def test_a_truncated_cassette_set_is_one_clear_message(judge: Judge, tmp_path: Path) -> None:
    recorded = judge("--target-url=reference", "--runs-record=mine", "-m", "cancel and must")
    assert recorded.code == 0, recorded.text
    largest = max((tmp_path / "cassettes" / "mine").rglob("*.json"), key=lambda path: path.stat().st_size)
    largest.write_text(largest.read_text("utf-8")[:100], "utf-8")

    ran = judge("--runs-replay=mine")

    assert ran.code == 4, ran.text
    assert "Traceback" not in ran.text


def test_no_server_is_one_clear_message(judge: Judge, closed_port: int) -> None:
    ran = judge(f"--target-url=http://127.0.0.1:{closed_port}/v1")

    assert ran.code == 11, ran.text
    assert "no server" in ran.text
    assert "Traceback" not in ran.text


def test_a_wrong_key_is_one_clear_message(judge: Judge, reference_url: str) -> None:
    ran = judge(f"--target-url={reference_url}", OPENAI_API_KEY="sk-wrong-but-secret")

    assert ran.code == 11, ran.text
    assert "refuses the key in OPENAI_API_KEY" in ran.text
    assert "sk-wrong-but-secret" not in ran.text


@pytest.mark.parametrize(
    "small_server",
    [
        (404, "text/html", b"<h1>Not found</h1>"),
        (200, "text/html", b"<h1>Welcome</h1>"),
        (200, "application/json", b"[]"),
    ],
    indirect=True,
    ids=["not found", "a web page", "other JSON"],
)
def test_no_such_api_is_one_clear_message(judge: Judge, small_server: str) -> None:
    ran = judge(f"--target-url={small_server}", OPENAI_API_KEY="sk-planted")

    assert ran.code == 11, ran.text
    assert "no Assistants API" in ran.text


def test_the_key_is_in_no_artefact(judge: Judge, tmp_path: Path, reference_url: str) -> None:
    ran = judge(
        f"--target-url={reference_url}",
        "--runs-record=mine",
        "--junitxml=junit.xml",
        "--alluredir=allure",
        "--log-level=DEBUG",
        "--log-cli-level=DEBUG",
        "--log-file=log.txt",
        "-m",
        "auth or get",
        "--showlocals",
        "-v",
        OPENAI_API_KEY="sk-reference",
    )

    assert ran.code == 0, ran.text
    almost = "sk-referen"  # the suite knocks with keys that are almost right
    assert almost not in ran.text.lower()
    leaks = [path for path in tmp_path.rglob("*") if path.is_file() and almost.encode() in path.read_bytes().lower()]
    assert leaks == []


def test_a_key_that_comes_back_in_a_header_is_in_no_artefact(judge: Judge, tmp_path: Path) -> None:
    body = b'{"id": "x", "object": "thread.run", "echo": "sk-planted-secret"}'
    with listening(answering(body, "content-type: application/json", "x-echo: sk-planted-secret")) as origin:
        ran = judge(
            f"--target-url={origin}/v1",
            "--junitxml=junit.xml",
            "--alluredir=allure",
            "--log-level=DEBUG",
            "--log-file=log.txt",
            "-m",
            "get or schema",
            OPENAI_API_KEY="sk-planted-secret",
        )

    assert ran.code == 1, ran.text
    assert "sk-planted-secret" not in ran.text
    written = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert [path for path in written if b"sk-planted-secret" in path.read_bytes()] == []
    assert tmp_path / "log.txt" in written


@pytest.mark.parametrize(
    "absent",
    [
        "steps",
        "cancel,list,retrieve",
        *(pytest.param(each, marks=pytest.mark.exhaustive) for each in ("cancel", "list", "retrieve")),
    ],
)
def test_what_is_declared_absent_does_not_gate(judge: Judge, absent: str) -> None:
    ran = judge("--target-url=reference", f"--runs-without={absent}")

    assert ran.code == 0, ran.text
    assert re.search(r"verdict: conforms.* [1-9]\d* n/a", ran.text), ran.text


def test_an_optional_part_that_is_not_found_does_not_gate(judge: Judge) -> None:
    ran = judge("--target-url=reference", "--runs-fault=no-steps-at-all", "-rs")

    assert ran.code == 0, ran.text
    assert "n/a: the target has no steps" in ran.text
    assert re.search(r"verdict: conforms.* [1-9]\d* n/a\)", ran.text), ran.text


def test_what_a_set_never_recorded_does_not_gate(judge: Judge) -> None:
    recorded = judge("--target-url=reference", "--runs-record=mine", "-k", "RUN-CANCEL-011")
    assert recorded.code == 0, recorded.text

    ran = judge("--runs-replay=mine")

    assert ran.code == 0, ran.text
    told = 'nothing in the session could show whether this holds: "A thread has at most one run that may still move."'
    assert told in ran.text


def test_the_session_says_what_it_cost(judge: Judge) -> None:
    ran = judge("--target-url=reference", "-k", "RUN-LIFE-011")

    assert re.search(r"\d+ requests, \d+ runs, [1-9]\d* tokens", ran.text), ran.text


def test_invariants_come_last_whoever_orders_items(judge: Judge, tmp_path: Path) -> None:
    (tmp_path / "conftest.py").write_text(
        "import pytest\n@pytest.hookimpl(trylast=True)\n"
        "def pytest_collection_modifyitems(items):\n    items.reverse()\n",
        "utf-8",
    )

    ran = judge("--target-url=reference", "-k", "RUN-LIFE-016 or RUN-CANCEL-001", "--collect-only", "-q")

    collected = [line for line in ran.text.splitlines() if "::" in line]
    assert [("test_every_message" in line) for line in collected] == [False, False, False, True], ran.text


def test_a_session_without_items_of_the_suite_is_told(judge: Judge, tmp_path: Path) -> None:
    (tmp_path / "test_mine.py").write_text("def test_light():\n    pass\n", "utf-8")

    asked, unasked = judge("test_mine.py", "--target-url=reference"), judge("test_mine.py")

    assert (asked.code, unasked.code) == (0, 0)
    assert "no target was judged" in asked.text
    assert "no target was judged" not in unasked.text


def test_junit_carries_verdict_and_requirement(judge: Judge, tmp_path: Path) -> None:
    ran = judge("--target-url=reference", "--junitxml=junit.xml", "-k", "RUN-CANCEL-011")
    assert ran.code == 0, ran.text

    properties = ElementTree.parse(tmp_path / "junit.xml").getroot().findall(".//property")

    assert ("requirement", "RUN-CANCEL-011") in {(each.get("name"), each.get("value")) for each in properties}
    assert ("verdict", "pass") in {(each.get("name"), each.get("value")) for each in properties}


def test_a_budget_of_runs_leaves_the_rest_untested(judge: Judge) -> None:
    ran = judge("--target-url=reference", "--runs-max-runs=3", "-m", "cancel")

    assert ran.code == 10, ran.text
    assert "--runs-max-runs=3" in ran.text
