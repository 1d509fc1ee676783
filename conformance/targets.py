"""How a session reaches its target: over HTTP, in process, or on cassettes; and whether it is recorded."""

from __future__ import annotations

from contextlib import AbstractContextManager, ExitStack, nullcontext
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from conformance import __version__
from conformance.profiles import load_profile
from conformance.senders import InProcessSender, Nobody
from conformance.settings import BadSettings, Secret, Settings
from conformance.sockets import HttpSender
from conformance.states.waits import Waits

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from conformance.redaction import Redactor
    from conformance.reference.faults import Fault
    from conformance.replay.recorder import RecordingSender
    from conformance.senders import Sender


@dataclass(frozen=True)
class Line:
    """The way to a target."""

    sender: Sender
    #: The settings as they are for this target; a replay takes over what was recorded.
    settings: Settings
    #: The target in words.
    target: str
    #: Where a replayed recording comes from, in a sentence.
    provenance: str
    _held: ExitStack
    _socket: HttpSender | None = None
    _recorder: RecordingSender | None = None

    @property
    def recorded_before(self) -> Path | None:
        """The folder that the recording will replace, if there is one."""
        return self._recorder.folder if self._recorder and self._recorder.folder.exists() else None

    def begin(self) -> None:
        """
        Begin the recording, if there is to be one.

        Raises:
            BadSettings: nothing can be written where it should be.
        """
        if self._recorder:
            self._recorder.begin()

    def hurry(self, seconds: float) -> None:
        """From now on, wait no longer than so many seconds for an answer."""
        if self._socket:
            self._socket.deadline = min(self._socket.deadline, seconds)

    def closing(self, seconds: float) -> AbstractContextManager[None]:
        """Inside, what is under way has no more than so many seconds left."""
        return self._socket.closing(seconds) if self._socket else nullcontext()

    def hang_up(self, *, whole: bool) -> Sequence[str]:
        """End the session, and say what became of its recording; only one that ran as a whole leaves one."""
        self._held.close()
        if self._recorder is None:
            return ()
        if whole and self._recorder.finish():
            return (f"recorded in {self._recorder.folder}",)
        self._recorder.give_up()
        return ("nothing was recorded, since the session did not come to its end, or could not write",)


def connect(settings: Settings, start: Path, redactor: Redactor) -> Line:
    """
    Open the way to the target.

    Args:
        settings: What was asked for.
        start: The folder that pytest was started in; recordings are written below it.
        redactor: Keeps secrets out of recordings.

    Raises:
        BadSettings: the cassette set cannot be replayed, or not be written.
    """
    if settings.kind == "replay":
        return _replay(settings, start)
    if settings.kind == "sdk":
        return Line(Nobody(), settings, settings.sdk, "", ExitStack())
    if settings.plan:
        return _rehearsal(settings)
    sender: Sender
    socket, held = None, ExitStack()
    if settings.kind == "reference":
        from conformance.reference import DEFAULT_KEY, Reference

        faults = _faults(settings.faults)
        policy = next((fault.policy for fault in faults if fault.policy), settings.policy)
        settings = replace(settings, key=Secret(DEFAULT_KEY), policy=policy)
        wrong = f" with {', '.join(settings.faults)}" if faults else ""
        target = f"reference server {__version__}{wrong}"
        seed = str(settings.seed) if settings.seed else ""
        behaviours = [fault.behaviour for fault in faults]
        sender = InProcessSender(Reference(cancel_policy=policy, seed=seed, faults=behaviours))
    else:
        socket = HttpSender(settings.origin, deadline=_patience(settings), at_once=settings.max_concurrency)
        target, sender = settings.url, socket
        held.callback(socket.end)
    if not settings.record:
        return Line(sender, settings, target, "", held, socket)
    recorder = _recorded(sender, settings, start, redactor, target)
    return Line(recorder, settings, target, "", held, socket, recorder)


def _patience(settings: Settings) -> float:
    """Seconds that one answer may take."""
    return Waits(settings.waits).budget("answer")


def _rehearsal(settings: Settings) -> Line:
    """The embedded reference server in the place of the target, which hears nothing of it."""
    from conformance.reference import DEFAULT_KEY, Reference

    served = Reference(cancel_policy=settings.policy, base_path=settings.base_path)
    dialect = replace(load_profile("openai"), name=settings.profile.name, rows=settings.profile.rows)
    settings = replace(settings, key=Secret(DEFAULT_KEY), assistant=None, profile=dialect)
    return Line(InProcessSender(served), settings, settings.url, "", ExitStack())


def _faults(names: tuple[str, ...]) -> list[Fault]:
    if not names:
        return []
    from conformance.reference.faults import FAULTS

    if unknown := [name for name in names if name not in FAULTS]:
        raise BadSettings(f"there is no fault {unknown[0]}; python -m conformance.reference --list-faults lists them")
    return [FAULTS[name] for name in names]


def _replay(settings: Settings, start: Path) -> Line:
    from conformance.replay.blocked import no_network
    from conformance.replay.player import ReplaySender
    from conformance.replay.provenance import find_set, read_set

    folder = find_set(settings.replay, start)
    told = read_set(folder)
    settings = replace(
        settings,
        url=f"https://target.invalid{told.base_path}",
        profile=load_profile(told.profile),
        key=Secret("sk-replayed") if told.authenticated else None,
        policy=told.cancel_policy,
        without=settings.without | set(told.without),
        model=told.model,
        assistant=told.assistant,
        max_runs=told.max_runs,
        free=told.free,
    )
    held = ExitStack()
    held.enter_context(no_network())
    return Line(ReplaySender(folder), settings, f"cassettes {folder.name}", told.describe(), held)


def _recorded(sender: Sender, settings: Settings, start: Path, redactor: Redactor, target: str) -> RecordingSender:
    from conformance.replay.provenance import Provenance
    from conformance.replay.recorder import RecordingSender

    name = settings.record or ""
    folder = start / name if "/" in name else start / "cassettes" / name
    provenance = Provenance(
        target=target,
        recorded_at=datetime.fromtimestamp(sender.now("provenance"), UTC).isoformat(timespec="seconds"),
        suite_version=__version__,
        profile=settings.profile.name,
        base_path=settings.base_path,
        cancel_policy=settings.policy,
        without=tuple(sorted(settings.without)),
        model=settings.model,
        assistant=settings.assistant,
        max_runs=settings.max_runs,
        free=settings.free,
        authenticated=settings.key is not None,
    )
    return RecordingSender(sender, folder, redactor, provenance)
