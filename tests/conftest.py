"""The fixtures that all tests share."""

from __future__ import annotations

import signal
import socket
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from support.servers import serving
from support.sessions import ForkedSessions, run_as_process

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from support.sessions import Ran


_HERE = Path(__file__).parent
_TIERS = ("nightly", "mutation", "hostile", "sessions", "unit")

# A shell lets its background processes ignore Ctrl-C, and the sessions that tests interrupt would inherit that.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add what says how much of the tests is run."""
    group = parser.getgroup("project", "the project's own tests")
    group.addoption("--all", action="store_true", help="run all faults and all hostile targets, not a small set")
    group.addoption(
        "--changed",
        metavar="REVISION",
        nargs="?",
        const="HEAD",
        help="run the faults that the changes since a revision may affect (default: HEAD)",
    )
    group.addoption("--thorough", action="store_true", help="run each hostile target at all of its moments")


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Leave out the tests that need foreign parts, unless their folder is named."""
    nightly = _HERE / "nightly"
    named = any(nightly in (path := Path(each.partition("::")[0]).resolve(), *path.parents) for each in config.args)
    return True if collection_path == nightly and not named else None


def pytest_configure(config: pytest.Config) -> None:
    """Declare the one marker of the project's own tests."""
    config.addinivalue_line(
        "markers", "exhaustive: repeats a check with further data, or takes long; run with --all or -k"
    )


def _tier(item: pytest.Item) -> int:
    """The place of an item's folder; items that are none of the project's own tests come last."""
    folder = item.path.relative_to(_HERE).parts[0] if item.path.is_relative_to(_HERE) else ""
    return _TIERS.index(folder) if folder in _TIERS else len(_TIERS)


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out what only repeats, and begin with what takes longest, so that no process is left with it at the end."""
    items.sort(key=_tier)
    if config.option.all or config.option.keyword:
        return
    left_out = [item for item in items if item.get_closest_marker("exhaustive")]
    items[:] = [item for item in items if item not in left_out]
    config.hook.pytest_deselected(items=left_out)


@pytest.fixture(scope="session")
def forked_sessions(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ForkedSessions]:
    """Runs sessions as forks of one process."""
    sessions = ForkedSessions(tmp_path_factory.mktemp("sessions"))
    yield sessions
    sessions.close()


@pytest.fixture
def judge(forked_sessions: ForkedSessions, tmp_path: Path) -> Callable[..., Ran]:
    """Runs pytest with the plugin, from an empty folder that has nothing to do with the checkout."""

    def run(*arguments: str, cwd: Path = tmp_path, **environment: str) -> Ran:
        return forked_sessions.run(cwd, *arguments, **environment)

    return run


@pytest.fixture
def judge_as_process(tmp_path: Path) -> Callable[..., Ran]:
    """Does the same as a new process, for tests of what a process imports."""
    return partial(run_as_process, tmp_path)


@pytest.fixture(scope="session")
def reference_url() -> Iterator[str]:
    """A reference server on an ephemeral loopback port."""
    with serving() as url:
        yield url


@pytest.fixture
def observed_url() -> Iterator[str]:
    """One that cancels waiting runs too, as the real service was seen to do."""
    with serving("--cancel-policy=observed") as url:
        yield url


@pytest.fixture
def closed_port() -> int:
    """A loopback port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
