"""Documents of strangers, validated in a process of its own: bounded, and unable to reach out."""

from clustergraph.validator.checks import Against, Document, Outcome, received, validate

__all__ = ["Against", "Document", "Outcome", "received", "validate"]
