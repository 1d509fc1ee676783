"""`python -m tools.targets`: judge each component, and say what came out otherwise than it is written."""

from __future__ import annotations

import sys

from tools.targets import page
from tools.targets.comparing import compare, parser
from tools.targets.components import COMPONENTS, HERE


def main() -> int:
    """Read the arguments, judge, and bring the table of the page up to date where that is asked for."""
    asked = parser("targets", "component", COMPONENTS).parse_args()
    as_written = compare(COMPONENTS, asked, HERE / "expected")
    if asked.write:
        page.PAGE.write_text(page.written(page.PAGE.read_text("utf-8")), "utf-8", newline="\n")
    return 0 if as_written else 1


if __name__ == "__main__":
    sys.exit(main())
