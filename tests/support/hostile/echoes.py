"""Targets that give away what they were sent: the key, wherever it can be written, and however."""

from __future__ import annotations

import base64
import html
import json
from functools import partial
from typing import TYPE_CHECKING
from urllib.parse import quote, quote_plus

from support.hostile.core import KEY, http, told
from support.hostile.core import behaves as _behaves

if TYPE_CHECKING:
    from collections.abc import Iterable

    from support.hostile.core import Call

#: A recording is one artefact more.
behaves = partial(_behaves, options=("--runs-record=kept",))
#: The key as servers, proxies and their logs write it.
FORMS = {
    "raw": KEY,
    "URL": quote(KEY, safe=""),
    "form": quote_plus(KEY).lower(),
    "URL twice": quote(quote(KEY, safe=""), safe=""),
    "every character escaped": "".join(f"%{byte:02X}" for byte in KEY.encode()),
    "JSON": json.dumps(KEY)[1:-1],
    "JSON twice": json.dumps(json.dumps(KEY))[1:-1],
    "every unit escaped": "".join(f"\\u{ord(char):04x}" for char in KEY),
    "repr": repr(KEY.encode()),
    "base64": base64.b64encode(KEY.encode()).decode(),
    "basic": base64.b64encode(f"user:{KEY}".encode()).decode(),
    "bearer": base64.urlsafe_b64encode(f"Bearer {KEY}".encode()).decode(),
    "HTML": html.escape(KEY).replace("/", "&#x2F;").replace("-", "&#45;"),
    "upper": KEY.upper(),
    "lower": KEY.lower(),
    "hex": KEY.encode().hex(),
}


def _form(call: Call) -> str:
    return list(FORMS.values())[call.number % len(FORMS)]


def _error(message: str) -> dict[str, object]:
    return {"error": {"message": message, "type": "invalid_request_error", "param": None, "code": message}}


@behaves("always", "third", "list")
def the_request(call: Call) -> Iterable[bytes]:
    """Echoes the request as plain text, head and all."""
    head = "\r\n".join(f"{name}: {value}" for name, value in call.headers.items())
    yield http(f"{call.method} {call.target}\r\n{head}\r\n\r\n".encode() + call.body, "content-type: text/plain")


@behaves("third", "retrieve", harmless=True)
def the_headers_as_json(call: Call) -> Iterable[bytes]:
    """Adds the headers of the request to what it answers."""
    yield told(call, {**call.value, "headers": call.headers, call.headers.get("authorization", "none"): 1})


@behaves("third", "create", "list")
def errors(call: Call) -> Iterable[bytes]:
    """Refuses, and says which key was refused, in one form after the other."""
    yield http(_error(f"Incorrect API key provided: {_form(call)}."), status=(400, 404, 409, 500)[call.number % 4])


@behaves("always")
def unauthorized(call: Call) -> Iterable[bytes]:
    """Knows no key, and repeats it."""
    yield http(_error(f"Incorrect API key provided: {_form(call)}."), status=401)


@behaves("retrieve", "list", "third")
def cut_errors(call: Call) -> Iterable[bytes]:
    """Places the key where a report that cuts long texts cuts through it."""
    yield http(
        b"<html>" + b"e" * (call.number % 220) + _form(call).encode() + b"</html>" * 100,
        status=(200, 500)[call.number % 2],
    )


@behaves("third", "create", "retrieve", harmless=True)
def headers(call: Call) -> Iterable[bytes]:
    """Repeats the key in headers, in one form after the other."""
    text = _form(call)
    yield told(
        call, None, f"x-request-id: {text}", f"x-key: Bearer {text}", f"set-cookie: key={text}", f"location: /?k={text}"
    )


@behaves("third", "create", "retrieve", harmless=True)
def header_names(call: Call) -> Iterable[bytes]:
    """Names headers by the key."""
    yield told(call, None, f"x-{_form(call)}: 1")


@behaves("third")
def status_lines(call: Call) -> Iterable[bytes]:
    """Writes the key into status lines, good and bad ones."""
    yield http(call.faithful.body, status=(f"200 {_form(call)}", _form(call))[call.number % 2])


@behaves("create", "third")
def ids(call: Call) -> Iterable[bytes]:
    """Gives the key as an id, and before it what makes it long."""
    prefix = ("run_", "x" * 60, "x" * 80, "x" * 90, "\ud800" + "x" * 60)[call.number % 5]
    yield told(call, {**call.value, "id": prefix + _form(call)})


@behaves("third", "retrieve")
def values(call: Call) -> Iterable[bytes]:
    """Gives the key in place of every text of a run, behind some that is cut."""
    body, prefix = call.value, "y" * (call.number * 7 % 120)
    changed = {name: prefix + _form(call) for name in body if name not in {"id", "object"} or call.number % 4 == 0}
    yield told(call, {**body, **changed})


@behaves("third")
def names(call: Call) -> Iterable[bytes]:
    """Names members by the key, once and twice."""
    name = json.dumps("z" * (call.number * 5 % 110) + _form(call))
    twice = call.number % 2
    yield told(
        call, f"{{{name}: 1, {name if twice else json.dumps('other')}: 2,".encode() + call.faithful.body.lstrip()[1:]
    )


@behaves("third", "list")
def in_utf_16(call: Call) -> Iterable[bytes]:
    """Repeats the key in UTF-16 and UTF-32."""
    yield http(
        _form(call).encode(("utf-16-le", "utf-16-be", "utf-32")[call.number % 3]), status=(200, 500)[call.number % 2]
    )


@behaves("third", "retrieve")
def packings(call: Call) -> Iterable[bytes]:
    """Names the key as the way in which the body is packed."""
    yield told(call, None, f"content-encoding: {'w' * (call.number * 7 % 80)}{_form(call)}")


@behaves("third", "retrieve", harmless=True)
def hints(call: Call) -> Iterable[bytes]:
    """Names the key where times and types are expected."""
    text = _form(call)
    yield told(
        call, None, f"openai-poll-after-ms: {text}", f"retry-after: {text}", f"date: {text}", f"content-type: {text}"
    )


@behaves("third", "create")
def redirects(call: Call) -> Iterable[bytes]:
    """Redirects to where the key is part of the address."""
    yield http(b"", f"location: {call.server.elsewhere}/?key={_form(call)}", status=302)


@behaves("third")
def chunks(call: Call) -> Iterable[bytes]:
    """Writes the key into sizes and extensions of chunks, and behind them."""
    text = _form(call).encode()
    yield b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n"
    yield b"2;key=" + text + b"\r\n{}\r\n" if call.number % 2 else text + b"\r\n{}\r\n"
    yield b"0\r\nx-key: " + text + b"\r\n\r\n"
