"""
The pytest plugin, and the only module that knows pytest's hooks.

Without our options and without items of the suite it does nothing, and imports nothing heavy.
"""

from __future__ import annotations

import gc
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from conformance import options, reported
from conformance.items import (
    ALLURE,
    ATTENDED,
    CASE,
    ROW,
    SESSION,
    TEXT,
    begin_side_by_side,
    conclude_the_rest,
    concluding,
    has,
    open_scope,
    tell,
)

if TYPE_CHECKING:
    from collections.abc import Generator, Iterable

    from conformance.session import Session

SUITE = Path(__file__).parent / "suite"
#: The cases about clients.
CLIENTS = Path(__file__).parent / "sdk" / "suite"

_distributed: pytest.StashKey[bool] = pytest.StashKey()
_others_failed: pytest.StashKey[bool] = pytest.StashKey()
#: Whether the session ended before all had run, although its exit code does not say so.
_broken_off: pytest.StashKey[bool] = pytest.StashKey()


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add `--target-url` and the `--runs-*` options."""
    options.add(parser.getgroup("runs", "conformance of the Runs API"))


def pytest_load_initial_conftests(early_config: pytest.Config, args: list[str]) -> None:
    """Put what `pyproject.toml` and the environment set before what the command line says."""
    args[:0] = options.configured(early_config.rootpath)


def pytest_configure(config: pytest.Config) -> None:
    """Register the markers; with an option of ours and no path, collect the suite wherever pytest was started."""
    for line in (
        "requirement(id): the one requirement that a case measures",
        "invariant: judges every message of the session, after all cases",
        "race: several requests at once; not recorded",
        "long: takes several runs one after the other, and is begun first",
        "fuzz(kind): generated requests; selected by --runs-fuzz, those of a kind by --runs-fuzz=KIND",
    ):
        config.addinivalue_line("markers", line)
    if options.given(config):
        if config.getoption("numprocesses", None):
            raise pytest.UsageError(_NO_XDIST)
        if config.args_source is not config.ArgsSource.ARGS:
            config.args = [str(CLIENTS if config.getoption("runs_sdk") else SUITE)]


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Repeat each race, as an item of its own, unless the case repeats it by itself."""
    markers = {marker.name for marker in metafunc.definition.iter_markers()}
    if {"requirement", "race"} <= markers and "attempts" not in metafunc.fixturenames:
        metafunc.fixturenames.append("attempt")
        metafunc.parametrize("attempt", range(1, options.races(metafunc.config) + 1))


@pytest.fixture(scope="session")
def judging(pytestconfig: pytest.Config) -> Session:
    """The session that the suite's fixtures are views of."""
    return pytestconfig.stash[SESSION]


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> Generator[None, object, object]:
    """Begin a session where there are items of the suite; order the invariants last, whoever else orders items."""
    if any(item.get_closest_marker("requirement") for item in items):
        from conformance import collected

        collected.begin(config, items)
    result = yield
    if SESSION in config.stash:
        items.sort(key=lambda item: has(item, "invariant"))
    return result


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    """Hear from a worker of xdist that it was given items of the suite."""
    if getattr(node, "workeroutput", {}).get("runs_refused"):
        node.config.stash[_distributed] = True


def pytest_report_collectionfinish(config: pytest.Config) -> list[str]:
    """Say what is judged, and what was believed."""
    return config.stash[SESSION].header() if SESSION in config.stash else []


@pytest.hookimpl(wrapper=True)
def pytest_runtestloop(session: pytest.Session) -> Generator[None, object, object]:
    """List the rows instead of running, or see whether there is a target to measure at all."""
    judging = session.config.stash.get(SESSION, None)
    rows = [item.stash[ROW] for item in session.items if ROW in item.stash]
    listed = session.config.getoption("runs_list")
    if judging and (rows or listed) and not _runs_nothing(session):
        from conformance.settings import BadSettings
        from conformance.states.visit import NothingToMeasure

        if listed:
            _list_rows(session)
            session.items.clear()
            return (yield)
        gc.freeze()  # what was imported and collected stays; sifting it over and over costs a sixth of a replay
        if judging.settings.kind == "url" and not judging.settings.plan:
            reporter = session.config.pluginmanager.get_plugin("terminalreporter")
            if session.config.stash[ATTENDED].show(reporter, judging.progress):
                judging.watch()
        try:
            judging.await_items([(item.stash[ROW], item.nodeid) for item in session.items if ROW in item.stash])
            reported.begin(session.config, judging)
            judging.arrive(rows)
            _print(session, judging.capabilities())
            if judging.settings.kind == "url" or judging.settings.repeat > 1:
                begin_side_by_side(judging, session.items)
            if judging.settings.plan:
                _print(session, judging.plan())
                session.items.clear()
            else:
                judging.docket.judge_list()
        except BadSettings as problem:
            raise pytest.UsageError(str(problem)) from None
        except NothingToMeasure as problem:
            judging.stopped = str(problem)
            _print(session, [judging.redactor.text(f"ERROR: nothing could be measured: {problem}")], red=True)
            session.items.clear()
    return (yield)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_setup(item: pytest.Item) -> Generator[None, None, None]:
    """Skip what cannot say anything here; open the scope that the case's fixtures stage in."""
    if ROW not in item.stash:
        return (yield)
    judging, row = item.config.stash[SESSION], item.stash[ROW]
    item.user_properties.append(("requirement", row.id))
    if finding := judging.docket.excuse(row, item.nodeid, race=has(item, "race")):
        tell(item, finding)
    with concluding(item, setting_up=True):
        if case := item.stash.get(CASE, None):
            judging.side_by_side.wait_for(case)
            getattr(item, "funcargs").update(case.values)  # noqa: B009 - so that pytest does not make them again
        else:
            open_scope(item)
        yield


