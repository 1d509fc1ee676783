"""One session: the target, the way to it, and what was found. It knows nothing of pytest."""

from __future__ import annotations

from contextlib import suppress
from datetime import date, timedelta
from time import time
from typing import TYPE_CHECKING

from conformance import __version__
from conformance.cases import SideBySide
from conformance.client import Client
from conformance.dialect import Dialect
from conformance.docket import Docket, today
from conformance.outcomes import Fault, NotClaimed, Untested, Violated
from conformance.redaction import Redactor
from conformance.reports.commands import Place
from conformance.reports.failure import SHOWN, failure_text
from conformance.reports.progress import progress
from conformance.reports.summary import summary
from conformance.requirements import State, catalogue
from conformance.search.search import Search
from conformance.settings import OPTIONAL, BadSettings
from conformance.states.handles import FORM_NAMES
from conformance.states.means import Means
from conformance.states.shared import Shared
from conformance.states.stage import Stage
from conformance.states.visit import PROBED, arrive, explore, leave
from conformance.states.waits import Waits
from conformance.targets import connect
from conformance.verdicts import Verdict, overall
from conformance.watch import Watch
from conformance.wire.journal import Journal

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

    from conformance.invariants.evidence import Evidence
    from conformance.requirements import Requirement
    from conformance.settings import Settings

#: A run that says that it took more is not believed.
_MOST_TOKENS = 10**9
#: Seconds that an answer may take in the end, when nothing is measured any more.
_PARTING = 10.0
#: Seconds for what is still under way when nobody will hear of it any more.
_LAST_WORDS = 2.0
#: The scopes of what was selected; where there is none, the invariants have nothing to judge yet.
_SENDING = ("cases/", "races/", "sequences/")
#: How long a failure is proposed to be accepted for.
_PATIENCE = timedelta(days=90)


