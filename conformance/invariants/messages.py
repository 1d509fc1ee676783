"""What must hold in every message of a run operation: status codes, headers, error bodies."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

from conformance.invariants.evidence import KEYS
from conformance.invariants.judging import Answer, Broken, Remark, invariant
from conformance.wire.exchange import JSON_TYPE
from conformance.wire.faults import faults
from conformance.wire.models import ErrorBody
from conformance.wire.requests import (
    CreateRunRequest,
    CreateThreadAndRunRequest,
    ModifyRunRequest,
    SubmitToolOutputsRequest,
)
from conformance.wire.values import NOT_JSON, is_small, parse, why_not_json

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from pydantic import BaseModel

    from conformance.invariants.evidence import Evidence
    from conformance.invariants.sightings import Message
    from conformance.wire.exchange import Exchange

_BODILESS = {"cancel_run", "retrieve_run", "list_runs", "list_steps", "retrieve_step"}
_BODIES: Mapping[str, type[BaseModel]] = {
    "create_run": CreateRunRequest,
    "create_thread_and_run": CreateThreadAndRunRequest,
    "modify_run": ModifyRunRequest,
    "submit_tool_outputs": SubmitToolOutputsRequest,
}
#: A cursor may be one that the target does not know, so requests with one are not counted as right.
_QUERY = {"limit", "order"}
_OK = 200
#: Seconds within which a run that was just created may come and go, as where a target reads from copies.
_SOON = 2.0


def _messages(evidence: Evidence) -> Iterator[Message]:
    return iter(evidence.messages)


def _messages_and_strays(evidence: Evidence) -> Iterator[Message]:
    yield from evidence.messages
    yield from evidence.strays


def _is_positive(text: str) -> bool:
    """Whether a text is an integer above zero; it may be longer than Python cares to convert."""
    return text.isascii() and text.isdigit() and bool(text.strip("0"))


def is_limit(text: str) -> bool:
    """Whether a text is one of the limits that a page can have."""
    return _is_positive(text) and int(text.lstrip("0")[:4]) <= 100  # noqa: PLR2004


def _error_of(exchange: Exchange) -> dict[str, object]:
    body = exchange.json
    error = body.get("error") if isinstance(body, dict) else None
    return error if isinstance(error, dict) else {}


def _broken_envelope(exchange: Exchange) -> Answer:
    if exchange.json is NOT_JSON:
        text = exchange.response.body[:80].decode("utf-8", "replace")
        return Broken("an error object as JSON", f"status {exchange.status} with {text!r}")
    found = faults(exchange.json, ErrorBody)
    told = "; ".join(f"{'.'.join(map(str, fault.path)) or 'the body'} {fault.actual}" for fault in found)
    expected = "error.message, error.type, error.param and error.code"
    return Broken(expected, f"status {exchange.status}: {told}") if found else None


@invariant("RUN-HDR-001", _messages, lambda message: "openai-beta" in message.exchange.request.headers)
def beta_header_is_accepted(message: Message) -> Answer:
    """The header that every client sends is no reason for a refusal."""
    exchange = message.exchange
    if exchange.refused and _error_of(exchange).get("code") == "invalid_beta":
        return Broken(
            "no refusal because of the OpenAI-Beta header", f"status {exchange.status} with code invalid_beta"
        )
    return None


def _is_plain_success(message: Message) -> bool:
    """Whether a reply is a success, and no stream that was asked for."""
    return message.exchange.status == _OK and not message.exchange.asked_for_stream


@invariant("RUN-HDR-003", _messages, _is_plain_success)
def success_is_json(message: Message) -> Answer:
    """A success says that it is JSON, and is, to every reader the same."""
    if broken := _other_type(message.exchange):
        return broken
    if message.exchange.json is not NOT_JSON:
        return None
    return Broken("a JSON body in UTF-8", f"no JSON: {why_not_json(message.exchange.response.body)}")


def _other_type(exchange: Exchange) -> Broken | None:
    kind = exchange.response.headers.get("content-type", "")
    if kind.partition(";")[0].strip().lower() == JSON_TYPE:
        return None
    return Broken(f"content type {JSON_TYPE}", f"status {exchange.status} with content type {kind or 'absent'}")


@dataclass(frozen=True)
class Replies:
    """All replies of a session."""

    messages: tuple[Message, ...]
    exchanges: tuple[Exchange, ...] = ()


def _replies(evidence: Evidence) -> Iterator[Replies]:
    if messages := tuple(_messages(evidence)):
        yield Replies(messages)


def _labels(messages: Iterable[Message]) -> str:
    """Which replies there are, each kind once."""
    seen = [message.exchange for message in messages]
    return ", ".join(dict.fromkeys(f"{each.operation.label} {each.status}" for each in seen if each.operation))


@invariant("RUN-HDR-004", _replies)
def request_id_header(replies: Replies) -> Answer:
    """Which replies carry a request id."""
    bare = [each for each in replies.messages if "x-request-id" not in each.exchange.response.headers]
    others = [each for each in replies.messages if each not in bare]
    if not (bare and others):
        return Remark(f"x-request-id is {'not sent with any reply' if bare else 'sent with every reply'}")
    return Remark(f"x-request-id is sent with {_labels(others)}; it is not sent with {_labels(bare)}")


@invariant("RUN-HDR-005", _messages, lambda message: message.exchange.operation.name == "retrieve_run")
def polling_hint(message: Message) -> Answer:
    """A polling hint is a positive integer, in milliseconds."""
    hint = message.exchange.response.headers.get("openai-poll-after-ms")
    if hint is None:
        return Remark("openai-poll-after-ms is not sent")
    if not _is_positive(hint):
        return Broken("openai-poll-after-ms a positive integer", f"openai-poll-after-ms {hint}")
    return Remark("openai-poll-after-ms is sent")


def _is_plain_error(message: Message) -> bool:
    """Whether a reply is an error that no narrower row is about: those have a wrong key or too many requests."""
    status, keyed = message.exchange.status, not message.exchange.request.headers.keys().isdisjoint(KEYS)
    return status >= 400 and status != 429 and not (keyed and status in {401, 403})  # noqa: PLR2004


@invariant("RUN-ERR-001", _messages_and_strays, _is_plain_error)
def errors_have_the_envelope(message: Message) -> Answer:
    """Every error body has the one form that clients parse, and says that it is JSON."""
    return _broken_envelope(message.exchange) or _other_type(message.exchange)


@invariant("RUN-ERR-002", _messages, lambda m: m.exchange.status in {400, 404} and bool(_error_of(m.exchange)))
def client_faults_are_invalid_requests(message: Message) -> Answer:
    """What the client did wrong is an invalid request."""
    kind = _error_of(message.exchange).get("type")
    if kind == "invalid_request_error" or not isinstance(kind, str):
        return None
    return Broken("error.type invalid_request_error", f"error.type {kind}")


@invariant("RUN-ERR-010", _messages, lambda message: message.exchange.status == 429)  # noqa: PLR2004
def too_many_requests_say_when_to_come_back(message: Message) -> Answer:
    """A 429 has the error form, and a Retry-After that is a positive integer if it has one."""
    if broken := _broken_envelope(message.exchange):
        return broken
    after = message.exchange.response.headers.get("retry-after")
    if after is None or _is_positive(after):
        return None
    return Broken("Retry-After a positive integer", f"Retry-After {after}")


def _has_rows_of_its_own(exchange: Exchange, operation: str) -> bool:
    """Whether it is a cancel, or a write that met another request."""
    return operation == "cancel_run" or (exchange.request.method == "POST" and exchange.scope.startswith("races/"))


def well_formed(message: Message) -> bool:
    """Whether nothing is wrong with a request, so that its sender cannot be to blame."""
    request, operation = message.exchange.request, message.exchange.operation
    if not message.known or operation is None or _has_rows_of_its_own(message.exchange, operation.name):
        return False
    query = dict(request.query)
    if len(query) != len(request.query) or not set(query) <= _QUERY:
        return False
    if not is_limit(query.get("limit", "20")) or query.get("order", "asc") not in {"asc", "desc"}:
        return False
    if operation.name in _BODILESS:
        return request.body in {b"", b"{}"}
    return request.headers.get("content-type", "").startswith(JSON_TYPE) and _is_body_of(operation.name, request.body)


def _is_body_of(operation: str, body: bytes) -> bool:
    """Whether a body is one that an operation documents; the same few small ones are sent again and again."""
    return _is_small_body_of(operation, body) if is_small(body) else _is_any_body_of(operation, body)


def _is_any_body_of(operation: str, body: bytes) -> bool:
    value, model = parse(body), _BODIES.get(operation)
    return isinstance(value, dict) and not (model and faults(value, model))


_is_small_body_of = lru_cache(maxsize=1024)(_is_any_body_of)


def _well_formed(evidence: Evidence) -> Iterator[Message]:
    return filter(well_formed, evidence.messages)


@invariant("RUN-ERR-011", _well_formed)
def nothing_wrong_is_no_crash(message: Message) -> Answer:
    """A request with nothing wrong is not answered with a server error."""
    status = message.exchange.status
    return None if status < 500 else Broken("a status below 500", f"status {status}")  # noqa: PLR2004


@invariant("RUN-ERR-012", _messages, lambda message: message.exchange.succeeded)
def success_is_200(message: Message) -> Answer:
    """The only success that is documented is 200."""
    status = message.exchange.status
    return None if status == _OK else Broken("status 200", f"status {status}")


@dataclass(frozen=True)
class Reread:
    """A read of a run that had been read before."""

    before: Exchange
    exchange: Exchange

    @property
    def exchanges(self) -> tuple[Exchange, ...]:
        """The two reads."""
        return (self.before, self.exchange)


def _rereads(evidence: Evidence) -> Iterator[Reread]:
    """Reads with nothing wrong of runs that had been read; how soon a new one is there is RUN-GET-003's business."""
    for message in evidence.once(_well_formed):
        each = message.exchange
        if each.operation and each.operation.name == "retrieve_run":
            history = evidence.histories.get((each.ids["thread_id"], each.ids["run_id"]), ())
            if not history or each.ended - history[0].exchange.ended <= _SOON:
                continue
            reads = (seen.exchange for seen in reversed(history) if seen.by("retrieve_run"))
            if read := next((read for read in reads if read.ended <= each.at), None):
                yield Reread(read, each)


@invariant("RUN-GET-001", _rereads)
def what_was_read_can_be_read_again(reread: Reread) -> Answer:
    """A run is not lost while its thread is there, whatever became of it; that the key is right has other rows."""
    status = reread.exchange.status
    lost = reread.exchange.refused and status not in {401, 403, 408, 429}
    return Broken("the run (2xx)", f"status {status}") if lost else None
