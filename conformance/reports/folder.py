"""The folder of reports that a session leaves: what is in it, and how it is written."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from conformance.reports.document import Report

REPORT: Final = "report.json"
#: Written by pytest itself.
JUNIT: Final = "junit.xml"
_READABLE: Final = ("report.html", "report.md", "badge.svg")


def prepare(folder: Path) -> None:
    """
    Make the folder, and take out of it what an earlier session left, which could pass for this one's.

    Raises:
        OSError: that cannot be done.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for name in (REPORT, JUNIT, *_READABLE):
        (folder / name).unlink(missing_ok=True)


def write(folder: Path, report: Report) -> None:
    """
    Write the report and all that is made from it.

    Raises:
        OSError: that cannot be done.
    """
    text = json.dumps(report.model_dump(mode="json"), indent=1, ensure_ascii=False)
    _write(folder, {REPORT: text + "\n"})
    write_readable(folder, report)


def write_readable(folder: Path, report: Report) -> None:
    """
    Write what is made from a report, for people.

    Raises:
        OSError: that cannot be done.
    """
    from conformance.reports.badge import badge
    from conformance.reports.markdown import markdown
    from conformance.reports.page import page

    _write(folder, dict(zip(_READABLE, (page(report), markdown(report), badge(report)), strict=True)))


def _write(folder: Path, texts: Mapping[str, str]) -> None:
    for name, text in texts.items():
        (folder / name).write_text(text, "utf-8", newline="\n")
