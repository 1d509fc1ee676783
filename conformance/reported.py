"""The folder of reports of a pytest session: made ready before the first item, written after the last."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from conformance.session import Session

#: The folder, once it is ready.
_FOLDER: pytest.StashKey[Path] = pytest.StashKey()
#: What became of the reports, in a sentence.
_TOLD: pytest.StashKey[str] = pytest.StashKey()


def begin(config: pytest.Config, judging: Session) -> None:
    """
    Make the folder ready, where one is wanted, and have pytest write its JUnit file there, unless it writes one anyway.

    Raises:
        BadSettings: nothing can be written there.
    """
    from conformance.outcomes import BadSettings
    from conformance.reports.folder import JUNIT, prepare

    if (named := judging.settings.report_dir) is None or judging.settings.plan:
        return
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
        told = f"reports: {folder}"
    except Exception as problem:  # noqa: BLE001 - whatever it is, the terminal has the verdict
        told = f"ERROR: the reports could not be written: {type(problem).__name__}: {problem}"
        session.exitstatus = session.exitstatus or pytest.ExitCode.INTERNAL_ERROR
    session.config.stash[_TOLD] = judging.redactor.text(told)


def told(config: pytest.Config) -> str | None:
    """What became of the reports, in a sentence."""
    return config.stash.get(_TOLD, None)
