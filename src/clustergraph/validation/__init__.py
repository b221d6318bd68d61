"""Validation: SHACL and dataset rules over a graph, as one report for people and programs."""

from clustergraph.validation.anywhere import validate
from clustergraph.validation.report import Finding, Report, Severity
from clustergraph.validation.run import check

__all__ = ["Finding", "Report", "Severity", "check", "validate"]
