"""The results as allure-pytest hands them over, told anew, and the only module that knows Allure's libraries."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import allure
import allure_commons
from allure_commons.logger import AllureFileLogger
from allure_commons.model2 import Attachment, Label, Parameter, StatusDetails, TestResult
from attr import asdict

from conformance.reports.allure.attachments import Attachments
from conformance.reports.allure.folder import files
from conformance.reports.allure.result import Told, told

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from conformance.redaction import Redactor
    from conformance.reports.allure.attachments import Attached
    from conformance.reports.commands import Place
    from conformance.verdicts import Finding
    from conformance.wire.exchange import Exchange

#: Neither library has types.
_dynamic: Any = allure.dynamic
_utils: Any = allure_commons.utils
#: A label that says which item a result is of, and is in no file.
_ITEM = "runs-conformance-item"
#: Labels that allure-pytest adds, and that stay.
_KEPT = frozenset({"host", "thread", "framework", "language"})
#: Marks of the suite that are worth a tag.
_MARKS = frozenset({"invariant", "race", "long", "fuzz"})


class Writer:
    """
    Stands between allure-pytest and its folder while a session lasts.

    allure-pytest knows an item by its function and by what its parameters look like, and puts each fixture into a file;
    it does not know the place of a requirement, most verdicts, nor what is secret.
    """

    def __init__(self, folder: Path, redactor: Redactor, place: Place) -> None:
        """
        Take over from what writes the files.

        Args:
            folder: Where the results belong.
            redactor: Everything passes through it.
            place: Where the commands send their requests.
        """
        self._folder, self._redactor = folder, redactor
        #: Why a file could not be written; from then on none is, and the session goes on.
        self.problem: OSError | None = None
        self._attachments = Attachments(redactor, place, self._write)
        self._told: dict[str, tuple[Told, tuple[Attached, ...]]] = {}
        self._uuids: set[str] = set()
        self._containers: list[Any] = []
        plugins = allure_commons.plugin_manager
        self._before = [each for each in plugins.get_plugins() if isinstance(each, AllureFileLogger)]
        for each in self._before:
            plugins.unregister(each)
        plugins.register(self)

    def give_back(self) -> None:
        """Let what wrote the files before write them again."""
        plugins = allure_commons.plugin_manager
        if plugins.is_registered(self):
            plugins.unregister(self)
            for each in self._before:
                plugins.register(each)

    def tell(self, finding: Finding, text: str, exchanges: Iterable[Exchange], parameters: Mapping[str, Any]) -> None:
        """
        Say what the running item came to.

        Args:
            finding: What it came to.
            text: The text of a failure; it may be empty.
            exchanges: What it sent and what came back.
            parameters: What it is parametrized with, by name.
        """
        _dynamic.label(_ITEM, finding.item)
        self._keep(finding, text, exchanges, parameters)

    def finish(self, findings: Iterable[Finding], facts: Mapping[str, str], environment: Mapping[str, str]) -> None:
        """
        Write what belongs to the session as a whole.

        Args:
            findings: All of them; one that no item of pytest told of becomes a result of its own.
            facts: What the session was about, by name.
            environment: The environment's variables.
        """
        for number, finding in enumerate(findings):
            if finding.item not in self._told:
                self._keep(finding, "", (), {})
                key = f"{finding.item} {number}"  # an entry of the list of known failures has no item of its own
                self._told[key] = self._told.pop(finding.item)
                now = _utils.now()
                self._save(self._shaped(TestResult(start=now, stop=now), key), "result")
        for each in self._containers:
            if set(each.children) - self._uuids:
                self._save(each, "container")
        for name, text in files(facts, environment, self._redactor.text).items():
            self._write(name, text.encode())

    @allure_commons.hookimpl
    def report_result(self, result: Any) -> None:
        """Write a result; one of the suite says what the suite says."""
        item = next((label.value for label in result.labels if label.name == _ITEM), None)
        self._save(self._shaped(result, item) if item in self._told else result, "result")

    @allure_commons.hookimpl
    def report_container(self, container: Any) -> None:
        """Keep a fixture until it is known whether anybody else's item uses it; those of the suite say nothing."""
        self._containers.append(container)

    @allure_commons.hookimpl
    def report_attached_file(self, source: str, file_name: str) -> None:
        """Copy a file that somebody attached."""
        self.report_attached_data(Path(source).read_bytes(), file_name)

    @allure_commons.hookimpl
    def report_attached_data(self, body: str | bytes, file_name: str) -> None:
        """Write what somebody attached, such as what was logged."""
        self._write(
            file_name, self._redactor.text(body).encode() if isinstance(body, str) else self._redactor.body(body)
        )

    @allure_commons.hookimpl
    def report_globals(self, globals_item: Any) -> None:
        """Write what somebody says of the whole session."""
        self._save(globals_item, "globals")

    def _keep(self, finding: Finding, text: str, exchanges: Iterable[Exchange], parameters: Mapping[str, Any]) -> None:
        self._told[finding.item] = (
            told(finding, text, parameters),
            tuple(self._attachments.of(finding, text, exchanges)),
        )

    def _shaped(self, result: Any, item: str) -> Any:
        """The result with what the suite says of its item, unless something else broke that was no part of it."""
        what, attached = self._told[item]
        result.name, result.fullName, result.titlePath = what.name, what.full_name, [*what.title_path]
        result.testCaseId = result.historyId = what.identity
        result.uuid = result.uuid or _utils.uuid4()
        result.description, result.descriptionHtml = what.description, None
        self._uuids.add(result.uuid)
        broken_elsewhere = what.status == "passed" and result.status in {"failed", "broken"}
        if not broken_elsewhere:
            trace = what.trace or (
                result.statusDetails.trace if result.statusDetails and what.status == "broken" else None
            )
            flags = {"known": what.known or None, "flaky": what.flaky or None}
            result.status = what.status
            result.statusDetails = StatusDetails(message=what.message, trace=trace, **flags) if what.message else None
        marks = [each.value for each in result.labels if each.name == "tag" and each.value in _MARKS]
        labels = [*what.labels, *(("tag", mark) for mark in marks)]
        kept = [each for each in result.labels if each.name in _KEPT]
        result.labels = [*(Label(name, str(value)) for name, value in labels), *kept]
        result.parameters = [Parameter(name, value) for name, value in what.parameters]
        files = [Attachment(name=name, source=file, type="text/plain") for name, file in attached]
        result.attachments = [*files, *result.attachments]
        return result

    def _save(self, item: Any, kind: str) -> None:
        said = self._clean(asdict(item, filter=lambda _, value: bool(value) or value is False))
        name = said.get("uuid") or _utils.uuid4()
        self._write(f"{name}-{kind}.json", json.dumps(said, ensure_ascii=False).encode())

    def _clean(self, value: Any) -> Any:
        match value:
            case str():
                return self._redactor.text(value)
            case dict():
                return {name: self._clean(each) for name, each in value.items()}
            case list() | tuple():
                return [self._clean(each) for each in value]
        return value

    def _write(self, name: str, body: bytes) -> None:
        """Write a file in one step, since somebody may be reading the folder; pytest could not bear that it fails."""
        if self.problem:
            return
        unfinished = self._folder / f"{name}.tmp"
        try:
            unfinished.write_bytes(body)
            unfinished.replace(self._folder / name)
        except OSError as problem:
            self.problem = problem
