"""Targets whose answers are HTTP, and hardly anything else: no JSON, strange JSON, refusals, redirects."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from support.hostile.core import behaves, http, told

if TYPE_CHECKING:
    from collections.abc import Iterable

    from support.hostile.core import Call


def _with(call: Call, text: str, *, quoted: str = "hostile") -> bytes:
    """The faithful object with one member more, whose JSON text is given; any other answer as it was."""
    body = call.value
    if not isinstance(body, dict):
        return call.faithful.body
    return json.dumps({**body, "metadata": quoted}).replace(json.dumps(quoted), text).encode()


@behaves("always")
def nested_ten_thousand_deep(_call: Call) -> Iterable[bytes]:
    """Sends arrays within arrays, ten thousand of them."""
    yield http(b"[" * 10_000 + b"]" * 10_000)


@behaves("retrieve", "list")
def nested_within_a_run(call: Call) -> Iterable[bytes]:
    """Nests objects in the metadata, ten thousand of them."""
    yield told(call, _with(call, '{"a":' * 10_000 + "0" + "}" * 10_000))


@behaves("third")
def no_numbers(call: Call) -> Iterable[bytes]:
    """Sends NaN and infinities."""
    yield told(call, _with(call, "[NaN, Infinity, -Infinity, 1e999]"))


@behaves("third", "retrieve")
def huge_numbers(call: Call) -> Iterable[bytes]:
    """Sends an integer of 4000 digits, one of 100,000, and a float of 400."""
    digits = 100_000 if call.number % 2 else 4000
    yield told(call, _with(call, f"[{'9' * digits}, 0.{'3' * 400}, {'1' * 400}.5, 1e-9999]"))


@behaves("third", "retrieve")
def times_of_10_to_30(call: Call) -> Iterable[bytes]:
    """Gives times that are 10^30, negative or a fraction."""
    body, times = call.value, [10**30, -(10**30), 1.5, 10**400, 0]
    names = [name for name in body if name.endswith("_at") and body[name] is not None]
    changed = {name: times[(call.number + place) % len(times)] for place, name in enumerate(names)}
    yield told(call, {**body, **changed})


@behaves("third")
def members_twice(call: Call) -> Iterable[bytes]:
    """Names members twice, with other values."""
    yield told(call, b'{"id": "run_other", "status": "completed",' + call.faithful.body.lstrip()[1:])


@behaves("third")
def no_utf_8(call: Call) -> Iterable[bytes]:
    """Sends bytes that are no UTF-8."""
    yield told(call, call.faithful.body.replace(b"thread", b"thr\xff\xc0\x80ad"))


@behaves("always", "third")
def utf_16(call: Call) -> Iterable[bytes]:
    """Sends UTF-16."""
    yield told(call, call.faithful.body.decode().encode("utf-16"))


@behaves("third")
def a_mark_before(call: Call) -> Iterable[bytes]:
    """Begins the body with a byte order mark."""
    yield told(call, b"\xef\xbb\xbf" + call.faithful.body)


@behaves("always", "third")
def a_page_for_people(call: Call) -> Iterable[bytes]:
    """Sends HTML, and calls it JSON every other time."""
    page = b"<!doctype html><script>alert('x')</script>]]><![CDATA[" + call.target.encode()
    yield http(page, "content-type: text/html" if call.number % 2 else "content-type: application/json")


@behaves("always", "third")
def nothing(_call: Call) -> Iterable[bytes]:
    """Answers 200 with an empty body."""
    yield http(b"")


@behaves("always", "third")
def no_content(_call: Call) -> Iterable[bytes]:
    """Answers 204."""
    yield b"HTTP/1.1 204 No Content\r\nconnection: close\r\n\r\n"


@behaves("third")
def no_content_with_content(_call: Call) -> Iterable[bytes]:
    """Answers 204 and sends a body nevertheless."""
    yield http({"id": "x"}, status=204)


@behaves("always", "third", "create")
def redirects_elsewhere(call: Call) -> Iterable[bytes]:
    """Redirects to another host, in all the ways there are."""
    status = (301, 302, 303, 307, 308, 300)[call.number % 6]
    yield http(
        b"",
        f"location: {call.server.elsewhere}{call.target}",
        f"refresh: 0; url={call.server.elsewhere}",
        status=status,
    )


@behaves("always", "third")
def redirects_in_circles(call: Call) -> Iterable[bytes]:
    """Redirects to itself."""
    yield http(b"", f"location: {call.target}", status=307)


@behaves("always")
def asks_for_a_password(call: Call) -> Iterable[bytes]:
    """Asks for other credentials, and names another place as the proxy to send them to."""
    yield http(
        b"",
        'www-authenticate: Basic realm="x"',
        f"location: {call.server.elsewhere}",
        status=(401, 407)[call.number % 2],
    )


@behaves("always", "late", "create", "list", seconds=60)
def too_many_for_ever(_call: Call) -> Iterable[bytes]:
    """Refuses everything as one too many, and says no more."""
    yield http({"error": {"message": "slow down", "type": "rate", "code": None, "param": None}}, status=429)


def _too_many(call: Call, *asked: str) -> bytes:
    return http({}, f"retry-after: {asked[call.number % len(asked)]}", status=429)


@behaves("always", "late", seconds=60)
def too_many_for_a_second(call: Call) -> Iterable[bytes]:
    """Refuses everything as one too many, and asks for a second, for ever."""
    yield _too_many(call, "1")


@behaves("always", "third", seconds=60)
def too_many_for_a_century(call: Call) -> Iterable[bytes]:
    """Refuses what is one too many, and asks for a century, in several ways."""
    yield _too_many(call, "3153600000", "9" * 5000, "Fri, 21 Nov 2125 00:00:00 GMT", "Fri, 31 Dec 99999 00:00:00 GMT")


@behaves("third", "list", seconds=60, options=("-m", "get and must or schema"))  # each refusal takes a second
def too_many_for_less_than_nothing(call: Call) -> Iterable[bytes]:
    """Refuses what is one too many, and asks for what is no time at all."""
    yield _too_many(call, "-5", "NaN", "1e400", "\xb2", "Thu, 01 Jan 1970 00:00:00 -9999", "-0.0", "inf", "")


@behaves("always", seconds=60, options=("--runs-wait=throttled=1",))  # each burst is waited out
def bursts_of_503(call: Call) -> Iterable[bytes]:
    """Is unavailable for twenty requests of forty."""
    yield told(call) if call.number % 40 < 20 else http({}, "retry-after: 0", status=503)


@behaves("third")
def strange_statuses(call: Call) -> Iterable[bytes]:
    """Answers with status codes that nobody defined."""
    yield http(call.faithful.body, status=(299, 418, 599, 799, 999)[call.number % 5])


@behaves("always", "late")
def no_status_code(call: Call) -> Iterable[bytes]:
    """Answers with a status that is no number of three digits."""
    yield http(call.faithful.body, status=("2000 OK", "-20 OK", "OK", "0x200 OK")[call.number % 4])


@behaves("third")
def cookies(call: Call) -> Iterable[bytes]:
    """Sets cookies for all hosts, for ever, large ones too."""
    names = [f"set-cookie: c{number}={'v' * 4000}; domain=.; max-age=9999999999" for number in range(10)]
    yield told(call, None, *names)


def _anything(value: Any, *, text: str) -> Any:
    """The same value with a text at the end of each of its strings."""
    if isinstance(value, dict):
        return {name: _anything(each, text=text) for name, each in value.items()}
    if isinstance(value, list):
        return [_anything(each, text=text) for each in value]
    return value + text if isinstance(value, str) else value


@behaves("third", "retrieve")
def texts_that_move_cursors(call: Call) -> Iterable[bytes]:
    """Ends every text with escape sequences of terminals and what no XML can hold."""
    yield told(call, _anything(call.value, text="\x1b[2J\x07\u202e\x00\x0b\ufffe\ud800]]>\r\n::error::x"))


@behaves("retrieve", "list", seconds=60, megabytes=700)
def large_answers(call: Call) -> Iterable[bytes]:
    """Puts seven megabytes into every answer."""
    yield told(call, _with(call, '{"a": "' + "x" * 7_000_000 + '"}'))


@behaves("retrieve", "list", seconds=60, megabytes=700)
def answers_of_many_values(call: Call) -> Iterable[bytes]:
    """Puts two million arrays into every answer."""
    yield told(call, _with(call, "[" + "[]," * 2_000_000 + "[]]"))
