"""Reports of sessions against targets that mean harm: no secret, nothing that comes alive, and always a verdict."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from conformance.reports.markdown import markdown
from conformance.reports.page import page
from conformance.verdicts import Verdict
from conformance.wire.journal import Journal
from support.reports import INTO, broken, finding, made, told
from support.servers import answering, listening

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from support.sessions import Ran

    Judge = Callable[..., Ran]

KEY = "sk-planted-secret-of-the-target"
TEXTS = {
    "script": "</script><script>hurt()</script><!--",
    "markdown": "```\n</details>[x](http://evil.example) @everyone",
    "terminal": "\x1b]0;title\x07\x1b[2J\x9b31m",
    "no text": "\0\ud800\ufffe\u202e",
}
LONG = "x" * 100_000


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("\n".join(TEXTS.values()), id="all at once"),
        pytest.param(LONG, id="long"),
        *(pytest.param(text, id=name, marks=pytest.mark.exhaustive) for name, text in TEXTS.items()),
    ],
)
def test_whatever_a_target_says_it_is_reported(judge: Judge, tmp_path: Path, text: str) -> None:
    run = {
        "id": "run_1",
        "object": text,
        "status": text,
        "thread_id": text,
        "last_error": {"code": text, "message": text},
    }
    with listening(answering(json.dumps(run).encode(), "content-type: application/json", "x-echo: <b>")) as origin:
        ran = judge(f"--target-url={origin}/v1", INTO, "-m", "get or err", "--runs-wait=start=0.2")

    assert ran.code in {1, 10}, ran.text
    report = told(tmp_path / "out")
    assert report["ended"]["outcome"] in {"does not conform", "incomplete"}
    assert report["exchanges"] or report["ended"]["outcome"] == "incomplete"
    for path in (tmp_path / "out").iterdir():
        written = path.read_text("utf-8")
        assert not {*"\0\x07\x1b\x9b\u202e"} & {*written}, path
    assert "<script>hurt" not in (tmp_path / "out" / "report.html").read_text("utf-8")
    assert sum(path.stat().st_size for path in (tmp_path / "out").iterdir()) < 8_000_000


def test_a_key_that_comes_back_is_in_no_report(judge: Judge, tmp_path: Path) -> None:
    body = json.dumps({"id": "x", "object": KEY, "status": f"Bearer {KEY}"}).encode()
    echo = (f"x-echo: {KEY}", f"set-cookie: {KEY}", "content-type: application/json")
    with listening(answering(body, *echo)) as origin:
        ran = judge(f"--target-url={origin}/v1", INTO, "-m", "get or schema", OPENAI_API_KEY=KEY)

    assert ran.code == 1, ran.text
    report = told(tmp_path / "out")
    assert report["exchanges"]
    assert "[redacted]" in json.dumps(report["exchanges"])
    assert [path for path in (tmp_path / "out").iterdir() if KEY[:12] in path.read_text("utf-8")] == []


def test_a_key_at_the_cut_of_a_body_is_in_no_report() -> None:
    for before in range(8_150, 8_200, 3):
        journal = Journal()
        body = b"x" * before + KEY.encode() * 900
        report = made(
            finding("RUN-GET-001", Verdict.FAIL, KEY, broken(journal, KEY, KEY, body, 500)),
            journal=journal,
            secret=KEY,
            name=KEY,
            stopped=KEY,
        )

        for text in (report.model_dump_json(), page(report), markdown(report)):
            assert "sk-planted" not in text
