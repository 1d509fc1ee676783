"""`report.md`: short enough for a comment, and nothing that a target says becomes Markdown."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from conformance.reports.markdown import block, code, markdown, prose
from conformance.requirements import State, catalogue
from conformance.verdicts import Verdict
from conformance.wire.journal import Journal
from support.reports import broken, finding, made

if TYPE_CHECKING:
    from conformance.reports.document import Report

HOSTILE = (
    "x ``` </details></summary> <script>alert(1)</script> @everyone #12 [a](http://evil.example) ![i](x) | cell\n"
    "# Heading\n````\n- item\n\n<img src=x>\nwww.evil.example **b** $x$"
)


def hostile() -> Report:
    journal = Journal()
    told = broken(journal, HOSTILE, HOSTILE, HOSTILE.encode(), 500)
    return made(
        finding("RUN-CANCEL-011", Verdict.FAIL, HOSTILE, told, item=f"s/test_x.py::test_y[{HOSTILE}]"),
        finding("RUN-PAGE-002", Verdict.UNTESTED, HOSTILE),
        journal=journal,
        name=HOSTILE,
    )


def outside_of_blocks(text: str) -> str:
    """The text without its fenced blocks, each of which must end."""
    lines, fence = list[str](), ""
    for line in text.splitlines():
        if fence:
            fence = "" if line == fence else fence
        elif found := re.match("(`{3,})text$", line):
            fence = found[1]
        else:
            lines.append(line)
    assert not fence
    return "\n".join(lines)


def test_nothing_that_a_target_says_becomes_markdown() -> None:
    rest = outside_of_blocks(markdown(hostile()))

    unescaped = re.sub(r"\\.", "", rest)
    assert "<script" not in unescaped
    assert "<img" not in unescaped
    assert rest.count("<details>") == rest.count("\n</details>") == 1
    assert not re.search("[@#][a-z0-9]", rest.replace("##", ""))
    assert "](" not in unescaped
    assert "http://" not in unescaped
    assert "www.evil" not in unescaped
    assert not re.search("^# Heading|^- item|^`", rest, re.MULTILINE)


def test_a_failure_is_told_in_full() -> None:
    report = hostile()
    text = markdown(report)

    assert report.requirements[0].items[0].text in text
    assert "<details><summary><code>RUN-CANCEL-011 MUST NOT change a finished run when it is cancelled</code>" in text
    assert "does not conform" in text
    assert "| CANCEL Cancel a run | MUST |" in text


@pytest.mark.parametrize("size", [100, 20_000])
def test_it_fits_into_a_comment(size: int) -> None:
    journal = Journal()
    active = [id for id, row in catalogue().items() if row.state is State.ACTIVE]
    found = [finding(id, Verdict.FAIL, "x" * size, broken(journal, "é" * size, "a" * size)) for id in active]

    text = markdown(made(*found, journal=journal))

    assert len(text.encode()) < 65_000
    assert "more have no room here" in text
    assert outside_of_blocks(text)


def test_what_is_not_selected_is_not_claimed() -> None:
    assert markdown(made(finding("RUN-GET-001", Verdict.PASS))).startswith(
        "## Runs conformance: conforms (1 of 317 requirements)\n"
    )


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a_b *c*", r"a\_b \*c\*"),
        ("<b>&amp;", r"\<b\>\&amp;"),
        ("@octocat", "@\u200boctocat"),
        ("see #12", "see \\#\u200b12"),
        ("http://x", r"http\://x"),
        ("a\n\n# b", r"a \# b"),
        ("a | b", r"a \| b"),
    ],
)
def test_prose_is_shown_as_it_is(text: str, shown: str) -> None:
    assert prose(text) == shown


@pytest.mark.parametrize("text", ["plain", "a `tick`", "``two``", "a\n\nb", ""])
def test_code_stays_on_its_line_and_ends_where_it_should(text: str) -> None:
    told = code(text)

    assert "\n" not in told
    ticks = re.match("`*", told)
    assert ticks
    assert ticks[0] not in told[len(ticks[0]) : -len(ticks[0])] if ticks[0] else told == ""


@pytest.mark.parametrize("text", ["```", "````\n```` x", "plain"])
def test_nothing_ends_a_block_but_its_own_fence(text: str) -> None:
    first, *inner, last = block(text)

    assert first == f"{last}text"
    assert not any(line.startswith(last) for line in inner)
