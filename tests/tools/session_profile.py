"""Where the CPU time of a session on the embedded reference server goes: `tox -e profile`."""

from __future__ import annotations

import argparse
import gc
import time
from collections import defaultdict
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from conformance.client import Client
from conformance.invariants import Invariant
from conformance.reference import Reference
from support.mutation import run, run_with_pytest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

#: What is measured, from the inside out: the time of a part excludes that of the parts before it.
PARTS: tuple[tuple[str, Any, str], ...] = (
    ("reference server", Reference, "handle"),
    ("client", Client, "call"),
    ("invariants", Invariant, "judge"),
)


def main() -> None:
    """Print the CPU time of each part, as a mean of several sessions without pytest, and of a session with it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sessions", type=int, default=10, help="how many sessions are measured (default: 10)")
    number = parser.parse_args().sessions
    run_with_pytest(())
    run(())
    gc.collect()
    gc.freeze()
    with measured() as seconds:
        whole = seconds_of(lambda: run(()), number)
    alone = seconds_of(lambda: run(()), number)
    with_pytest = seconds_of(lambda: run_with_pytest(()), number)
    shares, inner = {}, 0.0
    for name, _, _ in PARTS:
        of_part = seconds[name] / number
        shares[name] = of_part - inner if name == "client" else of_part
        inner = of_part
    shares["cases and verdicts"] = whole - sum(shares.values())
    for name, share in shares.items():
        print(f"{name:20} {1000 * share * alone / whole:6.0f} ms  {100 * share / whole:3.0f} %")
    print(f"{'without pytest':20} {1000 * alone:6.0f} ms")
    print(f"{'with pytest':20} {1000 * with_pytest:6.0f} ms")


def seconds_of(session: Callable[[], object], number: int) -> float:
    """The mean CPU time of a session, in seconds."""
    gc.disable()
    spent = 0.0
    for _ in range(number):
        begun = time.process_time()
        session()
        spent += time.process_time() - begun
        gc.collect()
    gc.enable()
    return spent / number


@contextmanager
def measured() -> Iterator[dict[str, float]]:
    """Inside, the CPU time of each part is added up by its name, in seconds."""
    seconds: defaultdict[str, float] = defaultdict(float)
    originals = [(owner, name, getattr(owner, name)) for _, owner, name in PARTS]
    for part, owner, name in PARTS:
        setattr(owner, name, _timed(getattr(owner, name), part, seconds))
    try:
        yield seconds
    finally:
        for owner, name, original in originals:
            setattr(owner, name, original)


def _timed(function: Callable[..., Any], part: str, seconds: dict[str, float]) -> Callable[..., Any]:
    def timed(*args: Any, **kwargs: Any) -> Any:
        begun = time.thread_time()
        try:
            return function(*args, **kwargs)
        finally:
            seconds[part] += time.thread_time() - begun

    return timed


if __name__ == "__main__":
    main()
