"""Commands that send requests again: one, or a whole sequence as a script."""

from __future__ import annotations

import json
import math
import re
import shlex
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from conformance.wire.exchange import Exchange, Request

_ASCII = 128
#: Request headers that reproduce a call, as people write them; curl adds the others by itself.
_KEPT_HEADERS = {"content-type": "Content-Type", "openai-beta": "OpenAI-Beta"}
#: What a reply creates that later requests name, and how a script calls it.
_CREATED: Final = {
    "create_assistant": {"id": "assistant"},
    "create_thread": {"id": "thread"},
    "create_run": {"id": "run"},
    "create_thread_and_run": {"id": "run", "thread_id": "thread"},
}
#: The file that a script keeps the events of a stream in, and how it reads a member of their run.
_EVENTS: Final = "events"
_FROM_EVENTS: Final = f"sed -n 's/^data: //p' {_EVENTS} | jq -r {{}} 2>/dev/null | head -n 1"
#: Seconds after which a stream has told of its run, at least.
_FIRST_EVENTS: Final = 1.0
#: Where jq finds the ids of the function calls that a run waits for.
_CALLS: Final = ".required_action.submit_tool_outputs.tool_calls[{}].id"
#: Pauses that are shorter do not matter; a script rounds up to its reciprocal.
_TENTHS: Final = 10


@dataclass(frozen=True, kw_only=True)
class Place:
    """Where a failure happened, and how somebody else gets there."""

    #: The target in words.
    target: str
    #: Scheme, host and port for the command that reproduces it.
    origin: str
    #: The command that serves the target there, where nothing does.
    serving: str = ""
    #: Whether what the session made is still there.
    lasting: bool = True
    #: Seconds after which what happens to a run later has happened.
    later: float = 0.0
    #: All that was sent there, for what made the things that a violation is about.
    sent: Iterable[Exchange] = ()
    #: The header that carries the key.
    key_header: str = "authorization"
    #: The key itself, which is never shown but as its environment variable.
    key: str | None = None
    key_env: str = "OPENAI_API_KEY"
    #: What the target is called.
    role: str = "target"


def curl(request: Request, place: Place) -> str:
    """The command that sends a request again; the target's own key stays in the environment."""
    method = ["-I"] if request.method == "HEAD" else ["-X", request.method]
    return " ".join(["curl", *method, shlex.quote(_url(request, place)), *_headers(request, place), *_body(request)])


def script(exchanges: Sequence[Exchange], place: Place) -> list[str]:
    """
    The commands that send a sequence again, one a line; jq reads the ids of what is created out of the replies.

    Pauses that the sequence made are made again. The last reply, and every other that creates nothing, is shown with
    its status; a stream that something was asked in the middle of is heard in the background, and shown at the end.
    """
    names: dict[str, str] = {}
    lines, unread = list[str](), list[str]()
    heard: list[Exchange] = []
    for number, each in enumerate(exchanges):
        before, later = exchanges[number - 1] if number else None, exchanges[number + 1 :]
        if before:
            pause = _pause(before, each, place, heard=before in heard)
            pause = max(pause, _FIRST_EVENTS) if unread else pause
            if (tenths := math.ceil(pause * _TENTHS - 0.5)) > 0:
                lines.append(f"sleep {tenths / _TENTHS:g}")
        lines += unread
        command = _with_names(each.request, place, names)
        wanted = _wanted(each, later, names)
        names |= {id: name for name, id in wanted}
        goes_on = each.is_stream and any(other.at < each.ended and other.scope == each.scope for other in later)
        heard += [each] * goes_on
        sent, *read = _sent(each, command, {name: path for (name, _), path in wanted.items()})
        lines.append(f"{sent} &" if goes_on else sent)
        unread = read if goes_on else []
        lines += [] if goes_on else read
    return [*lines, *unread, f"wait; cat {_EVENTS}"] if heard else lines


def _pause(before: Exchange, each: Exchange, place: Place, *, heard: bool) -> float:
    """The seconds between two requests; what a later scope saw of the same thread came after everything else."""
    if before.scope == each.scope:
        return each.at - (before.at if heard else before.ended)
    same = before.ids.get("thread_id") == each.ids.get("thread_id") is not None
    return place.later if same else 0.0


