"""The command-line options; light, since every pytest session of every project loads them."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from pathlib import Path

NOTHING_MEASURED = 11

#: Options that ask for a session of the suite even where no path is given.
_ASKING = ("runs_target_url", "runs_sdk", "runs_replay", "runs_record", "runs_list", "runs_fuzz")

#: The options that a project or an environment can set; what a session is to do is said on the command line.
SETTABLE = (
    "api-key-env",
    "profile",
    "model",
    "assistant",
    "max-runs",
    "max-concurrency",
    "gate",
    "cancel-policy",
    "without",
    "wait",
    "known-failures",
    "report-dir",
    "seed",
    "races",
    "contract",
)


def add(group: pytest.OptionGroup) -> None:
    """Declare the options."""
    option = group.addoption
    option(
        "--target-url",
        dest="runs_target_url",
        metavar="URL",
        help="judge the server at this base URL, or the embedded one with the word `reference`; "
        "the default is to replay the bundled cassettes",
    )
    option(
        "--runs-sdk",
        metavar="DRIVER",
        help="judge a client: openai-python, openai-node, openai-ruby, azure-ai-agents, or a command that starts a "
        "driver of your own; docs/sdk.md",
    )
    option(
        "--runs-api-key-env",
        metavar="NAME",
        help="environment variable that holds the key (default: OPENAI_API_KEY)",
    )
    option("--runs-profile", metavar="NAME", help="dialect of the protocol: a name or a file (default: openai)")
    option("--runs-model", metavar="MODEL", help="model to create runs with")
    option("--runs-assistant", metavar="ID", help="assistant to use where none can be created")
    option("--runs-max-runs", type=int, metavar="N", help="create no more than N runs; what needs more is untested")
    option(
        "--runs-max-concurrency",
        type=int,
        metavar="N",
        help="carry out no more than N cases side by side (default: 12)",
    )
    option(
        "--runs-gate",
        choices=("must", "should"),
        default="must",
        help="the level whose violations fail the session (default: must)",
    )
    option(
        "--runs-cancel-policy",
        choices=("documented", "strict", "observed"),
        help="whether cancelling a queued or requires_action run should be refused (documented, the default), "
        "must be (strict), or may be (observed)",
    )
    option(
        "--runs-without",
        metavar="CAPABILITIES",
        help="what the target declares absent: auth, retrieve, list, cancel, comma-separated",
    )
    option(
        "--runs-contract",
        metavar="YEAR.N",
        help="judge the requirements of this contract at its levels, whatever later releases of the suite added",
    )
    option("--runs-record", metavar="NAME", help="record a cassette set, into cassettes/NAME or the folder named")
    option("--runs-replay", metavar="NAME", help="replay a cassette set: a folder, or the name of a bundled one")
    option(
        "--runs-wait",
        action="append",
        metavar="NAME=SECONDS",
        help="budget of a wait, such as finish; docs/waits.md names them all",
    )
    option(
        "--runs-known-failures",
        metavar="FILE",
        help="broken requirements that are accepted, each with a reason (default: known-failures.toml, if it is there)",
    )
    option(
        "--runs-update-known-failures",
        action="store_true",
        help="write the list anew after the session: what is broken is in it, what holds is not; reasons are kept",
    )
    option(
        "--runs-report-dir",
        metavar="DIR",
        help="write report.json, report.html, report.md, badge.svg and junit.xml into this folder",
    )
    option(
        "--runs-repeat",
        type=int,
        metavar="N",
        help="repeat each case N times, in shuffled order; where they disagree the verdict is unstable",
    )
    option(
        "--runs-plan",
        action="store_true",
        help="say what a session would send and cost, by a rehearsal on the embedded reference server, and stop",
    )
    option(
        "--runs-fuzz",
        nargs="?",
        choices=("reads", "writes"),
        const="reads",
        help="also send generated requests: reads and writes that must be refused, or writes as well",
    )
    option(
        "--runs-seed",
        type=int,
        metavar="N",
        help="seed of the generated requests and of the reference server's ids (default: 0)",
    )
    option(
        "--runs-fault",
        action="append",
        metavar="NAME",
        help="with --target-url=reference: do this wrong on purpose; python -m conformance.reference --list-faults",
    )
    option(
        "--runs-races",
        type=int,
        metavar="N",
        help="attempts at each race between requests (default: 3)",
    )
    option("--runs-list", action="store_true", help="print the catalogue and what checks each row, and stop")


def configured(folder: Path) -> list[str]:
    """
    What is set elsewhere, as arguments: a table in `pyproject.toml`, and the environment, which outdoes it.

    Args:
        folder: Where `pyproject.toml` lies, if there is one.

    Raises:
        UsageError: the table has a name that cannot be set there.
    """
    told: dict[str, Any] = {}
    file = folder / "pyproject.toml"
    text = file.read_text("utf-8", "replace") if file.is_file() else ""
    if "[tool.runs-conformance" in text:
        import tomllib

        told = tomllib.loads(text)["tool"]["runs-conformance"]
        if unknown := sorted(set(told) - set(SETTABLE)):
            known = ", ".join(SETTABLE)
            raise pytest.UsageError(f"{file}: [tool.runs-conformance] knows no {unknown[0]}; it knows {known}")
    for name in SETTABLE:
        if value := os.environ.get(f"RUNS_CONFORMANCE_{name.upper().replace('-', '_')}"):
            told[name] = value
    return [f"--runs-{name}={each}" for name, value in told.items() for each in _values(value)]


def _values(value: Any) -> list[str]:
    if isinstance(value, dict):
        return [f"{name}={each}" for name, each in value.items()]
    return [",".join(value) if isinstance(value, list) else str(value)]


def races(config: pytest.Config) -> int:
    """Attempts at each race; a replay has no races, and says so once for each."""
    asked: int | None = config.getoption("runs_races")
    if asked is not None and asked < 1:
        raise pytest.UsageError("--runs-races must be at least 1")
    return (asked or 3) if config.getoption("runs_target_url") else 1


def given(config: pytest.Config) -> bool:
    """Whether an option asks for the suite."""
    return any(config.getoption(name) not in {None, False} for name in _ASKING)
