"""Reads a report that somebody wrote, without trust."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from conformance.outcomes import Unusable
from conformance.redaction import Redactor
from conformance.reports.document import FORMAT, VERSION, Report
from conformance.reports.kept import cleaned

if TYPE_CHECKING:
    from pathlib import Path


def read_report(path: Path) -> Report:
    """
    Read a `report.json`.

    Its texts are made safe for terminals again, since anybody may have written the file.

    Raises:
        Unusable: it is not there, or no report of a version that is known here.
    """
    try:
        told: Any = json.loads(path.read_text("utf-8"))
    except OSError as problem:
        raise Unusable(f"{path} cannot be read: {problem.strerror}") from None
    except (ValueError, RecursionError):
        raise Unusable(f"{path} is no JSON") from None
    if not isinstance(told, dict) or told.get("format") != FORMAT:
        raise Unusable(f"{path} is no report of runs-conformance")
    if (version := told.get("version")) != VERSION:
        raise Unusable(f"{path} is a report of version {version!a}, and {VERSION} is what is read here")
    try:
        return Report.model_validate(cleaned(told, Redactor()))
    except ValidationError as problem:
        first = problem.errors(include_url=False)[0]
        where = ".".join(str(part) for part in first["loc"])
        raise Unusable(f"{path} is damaged: {where}: {first['msg'].lower()}") from None
    except RecursionError:
        raise Unusable(f"{path} is nested too deeply") from None
