"""The bestiary as a page."""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING

from conformance.reference.faults import FAULTS
from tools.documentation.text import plain, reference

if TYPE_CHECKING:
    from collections.abc import Iterator

    from conformance.reference.faults import Fault

_HEAD = """# Faults

The ways in which the reference server can be told to be wrong, each with the requirements that it breaks:
these fail, and no others.
`tests/mutation/test_faults.py` proves it for every one, and that no requirement is without a fault.

```console
$ pytest --target-url=reference --runs-fault=comes-back          # see what the suite says
$ python -m conformance.reference --port 8000 --fault=comes-back # serve it, for another suite
```

Written from `conformance/reference/faults/` by `tox -e docs`.
"""


def page() -> str:
    """The page: a table for each kind of fault."""
    return "\n".join([_HEAD, *_tables()])


def _tables() -> Iterator[str]:
    for kind, faults in groupby(sorted(FAULTS.values(), key=_kind), _kind):
        yield f"## {kind.replace('_', ' ').capitalize()}\n\n| fault | what the server does | breaks |\n|---|---|---|"
        yield from (f"| {fault.name} | {plain(fault.told)} | {_broken(fault)} |" for fault in faults)
        yield ""


def _broken(fault: Fault) -> str:
    return ", ".join(reference(id) for id in sorted(fault.breaks)) or "nothing"


def _kind(fault: Fault) -> str:
    return fault.kind
