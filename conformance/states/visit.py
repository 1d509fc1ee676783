"""How a session arrives at a target, finds out what it lacks, and leaves it as it was."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, Final

from conformance.outcomes import Fault, Unreachable, Untested
from conformance.states.handles import CANCEL_FORMS, REFUSED_KEY
from conformance.states.stage import LONG_PROMPT
from conformance.wire.values import NOT_JSON

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from conformance.states.handles import Run
    from conformance.states.stage import Stage
    from conformance.wire.exchange import Exchange
    from conformance.wire.journal import Journal

_CANCELLABLE: Final = frozenset({"queued", "in_progress", "requires_action"})
#: What is answered where there is no such operation.
_NO_METHOD: Final = frozenset({HTTPStatus.METHOD_NOT_ALLOWED, HTTPStatus.NOT_IMPLEMENTED})
_NO_ROUTE: Final = "conformance-no-such-route"


class NothingToMeasure(Exception):
    """The target cannot be judged at all; the message says why, in a sentence."""


def arrive(stage: Stage, url: str, key_env: str, *, with_key: bool) -> None:
    """
    Ask the target for a thread, the one thing that every case needs.

    Raises:
        NothingToMeasure: it is not there, refuses the key, or is no such API.
    """
    client = stage.client
    try:
        with client.scope("subjects/arrival"):
            reply = client.call("create_thread", json={})
    except Unreachable as problem:
        raise NothingToMeasure(f"there is no server at {url}: {problem}") from None
    if reply.status in REFUSED_KEY:
        given = f"the key in {key_env}" if with_key else "a request without a key"
        raise NothingToMeasure(f"{url} refuses {given} ({reply.status}); set {key_env}")
    if not (reply.succeeded and isinstance(reply.json, dict) and isinstance(reply.json.get("id"), str)):
        got = "no JSON" if reply.json is NOT_JSON else "no thread"
        raise NothingToMeasure(
            f"{url} is no Assistants API: POST {client.base_path}/threads answered {reply.status} with {got}"
        )
    stage.means.threads.append(reply.json["id"])


def explore(stage: Stage) -> frozenset[str]:
    """
    Find out what the target lacks, and in which form it takes a cancel, at the cost of one run.

    Returns:
        The capabilities whose operation is answered as if there were no such route. The target is not judged on them;
        that it was not is told, and gates.
    """
    try:
        _ = stage.assistant_id
        with stage.client.scope("subjects/probes"):
            thread = stage.thread(LONG_PROMPT)
            run = stage.started(thread)
            below = f"/threads/{thread.id}"
            probes = (
                ("retrieve", run.retrieve, ("GET", f"{below}/{_NO_ROUTE}/{run.id}")),
                ("list", thread.list, ("GET", f"{below}/{_NO_ROUTE}")),
                ("cancel", run.cancel, ("POST", f"{below}/runs/{run.id}/{_NO_ROUTE}")),
            )
            missing = frozenset(
                name for name, probe, route in probes if _is_no_route(probe(), stage.client.send(*route))
            )
            if not missing & {"retrieve", "cancel"}:
                _learn_the_form(run)
            return missing
    except (Untested, Fault):
        return frozenset()  # whatever is wrong here, the cases will say


def leave(stage: Stage, journal: Journal, kept: Collection[str]) -> None:
    """
    Cancel what still runs and delete what was made, as far as the target lets us.

    Args:
        stage: What made it.
        journal: What runs were seen.
        kept: Ids of threads that stay, since somebody will want to look at them.
    """
    client = stage.client
    try:
        with client.scope("clean-up"):
            for thread_id, run_id in _still_running(journal):
                client.call("cancel_run", thread_id=thread_id, run_id=run_id, **CANCEL_FORMS[client.cancel_form])
            for thread_id in stage.means.threads:
                if thread_id not in kept:
                    client.call("delete_thread", thread_id=thread_id)
            for assistant_id in stage.means.assistants if not kept else ():
                client.call("delete_assistant", assistant_id=assistant_id)
    except (Untested, Fault):
        return  # a target that went away has nothing left to clean


def _learn_the_form(run: Run) -> None:
    """Cancel the run once it works, in one form after the other; where none is granted, the first one stays."""
    run.until(lambda body: body.get("status") != "queued", "start", "left the queue")
    for form in CANCEL_FORMS:
        if run.cancel(form).succeeded:
            run.client.cancel_form = form
            return


def _is_no_route(reply: Exchange, nowhere: Exchange) -> bool:
    if reply.status in _NO_METHOD:
        return True
    return reply.status == nowhere.status == HTTPStatus.NOT_FOUND and _body(reply) == _body(nowhere)


def _body(reply: Exchange) -> bytes:
    """The body without the path, which many servers repeat."""
    return reply.response.body.replace(reply.request.path.encode(), b"")


def _still_running(journal: Journal) -> Iterator[tuple[str, str]]:
    last: dict[str, tuple[str, object]] = {}
    for exchange in journal:
        body = exchange.json
        if exchange.succeeded and isinstance(body, dict) and body.get("object") == "thread.run":
            last[str(body.get("id"))] = (exchange.ids.get("thread_id", ""), body.get("status"))
    return ((thread, run) for run, (thread, status) in last.items() if status in _CANCELLABLE)
