"""Say what became better and what became worse between two reports."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace


def declare(parser: ArgumentParser) -> None:
    """Add the arguments."""
    parser.add_argument("before", type=Path, metavar="A.json", help="the report to compare with")
    parser.add_argument("after", type=Path, metavar="B.json", help="the report that is compared")
    parser.add_argument("--markdown", action="store_true", help="as Markdown, for a pull request")
    parser.epilog = (
        "Exit code 1: a requirement got worse in a way that counts under the gate of B: it is broken now and was not, "
        "or it should have been measured and was not, while it held before. 2: a report cannot be used."
    )


def run(given: Namespace) -> int:
    """Print the difference; 1 where something got worse that counts."""
    from conformance.reports.compare import compare, in_markdown, in_words
    from conformance.reports.reading import read_report

    difference = compare(read_report(given.before), read_report(given.after))
    lines = in_markdown(difference) if given.markdown else in_words(difference)
    sys.stdout.write("\n".join(lines) + "\n")
    return int(difference.regressed)
