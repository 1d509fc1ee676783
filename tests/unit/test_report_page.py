"""The page that people read: what it shows is what the document says, and nothing in it comes alive."""

from __future__ import annotations

import json
import os
import re
import shutil
from html.parser import HTMLParser
from typing import TYPE_CHECKING, Any, get_args

import pytest
from markupsafe import escape

from conformance.outcomes import Violation
from conformance.reports.badge import badge
from conformance.reports.document import Acceptance, Target
from conformance.reports.page import page
from conformance.reports.words import kind_in_words
from conformance.requirements import catalogue
from conformance.verdicts import Verdict
from conformance.wire.journal import Journal
from support.reports import broken, finding, made

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from playwright.sync_api import Browser, Page

    from conformance.reports.document import Report

HOSTILE = "</pre></script><script>window.hurt = 1</script><img src=x onerror='window.hurt=1'>{{ 7*7 }} \x1b[31m\0\ud800"
VOID = {"meta", "input", "br", "img", "link"}


class Outline(HTMLParser):
    """The tags of a page, each seen to be closed in its turn."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self._open: list[str] = []
        self.feed(text)
        self.close()
        assert self._open == []

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attributes)))
        if tag not in VOID:
            self._open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag


def report_of_everything() -> Report:
    journal = Journal()
    body = json.dumps({"id": "run_1", "status": "queued"}).encode()
    told = Violation("status 404", "status 200", broken(journal, body=body).exchanges)
    return made(
        finding("RUN-CANCEL-011", Verdict.FAIL, "expected one, got other", told, broken(journal, status=500)),
        finding("RUN-CANCEL-011", Verdict.PASS, item="s/test_made.py::test_other[b]"),
        finding("RUN-CANCEL-012", Verdict.WARN, "expected one, got other", broken(journal)),
        finding("RUN-PAGE-001", Verdict.STALE, "delete it"),
        finding("RUN-PAGE-002", Verdict.UNTESTED, "no run ended: #12 GET run 200 queued"),
        finding("RUN-PAGE-004", Verdict.UNTESTED, "no run ended: #345 GET run 200 queued"),
        finding("RUN-PAGE-005", Verdict.ERROR, "error: no answer"),
        finding("RUN-PAGE-010", Verdict.KNOWN, "our issue 7 (expected one, got other)", broken(journal)),
        finding("RUN-SCHEMA-014", Verdict.NOTE, "arguments are JSON"),
        finding("RUN-STEP-001", Verdict.NOT_APPLICABLE, "the target has no steps"),
        finding("RUN-GET-001", Verdict.PASS),
        finding("RUN-GET-001", Verdict.UNTESTED, "it never expired", item="s/test_made.py::test_get[expired]"),
        journal=journal,
        exit_code=1,
        known=[
            Acceptance(
                requirement="RUN-PAGE-010", parameter="", reason="our issue 7", until=None, flaky=False, overdue=False
            )
        ],
    )


def hostile_report() -> Report:
    journal = Journal()
    told = broken(journal, HOSTILE, HOSTILE, HOSTILE.encode("utf-8", "replace"), 500)
    return made(
        finding("RUN-CANCEL-011", Verdict.FAIL, HOSTILE, told, item=f"s/test_x.py::test_y[{HOSTILE}]"),
        finding("RUN-PAGE-002", Verdict.UNTESTED, HOSTILE),
        journal=journal,
        name=HOSTILE,
        stopped="",
    )


@pytest.mark.parametrize("report", [report_of_everything(), hostile_report(), made()], ids=["all", "hostile", "empty"])
def test_the_page_is_whole_and_has_nothing_from_elsewhere(report: Report) -> None:
    text = page(report)

    tags = Outline(text).tags
    assert [tag for tag, _ in tags].count("script") == 1
    assert not {"img", "link", "iframe", "object", "form", "base"} & {tag for tag, _ in tags}
    for _, attributes in tags:
        assert not {"src", "style"} & attributes.keys()
        assert not [name for name in attributes if name.startswith("on")]
        assert (attributes.get("href") or "#").startswith("#")
    policy = next(each["content"] for tag, each in tags if each.get("http-equiv") == "Content-Security-Policy")
    assert policy is not None
    assert policy.startswith("default-src 'none'")
    assert "unsafe" not in policy
    assert not re.search("[\0-\x08\x0b-\x1f]", text)


@pytest.mark.parametrize(
    ("around", "words"),
    [
        ({"interrupted": True, "exit_code": 2}, "verdict: none, the session was interrupted (1 pass; 1 of 317 "),
        ({"stopped": "there is no server", "exit_code": 11}, "nothing could be measured: there is no server<"),
        (
            {},
            (
                "no requirement that counts is broken, and all that could be measured was "
                "(1 pass; 1 of 317 requirements were selected)<"
            ),
        ),
    ],
)
def test_the_first_sentence_says_what_was_measured(around: dict[str, Any], words: str) -> None:
    assert f'<p class="sentence">{words}' in page(made(finding("RUN-GET-001", Verdict.PASS), **around))


@pytest.mark.parametrize("kind", get_args(Target.model_fields["kind"].annotation))
def test_every_kind_of_target_has_words(kind: str) -> None:
    assert kind_in_words(kind)


def test_every_id_of_the_page_is_there_once() -> None:
    tags = Outline(page(report_of_everything())).tags
    ids = [attributes["id"] for _, attributes in tags if "id" in attributes]

    assert len(ids) == len(set(ids))
    linked = {(attributes["href"] or "")[1:] for tag, attributes in tags if tag == "a"}
    assert linked <= set(ids)


@pytest.mark.parametrize(
    "value",
    [{}, [], {"a": [1, {"b": None, "c": 'x:, {" \x1b \x9b'}], "d": {}, "e": []}, 3, "x", [[[]]], {"a": {"b": 1}}],
)
def test_json_is_indented_and_not_decoded(value: object) -> None:
    journal = Journal()
    told = broken(journal, body=json.dumps(value).encode())

    text = page(made(finding("RUN-GET-001", Verdict.FAIL, "x", told), journal=journal))

    assert f'<pre tabindex="0">{escape(json.dumps(value, indent=2))}</pre>' in text


@pytest.mark.parametrize(
    ("verdict", "words"),
    [
        (Verdict.PASS, "conforms (1 of 317 requirements)"),
        (Verdict.FAIL, "does not conform"),
        (Verdict.ERROR, "nothing measured"),
        (Verdict.NOT_APPLICABLE, "nothing measured"),
        (Verdict.DISABLED, "nothing measured"),
        (Verdict.KNOWN, "conforms (1 of 317 requirements, 1 accepted as broken)"),
    ],
)
def test_the_badge_says_no_more_than_was_measured(verdict: Verdict, words: str) -> None:
    text = badge(made(finding("RUN-GET-001", verdict, "why")))

    assert f'aria-label="runs conformance: {words}' in text
    assert f"<title>runs conformance: {words}" in text


def test_the_badge_counts_what_was_measured_and_is_green_for_nothing_else() -> None:
    absent = finding("RUN-STREAM-001", Verdict.NOT_APPLICABLE, "it is declared absent")
    green, other = (badge(made(*found)) for found in ([finding("RUN-GET-001", Verdict.PASS), absent], [absent]))

    assert "conforms (1 of 317 requirements)" in green
    assert "#2c6e32" in green
    assert "#2c6e32" not in other


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """A Chromium: the one that playwright brought, or the one of the system."""
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    found = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    with playwright.sync_playwright() as started:
        own = started.chromium.executable_path
        if not (path := own if os.path.exists(own) else found):  # noqa: PTH110 - it is a path of playwright's
            pytest.skip("there is no Chromium: install one, or run `playwright install chromium`")
        held = started.chromium.launch(executable_path=path, args=["--no-sandbox"])
        yield held
        held.close()


def opened(browser: Browser, path: Path, report: Report, **context: Any) -> tuple[Page, list[str]]:
    """The page in a browser, and what went wrong in it."""
    path.write_text(page(report), "utf-8")
    shown, wrong = browser.new_page(**context), list[str]()
    shown.on("console", lambda message: wrong.append(message.text))
    shown.on("pageerror", lambda problem: wrong.append(str(problem)))
    shown.on("request", lambda request: wrong.append(request.url) if "file:" not in request.url else None)
    shown.goto(path.as_uri())
    return shown, wrong


def test_a_browser_shows_what_the_document_says(browser: Browser, tmp_path: Path) -> None:
    report = report_of_everything()
    shown, wrong = opened(browser, tmp_path / "report.html", report)

    assert shown.inner_text("h1").lower() == "does not conform"
    for area in report.areas:
        rows = shown.locator("tbody tr").all_inner_texts()
        for level in area.levels:
            numbers = [str(level.counts.get(each, "·")) for each in Verdict if each in report.ended.counts]
            assert any(row.split("\t")[-len(numbers) :] == numbers and level.level in row for row in rows)
    for row in report.requirements:
        place = shown.locator(f"#{row.id}")
        assert row.title in (place.text_content() or "")
    (item, *_) = report.requirements[0].items
    text = shown.locator(f"#{report.requirements[0].id}").inner_text()
    for violation in item.violations:
        assert violation.expected in text
        assert violation.actual in text
        assert violation.reproduce[0] in text
    shown.locator(f"#{report.requirements[0].id} .exchange summary").first.click()
    assert '"status": "queued"' in shown.locator(f"#{report.requirements[0].id}").inner_text()
    assert shown.locator(".reason", has_text="no run ended: #… GET").locator("li").count() == 2
    assert "it never expired" in (shown.locator("#RUN-GET-001").text_content() or "")
    assert wrong == []


def test_verdicts_can_be_hidden_and_found(browser: Browser, tmp_path: Path) -> None:
    shown, wrong = opened(browser, tmp_path / "report.html", report_of_everything())
    warned = shown.locator("#RUN-CANCEL-012")

    assert warned.is_visible()
    shown.locator("#filter input[value=warn]").press("Space")
    assert not warned.is_visible()
    assert shown.locator("#RUN-CANCEL-011").is_visible()
    shown.goto(f"{shown.url}#RUN-GET-001")
    assert shown.locator("#RUN-GET-001").is_visible()
    assert wrong == []


def test_all_can_be_read_without_a_script(browser: Browser, tmp_path: Path) -> None:
    shown, _ = opened(browser, tmp_path / "report.html", report_of_everything(), java_script_enabled=False)

    assert not shown.locator("#filter").is_visible()
    assert shown.locator("#RUN-CANCEL-011 .actual").first.is_visible()


@pytest.mark.parametrize(("width", "scheme"), [(1280, "light"), (360, "dark")])
def test_it_fits_its_screen_and_can_be_read_by_contrast(
    browser: Browser, tmp_path: Path, width: int, scheme: str
) -> None:
    size = {"width": width, "height": 900}
    shown, _ = opened(browser, tmp_path / "report.html", report_of_everything(), viewport=size, color_scheme=scheme)

    assert shown.evaluate("document.documentElement.scrollWidth <= innerWidth")
    contrasts = shown.evaluate(
        """() => {
          const light = (text) => { const [r, g, b] = text.match(/[\\d.]+/g).map((part) => {
            const c = part / 255; return c <= 0.03928 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4; });
            return 0.2126 * r + 0.7152 * g + 0.0722 * b; };
          const behind = (node) => { for (; node; node = node.parentElement) {
            const colour = getComputedStyle(node).backgroundColor;
            if (!colour.endsWith(", 0)")) return light(colour); } return 1; };
          return [...document.querySelectorAll("body *")].filter((node) => node.childElementCount === 0
            && node.textContent.trim() && node.checkVisibility()).map((node) => {
              const pair = [light(getComputedStyle(node).color), behind(node)].sort((a, b) => b - a);
              return (pair[0] + 0.05) / (pair[1] + 0.05); });
        }"""
    )
    assert len(contrasts) > 50
    assert min(contrasts) >= 4.5


def test_what_a_target_says_does_not_come_alive(browser: Browser, tmp_path: Path) -> None:
    shown, wrong = opened(browser, tmp_path / "report.html", hostile_report())

    assert shown.evaluate("window.hurt") is None
    assert wrong == []
    assert "window.hurt = 1" in shown.inner_text("#RUN-CANCEL-011")
    assert "{{ 7*7 }}" in shown.inner_text("#RUN-CANCEL-011")
    assert catalogue()["RUN-CANCEL-011"].why in shown.inner_text("main")


def test_the_badge_can_be_seen(browser: Browser, tmp_path: Path) -> None:
    (tmp_path / "badge.svg").write_text(badge(hostile_report()), "utf-8")
    shown = browser.new_page()
    shown.goto((tmp_path / "badge.svg").as_uri())

    boxes = [each.bounding_box() for each in shown.locator("text").all()]
    assert len(boxes) == 2
    assert all(box and 0 < box["width"] < 300 for box in boxes)
