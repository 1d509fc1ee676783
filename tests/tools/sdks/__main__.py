"""`python -m tools.sdks`: judge each SDK, and say what came out otherwise than it is written."""

from __future__ import annotations

import sys

from conformance.requirements import Side
from tools.sdks.components import EXPECTED, SDKS
from tools.targets.comparing import compare, parser


def main() -> int:
    """Read the arguments, and judge."""
    return 0 if compare(SDKS, parser("sdks", "sdk", SDKS).parse_args(), EXPECTED, Side.CLIENT) else 1


if __name__ == "__main__":
    sys.exit(main())
