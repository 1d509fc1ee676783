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
from conformance.known import DEFAULT_NAME, Known, read_known, updated
from conformance.outcomes import Fault, NotClaimed, Untested, Violated
from conformance.redaction import Redactor
from conformance.reports.commands import Place
from conformance.reports.failure import SHOWN, failure_text
from conformance.reports.progress import progress
from conformance.reports.summary import summary
from conformance.requirements import Level, Reach, State, catalogue
from conformance.search.search import Search
from conformance.settings import OPTIONAL, BadSettings
from conformance.states.handles import FORM_NAMES
from conformance.states.means import Means
from conformance.states.shared import Shared
from conformance.states.stage import Stage
from conformance.states.visit import PROBED, arrive, explore, leave
from conformance.states.waits import Waits
from conformance.targets import connect
from conformance.verdicts import Finding, Findings, Verdict, judge, overall
from conformance.watch import Watch
from conformance.wire.journal import Journal

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

    from conformance.invariants.evidence import Evidence
    from conformance.outcomes import Violation
    from conformance.requirements import Requirement
    from conformance.settings import Settings

#: The level of the rows about cancelling what is not in_progress, by the policy of the session.
_POLICY_LEVELS = {"documented": Level.SHOULD, "strict": Level.MUST, "observed": Level.MAY}
_POLICY_ROWS = frozenset({"RUN-CANCEL-017", "RUN-CANCEL-018"})


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
        self.findings = Findings()
        self.redactor = Redactor([*([settings.key] if settings.key else []), *settings.profile.secrets])
        self._by_item: dict[str, Finding] = {}
        #: What became of the recording and of the list of known failures, in sentences.
        self._recorded: Sequence[str] = ()
        self._list = start / (settings.known_failures or DEFAULT_NAME)
        listed = read_known(self._list) if settings.known_failures or self._list.is_file() else ()
        self.known = Known.of(listed, date.today(), settings.side)  # noqa: DTZ011 - the day where the list is kept
        #: The requirements that have items in this session.
        self.selected: frozenset[str] = frozenset()
        #: Why nothing could be measured at all, if that is so.
        self.stopped = ""
        #: The capabilities that were looked for, and those of them that were not found.
        self._probed: Sequence[str] = ()
        self._lacking: frozenset[str] = frozenset()
        self._evidence: Evidence
        self._seen = 0
        #: Whether the target is to be judged without a key; a rehearsal has one of its own.
        self._keyless = settings.kind == "url" and not settings.key
        self._line = connect(settings, start, self.redactor)
        self.settings = settings = self._line.settings
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
            applies=lambda row: not self.is_excused(catalogue()[row]),
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
        if overdue := sorted(entry.key for entry in self.known.overdue):
            lines.append(f"conformance: no longer accepted, since the date is past: {', '.join(overdue)}")
        return lines

    @property
    def provenance(self) -> str:
        """Where replayed cassettes come from, in a sentence; empty for anything else."""
        return self._line.provenance

    @property
    def has(self) -> Mapping[str, str]:
        """What is known of each capability: `found`, `not found` or `declared absent`."""
        told = dict.fromkeys(self._probed, "found") | dict.fromkeys(sorted(self._lacking), "not found")
        return told | dict.fromkeys(sorted(self.settings.without), "declared absent")

    def capabilities(self) -> Iterator[str]:
        """What the target has, by the probes or by declaration, in a line where there is something to say."""
        told = {**self.has, **({"auth": "not judged without a key"} if self._keyless else {})}
        if told and self.settings.kind == "url":
            form = f"; cancels are sent {FORM_NAMES[self.client.cancel_form]}" if told.get("cancel") == "found" else ""
            yield f"conformance: {', '.join(f'{name} {how}' for name, how in told.items())}{form}"

    def level(self, row: Requirement) -> Level | None:
        """The level of a row in this session, or None where the profile switches it off."""
        override = self.settings.profile.rows.get(row.id, {}).get("level")
        if override == "off":
            return None
        if override:
            return Level(override)
        if row.id in _POLICY_ROWS:
            return _POLICY_LEVELS[self.settings.policy]
        pinned = self.settings.contract
        return pinned.levels.get(row.id, row.level) if pinned else row.level

    def is_judged(self, row: Requirement) -> bool:
        """Whether a row is in the contract that was pinned, if one was."""
        return self.settings.contract is None or row.id in self.settings.contract

    def await_items(self, items: Iterable[tuple[Requirement, str]]) -> None:
        """
        Learn which items are to come, each as its row and its name.

        Raises:
            BadSettings: they are a selection that would replace the recording of a whole session, or no recording can
                be written.
        """
        named = [(row.id, item) for row, item in items]
        self.selected = selected = frozenset(id for id, _ in named)
        self.known.expect(named)
        active = {id for id, row in catalogue(self.settings.side).items() if row.state is State.ACTIVE}
        if (folder := self._line.recorded_before) and active - selected:
            raise BadSettings(f"{folder} holds a cassette set, and a selection would replace it: name another one")
        self._line.begin()

    def judge_list(self) -> None:
        """File the entries of the list of known failures that match nothing, once there is a target to measure."""
        judged = {id for id, row in catalogue(self.settings.side).items() if self.is_judged(row)}
        for row, reason in self.known.unmatched(self.selected, judged):
            self._file(row, self._list.name, Verdict.STALE, reason, unmatched=True)

    def is_excused(self, row: Requirement) -> bool:
        """Whether no item of a row is run."""
        return self.level(row) is None or bool({row.area.capability} & {*self.settings.without, *self._lacking})

    def excused(self, row: Requirement, item: str, *, race: bool) -> Finding | None:
        """File why an item is not run at all, where there is a reason."""
        if self.level(row) is None:
            switched_off = self.settings.profile.rows[row.id].get("reason", "the profile switches it off")
            return self._file(row, item, Verdict.DISABLED, switched_off)
        if reason := self._not_applicable(row):
            return self._file(row, item, Verdict.NOT_APPLICABLE, reason)
        if row.area.capability in self._lacking:
            name = row.area.capability
            remedy = f"if that is meant to be, say so with --runs-without={name}"
            return self._file(row, item, Verdict.UNTESTED, f"the target has no {name}; {remedy}")
        if race and self.settings.kind == "replay":
            return self._file(row, item, Verdict.UNTESTED, "races are not recorded", gates=False)
        return None

    def conclude(self, row: Requirement, item: str, outcome: Exception | None) -> Finding:
        """File what an item came to."""
        verdict, reason = judge(outcome, self.level(row) or row.level)
        verdict, reason = self.known.judge(row.id, item, verdict, reason)
        return self._file(
            row,
            item,
            verdict,
            self.redactor.text(reason),
            violations=outcome.violations if isinstance(outcome, Violated) else (),
            gates=self._gates(row, outcome),
        )

    def finding(self, item: str) -> Finding | None:
        """What an item came to, if it has."""
        return self._by_item.get(item)

    def text_of(self, item: str, outcome: BaseException) -> str | None:
        """The text of a failure or of an error of ours; None where only a traceback can tell."""
        finding = self.finding(item)
        if isinstance(outcome, Violated) and finding:
            return self.redactor.text(failure_text(finding, self.place, until=until()))
        return f"error: {self.redactor.text(str(outcome))}" if isinstance(outcome, Fault) else None

    def warnings(self) -> Iterator[str]:
        """The text of each broken SHOULD, of its first item."""
        for findings in self.findings.by_requirement().values():
            if overall(findings) is Verdict.WARN:
                finding = next(each for each in findings if each.verdict is Verdict.WARN)
                yield self.redactor.text(failure_text(finding, self.place, until=until()))

    def summary(self, *, interrupted: bool = False) -> list[str]:
        """The compliance summary; one of a session that was interrupted says nothing of the target as a whole."""
        cost, origin = self.cost(), [self._line.provenance] if self._line.provenance else []
        kept = len(self.pointed_at()) if self.settings.kind == "url" else 0
        cost += f"; threads left on the target, so that what is broken can be reproduced: {kept}" if kept else ""
        told = summary(self.findings, gate=self.settings.gate, interrupted=interrupted, selected=self.selected)
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
        from conformance.invariants.evidence import Evidence

        if not self._seen and not any(each.scope.startswith(_SENDING) for each in self.journal):
            self._survey()
        self.side_by_side.wait_for_subjects()
        if self._seen != len(self.journal):  # what all invariants derive is derived once
            self._evidence, self._seen = Evidence(self.journal), len(self.journal)
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
            self._lacking = explore(self.stage) - settings.without
            self.client.lacking = self._lacking & OPTIONAL

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
            self._recorded = [*self._line.hang_up(whole=whole), *self._update_list(whole=whole)]

    def _update_list(self, *, whole: bool) -> Iterator[str]:
        if not self.settings.update_known_failures:
            return
        if not whole:
            yield f"{self._list.name} stays as it was, since the session did not come to its end"
            return
        counting = {Verdict.FAIL, *([Verdict.WARN] if self.settings.gate == "should" else [])}
        today = date.today()  # noqa: DTZ011 - the day where the list is kept
        text = updated(self._list, self.findings.by_requirement(), frozenset(counting), today)
        self._list.write_text(self.redactor.text(text), "utf-8")
        yield f"{self._list.name} says what is broken today; give the new entries a reason"

    def _not_applicable(self, row: Requirement) -> str | None:
        """Why a row says nothing about this target, or None if it does."""
        if row.area.capability in self.settings.without:
            if row.area.capability == "auth" and self._keyless:
                return "no key was given, which declares authentication absent"
            return f"the target is declared to have no {row.area.capability}"
        if row.area.capability in self.client.lacking:
            return f"the target has no {row.area.capability}"
        return None

    def _gates(self, row: Requirement, outcome: Exception | None) -> bool:
        """Whether an untested item makes the session incomplete; on the reference server every one does."""
        if self.settings.kind == "reference":
            return True
        remarks = (self.level(row) or row.level) is Level.MAY  # which nobody need have
        return not remarks and row.reach is not Reach.IF_SEEN and getattr(outcome, "gates", True)

    def _file(
        self,
        row: Requirement,
        item: str,
        verdict: Verdict,
        reason: str,
        *,
        violations: Sequence[Violation] = (),
        gates: bool = True,
        unmatched: bool = False,
    ) -> Finding:
        finding = Finding(
            requirement=row,
            level=self.level(row) or row.level,
            item=item,
            verdict=verdict,
            reason=reason,
            violations=violations,
            gates=gates,
            unmatched=unmatched,
        )
        self.findings.add(finding)
        self._by_item[item] = finding
        return finding

    def pointed_at(self) -> frozenset[str]:
        """The threads that the commands are about which reproduce what is broken."""
        telling = [
            violation.exchanges[-1]
            for finding in self.findings.all
            for violation in finding.violations[:SHOWN]
            if violation.exchanges
        ]
        return frozenset(each.ids["thread_id"] for each in telling if "thread_id" in each.ids) & {*self.means.threads}

    def tokens(self) -> int:
        """What the runs cost, by their own word; each counts once, by the last message that tells."""
        from conformance.invariants.evidence import Evidence

        spent: dict[str, int] = {}
        for seen in Evidence(self.journal).runs:
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
    return date.today() + _PATIENCE  # noqa: DTZ011 - the day where the list is kept
