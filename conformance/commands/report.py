"""Make report.html, report.md and badge.svg from a report.json."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace


def declare(parser: ArgumentParser) -> None:
    """Add the arguments."""
    parser.add_argument("report", type=Path, metavar="REPORT.json", help="what is read")
    parser.add_argument("--dir", type=Path, required=True, help="the folder to write into")


def run(given: Namespace) -> int:
    """Write the files."""
    from conformance.outcomes import Unusable
    from conformance.reports.folder import write_readable
    from conformance.reports.reading import read_report

    told = read_report(given.report)
    try:
        given.dir.mkdir(parents=True, exist_ok=True)
        write_readable(given.dir, told)
    except OSError as problem:
        raise Unusable(f"{given.dir} cannot be written to: {problem.strerror}") from None
    return 0
