"""
What a client may send for a call: each judge holds the requests of one call to one requirement.

A judge yields what is wrong with each request that it applies to, and None for each that is right.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, TypeAlias
from urllib.parse import unquote

from conformance.sdk.made import is_plain
from conformance.wire.exchange import JSON_TYPE
from conformance.wire.values import ABSENT, NOT_JSON, same, shown, shown_apart

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from conformance.sdk.made import Made
    from conformance.wire.exchange import Exchange, Request

BETA: Final = "assistants=v2"
#: The parameters of a list.
_PARAMETERS: Final = ("limit", "order", "after", "before")
#: What the headers are called that a key may be in, in whole or in part; nobody writes these into a log.
_FOR_KEYS: Final = ("authorization", "api-key", "apikey", "auth-token")


@dataclass(frozen=True)
class Wrong:
    """What is wrong with a request."""

    expected: str
    actual: str
    exchange: Exchange


Judge: TypeAlias = Callable[["Made"], Iterator["Wrong | None"]]


def path(made: Made) -> Iterator[Wrong | None]:
    """Requests go to the path of their operation; where ids are strange, `ids` judges it."""
    if all(map(is_plain, made.asked.ids.values())):
        yield from _paths(made)


def ids(made: Made) -> Iterator[Wrong | None]:
    """An id is one segment of the path, and is read as it was given."""
    if not all(map(is_plain, made.asked.ids.values())):
        yield from _paths(made)


def method(made: Made) -> Iterator[Wrong | None]:
    """What reads is a GET, and what changes something a POST."""
    wanted = made.asked.operation.method
    for each in made.firsts or made.asides:
        if made.asked.is_path(each.request.path):
            right = each.request.method == wanted
            yield None if right else Wrong(wanted, each.request.method, each)


def parameters(made: Made) -> Iterator[Wrong | None]:
    """A list is asked for with what the caller gave."""
    for each, name, value in _given_parameters(made):
        sent = each.request.param(name)
        if sent is None or is_plain(value):
            told = shown(dict(each.request.query))
            yield None if sent == str(value) else Wrong(f"{name}={value} in the query", told, each)


def encoding(made: Made) -> Iterator[Wrong | None]:
    """What is sent is read as what the caller gave."""
    for each, name, value in _given_parameters(made):
        sent = each.request.param(name)
        if sent is not None and not is_plain(value):
            right = sent == str(value)
            yield None if right else Wrong(f"{name}={value!r} when decoded", f"{name}={sent!r}", each)


def no_more_parameters(made: Made) -> Iterator[Wrong | None]:
    """A list is asked for with nothing that the caller did not give; other names may be those of a gateway."""
    if made.asked.operation.name != "list_runs" or any(encoding(made)):
        return
    for number, each in enumerate(made.firsts):
        if each not in made.own:
            continue
        unasked = [name for name in _PARAMETERS if name not in made.asked.given and (name != "after" or not number)]
        sent = ", ".join(f"{name}={value}" for name, value in each.request.query if name in unasked)
        yield Wrong("a query without what was not given", f"{sent} in the query", each) if sent else None


def no_more_members(made: Made) -> Iterator[Wrong | None]:
    """A body has nothing that the caller did not give."""
    for each in _with_members(made):
        if isinstance(body := each.request.json, dict):
            added = ", ".join(_added(_without_stream(made, body), made.asked.given))
            yield Wrong("a body without what was not given", f"{added} in the body", each) if added else None


def members(made: Made) -> Iterator[Wrong | None]:
    """A body has all that the caller gave; whether it has nulls is another requirement's business."""
    for each in _with_members(made):
        body = each.request.json
        if not isinstance(body, dict):
            yield Wrong("a body of JSON in UTF-8", repr(each.request.body[:120]), each)
            continue
        changed = [(place, *shown_apart(one, other)) for place, one, other in _changed(body, made.asked.given)]
        wanted, sent = (", ".join(f"{told[0]} {told[side]}" for told in changed) for side in (1, 2))
        yield Wrong(f"a body with {wanted}", f"one with {sent}", each) if changed else None


def body_type(made: Made) -> Iterator[Wrong | None]:
    """A body is called what it is."""
    for each in made.own:
        if each.request.method == "POST" and each.request.body and each.request.json is not NOT_JSON:
            named = each.request.headers.get("content-type", "")
            kind, _, options = named.partition(";")
            right = kind.strip().lower() == JSON_TYPE and _is_in(each.request.body, options)
            yield None if right else Wrong(JSON_TYPE, named or "no type", each)


def beta(made: Made) -> Iterator[Wrong | None]:
    """Every request names the version."""
    for each in (*made.firsts, *made.asides):
        named = each.request.headers.get("openai-beta", "")
        right = BETA in {one.strip() for one in named.split(",")}
        yield None if right else Wrong(f"OpenAI-Beta: {BETA}", named or "no such header", each)