class Session:
    """What the plugin, the fixtures and the reports share."""

    def __init__(self, settings: Settings, start: Path) -> None:
        """
        Prepare a session.

        Args:
            settings: What was asked for.
            start: The folder that pytest was started in; recordings are written below it.

        Raises:
            BadSettings: the cassette set cannot be replayed, or not be written.
        """
        self.began = time()
        self.journal = Journal()
        self.redactor = Redactor([*([settings.key] if settings.key else []), *settings.profile.secrets])
        #: What became of the recording and of the list of known failures, in sentences.
        self._recorded: Sequence[str] = ()
        #: Why nothing could be measured at all, if that is so.
        self.stopped = ""
        #: The capabilities that were looked for.
        self._probed: Sequence[str] = ()
        self._evidence: Evidence | None = None
        self._seen = 0
        self._surveyed = False
        keyless = settings.kind == "url" and not settings.key  # also in a rehearsal, which has a key of its own
        self._line = connect(settings, start, self.redactor)
        self.settings = settings = self._line.settings
        self.docket = Docket(settings, start, self.redactor, keyless=keyless)
        profile = settings.profile
        persistent = settings.kind == "replay" or settings.record is not None
        waits = Waits(settings.waits, patient=persistent)
        self.client = Client(
            self._line.sender,
            self.journal,
            dialect=Dialect(
                base_path=self.settings.base_path,
                headers=profile.headers,
                query=profile.query,
                key=self.settings.key,
                key_header=profile.key_header,
            ),
            without=settings.without,
            patience=waits.budget("throttled"),
            at_once=settings.max_concurrency,
            seed=settings.seed,
        )
        self.means = Means(
            self.client,
            waits,
            policy=self.settings.policy,
            model=self.settings.model,
            assistant=self.settings.assistant,
            recipes=profile.states,
            fields=profile.create,
            synchronous=profile.synchronous,
            max_runs=settings.max_runs,
            free=settings.free,
            persistent=persistent,
        )
        self.stage = Stage(self.means)
        self.shared = Shared(self.stage)
        self.side_by_side = SideBySide(self.shared, settings.max_concurrency if settings.kind == "url" else 1)
        self.search = Search(
            self.stage,
            seed=settings.seed,
            replayed=settings.kind == "replay",
            applies=lambda row: not self.docket.is_excused(catalogue()[row]),
        )

    @property
    def target(self) -> str:
        """The target in words, for people."""
        return f"{self._line.target} (profile {self.settings.profile.name})"

    def header(self) -> list[str]:
        """What the session believes, for the head of the terminal report."""
        lines = [f"conformance {__version__}: {self.target}"]
        if self._line.provenance:
            lines.append(f"conformance: {self._line.provenance}")
        if self.settings.kind == "url" and not self.settings.plan:
            key = (
                f"key from {self.settings.key_env}" if self.settings.key else "no key, so authentication is not judged"
            )
            lines.append(f"conformance: {key}; cancel policy {self.settings.policy}")
        if pinned := self.settings.contract:
            rows = catalogue(self.settings.side)
            gone = sum(id not in rows or rows[id].state is not State.ACTIVE for id in pinned.levels)
            more = f", {gone} of them judged no more" if gone else ""
            lines.append(f"conformance: contract {pinned.name}, {len(pinned.levels)} requirements{more}")
        if overdue := sorted(entry.key for entry in self.docket.known.overdue):
            lines.append(f"conformance: no longer accepted, since the date is past: {', '.join(overdue)}")
        return lines

    @property
    def provenance(self) -> str:
        """Where replayed cassettes come from, in a sentence; empty for anything else."""
        return self._line.provenance

    @property
    def has(self) -> Mapping[str, str]:
        """What is known of each capability: `found`, `not found` or `declared absent`."""
        told = dict.fromkeys(self._probed, "found") | dict.fromkeys(sorted(self.docket.lacking), "not found")
        return told | dict.fromkeys(sorted(self.settings.without), "declared absent")

    def capabilities(self) -> Iterator[str]:
        """What the target has, by the probes or by declaration, in a line where there is something to say."""
        told = {**self.has, **({"auth": "not judged without a key"} if self.docket.keyless else {})}
        if told and self.settings.kind == "url":
            form = f"; cancels are sent {FORM_NAMES[self.client.cancel_form]}" if told.get("cancel") == "found" else ""
            yield f"conformance: {', '.join(f'{name} {how}' for name, how in told.items())}{form}"

    def await_items(self, items: Iterable[tuple[Requirement, str]]) -> None:
        """
        Learn which items are to come, each as its row and its name.

        Raises:
            BadSettings: they are a selection that would replace the recording of a whole session, or no recording can
                be written.
        """
        self.docket.expect(items)
        if (folder := self._line.recorded_before) and self.docket.active - self.docket.selected:
            raise BadSettings(f"{folder} holds a cassette set, and a selection would replace it: name another one")
        self._line.begin()

    def text_of(self, item: str, outcome: BaseException) -> str | None:
        """The text of a failure or of an error of ours; None where only a traceback can tell."""
        finding = self.docket.finding(item)
        if isinstance(outcome, Violated) and finding:
            return self.redactor.text(failure_text(finding, self.place, until=until()))
        return f"error: {self.redactor.text(str(outcome))}" if isinstance(outcome, Fault) else None

    def warnings(self) -> Iterator[str]:
        """The text of each broken SHOULD, of its first item."""
        for findings in self.docket.findings.by_requirement().values():
            if overall(findings) is Verdict.WARN:
                finding = next(each for each in findings if each.verdict is Verdict.WARN)
                yield self.redactor.text(failure_text(finding, self.place, until=until()))

    def summary(self, *, interrupted: bool = False) -> list[str]:
        """The compliance summary; one of a session that was interrupted says nothing of the target as a whole."""
        cost, origin = self.cost(), [self._line.provenance] if self._line.provenance else []
        kept = len(self.pointed_at()) if self.settings.kind == "url" else 0
        cost += f"; threads left on the target, so that what is broken can be reproduced: {kept}" if kept else ""
        told = summary(
            self.docket.findings, gate=self.settings.gate, interrupted=interrupted, selected=self.docket.selected
        )
        lines = [f"{self.place.role}: {self.target}", *origin, cost, *self._recorded, "", *told]
        return [self.redactor.text(line) for line in lines]

    def cost(self) -> str:
        """What the session took of its target, for people."""
        tokens = f", {spent} tokens" if (spent := self.tokens()) else ""
        return f"{len(self.journal)} requests, {self.means.runs} runs{tokens}{self._waits()}"

    def plan(self) -> Iterator[str]:
        """What a session with these cases sends and costs, once they have been rehearsed."""
        self.side_by_side.wait_for_all()
        yield f"plan: {len(self.journal)} requests, {self.means.runs} runs, {len(self.means.threads)} threads"
        yield f"plan: {self.tokens()} tokens, as the embedded reference server counts them"
        waits = self._waits().partition(": ")[2].partition(";")[0]
        yield f"plan: waits, {self.settings.max_concurrency} cases at once: {waits}"
        yield "plan: rehearsed on the embedded reference server; nothing was sent to the target"

    def evidence(self) -> Evidence:
        """All that was seen so far; where no case ran, a fixed survey is staged first."""
        if not self._surveyed and not any(each.scope.startswith(_SENDING) for each in self.journal):
            self._survey()
        self._surveyed = True
        self.side_by_side.wait_for_subjects()
        return self._derived()

    def _derived(self) -> Evidence:
        from conformance.invariants.evidence import Evidence

        if self._evidence is None or self._seen != len(self.journal):  # what all invariants derive is derived once
            one_clock = self.settings.kind == "url"
            self._evidence, self._seen = Evidence(self.journal, one_clock=one_clock), len(self.journal)
        return self._evidence

    def arrive(self, rows: Iterable[Requirement]) -> None:
        """
        See whether there is a target to measure, and what it lacks of what these rows are about.

        Raises:
            NothingToMeasure: it is not there, refuses the key, or is no such API.
        """
        settings = self.settings
        if settings.kind == "url":
            arrive(self.stage, settings.url, settings.key_env, with_key=settings.key is not None)
        if {row.area.capability for row in rows} & {*PROBED} - settings.without:
            self._probed = [name for name in PROBED if name not in settings.without]
            self.docket.lacking = explore(self.stage) - settings.without
            self.client.lacking = self.docket.lacking & OPTIONAL

    def watch(self) -> None:
        """Let somebody look on."""
        self.client.watch = Watch()

    def progress(self) -> str:
        """What is waited for and what is left, in a line, for whoever looks on."""
        waiting = self.client.watch.now() if self.client.watch else ()
        left, of = self.side_by_side.left()
        return self.redactor.text(progress(waiting, self.means.waits.budget, left, of))

    def close(self, *, whole: bool) -> None:
        """Clean up on the target as far as it lets us; only a session that ran as a whole leaves a recording."""
        try:
            self._line.hurry(_PARTING)
            with self._line.closing(_LAST_WORDS):
                self.side_by_side.end()
            if self.settings.kind == "url":
                leave(self.stage, self.journal, self.pointed_at(), self.settings.max_concurrency)
        except BaseException:  # somebody did not want to wait for it
            whole = False
            raise
        finally:
            self._recorded = [*self._line.hang_up(whole=whole), *self.docket.update_list(whole=whole)]

    def pointed_at(self) -> frozenset[str]:
        """The threads that the commands are about which reproduce what is broken."""
        telling = [
            violation.exchanges[-1]
            for finding in self.docket.findings.all
            for violation in finding.violations[:SHOWN]
            if violation.exchanges
        ]
        return frozenset(each.ids["thread_id"] for each in telling if "thread_id" in each.ids) & {*self.means.threads}

    def tokens(self) -> int:
        """What the runs cost, by their own word; each counts once, by the last message that tells."""
        spent: dict[str, int] = {}
        for seen in self._derived().runs:
            usage = seen.run.get("usage")
            tokens = usage.get("total_tokens") if isinstance(usage, dict) else None
            if type(tokens) is int and 0 <= tokens < _MOST_TOKENS:
                spent[str(seen.run.get("id"))] = tokens
        return sum(spent.values())

    def _waits(self) -> str:
        """How long was waited for what, where time is real."""
        if self.settings.kind != "url":
            return ""
        named = ", ".join(f"{name} {seconds:.1f} s" for name, seconds in sorted(self.client.waited.items()))
        return f"\nwaits, many at once: {named or 'none'}; the session itself stood still for {self.client.idle:.1f} s"

    @property
    def place(self) -> Place:
        """Where failures happened, and how somebody else gets there."""
        settings = self.settings
        served = [*(f"--fault {name}" for name in settings.faults)]
        served += [f"--cancel-policy {settings.policy}"] if settings.policy != "documented" else []
        serving = " ".join(["python -m conformance.reference --port 8000", *served])
        return Place(
            target=self.target,
            sent=self.journal,
            origin=settings.origin if settings.kind == "url" else "http://127.0.0.1:8000",
            serving=serving if settings.kind == "reference" else "",
            lasting=settings.kind == "url",
            later=self.means.waits.budget("afterlife"),
            key_header=settings.profile.key_header[0].lower(),
            key=settings.key,
            key_env=settings.key_env,
        )

    def _survey(self) -> None:
        """One completed run, one cancelled, their steps where there are steps, one in a stream, one walk."""
        runs = [self.shared.run("completed"), self.shared.run("cancelled")]
        with suppress(Untested):  # where there are no streams
            _ = self.shared.told
        thread = self.shared.listing.thread
        with self.client.scope("subjects/survey"):
            thread.walk(limit=2, order="desc")
            with suppress(NotClaimed):
                for run in runs:
                    run.steps.list()


def until() -> date:
    """The day that is proposed as the end of accepting a failure."""
    return today() + _PATIENCE
