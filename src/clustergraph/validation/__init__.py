"""Validation: SHACL and dataset rules over a graph, as one report for people and programs."""

from clustergraph.validation.report import Finding, Report, Severity
from clustergraph.validation.run import validate

__all__ = ["Finding", "Report", "Severity", "validate"]
