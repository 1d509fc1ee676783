"""The requests of a plain client, always the same: what an application does in a day, and a few mistakes."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from tools.peers.targets import CHOICE, FUNCTION, LONG, answer, client_of, made, new_thread

if TYPE_CHECKING:
    from collections.abc import Collection

    import httpx

_ENDED = frozenset({"completed", "incomplete", "failed", "cancelled", "expired"})
#: Seconds between two polls, polls at most, pages at most.
_BETWEEN, _POLLS, _PAGES = 0.3, 10, 6


def drive(direct: str, proxy: str) -> None:
    """
    Send everything.

    Args:
        direct: The server, for what the document does not describe: assistants and threads.
        proxy: The proxy, for runs.
    """
    with client_of(direct) as server, client_of(proxy) as runs:
        assistant = made(server, "/assistants", {"model": "gpt-4o"})
        thread, other, third = (new_thread(server, text) for text in ("Hello", LONG, "Look it up."))
        for number in range(3):
            told = {"assistant_id": assistant, "metadata": {"number": str(number)}}
            run = made(runs, f"/threads/{thread}/runs", told)
            _poll(runs, thread, run, _ENDED)
        runs.post(f"/threads/{thread}/runs/{run}", json={"metadata": {"seen": "yes"}})
        _pages(runs, thread, run)
        _steps(runs, thread, run)
        _cancel(runs, assistant, other)
        _submit(runs, assistant, third)
        _mistakes(runs, assistant, thread, run)


def _poll(runs: httpx.Client, thread: str, run: str, wanted: Collection[str]) -> dict[str, Any]:
    told: dict[str, Any] = {}
    for _ in range(_POLLS):
        told = answer(runs.get(f"/threads/{thread}/runs/{run}"))
        if told.get("status") in wanted:
            break
        time.sleep(_BETWEEN)
    return told


def _pages(runs: httpx.Client, thread: str, run: str) -> None:
    path = f"/threads/{thread}/runs"
    runs.get(path)
    runs.get(path, params={"before": run, "limit": 100})
    for order in ("asc", "desc"):
        query: dict[str, Any] = {"order": order, "limit": 2}
        for _ in range(_PAGES):
            page = answer(runs.get(path, params=query))
            if page.get("has_more") is not True or not isinstance(page.get("last_id"), str):
                break
            query["after"] = page["last_id"]


def _steps(runs: httpx.Client, thread: str, run: str) -> None:
    path = f"/threads/{thread}/runs/{run}/steps"
    for step in answer(runs.get(path)).get("data") or ():
        runs.get(f"{path}/{step.get('id') if isinstance(step, dict) else step}")
    runs.get(path, params={"order": "asc", "limit": 1})


def _cancel(runs: httpx.Client, assistant: str, thread: str) -> None:
    run = made(runs, f"/threads/{thread}/runs", {"assistant_id": assistant})
    _poll(runs, thread, run, {"in_progress"})
    runs.post(f"/threads/{thread}/runs/{run}/cancel")
    _poll(runs, thread, run, _ENDED)
    runs.post(f"/threads/{thread}/runs/{run}/cancel")
    runs.get(f"/threads/{thread}/runs")


def _submit(runs: httpx.Client, assistant: str, thread: str) -> None:
    wanted = {"assistant_id": assistant, "tools": [FUNCTION], "tool_choice": CHOICE}
    run = made(runs, f"/threads/{thread}/runs", wanted)
    told = _poll(runs, thread, run, {"requires_action", *_ENDED})
    try:
        calls = [call["id"] for call in told["required_action"]["submit_tool_outputs"]["tool_calls"]]
    except (KeyError, TypeError):
        calls = ["call_missing"]
    outputs = [{"tool_call_id": call, "output": "42"} for call in calls]
    runs.post(f"/threads/{thread}/runs/{run}/submit_tool_outputs", json={"tool_outputs": outputs})
    _poll(runs, thread, run, _ENDED)


def _mistakes(runs: httpx.Client, assistant: str, thread: str, run: str) -> None:
    path = f"/threads/{thread}/runs"
    runs.post(f"{path}/{run}/cancel")
    runs.post(f"{path}/{run}/submit_tool_outputs", json={"tool_outputs": []})
    runs.post(path, json={"assistant_id": "asst_unknown"})
    runs.post(path, json={"assistant_id": assistant, "temperature": 9})
    runs.get(path, params={"limit": 0})
    runs.get(path, params={"after": "run_unknown"})
    for wrong in ("run_unknown", "nonsense"):
        runs.get(f"{path}/{wrong}")
        runs.post(f"{path}/{wrong}/cancel")
    runs.get("/threads/thread_unknown/runs")
    runs.get(path, headers={"Authorization": "Bearer sk-wrong"})
