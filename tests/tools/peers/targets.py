"""The server that a tool is pointed at, and what a user would have made there beforehand."""

from __future__ import annotations

import sys
import time
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import httpx

from tools.peers.running import KEY, ROOT, Children, awaited

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from conformance.reference.faults import Fault

HEADERS = {"Authorization": f"Bearer {KEY}", "OpenAI-Beta": "assistants=v2"}
FUNCTION = {"type": "function", "function": {"name": "look_up", "parameters": {"type": "object", "properties": {}}}}
CHOICE = {"type": "function", "function": {"name": "look_up"}}
#: What makes the reference server work for half a minute, so that there is something to cancel.
LONG = "Count from 1 to 1000."
#: Seconds until an ordinary run has ended, and until one has begun to work or waits for its function.
_ENDED, _WORKING = 1.2, 0.9


@dataclass(frozen=True)
class Target:
    """A reference server on loopback."""

    url: str
    #: Which runs it lets be cancelled; a user who judges it says the same.
    policy: str
    _count: Path

    @property
    def requests(self) -> int:
        """How many requests it was sent."""
        return self._count.stat().st_size


@contextmanager
def served(fault: Fault | None, folder: Path, children: Children) -> Iterator[Target]:
    """Serve the reference server with a fault, or the faithful one, on a port of its own."""
    log, count = folder / "server.log", folder / "requests"
    count.touch()
    policy = (fault and fault.policy) or "documented"
    command = [sys.executable, "-m", "peers.counted", "--port=0", f"--cancel-policy={policy}"]
    command += [f"--fault={fault.name}"] if fault else []
    paths = f"{ROOT}:{ROOT / 'tests'}"
    with children.started(command, log=log, cwd=folder, PEERS_COUNT=str(count), PYTHONPATH=paths) as process:
        yield Target(awaited(log, r"(http://127\.0\.0\.1:\d+/v1)", process, seconds=60), policy, count)


@dataclass(frozen=True)
class Made:
    """What a user makes before pointing a tool at a server that knows only its own ids."""

    assistant: str
    thread: str
    #: A run on that thread that has ended.
    run: str


def make(client: httpx.Client) -> Made:
    """Make an assistant and a thread with a finished run."""
    assistant = made(client, "/assistants", {"model": "gpt-4o"})
    thread = new_thread(client, "Hello")
    run = made(client, f"/threads/{thread}/runs", {"assistant_id": assistant})
    time.sleep(_ENDED)
    return Made(assistant, thread, run)


def new_thread(client: httpx.Client, text: str) -> str:
    """Make a thread with a message."""
    return made(client, "/threads", {"messages": [{"role": "user", "content": text}]})


def working_run(client: httpx.Client, assistant: str, **more: Any) -> tuple[str, str]:
    """Make a thread with a run that works for long, or that waits for its function if it is given one."""
    thread = new_thread(client, LONG)
    run = made(client, f"/threads/{thread}/runs", {"assistant_id": assistant, **more})
    time.sleep(_WORKING)
    return thread, run


def made(client: httpx.Client, path: str, body: dict[str, Any]) -> str:
    """Create something, and give its id, or what stands for it where the server is too wrong to name one."""
    told = answer(client.post(path, json=body))
    return str(told.get("id") or "run_missing")


def answer(response: httpx.Response) -> dict[str, Any]:
    """The JSON object of a response, or an empty one."""
    try:
        told = response.json()
    except ValueError:
        return {}
    return told if isinstance(told, dict) else {}


def client_of(url: str) -> httpx.Client:
    """A plain client with the usual headers."""
    return httpx.Client(base_url=url, headers=HEADERS, timeout=10, trust_env=False)
