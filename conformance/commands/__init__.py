"""
`runs-conformance`: what can be done with reports, one file a command.

A module of this package is a command: `declare` adds its arguments, `run` carries it out and gives the exit code. Only
`run` imports what takes time.
"""

from __future__ import annotations

import argparse
import sys
from typing import TYPE_CHECKING

from conformance import __version__
from conformance.commands import diff, report, table

if TYPE_CHECKING:
    from collections.abc import Sequence

UNUSABLE = 2
_COMMANDS = (diff, table, report)


def main(arguments: Sequence[str] | None = None) -> int:
    """
    Carry out a command.

    Args:
        arguments: What follows the name of the program; that of the process, if it is left out.

    Returns:
        The exit code: 2 where what was given cannot be used, and what the command says otherwise.
    """
    parser = argparse.ArgumentParser(prog="runs-conformance", description="Works on reports of --runs-report-dir.")
    parser.add_argument("--version", action="version", version=__version__)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    for module in _COMMANDS:
        doc = (module.__doc__ or "").strip()
        name = module.__name__.rpartition(".")[2]
        command = commands.add_parser(name, help=doc.partition("\n")[0], description=doc)
        module.declare(command)
        command.set_defaults(run=module.run)
    given = parser.parse_args(arguments)
    from conformance.outcomes import Unusable

    try:
        return int(given.run(given))
    except Unusable as problem:
        sys.stderr.write(f"runs-conformance: {problem}\n")
        return UNUSABLE
