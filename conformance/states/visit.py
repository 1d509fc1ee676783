"""How a session arrives at a target, finds out what it lacks, and leaves it as it was."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Final

from conformance.dialect import path_to
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
#: Requests in a row without an answer after which a clean-up is given up.
_UNANSWERED: Final = 3
#: The capabilities that are looked for.
PROBED: Final = ("retrieve", "list", "cancel", "steps", "create-thread-and-run")
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
    except Untested as problem:
        raise NothingToMeasure(f"{url}: {problem}") from None
    if reply.status in REFUSED_KEY:
        given = f"the key in {key_env}" if with_key else "a request without a key"
        raise NothingToMeasure(f"{url} refuses {given} ({reply.status}); {key_env} should hold its key")
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
        that it was not is told, and gates unless they are optional.
    """
    client = stage.client
    try:
        _ = stage.assistant_id
        with client.scope("subjects/probes"):
            thread = stage.thread(LONG_PROMPT)
            run = stage.started(thread)
            probes = (
                ("retrieve", run.retrieve, ("GET", f"/threads/{{thread}}/{_NO_ROUTE}/{{run}}")),
                ("list", thread.list, ("GET", f"/threads/{{thread}}/{_NO_ROUTE}")),
                ("steps", run.steps.list, ("GET", f"/threads/{{thread}}/runs/{{run}}/{_NO_ROUTE}")),
                ("cancel", run.cancel, ("POST", f"/threads/{{thread}}/runs/{{run}}/{_NO_ROUTE}")),
            )
            missing = frozenset(
                name
                for name, probe, (method, path) in probes
                if name not in client.without
                and _is_no_route(probe(), client.send(method, path_to(path, thread=thread.id, run=run.id)))
            ) | _without_thread_and_run(stage)
            if {"retrieve", "cancel"}.isdisjoint({*missing, *client.without}):
                _learn_the_form(run)
            return missing
    except (Untested, Fault):
        return frozenset()  # whatever is wrong here, the cases will say


def leave(stage: Stage, journal: Journal, kept: Collection[str], at_once: int) -> None:
    """
    Cancel what still runs and delete what was made, as far as the target lets us.

    Each call is made whatever became of the others, until the budget named `clean-up` is spent or several in a row had
    no answer.

    Args:
        stage: What made it.
        journal: What runs were seen.
        kept: Ids of threads that stay, since somebody will want to look at them.
        at_once: How many calls may be under way together.
    """
    client, means = stage.client, stage.means
    form = CANCEL_FORMS[client.cancel_form]
    steps: list[list[tuple[str, dict[str, Any]]]] = [
        [("cancel_run", {"thread_id": thread, "run_id": run, **form}) for thread, run in _still_running(journal)],
        [("delete_thread", {"thread_id": thread}) for thread in means.threads if thread not in kept],
        [("delete_assistant", {"assistant_id": assistant}) for assistant in means.assistants if not kept],
    ]
    unanswered, until = 0, client.now() + means.waits.budget("clean-up")

    def make(call: tuple[str, dict[str, Any]]) -> None:
        nonlocal unanswered  # of several that fail together one may not count, which only means one call more
        if unanswered >= _UNANSWERED or client.now() > until:
            return
        try:
            with client.within("clean-up"):
                client.call(call[0], **call[1])
            unanswered = 0
        except Unreachable:
            unanswered += 1
        except (Untested, Fault):
            pass  # it is declared absent, or was given an id that no URL can carry

    with client.scope("clean-up"), ThreadPoolExecutor(at_once, thread_name_prefix="clean-up") as pool:
        for step in steps:
            for _ in pool.map(make, step):
                pass


def _learn_the_form(run: Run) -> None:
    """Cancel the run once it works, in one form after the other; where none is granted, the first one stays."""
    run.until(lambda body: body.get("status") != "queued", "start", "left the queue")
    for form in CANCEL_FORMS:
        if run.cancel(form).succeeded:
            run.client.cancel_form = form
            return


def _without_thread_and_run(stage: Stage) -> frozenset[str]:
    """Ask for a run and its thread with nothing said, which is refused where it is known, and costs nothing."""
    client = stage.client
    if "create-thread-and-run" in client.without:
        return frozenset()
    reply = client.call("create_thread_and_run", json={})
    if reply.succeeded and isinstance(reply.json, dict) and isinstance(reply.json.get("thread_id"), str):
        stage.means.threads.append(reply.json["thread_id"])  # what should have been refused
    if reply.status in _NO_METHOD:
        return frozenset({"create-thread-and-run"})
    if reply.status != HTTPStatus.NOT_FOUND:
        return frozenset()
    nowhere, nobody = (client.send("POST", path, json={}) for path in (f"/{_NO_ROUTE}", f"/threads/{_NO_ROUTE}"))
    # A server without it may take "runs" for the id of a thread, and repeat that.
    as_thread = reply.response.body.replace(b"runs", _NO_ROUTE.encode()) == nobody.response.body
    unknown = _is_no_route(reply, nowhere) or (nobody.status == HTTPStatus.NOT_FOUND and as_thread)
    return frozenset({"create-thread-and-run"}) if unknown else frozenset()


def _is_no_route(reply: Exchange, nowhere: Exchange) -> bool:
    if reply.status in _NO_METHOD:
        return True
    return reply.status == nowhere.status == HTTPStatus.NOT_FOUND and _body(reply) == _body(nowhere)


def _body(reply: Exchange) -> bytes:
    """The body without the path, which many servers repeat."""
    return reply.response.body.replace(reply.request.path.encode(), b"")


def _still_running(journal: Journal) -> Iterator[tuple[str, str]]:
    last: dict[str, tuple[str, str]] = {}
    for exchange in journal:
        for body in (exchange.json, *(event.json for event in exchange.events)):
            if exchange.succeeded and isinstance(body, dict) and body.get("object") == "thread.run":
                thread = exchange.ids.get("thread_id") or str(body.get("thread_id"))
                last[str(body.get("id"))] = (thread, str(body.get("status")))
    return ((thread, run) for run, (thread, status) in last.items() if status in _CANCELLABLE)
