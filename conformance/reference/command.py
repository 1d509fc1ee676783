"""What the reference server is started with, from the console."""

from __future__ import annotations

import argparse
import math
import os
import secrets
import signal
from pathlib import Path
from typing import TYPE_CHECKING, Any

from conformance.reference.app import DEFAULT_KEY, Reference
from conformance.reference.clock import TICK, ScopedClock, SystemClock
from conformance.reference.operations import CANCELLABLE
from conformance.reference.runs import Pace

if TYPE_CHECKING:
    from collections.abc import Sequence

    from conformance.reference.clock import Clock
    from conformance.reference.operations import Operations

KEY = "RUNS_REFERENCE_KEY"
ABOUT = "Serve the reference server, a faithful server of the Runs API, for the tests of others."


def declare(parser: argparse.ArgumentParser) -> None:
    """Add the arguments."""
    parser.set_defaults(refuse=parser.error)
    parser.epilog = f"The key is {DEFAULT_KEY}, or the one in the environment variable {KEY}."
    add = parser.add_argument
    add("--host", default="127.0.0.1", help="address to bind to (default: loopback only)")
    add("--port", type=int, default=8000, help="port (default: 8000); 0 takes a free one and prints it")
    add("--ready-file", type=Path, metavar="FILE", help="write the URL there too, as JSON, once it can be asked")
    add("--stateless", action="store_true", help="answer for any ids, with any key, and keep nothing, as a mock does")
    add("--seed", metavar="TEXT", help="same seed, same requests: same ids (default: others each time)")
    add(
        "--clock",
        choices=["real", "turned"],
        default="real",
        help="the machine's, or one that begins at 2026-01-01T00:00:00Z and is turned by POST /_conformance/clock",
    )
    add("--tick", type=_duration, metavar="S", help=f"what a request takes on a turned clock (default: {TICK})")
    add("--no-control", action="store_true", help="leave out /_conformance/, but for its health")
    add("--strict-queries", action="store_true", help="refuse query parameters that an operation does not document")
    add(
        "--cancel-policy",
        choices=sorted(CANCELLABLE),
        default="documented",
        help="whether queued and requires_action runs can be cancelled (observed), or only in_progress ones",
    )
    add("--latency", type=_duration, default=0.0, metavar="MS", help="hold every answer back")
    add("--run-seconds", type=_duration, metavar="S", help="how long an ordinary run works")
    add("--fault", action="append", default=[], metavar="NAME", help="do this wrong on purpose")
    add("--list-faults", action="store_true", help="list what can be done wrong, and stop")


def main(arguments: Sequence[str] | None = None) -> None:
    """Read the arguments, and serve or list the faults."""
    parser = argparse.ArgumentParser(prog="python -m conformance.reference", description=ABOUT)
    declare(parser)
    run(parser.parse_args(arguments))


def run(asked: argparse.Namespace) -> None:
    """
    Serve, or list the faults.

    Raises:
        SystemExit: what was asked for cannot be done; its text says why.
    """
    if asked.list_faults:
        return _list_faults()
    if not asked.host:
        asked.refuse("--host is empty, which would be every address of this machine: name one")
    if asked.tick is not None and asked.clock != "turned":
        asked.refuse("--tick is for a clock that is turned: add --clock=turned")
    reference = Reference(
        faults=_faults(asked),
        clock=_clock(asked),
        keys=[os.environ.get(KEY) or DEFAULT_KEY],
        cancel_policy=asked.cancel_policy,
        seed=secrets.token_hex() if asked.seed is None else asked.seed,
        pace=Pace() if asked.run_seconds is None else Pace(think=asked.run_seconds),
        strict_queries=asked.strict_queries,
    )
    try:
        from conformance.reference.server import serve
    except ImportError as problem:
        remedy = "serving needs the extra serve: pip install 'PATH[serve]', with the path of a checkout"
        raise SystemExit(f"{remedy} ({problem})") from None
    from conformance.reference.control.routes import Control, is_loopback

    mode = "stateless" if asked.stateless else "stateful"
    control = Control(reference, enabled=not asked.no_control, loopback=is_loopback(asked.host), mode=mode)
    told: dict[str, Any] = {"control": control, "ready_file": asked.ready_file}
    try:
        serve(reference, host=asked.host, port=asked.port, latency=asked.latency / 1000, **told)
    except (OSError, OverflowError) as problem:
        raise SystemExit(f"the reference server cannot listen on {asked.host}:{asked.port}: {problem}") from None


def _clock(asked: argparse.Namespace) -> Clock:
    if asked.clock == "real":
        return SystemClock()
    return ScopedClock() if asked.tick is None else ScopedClock(asked.tick)


def _faults(asked: argparse.Namespace) -> list[type[Operations]]:
    found: list[type[Operations]] = []
    if asked.fault:
        from conformance.reference.faults import FAULTS

        if unknown := [name for name in asked.fault if name not in FAULTS]:
            asked.refuse(f"there is no fault {unknown[0]}; --list-faults lists them")
        found += [FAULTS[name].behaviour for name in asked.fault]
    if asked.stateless:
        from conformance.reference.stateless import Stateless

        found.append(Stateless)
    return found


def _list_faults() -> None:
    from conformance.reference.faults import FAULTS

    signal.signal(signal.SIGPIPE, signal.SIG_DFL)  # as other tools do when their reader has seen enough
    for fault in FAULTS.values():
        print(f"{fault.name}: {fault.told} Breaks {', '.join(sorted(fault.breaks)) or 'nothing'}.")  # noqa: T201


def _duration(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not 0 <= value < math.inf:
        raise argparse.ArgumentTypeError(f"{text!r} is no time: it takes a number from 0 up")
    return value
