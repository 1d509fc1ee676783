"""`schemas/report.schema.json`: the JSON Schema of the report, generated from its models."""

from __future__ import annotations

from typing import TYPE_CHECKING

from conformance.reports.document import VERSION, Report
from conformance.wire.schemas import main, schema_text

if TYPE_CHECKING:
    from collections.abc import Mapping


def documents() -> Mapping[str, str]:
    """The text of the file, by its name."""
    title = f"A report of runs-conformance, version {VERSION}"
    return {"report.schema.json": schema_text(Report, title, **{"$id": f"urn:runs-conformance:report:{VERSION}"})}


if __name__ == "__main__":
    main(documents, "conformance.reports.schema")
