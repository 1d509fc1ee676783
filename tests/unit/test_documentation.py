"""The pages: the generated ones are in step, links lead somewhere, and what they name exists."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
import yaml

from conformance.reference.faults import FAULTS
from conformance.requirements import catalogue
from conformance.states.waits import BUDGETS
from conformance.verdicts import Verdict
from support import ROOT
from tools.documentation.pages import DOCS, FOLDER, pages

if TYPE_CHECKING:
    from pathlib import Path

WRITTEN = [ROOT / "README.md", *sorted(DOCS.rglob("*.md"))]
#: Those that the checkout's own words are held to; the changelog may name what is gone.
BY_NAME = [pytest.param(path, id=path.relative_to(ROOT).as_posix()) for path in WRITTEN]

FENCED = re.compile(r"^```.*?^```$", re.DOTALL | re.MULTILINE)
CODE = re.compile(r"`[^`\n]*`")
LINK = re.compile(r"(!?)\[[^\]]*\]\(([^)\s]+)\)")
HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)


def prose(path: Path) -> str:
    """A page without its blocks of code."""
    return FENCED.sub("", path.read_text("utf-8"))


def anchors(path: Path) -> set[str]:
    """What can be linked to within a page, by GitHub's rule."""
    titles = [re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in HEADING.findall(prose(path))]
    assert len(set(titles)) == len(titles), f"{path.name} has a heading twice"
    return set(titles)


@pytest.fixture(scope="module")
def generated() -> dict[str, str]:
    return dict(pages())


def test_the_generated_pages_are_in_step(generated: dict[str, str]) -> None:
    stale = [name for name, text in generated.items() if (DOCS / name).read_text("utf-8") != text]

    assert stale == [], "tox -e docs"


def test_no_page_is_left_of_an_area_that_is_gone(generated: dict[str, str]) -> None:
    there = {path.relative_to(DOCS).as_posix() for path in (DOCS / FOLDER).iterdir()}

    assert there == {name for name in generated if name.startswith(f"{FOLDER}/")}


def test_every_requirement_has_a_place_of_its_own() -> None:
    placed = {path.stem: anchors(path) for path in (DOCS / FOLDER).iterdir()}

    assert all(row.id.lower() in placed[row.area.key.lower()] for row in catalogue().values())


@pytest.mark.parametrize("path", BY_NAME)
def test_links_lead_somewhere(path: Path) -> None:
    broken = []
    for _, link in LINK.findall(CODE.sub("", prose(path))):
        if link.startswith(("https://", "http://", "mailto:")):
            continue
        name, _, anchor = link.partition("#")
        target = (path.parent / name).resolve() if name else path
        if not target.is_file() or (anchor and anchor not in anchors(target)):
            broken.append(link)

    assert broken == []


def test_a_broken_link_would_be_found(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("# One place\n\n[there](#one-place)\n")
    test_links_lead_somewhere(page)

    for wrong in ("[gone](gone.md)", "[nowhere](#two-places)", "![picture](docs/report.png)"):
        page.write_text(f"# One place\n\n{wrong}\n")
        with pytest.raises(AssertionError):
            test_links_lead_somewhere(page)


@pytest.mark.parametrize("path", BY_NAME)
def test_what_a_page_names_exists(path: Path, request: pytest.FixtureRequest) -> None:
    text = path.read_text("utf-8")
    options = {name for group in request.config._parser._groups for each in group.options for name in each.names()}
    environments = {*re.findall(r"^\[testenv:([\w-]+)\]", (ROOT / "tox.ini").read_text("utf-8"), re.MULTILINE)}

    assert set(re.findall(r"--runs-[a-z-]*[a-z]|--target-url", text)) <= options
    assert set(re.findall(r"RUN-[A-Z]+-\d{3}", text)) <= set(catalogue())
    assert set(re.findall(r"--(?:runs-)?fault=([a-z-]+)", text)) <= set(FAULTS)
    assert set(re.findall(r"tox -e ([\w-]+)", text)) <= environments
    places = re.findall(r"`((?:conformance|tests|docs|schemas|cassettes)/[\w./-]*)`", text)
    assert [place for place in places if not (ROOT / place).exists()] == []


def test_every_option_is_on_the_page_of_options(request: pytest.FixtureRequest) -> None:
    ours = next(group for group in request.config._parser._groups if group.name == "runs")
    named = set(re.findall(r"`(--[a-z-]+)", (DOCS / "options.md").read_text("utf-8")))

    assert {name for each in ours.options for name in each.names()} <= named


def test_every_profile_wait_and_verdict_is_explained() -> None:
    explained = {name: (DOCS / name).read_text("utf-8") for name in ("profiles.md", "waits.md", "reading-a-failure.md")}
    profiles = {path.stem for path in (ROOT / "conformance" / "profiles").glob("*.toml")}

    assert {name for name in profiles if f"| `{name}` |" not in explained["profiles.md"]} == set()
    assert {name for name in BUDGETS if f"| `{name}` |" not in explained["waits.md"]} == set()
    assert {each for each in Verdict if f"\n| {each} |" not in explained["reading-a-failure.md"]} == set()


def test_a_newcomer_can_read_the_readme_at_once() -> None:
    assert len((ROOT / "README.md").read_text("utf-8").splitlines()) < 150


def test_every_page_is_in_the_navigation() -> None:
    navigation = yaml.safe_load((ROOT / "mkdocs.yml").read_text("utf-8"))["nav"]
    named = set(re.findall(r"[\w/-]+\.md", str(navigation)))

    assert named == {path.relative_to(DOCS).as_posix() for path in DOCS.rglob("*.md")}
