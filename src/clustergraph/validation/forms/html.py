"""One page of HTML that needs nothing beside it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import jinja2

from clustergraph.validation.forms.text import summary

if TYPE_CHECKING:
    from clustergraph.validation.report import Report


def write(report: Report) -> str:
    """The report as a page; the template is ``report.html`` beside this module."""
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(Path(__file__).resolve().parent),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template("report.html").render(
        report=report, findings=list(dict.fromkeys(report.findings)), summary=summary(report)
    )
