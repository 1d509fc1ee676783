"""Say what several targets came to, area by area."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace


def declare(parser: ArgumentParser) -> None:
    """Add the arguments."""
    parser.add_argument("reports", type=Path, nargs="+", metavar="REPORT.json", help="a report of each target")
    parser.add_argument("--markdown", action="store_true", help="as Markdown")


def run(given: Namespace) -> int:
    """Print the table."""
    from conformance.reports.matrix import in_markdown, in_words, matrix
    from conformance.reports.reading import read_report

    told = matrix([read_report(path) for path in given.reports])
    sys.stdout.write("\n".join(in_markdown(told) if given.markdown else in_words(told)) + "\n")
    return 0