@pytest.hookimpl(tryfirst=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> bool | None:
    """Say what a case came to that was carried out already."""
    if case := pyfuncitem.stash.get(CASE, None):
        case.tell()
        return True
    return None


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None, None, None]:
    """Turn what ends the case into its verdict; only a fail or an error leaves as an exception."""
    if ROW not in item.stash:
        return (yield)
    with concluding(item):
        yield


@pytest.hookimpl(wrapper=True, trylast=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Replace the traceback by the text of the failure, before any other plugin reads it, free of secrets."""
    if call.excinfo and item.stash.get(TEXT, None):
        call.excinfo.traceback = call.excinfo.traceback[:0]  # pytest would look up the source of every entry
    report = yield
    if ROW not in item.stash:
        if report.failed:
            item.config.stash[_others_failed] = True
    elif report.failed and call.excinfo:
        judging = item.config.stash[SESSION]
        report.longrepr = item.stash.get(TEXT, None) or judging.redactor.text(str(report.longrepr))
        item.stash[TEXT] = None
    return report


def pytest_report_teststatus(report: pytest.TestReport) -> tuple[str, str, str] | None:
    """Show a broken SHOULD as warned, and what a MAY found as noted."""
    if report.when == "call" and report.passed:
        verdict = dict(report.user_properties).get("verdict")
        if verdict == "warn":
            return "warned", "w", "WARNED"
        if verdict == "note":
            return "noted", "n", "NOTED"
    return None


def pytest_terminal_summary(terminalreporter: Any, exitstatus: int, config: pytest.Config) -> None:
    """End with the compliance summary."""
    if config.stash.get(_distributed, False):
        terminalreporter.write_line(f"ERROR: {_NO_XDIST}", red=True)
    judging = config.stash.get(SESSION, None)
    if judging is None and options.given(config) and exitstatus in _UNSUSPECTING:
        terminalreporter.write_line(f"WARNING: {_NOTHING_OF_OURS}", yellow=True)
    broken_off = config.stash.get(_broken_off, False) or exitstatus == pytest.ExitCode.INTERRUPTED
    if judging and broken_off and not judging.docket.findings.all:
        terminalreporter.write_line("verdict: none, the session was interrupted before anything was measured")
    if judging and judging.docket.findings.all:
        if warnings := list(judging.warnings()):
            terminalreporter.section("warned")
            terminalreporter.write("\n\n".join(warnings) + "\n")
        terminalreporter.section("compliance")
        for line in judging.summary(interrupted=broken_off or exitstatus not in _TO_THE_END):
            terminalreporter.write_line(line)
    for said in reported.told(config):
        terminalreporter.write_line(said)


@pytest.hookimpl(tryfirst=True)
def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> None:
    """Clean up on the target, finish a recording, and set the exit code."""
    if session.config.stash.get(_distributed, False):
        session.exitstatus = pytest.ExitCode.USAGE_ERROR
    judging = session.config.stash.get(SESSION, None)
    if judging is None:
        return
    conclude_the_rest(session.items)
    ended = exitstatus in _TO_THE_END and bool(judging.docket.findings.all)
    try:
        judging.close(whole=ended and not session.shouldfail)
    except KeyboardInterrupt:
        session.config.stash[_broken_off] = True
        ended, session.exitstatus = False, pytest.ExitCode.INTERRUPTED
    finally:
        session.config.stash[ATTENDED].hide()
    if judging.stopped:
        session.exitstatus = options.NOTHING_MEASURED
    if ended and not session.config.stash.get(_others_failed, False):
        session.exitstatus = judging.docket.findings.exit_code(judging.settings.gate)
    # Ended by -x: what was broken until then is a verdict, anything else is none.
    if session.shouldfail and judging.docket.findings.exit_code(judging.settings.gate) != 1:
        session.config.stash[_broken_off] = True
    broken_off = session.config.stash.get(_broken_off, False) or exitstatus not in _TO_THE_END
    if (writer := session.config.stash.get(ALLURE, None)) and not session.config.getoption("collectonly"):
        reported.finish_allure(session, judging, writer)
    reported.write(session, judging, interrupted=broken_off)


#: Pytest's own exit codes of sessions in which everything ran; those of the suite replace them.
_TO_THE_END = frozenset({0, 1, 10, 11})

#: Exit codes of sessions that look as if all was judged that should be.
_UNSUSPECTING = frozenset({0, 1, 5})

_NOTHING_OF_OURS = (
    "an option asks for the conformance suite, and nothing of it was collected: no target was judged; "
    "leave the paths out, or add --pyargs conformance"
)

_NO_XDIST = "the journal belongs to one process: drop -n; --runs-max-concurrency is the suite's parallelism"


def _runs_nothing(session: pytest.Session) -> bool:
    """Whether pytest will carry out no item, so that nothing may be sent."""
    asked = session.config.getoption
    broken = session.testsfailed and not asked("continue_on_collection_errors")
    return bool(broken or asked("collectonly") or asked("setuponly") or asked("setupplan"))


def _list_rows(session: pytest.Session) -> None:
    from conformance.reports.rows import rows

    checks: dict[str, list[str]] = {}
    for item in session.items:
        if ROW in item.stash:
            checks.setdefault(item.stash[ROW].id, []).append(item.nodeid.rsplit("/", 1)[-1])
    _print(session, rows(checks, session.config.stash[SESSION].settings.side))


def _print(session: pytest.Session, lines: Iterable[str], **style: bool) -> None:
    terminal: Any = session.config.pluginmanager.get_plugin("terminalreporter")
    for line in lines:
        terminal.write_line(line, **style)
