"""Schemathesis by its command line, with this project's own document."""

from __future__ import annotations

import json
import sys
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tools.peers.running import ROOT, Children, ToolError
from tools.peers.targets import HEADERS, client_of, make

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from tools.peers.targets import Made, Target

NAME = "schemathesis"
_SEED, _SECONDS = 1, 400
#: Ran to its end, with or without failures.
_CODES = {0, 1}


def told_version() -> str:
    """The version that is installed."""
    return version("schemathesis")


def judge(target: Target, folder: Path, children: Children) -> frozenset[str]:
    """Judge the target; a failure is an operation with what schemathesis calls the kind of its failure."""
    with client_of(target.url) as client:
        config = configuration(make(client))
    (folder / "schemathesis.toml").write_text(config, "utf-8")
    report = folder / "report.ndjson"
    command = [
        *(str(Path(sys.executable).with_name("schemathesis")), "--config-file=schemathesis.toml", "run"),
        *(str(ROOT / "schemas" / "openapi.yaml"), f"--url={target.url}"),
        *(f"--header={name}: {value}" for name, value in HEADERS.items()),
        *(f"--seed={_SEED}", "--generation-database=none"),
        *("--report=ndjson", f"--report-ndjson-path={report}"),
    ]
    done = children.run(command, log=folder / "schemathesis.log", cwd=folder, seconds=_SECONDS)
    if done.code not in _CODES:
        raise ToolError(f"exit code {done.code}: {done.text[-300:]}")
    return failures(report.read_text("utf-8").splitlines())


def configuration(made: Made) -> str:
    """
    Real ids of the assistant and the thread; a body takes its value from a dictionary.

    The ids of runs come from the document's links. With a fixed one, fewer faults were found by more requests.
    """
    return f"""\
[dictionaries.assistants]
values = ["{made.assistant}"]

[parameters]
"path.thread_id" = "{made.thread}"
"body.assistant_id" = {{ dictionary = "assistants" }}
"""


def failures(events: Iterable[str]) -> frozenset[str]:
    """The distinct failures of a report of events."""
    found = set()
    for line in events:
        event: dict[str, Any] = json.loads(line)
        recorder = event.get("ScenarioFinished", {}).get("recorder", {})
        for checks in recorder.get("checks", {}).values():
            found |= set(_named(checks))
    return frozenset(found)


def _named(checks: Iterable[dict[str, Any]]) -> Iterator[str]:
    for check in checks:
        if check["status"] != "success":
            failure = (check.get("failure_info") or check)["failure"]
            # A status that nobody documented is told by which it is; other messages quote what was generated.
            which = failure["message"].partition("\n")[0] if failure["type"] == "UndefinedStatusCode" else ""
            yield f"{failure['operation']}: {failure['title']} {which}".strip()
