"""What a session tells of itself in its report."""

from __future__ import annotations

import platform
import shlex
from importlib import metadata
from time import time
from typing import TYPE_CHECKING

from conformance import __version__
from conformance.reports import document as doc
from conformance.reports.record import Circumstances, report
from conformance.session import until

if TYPE_CHECKING:
    from collections.abc import Iterator

    from conformance.session import Session


def account(session: Session, *, exit_code: int, interrupted: bool) -> doc.Report:
    """
    Tell all that a session found.

    Args:
        session: The session, after its clean-up.
        exit_code: What pytest ends with.
        interrupted: Whether it ended before all had run.
    """
    around = Circumstances(
        target=_target(session),
        cost=_cost(session),
        gate=session.settings.gate,
        exit_code=exit_code,
        interrupted=interrupted,
        stopped=session.stopped,
        began=session.began,
        seconds=max(time() - session.began, 0),
        selected=session.docket.selected,
        known=list(_known(session)),
        place=session.place,
        until=until(),
    )
    return report(around, session.docket.findings, session.journal, session.redactor)


def facts(session: Session) -> dict[str, str]:
    """What the session was about, in words by name, for whoever files its results."""
    settings = session.settings
    told = {
        "target": session.target,
        "profile": settings.profile.name,
        "capabilities": ", ".join(f"{name} {how}" for name, how in session.has.items()),
        "cancel-policy": settings.policy,
        "gate": settings.gate,
        "contract": settings.contract.name if settings.contract else "",
        "provenance": session.provenance,
        "suite": __version__,
        "python": platform.python_version(),
        "pytest": metadata.version("pytest"),
        "platform": platform.platform(),
    }
    if settings.kind == "sdk":
        told |= {"profile": "", "cancel-policy": ""}  # which are about servers
    return {name: session.redactor.text(value) for name, value in told.items() if value}


def _target(session: Session) -> doc.Target:
    settings = session.settings
    return doc.Target.model_validate(
        {
            "name": session.target,
            "kind": settings.kind,
            "profile": settings.profile.name,
            "cancel_policy": settings.policy,
            "contract": settings.contract.name if settings.contract else None,
            "capabilities": [{"name": name, "state": state} for name, state in session.has.items()],
            "provenance": session.provenance,
            "command": " ".join(["pytest", *(shlex.quote(option) for option in _options(session))]),
        }
    )


def _options(session: Session) -> Iterator[str]:
    """What to say to pytest to judge the same target in the same way."""
    settings = session.settings
    if settings.kind == "replay" and not any(option.startswith("--runs-replay=") for option in settings.given):
        yield f"--runs-replay={settings.replay}"
    yield from settings.given


def _cost(session: Session) -> doc.Cost:
    live = session.settings.kind == "url"
    client = session.client
    return doc.Cost(
        requests=len(session.journal),
        runs=session.means.runs,
        tokens=session.tokens(),
        waits={name: round(seconds, 1) for name, seconds in sorted(client.waited.items())} if live else {},
        idle=round(client.idle, 1) if live else 0.0,
        threads_left=len(session.pointed_at()) if live else 0,
    )


def _known(session: Session) -> Iterator[doc.Acceptance]:
    for entries, overdue in ((session.docket.known.entries, False), (session.docket.known.overdue, True)):
        for entry in entries:
            yield doc.Acceptance(
                requirement=entry.requirement,
                parameter=entry.parameter,
                reason=entry.reason,
                until=entry.until.isoformat() if entry.until else None,
                flaky=entry.flaky,
                overdue=overdue,
            )
