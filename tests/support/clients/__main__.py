"""`python -m clients [FAULT]`: the driver of the faithful client, or of one that is otherwise."""

from __future__ import annotations

import json
import sys
from typing import Any

from support.clients.client import ApiError, Client
from support.clients.faults import FAULTS
from support.clients.innocents import INNOCENTS


def answer(name: str, given: dict[str, Any], client: Client) -> dict[str, Any]:
    """What a user sees of a call."""
    if name == "list_runs":
        page = client.page(given)
        return {"page": {"ids": [each["id"] for each in page["data"]], "has_more": client.has_more(page)}}
    if name == "poll_run":
        return {"run": client.poll(given)}
    if name == "iterate_runs":
        return gathered("ids", client.iterate(given))
    if name in {"stream_run", "stream_tool_outputs"}:
        return gathered("events", client.stream("create_run" if name == "stream_run" else "submit_tool_outputs", given))
    return {"run": client.call(name, given)}


def gathered(member: str, items: Any) -> dict[str, Any]:
    """All that an iteration gives, and the error that it ends with."""
    told: list[Any] = []
    try:
        told.extend(items)
    except ApiError as problem:
        return {member: told, "error": problem.told}
    except Exception as problem:  # noqa: BLE001 - whatever a user would see
        return {member: told, "error": {"kind": "other", "message": repr(problem)}}
    return {member: told}


def main(fault: str = "") -> None:
    """Answer until nobody asks any more."""
    made: type[Client] = type("Wrong", (Client,), dict((FAULTS | INNOCENTS)[fault].members)) if fault else Client
    for line in sys.stdin:
        asked = json.loads(line)
        try:
            if "hello" in asked:
                name = f"the faithful client{f' with {fault}' if fault else ''}"
                told: dict[str, Any] = {"client": name, "lacks": dict(made.lacks)}
            else:
                told = answer(asked["call"], asked["arguments"], made(**asked["client"]))
        except ApiError as problem:
            told = {"error": problem.told}
        except Exception as problem:  # noqa: BLE001 - whatever a user would see
            told = {"error": {"kind": "other", "message": repr(problem)}}
        sys.stdout.write(json.dumps({"id": asked["id"], **told}) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main(*sys.argv[1:])
