"""The driver of openai-python: reads a question a line, and answers what a user of the package would see."""

from __future__ import annotations

import json
import sys
import warnings
from typing import Any

import openai

warnings.simplefilter("ignore")


def shown(run: Any) -> dict[str, Any]:
    """A run with the members that were there, null ones among them; what is no run is shown as it is."""
    told: dict[str, Any] = run.to_dict(mode="python") if hasattr(run, "to_dict") else {"no run": str(run)}
    return told


def call(name: str, given: dict[str, Any], client: openai.OpenAI) -> dict[str, Any]:
    """Make a call as a user would, and tell what it gave."""
    threads = client.beta.threads
    runs, ids = threads.runs, {id: given.pop(id) for id in ("run_id", "thread_id") if id in given}
    giving_a_run = {
        "create_run": runs.create,
        "retrieve_run": runs.retrieve,
        "modify_run": runs.update,
        "cancel_run": runs.cancel,
        "submit_tool_outputs": runs.submit_tool_outputs,
        "create_thread_and_run": threads.create_and_run,
        "poll_run": runs.poll,
    }
    if name in giving_a_run:
        return {"run": shown(giving_a_run[name](**ids, **given))}
    if name == "list_runs":
        page = runs.list(**ids, **given)
        return {"page": {"ids": [each.id for each in page.data], "has_more": page.has_more}}
    if name == "iterate_runs":
        return gathered("ids", (each.id for each in runs.list(**ids, **given)))
    streaming = {"stream_run": runs.create, "stream_tool_outputs": runs.submit_tool_outputs}
    if name in streaming:
        events = streaming[name](stream=True, **ids, **given)
        return gathered("events", ({"event": each.event, "data": each.data.to_dict(mode="python")} for each in events))
    return {"unsupported": f"this driver knows no {name}"}


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
    if isinstance(problem, openai.APITimeoutError):
        told["kind"] = "timeout"
    elif isinstance(problem, openai.APIConnectionError):
        told["kind"] = "connection"
    elif isinstance(problem, openai.APIError):
        told |= {"code": problem.code, "param": problem.param, "type": problem.type}
        if isinstance(problem, openai.APIStatusError):
            told |= {"kind": "status", "status": problem.status_code, "request_id": problem.request_id}
    return told


def main() -> None:
    """Answer until nobody asks any more."""
    for line in sys.stdin:
        asked = json.loads(line)
        if "hello" in asked:
            answer: dict[str, Any] = {"client": f"openai-python {openai.__version__}"}
        else:
            set_up = dict(asked["client"])
            client = openai.OpenAI(max_retries=set_up.pop("retries"), **set_up)
            try:
                answer = call(asked["call"], asked["arguments"], client)
            except Exception as problem:  # noqa: BLE001 - whatever a user would see
                answer = {"error": error(problem)}
        sys.stdout.write(json.dumps({"id": asked["id"], **answer}) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
