"""What is written of SDKs that others wrote."""

from __future__ import annotations

import io
import tarfile
from typing import TYPE_CHECKING

import pytest

from conformance.requirements import Side, catalogue
from support import ROOT
from tools import sdk_tests
from tools.peers.running import ToolError
from tools.sdks.components import EXPECTED, SDKS
from tools.targets import expectation
from tools.targets.fingerprint import stale

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


def test_each_expectation_was_written_for_the_requirements_and_cases_of_today() -> None:
    assert not (told := stale(EXPECTED, "tox -e sdks --", Side.CLIENT)), told


@pytest.mark.parametrize("name", SDKS)
def test_the_page_tells_of_each_sdk(name: str) -> None:
    assert f"| {SDKS[name].what} |" in (ROOT / "docs" / "sdk.md").read_text("utf-8")


def archive(folder: Path, name: str, kind: bytes = tarfile.REGTYPE) -> tarfile.TarFile:
    """An archive with one member, which holds four bytes where it is a file."""
    with tarfile.open(folder / "archive.tar", "w") as written:
        member = tarfile.TarInfo(name)
        member.type, member.size, member.linkname = kind, 4 if kind == tarfile.REGTYPE else 0, "/etc/hosts"
        written.addfile(member, io.BytesIO(b"text"))
    return tarfile.open(folder / "archive.tar")


def test_the_files_of_an_archive_are_unpacked(tmp_path: Path) -> None:
    with archive(tmp_path, "openai/tests/test_runs.py") as opened:
        sdk_tests.unpack(opened, tmp_path / "into")

    assert (tmp_path / "into" / "openai" / "tests" / "test_runs.py").read_text("utf-8") == "text"


@pytest.mark.parametrize("name", ["../outside", "inside/../../outside", "/outside"])
def test_a_file_outside_of_the_folder_is_refused(name: str, tmp_path: Path) -> None:
    with archive(tmp_path, name) as opened, pytest.raises(ToolError, match="outside of its folder"):
        sdk_tests.unpack(opened, tmp_path / "into")

    assert not (tmp_path / "outside").exists()


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.FIFOTYPE])
def test_what_is_no_regular_file_is_left_out(kind: bytes, tmp_path: Path) -> None:
    with archive(tmp_path, "link", kind) as opened:
        sdk_tests.unpack(opened, tmp_path / "into")

    assert not (tmp_path / "into").exists()
