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

    from conformance.attended import Attended
    from conformance.requirements import Side
    from conformance.session import Session

SUITE = Path(__file__).parent / "suite"
#: The cases about clients.
CLIENTS = Path(__file__).parent / "sdk" / "suite"

_distributed: pytest.StashKey[bool] = pytest.StashKey()
_others_failed: pytest.StashKey[bool] = pytest.StashKey()
#: Whether the session ended before all had run, although its exit code does not say so.
_broken_off: pytest.StashKey[bool] = pytest.StashKey()
_attended: pytest.StashKey[Attended] = pytest.StashKey()


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
    _prepare(config, items)
    result = yield
    if SESSION in config.stash:
        items.sort(key=lambda item: has(item, "invariant"))
    return result


def _prepare(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Begin a session, and mark its items before anybody selects by them."""
    mine = {item: str(marker.args[0]) for item in items if (marker := item.get_closest_marker("requirement"))}
    if not mine:
        return
    from conformance.requirements import Level, Side, State, catalogue

    side = Side.CLIENT if config.getoption("runs_sdk") else Side.SERVER
    mine = _of_side(side, items, mine)
    if hasattr(config, "workerinput"):
        # A worker cannot end the session; it runs nothing, and its controller says why.
        getattr(config, "workeroutput")["runs_refused"] = True  # noqa: B009 - an attribute that xdist adds
        items.clear()
        return
    from conformance.attended import Attended

    session = config.stash[SESSION] = _begin(config)
    attended = config.stash[_attended] = Attended()
    config.add_cleanup(attended.end)
    if folder := config.getoption("allure_report_dir", None):
        from conformance.reports.allure.writer import Writer

        writer = config.stash[ALLURE] = Writer(Path(folder).absolute(), session.redactor, session.place)
        config.add_cleanup(writer.give_back)
    for level in Level:
        config.addinivalue_line("markers", f"{level.lower()}: the level of the requirement")
    for key, name in {row.area.key: row.area.name for row in catalogue(side).values()}.items():
        config.addinivalue_line("markers", f"{key.lower()}: {name}")
    for item, id in mine.items():
        row = item.stash[ROW] = catalogue(side)[id]
        if row.state is not State.ACTIVE:
            raise pytest.UsageError(f"{item.nodeid} measures {row.id}, which is {row.state}")
        item.extra_keyword_matches.add(row.id)
        item.add_marker((session.level(row) or row.level).lower())
        item.add_marker(row.area.key.lower())
    if unwanted := {
        item
        for item in items
        if not _is_wanted(item, session.settings.fuzz) or (ROW in item.stash and not session.is_judged(item.stash[ROW]))
    }:
        items[:] = [item for item in items if item not in unwanted]
        config.hook.pytest_deselected(items=list(unwanted))


def _of_side(side: Side, items: list[pytest.Item], mine: dict[pytest.Item, str]) -> dict[pytest.Item, str]:
    """Leave out the items of the other side, which this session neither counts nor lists."""
    from conformance.requirements import both_catalogues, catalogue

    others = {item for item, id in mine.items() if id in both_catalogues() and id not in catalogue(side)}
    if others == mine.keys():
        raise pytest.UsageError(_OTHER_SIDE[side])
    items[:] = [item for item in items if item not in others]
    return {item: id for item, id in mine.items() if item not in others}


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
            if session.config.stash[_attended].show(reporter, judging.progress):
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
                judging.judge_list()
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
    if finding := judging.excused(row, item.nodeid, race=has(item, "race")):
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
    if judging and broken_off and not judging.findings.all:
        terminalreporter.write_line("verdict: none, the session was interrupted before anything was measured")
    if judging and judging.findings.all:
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
    ended = exitstatus in _TO_THE_END and bool(judging.findings.all)
    try:
        judging.close(whole=ended and not session.shouldfail)
    except KeyboardInterrupt:
        session.config.stash[_broken_off] = True
        ended, session.exitstatus = False, pytest.ExitCode.INTERRUPTED
    finally:
        session.config.stash[_attended].hide()
    if judging.stopped:
        session.exitstatus = options.NOTHING_MEASURED
    if ended and not session.config.stash.get(_others_failed, False):
        session.exitstatus = judging.findings.exit_code(judging.settings.gate)
    # Ended by -x: what was broken until then is a verdict, anything else is none.
    if session.shouldfail and judging.findings.exit_code(judging.settings.gate) != 1:
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


#: What is said where only the other side's cases were collected, by the side that is judged.
_OTHER_SIDE = {
    "server": "these cases judge clients: name one with --runs-sdk",
    "client": "--runs-sdk judges a client, and these cases judge servers: leave the paths out",
}


def _begin(config: pytest.Config) -> Session:
    from conformance.session import Session
    from conformance.settings import BadSettings, Settings
    from conformance.states.waits import BUDGETS

    try:
        settings = Settings.read(config.getoption, BUDGETS)
        if settings.kind == "sdk":
            from conformance.sdk.session import ClientSession

            return ClientSession(settings, config.invocation_params.dir)
        return Session(settings, config.invocation_params.dir)
    except (BadSettings, OSError) as problem:  # a path can be wrong in more ways than anybody lists
        raise pytest.UsageError(str(problem)) from None


def _runs_nothing(session: pytest.Session) -> bool:
    """Whether pytest will carry out no item, so that nothing may be sent."""
    asked = session.config.getoption
    broken = session.testsfailed and not asked("continue_on_collection_errors")
    return bool(broken or asked("collectonly") or asked("setuponly") or asked("setupplan"))


def _is_wanted(item: pytest.Item, fuzz: str | None) -> bool:
    """Whether an item sends nothing generated, or what was asked for."""
    marker = item.get_closest_marker("fuzz")
    return marker is None or (fuzz is not None and fuzz in (marker.args or (fuzz,)))


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
