"""The routes below `/_conformance/`: what each takes, and what it answers."""

from __future__ import annotations

import json
import re
from ipaddress import ip_address
from typing import TYPE_CHECKING, Any, Final

from conformance import __version__
from conformance.reference.calls import Answer, strict_json
from conformance.reference.checks import members, number, one_of
from conformance.reference.control.journal import Journal
from conformance.reference.control.rules import ON_THE_WAY, Rules
from conformance.reference.errors import Refusal, invalid
from conformance.reference.routes import OPERATIONS

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from conformance.reference.app import Reference
    from conformance.reference.clock import ScopedClock
    from conformance.reference.control.journal import Entry

    Query = Mapping[str, str]
    Handler = Callable[["Control", Query, bytes], Any]

#: What the paths of all control routes begin with.
PREFIX: Final = "/_conformance/"
_CENTURY: Final = 100 * 366 * 86_400
_CLOCK = members({"advance": number(0, _CENTURY), "tick": number(0, _CENTURY), "streams": one_of("turn", "wait")})
_FILTERS = ("operation", "thread_id", "method", "status", "refused", "after", "limit")


class Control:
    """What a test may do to a served reference server besides calling it."""

    def __init__(self, reference: Reference, *, enabled: bool = True, loopback: bool = True, mode: str = "") -> None:
        """
        Prepare it.

        Args:
            reference: What is served.
            enabled: Whether there are more routes than that of the health; without them no journal is kept.
            loopback: Whether it is served to this machine alone; then no other host may be asked for, so that no
                page in a browser reaches it by a name of its own.
            mode: What the health says of how it answers.
        """
        self.reference, self.enabled = reference, enabled
        self._loopback, self._mode = loopback, mode
        self.journal, self.rules = Journal(), Rules(reference)

    def answer(
        self, method: str, path: str, query: Sequence[tuple[str, str]], headers: Mapping[str, str], body: bytes
    ) -> Answer:
        """Answer a request below the prefix; what it may not, or cannot, is refused in the envelope of the API."""
        try:
            self._need_no_browser(headers)
            status, value = 200, self._found(method, path)(self, _once(query), body)
        except Refusal as refusal:
            return _answer(refusal.status, refusal.body(), refusal.headers)
        return _answer(status, value)

    def _need_no_browser(self, headers: Mapping[str, str]) -> None:
        if "origin" in headers:
            raise Refusal("The control routes are not for pages in a browser: the request has an Origin.", status=403)
        host = headers.get("host", "")
        if self._loopback and not is_loopback(re.sub(r":\d*$", "", host).strip("[]")):
            raise Refusal(f"The control routes are asked for at localhost alone, not at '{host}'.", status=403)

    def _found(self, method: str, path: str) -> Handler:
        routes = _ROUTES if self.enabled else {name: each for name, each in _ROUTES.items() if name[1] == "health"}
        name, _, id = path.removeprefix(PREFIX).partition("/")
        if id and (method, name) == ("DELETE", "faults") and self.enabled:
            return lambda control, query, body: control.remove(id, query, body)
        if not id and (method, name) in routes:
            return routes[method, name]
        listed = ", ".join(f"{each} {PREFIX}{name}" for each, name in routes)
        raise Refusal(f"There is no control route {method} {path}. There are: {listed}.", status=404)

    # the routes

    def health(self, query: Query, body: bytes) -> dict[str, Any]:
        """Say that it is there, and how it was started."""
        _need_nothing(query, body)
        return {
            "status": "ok",
            "version": __version__,
            "base_path": self.reference.base_path,
            "mode": self._mode,
            "clock": "turned" if self.reference.turned else "real",
            "control": self.enabled,
        }

    def faults(self, query: Query, body: bytes) -> dict[str, Any]:
        """List what is switched on."""
        _need_nothing(query, body)
        return {"object": "list", "data": self.rules.told()}

    def add(self, query: Query, body: bytes) -> dict[str, Any]:
        """Switch a fault on."""
        _need_query(query)
        return self.rules.add(_read(body)).told()

    def remove(self, id: str, query: Query, body: bytes) -> dict[str, Any]:
        """Switch one off."""
        _need_nothing(query, body)
        return self.rules.remove(id).told()

    def clear_faults(self, query: Query, body: bytes) -> dict[str, Any]:
        """Switch all off."""
        _need_nothing(query, body)
        return {"cleared": self.rules.clear()}

    def bestiary(self, query: Query, body: bytes) -> dict[str, Any]:
        """List what can be switched on."""
        from conformance.reference.faults import FAULTS

        _need_nothing(query, body)
        on_the_way = [{"name": name, "takes": [*takes]} for name, takes in ON_THE_WAY.items()]
        wrong = [{"name": each.name, "does": each.told, "breaks": sorted(each.breaks)} for each in FAULTS.values()]
        return {"object": "list", "data": [*on_the_way, *wrong]}

    def read(self, query: Query, body: bytes) -> dict[str, Any]:
        """Show what was sent to the API."""
        _need_query(query, *_FILTERS)
        if body:
            raise Refusal("This route takes no body.")
        after = _number(query, "after", 0)
        limit = _number(query, "limit", None)
        fits = _filter(query)
        found = [told for entry in self.journal if entry.number > after and fits(told := self._told(entry))]
        return {"object": "list", "data": found[:limit], "forgotten": self.journal.forgotten}

    def clear_journal(self, query: Query, body: bytes) -> dict[str, Any]:
        """Forget what was sent."""
        _need_nothing(query, body)
        return {"cleared": self.journal.clear()}

    def clock(self, query: Query, body: bytes) -> dict[str, Any]:
        """Tell the time."""
        _need_nothing(query, body)
        turned = self.reference.turned
        told: dict[str, Any] = {"clock": "turned" if turned else "real", "now": self.reference.now("")}
        return {**told, **_turning(turned)} if turned else told

    def turn(self, query: Query, body: bytes) -> dict[str, Any]:
        """Turn the clock, or change how it goes."""
        _need_query(query)
        asked = _read(body)
        _CLOCK("", asked)
        if not asked:
            raise Refusal("Nothing is asked for. The clock takes advance, tick, streams.")
        if (turned := self.reference.turned) is None:
            raise Refusal("The clock is the machine's; only with --clock=turned can it be turned.", status=409)
        turned.tick = asked.get("tick", turned.tick)
        turned.holds_streams = asked.get("streams", "wait" if turned.holds_streams else "turn") == "wait"
        self.reference.wait(asked.get("advance", 0), "")
        return self.clock({}, b"")

    def reset(self, query: Query, body: bytes) -> dict[str, Any]:
        """Make everything as it was at the start."""
        _need_query(query)
        members({})("", _read(body) if body else {})
        self.reference.reset()
        self.rules.reset()
        self.journal.reset()
        return {"reset": True}

    def _told(self, entry: Entry) -> dict[str, Any]:
        return entry.told(self.reference)


