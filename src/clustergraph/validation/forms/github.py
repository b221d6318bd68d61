"""Workflow commands of GitHub Actions: each finding becomes a mark at its line."""

from __future__ import annotations

from typing import TYPE_CHECKING

from clustergraph.validation.forms.text import summary

if TYPE_CHECKING:
    from clustergraph.validation.report import Finding, Report

_COMMANDS = {"error": "error", "warning": "warning", "note": "notice"}
_IN_MESSAGES = {"%": "%25", "\r": "%0D", "\n": "%0A"}
_IN_PROPERTIES = {**_IN_MESSAGES, ":": "%3A", ",": "%2C"}


def write(report: Report) -> str:
    """One command a finding, then a summary."""
    lines = [_command(each, report) for each in dict.fromkeys(report.findings)]
    return "\n".join([*lines, _escaped(summary(report), _IN_MESSAGES)]) + "\n"


def _command(each: Finding, report: Report) -> str:
    properties = {"title": f"{each.rule} {each.label or report.show(each.focus)}"}
    where = each.place
    if where:
        properties = {"file": where.path, **properties}
        if where.line:
            properties |= {"line": str(where.line), "endLine": str(where.end_line)}
            properties |= {"col": str(where.column)}
            if where.end_line == where.line:
                properties |= {"endColumn": str(where.end_column)}
    listed = ",".join(
        f"{name}={_escaped(value, _IN_PROPERTIES)}" for name, value in properties.items()
    )
    message = each.message + (f"\nhelp: {each.help}" if each.help else "")
    return f"::{_COMMANDS[each.severity.word]} {listed}::{_escaped(message, _IN_MESSAGES)}"


def _escaped(text: str, table: dict[str, str]) -> str:
    return "".join(table.get(each, each) for each in text)
