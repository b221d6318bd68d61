"""Publish a validated RDF knowledge graph as linked data with a SPARQL endpoint."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from clustergraph.validation import Finding, Report, Severity, validate

__all__ = ["Finding", "Report", "Severity", "validate"]


def __getattr__(name: str) -> Any:
    """The names above, when they are asked for: importing them takes time."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from clustergraph import validation  # noqa: PLC0415  see above

    return getattr(validation, name)
