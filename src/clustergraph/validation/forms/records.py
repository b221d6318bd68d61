"""For programs: JSON, a line of JSON for each finding, and CSV."""

from __future__ import annotations

import csv
import io
import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from clustergraph.positions import Place
    from clustergraph.validation.report import Finding, Report

_COLUMNS = (
    "path", "line", "column", "severity", "rule", "message", "focusNode", "label",
    "resultPath", "value", "sourceShape", "help",
)  # fmt: skip
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def record(each: Finding) -> dict[str, Any]:
    """A finding as an object; what is not known is null."""
    return {
        "rule": each.rule,
        "severity": each.severity.value,
        "message": each.message,
        "focusNode": getattr(each.focus, "value", str(each.focus)),
        "label": each.label or None,
        "path": each.path or None,
        "value": None if each.value is None else str(each.value),
        "sourceShape": each.shape or None,
        "sourceConstraintComponent": each.component or None,
        "place": place(each.place) if each.place else None,
        "related": [
            {"message": other.message, "place": place(other.place)} for other in each.related
        ],
        "help": each.help or None,
        "suggestion": each.suggestion or None,
    }


def place(where: Place) -> dict[str, Any]:
    """A place as an object; lines and columns are null for a file without."""
    return {
        "file": where.path,
        "line": where.line or None,
        "column": where.column or None,
        "endLine": where.end_line or None,
        "endColumn": where.end_column or None,
    }


def write_json(report: Report) -> str:
    """One object."""
    return json.dumps(
        {
            "conforms": report.conforms,
            "counts": report.counts(),
            "findings": [record(each) for each in report.findings],
        },
        indent=2,
        ensure_ascii=False,
    )


def write_jsonl(report: Report) -> str:
    """One object a line and finding; nothing if there is none."""
    return "".join(json.dumps(record(each), ensure_ascii=False) + "\n" for each in report.findings)


def write_csv(report: Report) -> str:
    """One row a finding, after a row of names (RFC 4180)."""
    out = io.StringIO()
    rows = csv.writer(out)
    rows.writerow(_COLUMNS)
    for each in report.findings:
        where = each.place
        rows.writerow(
            inert(str(cell))
            for cell in (
                where.path if where else "",
                where.line or "" if where else "",
                where.column or "" if where else "",
                each.severity.value,
                each.rule,
                each.message,
                getattr(each.focus, "value", str(each.focus)),
                each.label,
                each.path,
                "" if each.value is None else str(each.value),
                each.shape,
                each.help,
            )
        )
    return out.getvalue()


def inert(cell: str) -> str:
    """A cell that no spreadsheet takes for a formula."""
    return "'" + cell if cell.startswith(_FORMULA) else cell