def bearer(key: str, made: Made) -> Iterator[Wrong | None]:
    """Every request has the key."""
    for each in (*made.firsts, *made.asides):
        scheme, _, told = each.request.headers.get("authorization", "").partition(" ")
        right = scheme.lower() == "bearer" and told.strip() == key
        sent = f"{scheme or 'no such header'}, and {'the' if key in told else 'not the'} key"
        yield None if right else Wrong("Authorization: Bearer, and the key", sent, each)


def key_elsewhere(key: str, made: Made) -> Iterator[Wrong | None]:
    """No request has the key where it would be written into a log."""
    for each in (*made.requests, *made.asides):
        places = ", ".join(_places(key, each.request))
        yield Wrong("the key in a header for keys alone", f"the key in {places}", each) if places else None


def host(made: Made) -> Iterator[Wrong | None]:
    """Every request names the server that it was sent to."""
    for each in (*made.requests, *made.asides):
        named = each.request.headers.get("host", "")
        right = named.lower() == made.host
        # The port is another one each time, which nobody needs to be told.
        expected, sent = ("127.0.0.1:PORT", named.replace(made.host.partition(":")[2], "PORT"))
        yield None if right else Wrong(f"Host: {expected}", sent or "no such header", each)


def nothing_to_cancel_with(made: Made) -> Iterator[Wrong | None]:
    """A cancel has no body, or an empty object."""
    for each in made.own:
        if made.asked.operation.name == "cancel_run":
            right = not each.request.body or each.request.json == {}
            yield None if right else Wrong("no body, or an empty object", repr(each.request.body[:80]), each)


def nothing_to_read_with(made: Made) -> Iterator[Wrong | None]:
    """A read has no body."""
    for each in (*made.own, *made.asides):
        if each.request.method == "GET":
            yield Wrong("no body", repr(each.request.body[:80]), each) if each.request.body else None


def is_for_keys(header: str) -> bool:
    """Whether a header is one that keys belong in, so that nobody writes it into a log."""
    return any(each in header for each in _FOR_KEYS)


def _paths(made: Made) -> Iterator[Wrong | None]:
    asked = made.asked
    for each in made.firsts:
        right = asked.is_path(each.request.path)
        yield None if right else Wrong(f"a request to {asked.path}", f"one to {each.request.target}", each)
    if not made.firsts and not any(asked.is_path(each.request.path) for each in made.asides):
        for each in made.asides:
            yield Wrong(f"a request to {asked.path}", f"nothing but one to {each.request.target}", each)


def _given_parameters(made: Made) -> Iterator[tuple[Exchange, str, object]]:
    """What the caller gave for a list; what becomes of it on further pages is for the rows about walks."""
    if made.asked.operation.name == "list_runs":
        for each in made.firsts[:1] if made.firsts[:1] == made.own[:1] else ():
            yield from ((each, name, value) for name, value in made.asked.given.items())


def _with_members(made: Made) -> Sequence[Exchange]:
    """The requests that have to say something in their body."""
    operation = made.asked.operation
    return [] if operation.method == "GET" or operation.name == "cancel_run" else made.own


def _without_stream(made: Made, body: Mapping[str, Any]) -> dict[str, Any]:
    """A body without what the rows about streams are for; that no stream is asked for may be said or left out."""
    may_be_said = made.asked.asks_for_stream or body.get("stream") is False
    return {name: value for name, value in body.items() if name != "stream" or not may_be_said}


def _added(body: Any, given: Any, place: str = "") -> Iterator[str]:
    """What a body has beyond what was given."""
    match body, given:
        case dict(), dict():
            for name, value in body.items():
                if name in given:
                    yield from _added(value, given[name], f"{place}{name}.")
                else:
                    yield f"{place}{name} {shown(value)}"
        case list(), list():
            for index, (one, other) in enumerate(zip(body, given, strict=False)):
                yield from _added(one, other, f"{place}{index}.")


def _changed(body: Any, given: Any, place: str = "") -> Iterator[tuple[str, Any, Any]]:
    """Where a body has another value than was given, or none: the place, what was given, and what is there."""
    match body, given:
        case dict(), dict():
            for name, value in given.items():
                yield from _changed(body.get(name, ABSENT), value, f"{place}.{name}".lstrip("."))
        case list(), list() if len(body) == len(given):
            for index, (one, other) in enumerate(zip(body, given, strict=True)):
                yield from _changed(one, other, f"{place}.{index}")
        case _:
            if not same(body, given) and not (given is None and body is ABSENT):
                yield place, given, body


def _is_in(body: bytes, options: str) -> bool:
    """Whether a text in UTF-8 is the same in the charset that its type names, if it names one."""
    for option in options.split(";"):
        name, _, value = (part.strip().strip('"') for part in option.partition("="))
        if name.lower() == "charset":
            try:
                return body.decode(value) == body.decode()
            except (LookupError, ValueError):
                return False
    return True


def _places(key: str, request: Request) -> Iterator[str]:
    """Where a request has the key that it should not have it."""
    if key in unquote(request.path):
        yield "the path"
    yield from (f"the query, as {name}" for name, value in request.query if key in name + value)
    yield from (
        f"the header {name}" for name, value in request.headers.items() if key in value and not is_for_keys(name)
    )
    if key.encode() in request.body:
        yield "the body"
