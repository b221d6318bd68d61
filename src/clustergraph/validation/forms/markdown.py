"""A table in Markdown, for comments and job summaries."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from clustergraph.validation.forms.text import summary

if TYPE_CHECKING:
    from clustergraph.validation.report import Report

_SPECIAL = re.compile(r"([\\`*_{}\[\]()#+!|<>~&])")


def write(report: Report) -> str:
    """A summary, and a row a finding."""
    lines = ["# Validation", "", _cell(summary(report).capitalize() + ".")]
    if report.findings:
        lines += ["", "| | Rule | Where | What | Node |", "| --- | --- | --- | --- | --- |"]
    for each in dict.fromkeys(report.findings):
        what = each.message + (f" Help: {each.help}" if each.help else "")
        node = each.label or report.show(each.focus)
        cells = (each.severity.word, each.rule, str(each.place or ""), what, node)
        lines.append("| " + " | ".join(map(_cell, cells)) + " |")
    return "\n".join(lines) + "\n"


def _cell(text: str) -> str:
    """Text that stands for itself in a table."""
    return _SPECIAL.sub(r"\\\1", " ".join(text.split()))
