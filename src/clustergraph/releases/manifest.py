"""The manifest of a release: what it is, and the size and digest of each of its files."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

from clustergraph.errors import CorruptedError

if TYPE_CHECKING:
    from pathlib import Path

FORMAT_VERSION = 1
NAME = "manifest.json"


@dataclass(frozen=True, kw_only=True)
class Manifest:
    """One release in numbers; written last, so that a folder without it is no release."""

    number: int
    parent: int | None
    created: str
    """When it was published: RFC 3339, UTC."""
    who: str
    why: str
    base: str
    fingerprint: str
    """Of the sources it was built from; see ``project.fingerprint``."""
    digest: str
    """SHA-256 of the canonical N-Quads of the public named graphs."""
    triples: int
    """Triples of the default graph: each counted once."""
    quads: int
    """Statements in all public named graphs."""
    graphs: dict[str, int]
    """Triples by public named graph."""
    restricted: bool
    """Whether there is a full store beside the public one."""
    added: int
    removed: int
    findings: dict[str, int]
    """Number of findings of the report by severity."""
    files: dict[str, str] = field(default_factory=dict)
    """``size:sha256`` by path of each file of the release but the manifest."""
    version: int = FORMAT_VERSION

    def to_json(self) -> str:
        """The manifest as stored."""
        return json.dumps(asdict(self), indent=2, sort_keys=True) + "\n"


def read(folder: Path) -> Manifest:
    """The manifest of the release in ``folder``.

    Raises:
        CorruptedError: it is missing, cut or of a newer format.
    """
    path = folder / NAME
    try:
        fields: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        manifest = Manifest(**fields)
    except (OSError, ValueError, TypeError) as error:
        raise CorruptedError(
            f"{path} cannot be read: {error}",
            hint="Go back to an earlier release, or build again.",
        ) from error
    if manifest.version > FORMAT_VERSION:
        raise CorruptedError(
            f"{path} was written by a newer clustergraph (format {manifest.version}).",
            hint="Install that version.",
        )
    return manifest
