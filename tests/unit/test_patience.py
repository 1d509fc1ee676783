"""A target that asks for patience is given some, and not more than helps."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from functools import partial

import pytest

from conformance.patience import Patience, Width, is_one_too_many
from conformance.wire.exchange import Exchange, Request, Response

NOW = datetime(2026, 1, 1, tzinfo=UTC)


def _reply(status: int, retry_after: str | None = None) -> Exchange:
    headers = {} if retry_after is None else {"retry-after": retry_after}
    return Exchange(1, "", Request("GET", "/v1"), Response(status, headers), NOW.timestamp(), 0.0)


def _delays(patience: Patience, reply: Exchange) -> list[float]:
    """What is waited for while nothing but this reply comes."""
    waited = list[float]()
    while (delay := patience.delay(reply, sum(waited))) is not None:
        waited.append(delay)
    return waited


@pytest.mark.parametrize(
    ("reply", "delays"),
    [
        pytest.param(_reply(503, "20"), [20], id="down for a while"),
        pytest.param(_reply(429), [1, 2, 4, 8], id="silent"),
        pytest.param(_reply(429, "5"), [5, 6, 12], id="five"),
        pytest.param(_reply(429, "31"), [], id="too long"),
        pytest.param(_reply(429, "9" * 4000), [], id="for ever"),
        pytest.param(_reply(429, "-5"), [1, 2, 4, 8], id="negative"),
        pytest.param(_reply(429, "1.5"), [1, 2, 4, 8], id="fraction"),
        pytest.param(_reply(429, "soon"), [1, 2, 4, 8], id="words"),
        pytest.param(_reply(429, format_datetime(NOW + timedelta(seconds=25), usegmt=True)), [25], id="date"),
        pytest.param(_reply(429, format_datetime(NOW - timedelta(days=1), usegmt=True)), [1, 2, 4, 8], id="past"),
    ],
)
def test_the_delays_are_what_is_asked_for_within_the_budget(reply: Exchange, delays: list[float]) -> None:
    assert _delays(Patience(30.0), reply) == delays


def test_patience_that_never_helps_ends() -> None:
    patience = Patience(30.0)

    tried = [_delays(patience, _reply(429)) for _ in range(4)]

    assert tried == [[1, 2, 4, 8]] * 3 + [[]]


def test_patience_that_helps_lasts() -> None:
    patience = Patience(30.0)
    for _ in range(10):
        _delays(patience, _reply(429))
        patience.helps()

    assert _delays(patience, _reply(429)) == [1, 2, 4, 8]


@pytest.mark.parametrize(
    ("reply", "refused"),
    [
        pytest.param(_reply(200), False, id="fine"),
        pytest.param(_reply(500), False, id="crash"),
        pytest.param(_reply(503), False, id="down"),
        pytest.param(_reply(503, "20"), True, id="down for a while"),
        pytest.param(_reply(429), True, id="too many"),
    ],
)
def test_a_refusal_for_now_is_told_from_others(reply: Exchange, refused: bool) -> None:
    assert is_one_too_many(reply) is refused


def test_the_width_grows_while_all_goes_well_and_shrinks_for_good_where_it_is_too_much() -> None:
    width = Width(12)
    widths = []
    for learn in (width.widen, partial(width.narrow, for_good=False), partial(width.narrow, for_good=True)):
        for _ in range(100):
            learn()
        widths.append(width._width)
    for _ in range(100):
        width.widen()

    assert [*widths, width._width] == [12, 1, 1, 1]
