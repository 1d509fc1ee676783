"""The site: it builds with every link in place, and loads nothing from other hosts."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from support import ROOT

if TYPE_CHECKING:
    from pathlib import Path

pytest.importorskip("zensical", reason="the site takes the extra `docs`")

#: What a browser fetches by itself.
FETCHED = re.compile(r"""<(?:script|link|img|iframe|source)\b[^>]*?\b(?:src|href)=["']?((?:https?:)?//[^"' >]+)""")
IMPORTED = re.compile(r"""(?:@import|url\()\s*["']?((?:https?:)?//[^"')]+)""")


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The site, built as `tox -e docs` builds it."""
    folder = tmp_path_factory.mktemp("checkout")
    shutil.copytree(ROOT / "docs", folder / "docs")
    shutil.copy(ROOT / "mkdocs.yml", folder)
    command = [sys.executable, "-m", "zensical", "build", "--strict"]
    built = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=300, check=False)
    assert built.returncode == 0, built.stdout + built.stderr
    return folder / "site"


def test_nothing_is_loaded_from_other_hosts(site: Path) -> None:
    pages = list(site.rglob("*.html"))
    fetched = {link for page in pages for link in FETCHED.findall(page.read_text("utf-8"))}
    imported = {link for sheet in site.rglob("*.css") for link in IMPORTED.findall(sheet.read_text("utf-8"))}

    assert len(pages) >= 30
    assert fetched == set()
    assert imported == set()


def test_a_requirement_is_found_by_its_id(site: Path) -> None:
    page = (site / "requirements" / "cancel" / "index.html").read_text("utf-8")

    assert 'id="run-cancel-031"' in page
    assert "markdown=" not in page  # folded lists are Markdown as well
