"""`python -m conformance.reference`: serve the reference server on a socket."""

from __future__ import annotations

import argparse
import math
import os
import secrets
import signal

from conformance.reference.app import DEFAULT_KEY, Reference
from conformance.reference.clock import SystemClock
from conformance.reference.faults import FAULTS
from conformance.reference.operations import CANCELLABLE
from conformance.reference.runs import Pace


def main() -> None:
    """Read the arguments, and serve or list the faults."""
    parser = argparse.ArgumentParser(
        prog="python -m conformance.reference",
        description="A faithful server of the Runs API, for tests.",
        epilog=f"The key is {DEFAULT_KEY}, or the one in the environment variable RUNS_REFERENCE_KEY.",
    )
    parser.add_argument("--host", default="127.0.0.1", help="address to bind to (default: loopback only)")
    parser.add_argument("--port", type=int, default=8000, help="port (default: 8000); 0 takes a free one and prints it")
    parser.add_argument(
        "--cancel-policy",
        choices=sorted(CANCELLABLE),
        default="documented",
        help="whether queued and requires_action runs can be cancelled (observed), or only in_progress ones",
    )
    parser.add_argument("--latency", type=_duration, default=0.0, metavar="MS", help="hold every answer back")
    parser.add_argument("--run-seconds", type=_duration, metavar="S", help="how long an ordinary run works")
    parser.add_argument("--fault", action="append", default=[], metavar="NAME", help="do this wrong on purpose")
    parser.add_argument("--list-faults", action="store_true", help="list what can be done wrong, and stop")
    asked = parser.parse_args()
    if asked.list_faults:
        return _list_faults()
    if unknown := [name for name in asked.fault if name not in FAULTS]:
        parser.error(f"there is no fault {unknown[0]}")
    reference = Reference(
        faults=[FAULTS[name].behaviour for name in asked.fault],
        clock=SystemClock(),
        keys=[os.environ.get("RUNS_REFERENCE_KEY") or DEFAULT_KEY],
        cancel_policy=asked.cancel_policy,
        seed=secrets.token_hex(),
        pace=Pace() if asked.run_seconds is None else Pace(think=asked.run_seconds),
    )
    try:
        from conformance.reference.server import serve
    except ImportError as problem:
        raise SystemExit(f"serving takes the extra: pip install 'runs-conformance[serve]' ({problem})") from None
    try:
        serve(reference, host=asked.host, port=asked.port, latency=asked.latency / 1000)
    except (OSError, OverflowError) as problem:
        raise SystemExit(f"the reference server cannot listen on {asked.host}:{asked.port}: {problem}") from None


def _list_faults() -> None:
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)  # as other tools do when their reader has seen enough
    for fault in FAULTS.values():
        print(f"{fault.name}: {fault.told} Breaks {', '.join(sorted(fault.breaks)) or 'nothing'}.")  # noqa: T201


def _duration(text: str) -> float:
    if not 0 <= (value := float(text)) < math.inf:
        raise ValueError(text)
    return value


if __name__ == "__main__":
    main()