def _sent(each: Exchange, command: str, wanted: Mapping[str, str]) -> list[str]:
    """The command that sends a request, and those that read what is wanted of the reply, by its name."""
    if each.is_stream and not wanted:
        return [f"curl -i -N -s {command}"]
    if each.is_stream:
        read = {name: _FROM_EVENTS.format(shlex.quote(path)) for name, path in wanted.items()}
        return [f"curl -N -s {command} > {_EVENTS}", *(f"{name}=$({how})" for name, how in read.items())]
    if not wanted:
        return [f"curl -i -s {command}"]
    if len(wanted) == 1:
        return [f"{name}=$(curl -s {command} | jq -r {shlex.quote(path)})" for name, path in wanted.items()]
    read = {name: f'printf %s "$reply" | jq -r {shlex.quote(path)}' for name, path in wanted.items()}
    return [f"reply=$(curl -s {command})", *(f"{name}=$({how})" for name, how in read.items())]


def _wanted(each: Exchange, later: Sequence[Exchange], names: Mapping[str, str]) -> Mapping[tuple[str, str], str]:
    """What later requests need of a reply: a name for each id, and where jq finds it."""
    body, operation = each.json, each.operation.name if each.operation else ""
    path = ".{}"
    if each.is_stream:
        body = next((event.value for event in each.events if event.value.get("object") == "thread.run"), None)
        path = 'select(.object == "thread.run").{}'
    if not isinstance(body, dict) or not each.succeeded:
        return {}
    found: dict[tuple[str, str], str] = {}
    for member, name in _CREATED.get(operation, {}).items():
        if isinstance(body.get(member), str):
            found[name, body[member]] = path.format(member)
    if operation == "retrieve_run":
        found |= {("call", id): _CALLS.format(place) for place, id in enumerate(_calls_of(body))}
    needed = {
        (name, id): path
        for (name, id), path in found.items()
        if id not in names and any(_names_it(following.request, id) for following in later)
    }
    taken, named = Counter(name.rstrip("0123456789") for name in names.values()), dict[tuple[str, str], str]()
    for (name, id), path in needed.items():
        taken[name] += 1
        named[f"{name}{taken[name]}" if taken[name] > 1 else name, id] = path
    return named


def _names_it(request: Request, id: str) -> bool:
    escaped = quote(id, safe="", errors="replace")  # a target may give what no URL can hold
    in_path = escaped in request.path.split("/") and escaped == id
    return in_path or id in dict(request.query).values() or json.dumps(id).encode() in request.body


def _calls_of(body: Mapping[str, Any]) -> list[str]:
    try:
        return [str(call["id"]) for call in body["required_action"]["submit_tool_outputs"]["tool_calls"]]
    except (KeyError, TypeError):
        return []


def _with_names(request: Request, place: Place, names: Mapping[str, str]) -> str:
    """A request with variables in the place of the ids that have names."""
    url, body = shlex.quote(_url(request, place)), list(_body(request))
    for id, name in names.items():
        if _names_it(request, id):
            url = '"' + url.strip("'\"") + '"'
            url = re.sub(rf"(?<=[/=]){re.escape(quote(id, safe='', errors='replace'))}(?=[/?&\"])", f"${name}", url)
            body = [part.replace(json.dumps(id), f'"\'"${name}"\'"') for part in body]
    return " ".join(["-X", request.method, url, *_headers(request, place), *body])


def _url(request: Request, place: Place) -> str:
    return place.origin + request.target


def _headers(request: Request, place: Place) -> Iterator[str]:
    header, value = place.key_header, request.headers.get(place.key_header)
    if value is not None:
        name = "-".join(part.capitalize() for part in header.split("-"))
        own = place.key is not None and place.key in value
        yield "-H"
        # Within double quotes the shell fills in the key; a wrong key is part of the test and no secret.
        yield (
            f'"{name}: {value.replace(place.key or "", f"${place.key_env}")}"'
            if own
            else shlex.quote(f"{name}: {value}")
        )
    for header, name in _KEPT_HEADERS.items():
        if header in request.headers:
            yield from ("-H", f'"{name}: {request.headers[header]}"')
    if request.body and "content-type" not in request.headers:
        yield from ("-H", "Content-Type:")  # which curl would invent


def _body(request: Request) -> Iterator[str]:
    if not request.body:
        return
    try:
        yield from ("--data-raw", shlex.quote(request.body.decode()))
    except UnicodeDecodeError:
        escaped = "".join(
            chr(byte) if chr(byte).isalnum() and byte < _ASCII else f"\\x{byte:02x}" for byte in request.body
        )
        yield from ("--data-raw", f"$'{escaped}'")
