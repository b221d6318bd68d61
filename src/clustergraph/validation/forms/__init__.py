"""The forms of a report: one module each; ``write`` gives any of them by name."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from clustergraph.validation.report import Report

_MODULES = {
    "text": "text.write",
    "json": "records.write_json",
    "jsonl": "records.write_jsonl",
    "turtle": "graph.write_text",
    "sarif": "sarif.write",
    "junit": "junit.write",
    "github": "github.write",
    "markdown": "markdown.write",
    "html": "html.write",
    "csv": "records.write_csv",
}
FORMS = tuple(_MODULES)
"""The names of all forms, that for people first."""


def write(report: Report, form: str) -> str:
    """A report in one of the forms; ends with a line feed.

    Args:
        report: what was found.
        form: one of ``FORMS``.
    """
    module, _, name = _MODULES[form].partition(".")
    writer: Callable[[Report], str] = getattr(import_module(f"{__name__}.{module}"), name)
    text = writer(report)
    return text if text.endswith("\n") or not text else text + "\n"
