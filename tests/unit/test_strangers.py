"""What must lead nowhere: an id that was never issued, and a key that is almost right and must not be shown."""

from __future__ import annotations

import base64
import random

import pytest

from conformance.outcomes import Untested
from conformance.redaction import Redactor
from conformance.states.strangers import NEAR_MISSES, beginning_of, near_miss, never_issued, respelt
from conformance.wire.exchange import Exchange, Request, Response
from support.hostile.core import KEY as HOSTILE_KEY
from support.hostile.echoes import FORMS
from support.hostile.trial import gives_away

KEY = "sk-proj-Zx81kQ-planted-Tq"


@pytest.mark.parametrize("id", ["run_7", "7", "1f", "run-9", "run_1f", "run_00000000000000000000000012", "ab12"])
def test_an_id_that_may_be_a_counter_is_lengthened(id: str) -> None:
    assert never_issued(id) == f"{id}000000"


@pytest.mark.parametrize("id", ["run_abcdefghijklmnopqrstuvwx", "3fa9c1d2", "550e8400-e29b-41d4-a716-446655440000"])
def test_an_id_that_was_drawn_keeps_its_form(id: str) -> None:
    other = never_issued(id)

    assert len(other) == len(id)
    assert other[:-6] == id[:-6]
    assert all(mine != theirs for mine, theirs in zip(id[-6:], other[-6:], strict=True) if mine != "-")


def test_only_an_id_of_both_cases_has_another_spelling() -> None:
    assert respelt("run_aBcdefGhijklmnopqrstuvwX") == "run_AbCDEFgHIJKLMNOPQRSTUVWx"
    for id in ("run_abcxyz", "run_01HZXABC", "run_12", "3FA9c1d2", "550E8400-e29b-41d4-a716-446655440000"):
        with pytest.raises(Untested):
            respelt(id)


def test_only_the_beginning_of_what_was_drawn_is_no_id() -> None:
    assert beginning_of("run_abcdefghijklmnopqrstuvwx") == "run_abcdefghijklmnopqr"
    assert beginning_of("run_0000010hk3vqz5tw") == "run_0000010hk3"
    for counted in ("run_12", "1f", "run_0123456789a", "run_123456789012345678901234"):
        with pytest.raises(Untested):
            beginning_of(counted)


@pytest.mark.parametrize("what", NEAR_MISSES)
def test_a_key_that_is_almost_right_is_another_one_and_is_never_shown(what: str) -> None:
    near, redactor = near_miss(KEY, what), Redactor([KEY])
    assert near != KEY

    coded = base64.b64encode(f"user:{near}".encode()).decode()
    shown = redactor.text(f"Bearer {near} {coded} {near.replace('-', '%2D')}")

    for telling in (KEY[3:-2], KEY[3:-2].swapcase(), coded[12:-8]):
        assert telling not in shown


@pytest.mark.parametrize(
    ("key", "what"),
    [("sk-1234", "longer"), ("550e8400-e29b-41d4-a716-446655440000", "other-case"), ("123456789", "other-case")],
)
def test_no_key_is_near_to_what_is_hardly_one_or_is_a_number(key: str, what: str) -> None:
    with pytest.raises(Untested):
        near_miss(key, what)


@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "utf-32-be"])
def test_no_form_of_a_key_is_shown_wherever_a_text_was_cut(form: str, encoding: str) -> None:
    redactor = Redactor([HOSTILE_KEY])

    for end in range(len(form)):
        shown = redactor.text(f"<{form[:end]}...".encode(encoding).decode("utf-8", "replace"))
        assert not gives_away(shown), shown
        assert not gives_away(redactor.body(f"<{form[:end]}>".encode(encoding)).decode("utf-8", "replace"))


def test_the_name_of_a_header_can_be_a_key() -> None:
    assert Redactor([KEY]).headers({f"x-{KEY.lower()}": "1"}) == {"x-[redacted]": "1"}


def test_a_key_of_thousands_of_characters_is_one() -> None:
    key = "".join(random.Random(1).choices("abcdefghijklmnopqrstuvwxyz_-.ABC", k=6000))

    assert Redactor([key]).text(f"<{key}> <{key[:3000]}>").count(key[2500:2520]) == 0


def test_what_is_almost_a_short_secret_is_none() -> None:
    assert Redactor(["secret"]).text("SECRET secre secret") == "SECRET secre [redacted]"


def test_what_terminals_obey_is_shown_and_not_obeyed() -> None:
    assert Redactor().text("a\x1b[2J\rb\r\n\tc\u202ed\x9b") == "a\\x1b[2J\\rb\r\n\tc\\u202ed\\x9b"


def test_a_status_of_several_lines_stays_on_one() -> None:
    response = Response(200, {}, b'{"status": "x\\n::error::y"}')

    assert str(Exchange(1, "", Request("GET", "/v1/threads"), response, 0, 0)) == "#1 GET threads 200 'x\\n::error::y'"
