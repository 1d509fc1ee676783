"""What a client can give its user wrong: runs and errors."""

from __future__ import annotations

import json
from typing import Any

from support.clients.client import ApiError, Client
from support.clients.faults.registry import broken, fault, without

#: The members of a run that say when.
TIMES = ("created_at", "started_at", "expires_at", "cancelled_at", "failed_at", "completed_at")
CODES = {None, "server_error", "rate_limit_exceeded", "invalid_prompt"}
STATUSES = {*Client.final, *Client.waiting, "queued", "in_progress", "cancelling"}

# What is made of runs.
fault("forgets-actions", "Gives no required action.", "RUN-001", run=lambda _, run: without(run, "required_action"))
fault(
    "known-statuses",
    "Refuses a status that it does not know.",
    "RUN-002",
    run=lambda _, run: run if run.get("status") in {*STATUSES, None} else broken("status"),
)
fault(
    "closed-model",
    "Refuses members that it does not know.",
    "RUN-003",
    run=lambda _, run: broken("reviewed_by") if "reviewed_by" in run else run,
)
fault(
    "wants-all",
    "Refuses a run without a model.",
    "RUN-004",
    run=lambda _, run: run if "model" in run else broken("model"),
)
fault(
    "known-codes",
    "Refuses an error code that it does not know.",
    "RUN-005",
    run=lambda _, run: run if (run.get("last_error") or {}).get("code") in CODES else broken("code"),
)
fault(
    "thousandths",
    "Takes timestamps for milliseconds.",
    "RUN-006",
    run=lambda _, run: {**run, **{name: run[name] / 1000 for name in TIMES if run.get(name)}},
)
fault(
    "32-bits",
    "Keeps timestamps in 32 bits.",
    "RUN-006",
    run=lambda _, run: {**run, **{name: (run[name] + 2**31) % 2**32 - 2**31 for name in TIMES if run.get(name)}},
)
fault("fills-in", "Gives null for what is absent.", "RUN-007", run=lambda _, run: {"usage": None, **run})
fault(
    "drops-null",
    "Gives no member that is null.",
    "RUN-007",
    run=lambda _, run: {name: value for name, value in run.items() if value is not None},
)


def arguments(run: dict[str, Any]) -> str:
    calls = ((run.get("required_action") or {}).get("submit_tool_outputs") or {}).get("tool_calls") or [{}]
    return str(calls[0].get("function", {}).get("arguments", "{}"))


def is_json(text: str) -> bool:
    try:
        json.loads(text)
    except ValueError:
        return False
    return True


def parsed_arguments(_: Client, run: dict[str, Any]) -> dict[str, Any]:
    try:
        function = run["required_action"]["submit_tool_outputs"]["tool_calls"][0]["function"]
        function["arguments"] = json.dumps(json.loads(function["arguments"]))
    except (KeyError, TypeError, ValueError):
        pass
    return run


fault("reads-arguments", "Parses the arguments of a call, and writes them anew.", "RUN-008", run=parsed_arguments)
fault(
    "wants-arguments",
    "Breaks on arguments of a call that are no JSON.",
    "RUN-008",
    run=lambda _, run: run if is_json(arguments(run)) else broken("arguments"),
)
fault(
    "small-clock",
    "Breaks on timestamps beyond 32 bits.",
    "RUN-006",
    run=lambda _, run: broken("overflow") if any((run.get(name) or 0) >= 2**31 for name in TIMES) else run,
)
fault("ascii-only", "Breaks on bodies that are not ASCII.", "RUN-010", text=lambda _, body: body.decode("ascii"))
fault(
    "wants-plain-keys",
    "Breaks on keys of metadata that are no names.",
    "RUN-009",
    run=lambda _, run: run if all(key.isidentifier() for key in run.get("metadata") or {}) else broken("metadata"),
)
fault(
    "snake-cases",
    "Renames the keys of metadata as it renames members.",
    "RUN-009",
    run=lambda _, run: (
        run
        | {
            "metadata": run.get("metadata")
            and {
                "".join(f"_{char.lower()}" if char.isupper() else char for char in name): value
                for name, value in run["metadata"].items()
            }
        }
    ),
)
fault(
    "guesses-latin-1",
    "Reads bodies as Latin-1 where no charset is told.",
    "RUN-010",
    text=lambda _, body: body.decode("latin-1"),
)
fault(
    "wants-a-length",
    "Reads no body without a length.",
    "RUN-011",
    whole=lambda self, reply: Client.whole(self, reply) if "content-length" in reply.headers else b"",
)
fault(
    "offers-gzip",
    "Offers to read gzip, and does not.",
    "RUN-012",
    whole=lambda _, reply: reply.read(),
    text=lambda _, body: body.decode("utf-8", "replace"),
)
fault("only-200", "Takes nothing but 200 for a success.", "RUN-013", succeeded=lambda _, status: status == 200)

# Errors.
fault(
    "conflict-is-fine",
    "Takes a 409 for a success.",
    "ERR-001",
    succeeded=lambda _, status: status // 100 == 2 or status == 409,
)


def retold(**changed: Any) -> Any:
    """A refusal of which something is told otherwise."""

    def refusal(self: Client, reply: Any, text: str) -> ApiError:
        told = Client.refusal(self, reply, text)
        told.told |= changed
        return told

    return refusal


fault("no-param", "Does not give the param of an error.", "ERR-002", refusal=retold(param=None))
fault("no-request-id", "Does not give the id of a request.", "ERR-003", refusal=retold(request_id=None))
fault(
    "wants-json-errors",
    "Breaks on an error that is no JSON.",
    "ERR-004",
    envelope=lambda self, text: broken(text) if text.startswith("<") else Client.envelope(self, text),
)
fault(
    "wants-some-error",
    "Breaks on an error without a body.",
    "ERR-005",
    envelope=lambda self, text: Client.envelope(self, text) if text else broken("nothing"),
)
fault(
    "wants-a-type",
    "Breaks on an envelope without a type.",
    "ERR-006",
    envelope=lambda self, text: (
        broken("type") if text.startswith("{") and "type" not in text else Client.envelope(self, text)
    ),
)
fault("half-is-empty", "Takes a reply that was cut off for an empty one.", "ERR-007", cut_off=lambda *_: {})


def as_404(_: Client, problem: Exception) -> Any:
    raise ApiError("status", str(problem), status=404)


fault(
    "lost-is-found",
    "Tells of a lost connection as of a 404.",
    "ERR-008",
    lost=as_404,
)
fault(
    "text-is-a-run",
    "Gives the text of a success that is no JSON.",
    "ERR-009",
    parsed=lambda self, text: Client.parsed(self, text) if is_json(text) else {"id": None, "text": text},
)
