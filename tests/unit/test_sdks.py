"""What is written of SDKs that others wrote."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from conformance.requirements import Side, catalogue
from support import ROOT
from tools.sdks.components import EXPECTED, SDKS
from tools.targets import expectation

if TYPE_CHECKING:
    from pathlib import Path

WRITTEN = sorted(EXPECTED.glob("*.toml"))


def test_each_sdk_that_can_be_installed_has_an_expectation() -> None:
    assert {path.stem for path in WRITTEN} == SDKS.keys() - {"openai-ruby"}


@pytest.mark.parametrize("path", WRITTEN, ids=lambda path: path.stem)
def test_an_expectation_is_about_requirements_for_clients(path: Path) -> None:
    text = path.read_text("utf-8")
    expected = expectation.read(text, Side.CLIENT)

    assert expected.verdicts.keys() == catalogue(Side.CLIENT).keys()
    assert "TODO" not in text


@pytest.mark.parametrize("name", SDKS)
def test_the_page_tells_of_each_sdk(name: str) -> None:
    assert f"| {SDKS[name].what} |" in (ROOT / "docs" / "sdk.md").read_text("utf-8")
