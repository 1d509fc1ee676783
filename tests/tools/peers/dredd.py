"""Dredd: one request for every answer that the document describes."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import yaml

from tools.peers.running import ROOT, Children, ToolError
from tools.peers.swagger import convert
from tools.peers.targets import CHOICE, FUNCTION, answer, client_of, make, working_run
from tools.peers.wording import without_ids, without_indices

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    import httpx

    from tools.peers.targets import Made, Target

NAME, PACKAGE, VERSION, PROGRAM = "Dredd", "dredd", "14.1.0", "dredd"
_SECONDS = 120
_HOOKS = ROOT / "tests" / "tools" / "peers" / "hooks.js"
#: Ran to its end, with or without failures.
_CODES = {0, 1}
_FAILED = re.compile(r"^fail: (\w+ \(\d+\)) (\S+) duration: ")
_REASON = re.compile(r"^(?:fail: )?((?:body|headers|statusCode|uri|method): .*)")


def judge(program: Path, target: Target, folder: Path, children: Children) -> frozenset[str]:
    """Judge the target; a failure is a request of the document with what is wrong in its answer."""
    with client_of(target.url) as client:
        made = make(client)
        examples = _examples(client, made)
    document = yaml.safe_load((ROOT / "schemas" / "openapi.yaml").read_text("utf-8"))
    (folder / "swagger.json").write_text(json.dumps(convert(document, examples)), "utf-8")
    command = [str(program), "swagger.json", target.url, f"--hookfiles={_HOOKS}", "--no-color", "--loglevel=error"]
    ended = f"{urlsplit(target.url).path}/threads/{made.thread}/runs/{made.run}/cancel"
    done = children.run(command, log=folder / "dredd.log", cwd=folder, seconds=_SECONDS, PEERS_ENDED_CANCEL=ended)
    if done.code not in _CODES or "complete:" not in done.text:
        raise ToolError(f"exit code {done.code}: {done.text[-300:]}")
    return failures(done.text.splitlines())


def failures(log: Iterable[str]) -> frozenset[str]:
    """The distinct failures that a log tells of."""
    found, request = set(), ""
    for line in log:
        if failed := _FAILED.match(line):
            request = f"{failed[1]} {without_ids(failed[2])}"
        elif not line:
            request = ""  # what follows quotes the request and both answers
        elif request and (reason := _REASON.match(line)):
            found.add(f"{request}: {without_indices(reason[1])}")
    return frozenset(found)


def _examples(client: httpx.Client, made: Made) -> dict[str, dict[str, Any]]:
    """By operation, real ids and a body: a run that works is cancelled, and one that waits is given its output."""
    ended = {"thread_id": made.thread, "run_id": made.run}
    works = dict(zip(ended, working_run(client, made.assistant), strict=True))
    waits = dict(zip(ended, working_run(client, made.assistant, tools=[FUNCTION], tool_choice=CHOICE), strict=True))
    told = answer(client.get("/threads/{thread_id}/runs/{run_id}".format(**waits)))
    try:
        call = told["required_action"]["submit_tool_outputs"]["tool_calls"][0]["id"]
    except (KeyError, TypeError, IndexError):
        call = "call_missing"
    steps = answer(client.get("/threads/{thread_id}/runs/{run_id}/steps".format(**ended))).get("data")
    step = steps[0].get("id") if isinstance(steps, list) and steps and isinstance(steps[0], dict) else "step_missing"
    return {
        "create_run": {**ended, "body": {"assistant_id": made.assistant}},
        "list_runs": ended,
        "retrieve_run": ended,
        "list_steps": ended,
        "retrieve_step": {**ended, "step_id": step},
        "modify_run": {**ended, "body": {"metadata": {"seen": "yes"}}},
        "cancel_run": works,
        "submit_tool_outputs": {**waits, "body": {"tool_outputs": [{"tool_call_id": call, "output": "42"}]}},
    }
