"""What pytest collected: items of the suite begin a session, and what it does not judge is left out."""

from __future__ import annotations

from pathlib import Path

import pytest

from conformance.attended import Attended
from conformance.items import ALLURE, ATTENDED, ROW, SESSION
from conformance.requirements import Level, Side, State, both_catalogues, catalogue
from conformance.session import Session
from conformance.settings import BadSettings, Settings
from conformance.states.waits import BUDGETS

#: What is said where only the other side's cases were collected, by the side that is judged.
_OTHER_SIDE = {
    "server": "these cases judge clients: name one with --runs-sdk",
    "client": "--runs-sdk judges a client, and these cases judge servers: leave the paths out",
}


def begin(config: pytest.Config, items: list[pytest.Item]) -> None:
    """
    Begin a session for the items of the suite, and mark them before anybody selects by them.

    Args:
        config: Pytest's own, which keeps the session.
        items: All that was collected; what is not judged is taken out.

    Raises:
        pytest.UsageError: the options contradict each other, or the items are about the other side.
    """
    mine = _of_side(Side.CLIENT if config.getoption("runs_sdk") else Side.SERVER, items)
    if hasattr(config, "workerinput"):
        # A worker cannot end the session; it runs nothing, and its controller says why.
        getattr(config, "workeroutput")["runs_refused"] = True  # noqa: B009 - an attribute that xdist adds
        items.clear()
        return
    session = config.stash[SESSION] = _session(config)
    attended = config.stash[ATTENDED] = Attended()
    config.add_cleanup(attended.end)
    if folder := config.getoption("allure_report_dir", None):
        from conformance.reports.allure.writer import Writer

        writer = config.stash[ALLURE] = Writer(Path(folder).absolute(), session.redactor, session.place)
        config.add_cleanup(writer.give_back)
    _mark(config, session, mine)
    if unwanted := {item for item in items if not _is_wanted(item, session)}:
        items[:] = [item for item in items if item not in unwanted]
        config.hook.pytest_deselected(items=list(unwanted))


def _of_side(side: Side, items: list[pytest.Item]) -> dict[pytest.Item, str]:
    """The items of a side with their requirements; those of the other one are taken out, neither counted nor listed."""
    ours = {item: str(marker.args[0]) for item in items if (marker := item.get_closest_marker("requirement"))}
    others = {item for item, id in ours.items() if id in both_catalogues() and id not in catalogue(side)}
    if others == ours.keys():
        raise pytest.UsageError(_OTHER_SIDE[side])
    items[:] = [item for item in items if item not in others]
    return {item: id for item, id in ours.items() if item not in others}


def _session(config: pytest.Config) -> Session:
    try:
        settings = Settings.read(config.getoption, BUDGETS)
        if settings.kind == "sdk":
            from conformance.sdk.session import ClientSession

            return ClientSession(settings, config.invocation_params.dir)
        return Session(settings, config.invocation_params.dir)
    except (BadSettings, OSError) as problem:  # a path can be wrong in more ways than anybody lists
        raise pytest.UsageError(str(problem)) from None


def _mark(config: pytest.Config, session: Session, items: dict[pytest.Item, str]) -> None:
    """Give items their rows, and the words that they can be selected by."""
    rows = catalogue(session.settings.side)
    for level in Level:
        config.addinivalue_line("markers", f"{level.lower()}: the level of the requirement")
    for key, name in {row.area.key: row.area.name for row in rows.values()}.items():
        config.addinivalue_line("markers", f"{key.lower()}: {name}")
    for item, id in items.items():
        row = item.stash[ROW] = rows[id]
        if row.state is not State.ACTIVE:
            raise pytest.UsageError(f"{item.nodeid} measures {row.id}, which is {row.state}")
        item.extra_keyword_matches.add(row.id)
        item.add_marker((session.docket.level(row) or row.level).lower())
        item.add_marker(row.area.key.lower())


def _is_wanted(item: pytest.Item, session: Session) -> bool:
    """Whether an item is in the contract, and sends nothing generated, or what was asked for."""
    if ROW in item.stash and not session.docket.is_judged(item.stash[ROW]):
        return False
    marker, fuzz = item.get_closest_marker("fuzz"), session.settings.fuzz
    return marker is None or (fuzz is not None and fuzz in (marker.args or (fuzz,)))
