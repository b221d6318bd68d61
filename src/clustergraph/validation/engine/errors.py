"""What the engine says when shapes cannot be used, or not by this engine."""

from __future__ import annotations

from clustergraph.errors import UsageError


class UnsupportedShapeError(UsageError):
    """A shape is well formed, but this engine cannot judge it; ``shape`` names it."""

    def __init__(self, shape: str, why: str) -> None:
        super().__init__(f"The shape {shape} is not supported: {why}")
        self.shape, self.why = shape, why


def ill_formed(node: str, why: str) -> UsageError:
    """The error for a node of the shapes graph that breaks SHACL's syntax rules (section 3.4.3)."""
    return UsageError(f"The shapes cannot be used: {node} {why}")
