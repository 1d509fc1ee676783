"""Prism's proxy between a plain client and the server: it reports what breaks the document."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from tools.peers.client import drive
from tools.peers.running import ROOT, Children, awaited
from tools.peers.wording import without_ids, without_indices

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from tools.peers.targets import Target

NAME, PACKAGE, VERSION, PROGRAM = "Prism proxy", "@stoplight/prism-cli", "5.16.0", "prism"
_SECONDS = 60
_COLOURS = re.compile(r"\x1b\[[0-9;]*m")
_REQUEST = re.compile(r"\[HTTP SERVER\] (\w+) (\S+)")
#: What is wrong with an answer; that our client's deliberate mistakes are mistakes says nothing of the server.
_VIOLATION = re.compile(r"Violation: (response\b.*)")


def judge(program: Path, target: Target, folder: Path, children: Children) -> frozenset[str]:
    """
    Drive the client through the proxy; a failure is a violation in an answer, by its operation.

    Without `--errors`, which reports the same violations but withholds the answers from the client: it could not
    go on after the first.
    """
    log = folder / "prism.log"
    document = str(ROOT / "schemas" / "openapi.yaml")
    command = [str(program), "proxy", document, target.url, "--host=127.0.0.1", "--port=0"]
    with children.started(command, log=log, cwd=folder) as process:
        proxy = awaited(log, r"listening on (http://127\.0\.0\.1:\d+)", process, seconds=_SECONDS)
        drive(target.url, proxy)
    return violations(log.read_text("utf-8", errors="replace").splitlines())


def violations(log: Iterable[str]) -> frozenset[str]:
    """The distinct violations that a log tells of."""
    found, operation = set(), ""
    for line in log:
        plain = _COLOURS.sub("", line)
        if asked := _REQUEST.search(plain):
            operation = f"{asked[1].upper()} {without_ids(asked[2])}"
        if violation := _VIOLATION.search(plain):
            found.add(f"{operation}: {without_indices(violation[1])}")
    return frozenset(found)
