"""Whatever a target does, a session ends: in time, within bounds, with a verdict, and without giving the key away."""

from __future__ import annotations

import base64
import html
import json
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING
from urllib.parse import quote

import pytest

from support.hostile import BEHAVIOURS
from support.hostile.core import KEY
from support.hostile.trial import PATIENCE, gives_away, hold

if TYPE_CHECKING:
    from collections.abc import Iterator
    from concurrent.futures import Future

    from support.hostile.trial import Trial
    from support.sessions import ForkedSessions

pytestmark = pytest.mark.xdist_group("hostile targets")

#: What a session can say of a target that means harm: a MUST is broken, incomplete, nothing to measure.
SENSIBLE = {1, 10, 11}
OF_EACH_KIND = 2


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Two behaviours of each kind at their last moment; with --all every one; with --thorough at all moments."""
    if "trial" in metafunc.fixturenames:
        option = metafunc.config.option
        kinds = Counter[str]()
        trials = []
        for name, each in BEHAVIOURS.items():
            kind = each.talk.__module__
            kinds[kind] += 1
            more = () if kinds[kind] <= OF_EACH_KIND else (pytest.mark.exhaustive,)
            moments = each.moments if option.thorough else each.moments[-1:]
            trials += [pytest.param((name, moment), marks=more, id=f"{name}-{moment}") for moment in moments]
        metafunc.parametrize("trial", trials)


@pytest.fixture(scope="module")
def held(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, forked_sessions: ForkedSessions
) -> Iterator[dict[str, Future[Trial]]]:
    """All sessions that somebody asks for, side by side."""
    folder = tmp_path_factory.mktemp("hostile")
    asked = [
        item.callspec.params["trial"] for item in request.session.items if "held" in getattr(item, "fixturenames", ())
    ]
    with ThreadPoolExecutor(4) as pool:
        yield {
            (name, moment): pool.submit(hold, BEHAVIOURS[name], moment, folder / f"{name}-{moment}", forked_sessions)
            for name, moment in asked
        }


def test_there_are_many_and_each_says_what_it_does() -> None:
    assert len(BEHAVIOURS) >= 60
    assert all(each.does.endswith(".") and each.moments for each in BEHAVIOURS.values())


def test_no_target_hurts_a_session(trial: tuple[str, str], held: dict[tuple[str, str], Future[Trial]]) -> None:
    behaviour, came = BEHAVIOURS[trial[0]], held[trial].result()

    assert came.leaks == ()
    assert came.strayed == ()
    assert came.code in SENSIBLE | ({0} if behaviour.harmless else set()), came.text
    for word in ("Traceback", "INTERNALERROR", "warnings summary", "Exception in thread", "\x1b"):
        assert word not in came.text
    assert came.cpu_seconds < behaviour.seconds
    assert came.seconds < PATIENCE * behaviour.seconds
    assert came.megabytes < behaviour.megabytes


@pytest.mark.parametrize(
    "told",
    [
        KEY,
        KEY.upper(),
        KEY[8:24],
        quote(KEY, safe=""),
        json.dumps(json.dumps(KEY)),
        html.escape(KEY),
        base64.b64encode(b"x" + KEY.encode()).decode(),
        KEY.encode().hex(),
        KEY.encode("utf-16-le").decode("latin-1"),
    ],
)
def test_whoever_shows_the_key_is_found_out(told: str) -> None:
    assert gives_away(f"before {told} after")
    assert not gives_away(f"before {told[:9]} after")
