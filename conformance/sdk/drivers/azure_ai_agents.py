"""The driver of azure-ai-agents: reads a question a line, and answers what a user of the package would see."""

from __future__ import annotations

import json
import sys
from datetime import datetime
from importlib.metadata import version
from typing import Any

from azure.ai.agents import AgentsClient
from azure.ai.agents.models import AgentEventHandler
from azure.core.credentials import AccessToken
from azure.core.exceptions import HttpResponseError, ServiceRequestError, ServiceResponseError

LACKS = {
    "poll_run": "only a run that it creates itself is waited for",
    "beta-header": "Azure's service takes none",
    "send-nulls": "None is what is not given",
    "has-more": "a page is shown as its items",
}
#: The key travels over loopback without TLS, which the package has to be allowed for each call.
OPEN = {"enforce_https": False}


class Key:
    """A credential that is always the same key."""

    def __init__(self, key: str) -> None:
        self.key = key

    def get_token(self, *_: str, **__: Any) -> AccessToken:
        """The key as a token that lasts."""
        return AccessToken(self.key, 4_000_000_000)


def shown(model: Any) -> Any:
    """A model with the members of the wire; moments in Unix seconds, as its attributes tell them."""
    if not hasattr(model, "as_dict"):
        return model
    told = model.as_dict()
    times = {name: getattr(model, name, None) for name in told if name.endswith("_at")}
    return told | {name: int(time.timestamp()) for name, time in times.items() if isinstance(time, datetime)}


def call(name: str, given: dict[str, Any], client: AgentsClient) -> dict[str, Any]:
    """Make a call as a user would, and tell what it gave."""
    if "assistant_id" in given:
        given["agent_id"] = given.pop("assistant_id")
    if "after" in given:
        return {"unsupported": "the cursor after is the package's own"}
    runs = client.runs
    giving_a_run = {
        "create_run": runs.create,
        "retrieve_run": runs.get,
        "modify_run": runs.update,
        "cancel_run": runs.cancel,
        "submit_tool_outputs": runs.submit_tool_outputs,
        "create_thread_and_run": client.create_thread_and_run,
    }
    if name in giving_a_run:
        return {"run": shown(giving_a_run[name](**given, **OPEN))}
    if name == "list_runs":
        return {"page": {"ids": [each.id for each in next(runs.list(**given, **OPEN).by_page())]}}
    if name == "iterate_runs":
        return gathered("ids", (each.id for each in runs.list(**given, **OPEN)))
    if name in {"stream_run", "stream_tool_outputs"}:
        begin = runs.stream if name == "stream_run" else runs.submit_tool_outputs_stream
        handler = AgentEventHandler()
        begin(**given, event_handler=handler, **OPEN)
        return gathered("events", events(handler))
    return {"unsupported": f"this driver knows no {name}"}


def events(handler: Any) -> Any:
    """The events that a handler hears, in the words of the wire."""
    return ({"event": str(getattr(kind, "value", kind)), "data": shown(data)} for kind, data, _ in handler)


def gathered(member: str, items: Any) -> dict[str, Any]:
    """All that an iteration gives, and the error that it ends with, if it does."""
    told: list[Any] = []
    try:
        told.extend(items)  # which keeps what came before an error
    except Exception as problem:  # noqa: BLE001 - whatever a user would see
        return {member: told, "error": error(problem)}
    return {member: told}


def error(problem: Exception) -> dict[str, Any]:
    """An error with what a user can read from it."""
    told: dict[str, Any] = {"kind": "other", "message": f"{type(problem).__name__}: {problem}"}
    if isinstance(problem, HttpResponseError) and problem.status_code and problem.status_code >= 300:  # noqa: PLR2004
        headers = problem.response.headers if problem.response else {}
        known = {"code": getattr(problem.error, "code", None), "request_id": headers.get("x-request-id")}
        told |= {"kind": "status", "status": problem.status_code, **known}
    elif isinstance(problem, ServiceRequestError | ServiceResponseError):
        told["kind"] = "timeout" if "Timeout" in type(problem).__name__ else "connection"
    return told


def main() -> None:
    """Answer until nobody asks any more."""
    for line in sys.stdin:
        asked = json.loads(line)
        if "hello" in asked:
            answer: dict[str, Any] = {"client": f"azure-ai-agents {version('azure-ai-agents')}", "lacks": LACKS}
        else:
            set_up = asked["client"]
            waits = {"connection_timeout": set_up["timeout"], "read_timeout": set_up["timeout"]}
            client = AgentsClient(
                set_up["base_url"],
                Key(set_up["api_key"]),
                retry_total=set_up["retries"],
                retry_backoff_factor=0.1,
                **waits,
            )
            try:
                answer = call(asked["call"], asked["arguments"], client)
            except Exception as problem:  # noqa: BLE001 - whatever a user would see
                answer = {"error": error(problem)}
        sys.stdout.write(json.dumps({"id": asked["id"], **answer}) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
