"""
`runs-conformance`: what can be done with reports, and the reference server, one file a command.

A module of this package is a command: `declare` adds its arguments, `run` carries it out and gives the exit code. Only
they import what takes time, and only those of the command that was asked for are called.
"""

from __future__ import annotations

import argparse
import sys
from typing import TYPE_CHECKING

from conformance import __version__
from conformance.commands import diff, report, serve, table

if TYPE_CHECKING:
    from collections.abc import Sequence

UNUSABLE = 2
_COMMANDS = (diff, table, report, serve)


def main(arguments: Sequence[str] | None = None) -> int:
    """
    Carry out a command.

    Args:
        arguments: What follows the name of the program; that of the process, if it is left out.

    Returns:
        The exit code: 2 where what was given cannot be used, and what the command says otherwise.
    """
    parser = argparse.ArgumentParser(
        prog="runs-conformance", description="Works on reports of --runs-report-dir, and serves."
    )
    parser.add_argument("--version", action="version", version=__version__)
    asked = list(sys.argv[1:] if arguments is None else arguments)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    for module in _COMMANDS:
        doc = (module.__doc__ or "").strip()
        name = module.__name__.rpartition(".")[2]
        command = commands.add_parser(name, help=doc.partition("\n")[0], description=doc)
        command.set_defaults(run=module.run)
        if name in asked[:1]:
            module.declare(command)
    given = parser.parse_args(asked)
    from conformance.outcomes import Unusable

    try:
        return int(given.run(given))
    except Unusable as problem:
        sys.stderr.write(f"runs-conformance: {problem}\n")
        return UNUSABLE
