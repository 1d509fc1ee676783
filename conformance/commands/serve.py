"""Serve the reference server, for the tests of an SDK or of anything else that speaks the API."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace


def declare(parser: ArgumentParser) -> None:
    """Add the arguments."""
    from conformance.reference import command

    command.declare(parser)


def run(given: Namespace) -> int:
    """Serve until the process is told to stop."""
    from conformance.reference import command

    command.run(given)
    return 0
