"""The table of docs/targets.md, from what is written of each component; its prose is written by hand."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from conformance.verdicts import Verdict
from tools.peers.running import ROOT
from tools.targets import expectation
from tools.targets.components import COMPONENTS, HERE

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tools.targets.expectation import Expectation
    from tools.targets.session import Measured

PAGE = ROOT / "docs" / "targets.md"
BEGIN, END = "<!-- measured: tox -e targets -- --write -->", "<!-- end of what was measured -->"


def verdict(measured: Measured) -> str:
    """What a session came to, in a line."""
    return f"exit code {measured.code}: {_counts(measured.verdicts.values())}"


def table() -> str:
    """A line for each component."""
    lines = ["| component | exit code | requirements | broken |", "|---|---|---|---|"]
    for name, component in COMPONENTS.items():
        expected = expectation.read((HERE / "expected" / f"{name}.toml").read_text("utf-8"))
        broken = [id for id, each in expected.verdicts.items() if each is Verdict.FAIL]
        lines.append(
            f"| {component.what} | {expected.code} | {_told(expected)} | {', '.join(sorted(broken)) or 'none'} |"
        )
    return "\n".join(lines)


def written(page: str) -> str:
    """The page with the table of today."""
    before, _, rest = page.partition(BEGIN)
    _, _, after = rest.partition(END)
    return f"{before}{BEGIN}\n\n{table()}\n\n{END}{after}"


def _told(expected: Expectation) -> str:
    chances = {id for chance in expected.either for id in chance.requirements}
    told = _counts(verdict for id, verdict in expected.verdicts.items() if id not in chances)
    return f"{told}, {len(chances)} by chance" if chances else told


def _counts(verdicts: Iterable[Verdict]) -> str:
    counts = Counter(verdicts)
    return ", ".join(f"{counts[each]} {each}" for each in Verdict if counts[each]) or "nothing measured"
