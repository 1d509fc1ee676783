"""One session: the target, the way to it, and what was found. It knows nothing of pytest."""

from __future__ import annotations

from typing import TYPE_CHECKING

from conformance import __version__
from conformance.client import Client, Unreachable
from conformance.outcomes import Fault, Violated
from conformance.redaction import Redactor
from conformance.reports.failure import failure_text
from conformance.reports.summary import summary
from conformance.requirements import Level, Reach
from conformance.states.shared import Shared
from conformance.states.stage import Means, Stage
from conformance.states.waits import Waits
from conformance.targets import connect
from conformance.verdicts import Finding, Findings, Verdict, judge
from conformance.wire.journal import Journal
from conformance.wire.values import NOT_JSON

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from conformance.invariants.evidence import Evidence
    from conformance.outcomes import Violation
    from conformance.requirements import Requirement
    from conformance.settings import Settings

#: The level of the rows about cancelling what is not in_progress, by the policy of the session.
_POLICY_LEVELS = {"documented": Level.SHOULD, "strict": Level.MUST, "observed": Level.MAY}
_POLICY_ROWS = frozenset({"RUN-CANCEL-017", "RUN-CANCEL-018"})


class NothingToMeasure(Exception):
    """The target cannot be judged at all; the message says why, in a sentence."""


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
        self.journal = Journal()
        self.findings = Findings()
        self.redactor = Redactor([settings.key] if settings.key else [])
        self._by_item: dict[str, Finding] = {}
        self._line = connect(settings, start, self.redactor)
        self.settings = settings = self._line.settings
        profile = settings.profile
        self.client = Client(
            self._line.sender,
            self.journal,
            base_path=self.settings.base_path,
            headers=profile.headers,
            key=self.settings.key,
            key_header=profile.key_header,
        )
        self.means = Means(
            self.client,
            Waits(settings.waits),
            policy=self.settings.policy,
            model=self.settings.model,
            assistant=self.settings.assistant,
            recipes=profile.states,
            max_runs=settings.max_runs,
            free=settings.kind != "url",
        )
        self.stage = Stage(self.means)
        self.shared = Shared(self.stage)

    @property
    def target(self) -> str:
        """The target in words, for people."""
        return f"{self._line.target} (profile {self.settings.profile.name})"

    def header(self) -> list[str]:
        """What the session believes, for the head of the terminal report."""
        lines = [f"conformance {__version__}: {self.target}"]
        if self._line.provenance:
            lines.append(f"conformance: {self._line.provenance}")
        if self.settings.kind == "url":
            key = (
                f"key from {self.settings.key_env}" if self.settings.key else "no key, so authentication is not judged"
            )
            lines.append(f"conformance: {key}; cancel policy {self.settings.policy}")
        if declared := self.settings.without - ({"auth"} if not self.settings.key else set()):
            lines.append(f"conformance: declared absent: {', '.join(sorted(declared))}")
        return lines

    def level(self, row: Requirement) -> Level | None:
        """The level of a row in this session, or None where the profile switches it off."""
        override = self.settings.profile.rows.get(row.id, {}).get("level")
        if override == "off":
            return None
        if override:
            return Level(override)
        return _POLICY_LEVELS[self.settings.policy] if row.id in _POLICY_ROWS else row.level

    def excused(self, row: Requirement, item: str, *, race: bool) -> Finding | None:
        """File why an item is not run at all, where there is a reason."""
        if reason := self._not_applicable(row):
            return self._file(row, item, Verdict.NOT_APPLICABLE, reason)
        if race and self.settings.kind == "replay":
            return self._file(row, item, Verdict.UNTESTED, "races are not recorded", gates=False)
        return None

    def conclude(self, row: Requirement, item: str, outcome: Exception | None) -> Finding:
        """File what an item came to."""
        verdict, reason = judge(outcome, self.level(row) or row.level)
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
            url = self.settings.origin if self.settings.kind == "url" else "http://127.0.0.1:8000"
            return failure_text(finding, target=self.target, url=url, key_env=self.settings.key_env)
        return f"error: {outcome}" if isinstance(outcome, Fault) else None

    def summary(self) -> list[str]:
        """The compliance summary."""
        waited = f"; {self.client.waited:.1f} s of waiting" if self.client.waited else ""
        cost = f"{len(self.journal)} requests, {self.means.runs} runs{waited}"
        lines = [f"target: {self.target}", cost, "", *summary(self.findings, gate=self.settings.gate)]
        return [self.redactor.text(line) for line in lines]

    def evidence(self) -> Evidence:
        """All that was seen so far; where no case ran, a fixed survey is staged first."""
        from conformance.invariants.evidence import Evidence

        if not len(self.journal):
            self._survey()
        return Evidence(self.journal)

    def preflight(self) -> None:
        """
        Ask the target for a thread, the one thing that every case needs.

        Raises:
            NothingToMeasure: it is not there, refuses the key, or is no such API.
        """
        if self.settings.kind != "url":
            return
        url = self.settings.url
        try:
            with self.client.scope("pre-flight"):
                reply = self.client.call("create_thread", json={})
        except Unreachable as problem:
            raise NothingToMeasure(f"there is no server at {url}: {problem}") from None
        if reply.status in {401, 403}:
            given = f"the key in {self.settings.key_env}" if self.settings.key else "a request without a key"
            raise NothingToMeasure(f"{url} refuses {given} ({reply.status}); set {self.settings.key_env}")
        if not (reply.succeeded and isinstance(reply.json, dict) and isinstance(reply.json.get("id"), str)):
            got = "no JSON" if reply.json is NOT_JSON else "no thread"
            raise NothingToMeasure(
                f"{url} is no Assistants API: POST {self.client.base_path}/threads answered {reply.status} with {got}"
            )
        self.means.threads.append(reply.json["id"])

    def close(self) -> None:
        """Clean up on the target as far as it lets us, and finish a recording."""
        if self.settings.kind == "url":
            self._clean_up()
        self._line.hang_up()

    def _not_applicable(self, row: Requirement) -> str | None:
        """Why a row says nothing about this target, or None if it does."""
        if self.level(row) is None:
            return self.settings.profile.rows[row.id].get("reason", "the profile switches it off")
        if row.area.capability in self.settings.without:
            if row.area.capability == "auth" and not self.settings.key:
                return "no key was given, which declares authentication absent"
            return f"the target is declared to have no {row.area.capability}"
        return None

    def _gates(self, row: Requirement, outcome: Exception | None) -> bool:
        """Whether an untested item makes the session incomplete; on the reference server every one does."""
        if self.settings.kind == "reference":
            return True
        return row.reach is not Reach.IF_SEEN and getattr(outcome, "gates", True)

    def _file(
        self,
        row: Requirement,
        item: str,
        verdict: Verdict,
        reason: str,
        *,
        violations: Sequence[Violation] = (),
        gates: bool = True,
    ) -> Finding:
        finding = Finding(
            requirement=row,
            level=self.level(row) or row.level,
            item=item,
            verdict=verdict,
            reason=reason,
            violations=violations,
            gates=gates,
        )
        self.findings.add(finding)
        self._by_item[item] = finding
        return finding

    def _clean_up(self) -> None:
        try:
            with self.client.scope("clean-up"):
                for run_id, thread_id in self._left_running().items():
                    self.client.call("cancel_run", thread_id=thread_id, run_id=run_id)
                for thread_id in self.means.threads:
                    self.client.call("delete_thread", thread_id=thread_id)
                for assistant_id in self.means.assistants:
                    self.client.call("delete_assistant", assistant_id=assistant_id)
        except Fault:
            return  # a target that went away has nothing left to clean

    def _left_running(self) -> dict[str, str]:
        last: dict[str, tuple[str, object]] = {}
        for exchange in self.journal:
            body = exchange.json
            if exchange.succeeded and isinstance(body, dict) and body.get("object") == "thread.run":
                last[str(body.get("id"))] = (exchange.ids.get("thread_id", ""), body.get("status"))
        return {
            id: thread
            for id, (thread, status) in last.items()
            if status in {"queued", "in_progress", "requires_action"}
        }

    def _survey(self) -> None:
        """One completed run, one cancelled, one walk."""
        self.shared.run("completed")
        self.shared.run("cancelled")
        thread = self.shared.listing.thread
        with self.client.scope("subjects/survey"):
            thread.walk(limit=2, order="desc")
