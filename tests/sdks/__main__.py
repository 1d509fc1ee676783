"""`python -m sdks`: judge each SDK, and say what came out otherwise than it is written."""

from __future__ import annotations

import sys

from targets.comparing import compare, parser

from conformance.requirements import Side
from sdks.components import EXPECTED, SDKS


def main() -> int:
    """Read the arguments, and judge."""
    return 0 if compare(SDKS, parser("sdks", "sdk", SDKS).parse_args(), EXPECTED, Side.CLIENT) else 1


if __name__ == "__main__":
    sys.exit(main())