_ROUTES: Mapping[tuple[str, str], Handler] = {
    ("GET", "health"): Control.health,
    ("GET", "faults"): Control.faults,
    ("POST", "faults"): Control.add,
    ("DELETE", "faults"): Control.clear_faults,
    ("GET", "bestiary"): Control.bestiary,
    ("GET", "journal"): Control.read,
    ("DELETE", "journal"): Control.clear_journal,
    ("GET", "clock"): Control.clock,
    ("POST", "clock"): Control.turn,
    ("POST", "reset"): Control.reset,
}


def is_loopback(host: str) -> bool:
    """Whether a host is this machine itself, however it is reached."""
    try:
        return host.lower() == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False


def _turning(clock: ScopedClock) -> dict[str, Any]:
    return {"tick": clock.tick, "streams": "wait" if clock.holds_streams else "turn"}


def _filter(query: Query) -> Callable[[Mapping[str, Any]], bool]:
    """What lets through those entries that were asked for."""
    operation, thread, method = query.get("operation"), query.get("thread_id"), query.get("method")
    if operation is not None:
        one_of(*OPERATIONS)("operation", operation)
    status, refused = query.get("status", ""), query.get("refused")
    if status and not re.fullmatch("[1-5](xx|[0-9]{2})", status):
        raise invalid("status", f"expected a status such as 429, or a class such as 4xx, but got '{status}'.")
    if refused is not None:
        one_of("true", "false")("refused", refused)
    begins = status.removesuffix("xx")

    def fits(told: Mapping[str, Any]) -> bool:
        return (
            operation in {None, told["operation"]}
            and thread in {None, told["ids"].get("thread_id")}
            and method in {None, told["method"]}
            and str(told["status"] or "").startswith(begins)
            and refused in {None, "true" if told["refused"] else "false"}
        )

    return fits


def _number(query: Query, name: str, otherwise: Any) -> Any:
    if name not in query:
        return otherwise
    if not re.fullmatch("[0-9]{1,9}", query[name]):
        raise invalid(name, f"expected a number, but got '{query[name]}'.")
    return int(query[name])


def _once(query: Sequence[tuple[str, str]]) -> Query:
    if twice := [name for index, (name, _) in enumerate(query) if name in dict(query[:index])]:
        raise invalid(twice[0], "it is given twice.")
    return dict(query)


def _need_query(query: Query, *known: str) -> None:
    for name in query:
        if name not in known:
            takes = f"takes {', '.join(known)}" if known else "takes none"
            problem = f"Unknown query parameter: '{name}'. This route {takes}."
            raise Refusal(problem, param=name, code="unknown_parameter")


def _need_nothing(query: Query, body: bytes) -> None:
    _need_query(query)
    if body:
        raise Refusal("This route takes no body.")


def _read(body: bytes) -> Any:
    try:
        return strict_json(body.decode())
    except (ValueError, RecursionError) as problem:
        raise Refusal(f"The body of the request is no valid JSON: {problem}") from None


def _answer(status: int, value: Any, extra: Mapping[str, str] | None = None) -> Answer:
    headers = {"content-type": "application/json", "cache-control": "no-store", **(extra or {})}
    return Answer(status, headers, json.dumps(value, indent=2).encode() + b"\n")
