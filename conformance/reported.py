"""The folder of reports of a pytest session: made ready before the first item, written after the last."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Sequence

    from conformance.reports.allure.writer import Writer
    from conformance.session import Session

#: The folder, once it is ready.
_FOLDER: pytest.StashKey[Path] = pytest.StashKey()
#: What became of the reports, in a sentence each.
_TOLD: pytest.StashKey[list[str]] = pytest.StashKey()


def begin(config: pytest.Config, judging: Session) -> None:
    """
    Make the folder ready, where one is wanted, and have pytest write its JUnit file there, unless it writes one anyway.

    Raises:
        BadSettings: nothing can be written there.
    """
    if (named := judging.settings.report_dir) is None or judging.settings.plan:
        return
    from conformance.outcomes import BadSettings
    from conformance.reports.folder import JUNIT, prepare

    folder = config.invocation_params.dir / Path(named).expanduser()
    try:
        prepare(folder)
    except OSError as problem:
        raise BadSettings(f"--runs-report-dir={named} cannot be written to: {problem}") from None
    config.stash[_FOLDER] = folder
    junit = config.pluginmanager.get_plugin("junitxml")
    if junit is None or config.option.xmlpath:
        return
    # Only now, since a session without items of the suite is none of ours; pytest does the same when it is configured.
    config.option.xmlpath = str(folder / JUNIT)
    before = config.pluginmanager.get_plugins()
    junit.pytest_configure(config)
    for writer in config.pluginmanager.get_plugins() - before:
        writer.pytest_sessionstart()


def write(session: pytest.Session, judging: Session, *, interrupted: bool) -> None:
    """Write the reports, where they are wanted; a session that cannot keeps its verdict, and is no success."""
    if (folder := session.config.stash.get(_FOLDER, None)) is None:
        return
    try:
        from conformance.account import account
        from conformance.reports import folder as reports

        reports.write(folder, account(judging, exit_code=int(session.exitstatus), interrupted=interrupted))
    except Exception as problem:  # noqa: BLE001 - whatever it is, the terminal has the verdict
        _tell_failed(session, judging, "the reports", problem)
    else:
        _tell(session, judging, f"reports: {folder}")


def finish_allure(session: pytest.Session, judging: Session, writer: Writer) -> None:
    """Write what belongs to the session as a whole into Allure's folder; it fails as the reports do."""
    from conformance.account import facts

    problem: Exception | None
    try:
        writer.finish(judging.docket.findings.all, facts(judging), os.environ)
        problem = writer.problem
    except Exception as unforeseen:  # noqa: BLE001 - whatever it is, the terminal has the verdict
        problem = unforeseen
    if problem:
        _tell_failed(session, judging, "Allure's results", problem)


def told(config: pytest.Config) -> Sequence[str]:
    """What became of the reports, in a sentence each."""
    return config.stash.get(_TOLD, [])


def _tell_failed(session: pytest.Session, judging: Session, what: str, problem: Exception) -> None:
    _tell(session, judging, f"ERROR: {what} could not be written: {type(problem).__name__}: {problem}")
    session.exitstatus = session.exitstatus or pytest.ExitCode.INTERNAL_ERROR


def _tell(session: pytest.Session, judging: Session, said: str) -> None:
    session.config.stash.setdefault(_TOLD, []).append(judging.redactor.text(said))
