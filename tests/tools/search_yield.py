"""How many faults of the bestiary random sequences find by themselves: `tox -e search`."""

from __future__ import annotations

import argparse
import multiprocessing
import os
import time
from collections import Counter

from conformance.reference.faults import FAULTS
from conformance.search import search
from conformance.suite import __file__ as suite
from support.mutation import Hunt, hunt

#: What a sequence can lead to besides, so that another requirement is broken as well; the cases never lead there.
BESIDES = {
    "cached-list": {"RUN-INV-033", "RUN-PAGE-026"},  # the page that is kept shows what a run was a second ago
    "comes-back": {"RUN-INV-010"},  # back at work before anybody saw it cancelled, it has cancelled_at
    "id-empty": {"RUN-PAGE-035"},  # a walk over runs of one id shows it twice
    "impatient": {"RUN-LIFE-005"},  # it goes on before anybody saw that it asked
    "modify-run-other-instructions": {"RUN-INV-033"},  # the last that was read of a finished run is a modify
    "only-the-rested": {"RUN-PAGE-028"},  # a run that is seen at work is new for a while
    "run-in-data": {"RUN-PAGE-003"},  # a list of what are no runs
    "shuffles": {"RUN-PAGE-032"},  # what a page drops may share its second with others
    "works-for-ever": {"RUN-CANCEL-003"},  # a cancel after expires_at shows it expired
    "works-while-cancelling": {"RUN-INV-031"},  # it starts again
}
ITEMS = [os.path.join(os.path.dirname(suite), name) for name in ("test_sequences.py", "test_invariants.py")]  # noqa: PTH118, PTH120


def main() -> int:
    """Print what was found by kind of fault, and which requirements were accused that no fault declares."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, default=0, help="seed of the draws (default: 0)")
    parser.add_argument("names", nargs="*", help="faults to look for (default: all)")
    asked = parser.parse_args()
    names = asked.names or [*FAULTS]
    search.SHRUNK = 0  # what is found is what counts here
    started = time.monotonic()
    with multiprocessing.get_context("fork").Pool(os.cpu_count(), maxtasksperchild=1) as pool:
        hunts = pool.starmap(hunt, [((name,), asked.seed, "--runs-fuzz=writes", *ITEMS) for name in names], 1)
    seconds = time.monotonic() - started
    return tell({each.faults[0]: each for each in hunts}, seconds)


def tell(hunts: dict[str, Hunt], seconds: float) -> int:
    """Print the table; 1 if the search accused what is not broken."""
    total, found, missed, wrong = Counter[str](), Counter[str](), dict[str, list[str]](), list[str]()
    for name, each in hunts.items():
        kind, breaks = FAULTS[name].kind, FAULTS[name].breaks
        total[kind] += bool(breaks)
        found[kind] += bool(breaks & each.accused)
        if breaks and not breaks & each.accused:
            missed.setdefault(kind, []).append(name)
        if strange := each.accused - breaks - BESIDES.get(name, set()):
            wrong.append(f"{name}: accuses {', '.join(sorted(strange))}")
        wrong += [f"{name}: error {error}" for error in sorted(each.errors)]
    print(f"{'kind':<12}{'found':>6}{'of':>6}")
    for kind in total:
        print(f"{kind:<12}{found[kind]:>6}{total[kind]:>6}   missed: {', '.join(missed.get(kind, [])) or 'none'}")
    print(f"{'all':<12}{found.total():>6}{total.total():>6}")
    requests = sum(each.requests for each in hunts.values()) / len(hunts)
    print(f"{requests:.0f} requests each, {seconds:.0f} s in all")
    print("\n".join(["accused though not broken:", *wrong]) if wrong else "nothing accused that is not broken")
    return 1 if wrong else 0


if __name__ == "__main__":
    raise SystemExit(main())
