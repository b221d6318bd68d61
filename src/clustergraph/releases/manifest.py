"""The manifest of a release: what it is, and the size and digest of each of its files."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field, fields
from typing import TYPE_CHECKING, Any

from clustergraph.errors import CorruptedError

if TYPE_CHECKING:
    from pathlib import Path

FORMAT_VERSION = 2
NAME = "manifest.json"


@dataclass(frozen=True, kw_only=True)
class Manifest:
    """One release in numbers; written last, so that a folder without it is no release."""

    number: int
    parent: int | None
    """The release that it was made from: what its delta is relative to."""
    created: str
    """When it was published: RFC 3339, UTC; never before its parent."""
    kind: str = "build"
    """What made it: build, update, graph, rollback, forget."""
    who: str
    why: str
    restricted_why: str = ""
    """The reasons of writes to restricted graphs; for those alone who may see these."""
    changes: tuple[dict[str, str], ...] = ()
    """Where several writes were published together: kind, who and why of each."""
    base: str
    fingerprint: str
    """Of the files that it rests on; see ``project.fingerprint``."""
    built: int = 0
    """The last release in which the files were read; what was written since are the deltas."""
    digest: str
    """SHA-256 of the public dataset as canonical N-Quads (RDFC-1.0), without the merge."""
    triples: int
    """Triples of the default graph: each counted once."""
    quads: int
    """Statements in all public graphs; the merge is not counted."""
    blank_nodes: bool = True
    """Whether there may be blank nodes in it."""
    graphs: dict[str, int]
    """Triples by public named graph."""
    restricted: bool
    """Whether there is a full store beside the public one."""
    restricted_graphs: dict[str, int] = field(default_factory=dict)
    """Triples by restricted graph; for those alone who may see them."""
    added: int
    removed: int
    findings: dict[str, int]
    """Number of findings of the report by severity."""
    tombstones: tuple[dict[str, str], ...] = ()
    """What was forgotten: hash of the IRI, when, why."""
    files: dict[str, str] = field(default_factory=dict)
    """``size:sha256`` by path of each file of the release but the manifest."""
    version: int = FORMAT_VERSION

    def to_json(self) -> str:
        """The manifest as stored."""
        return json.dumps(asdict(self), indent=2, sort_keys=True) + "\n"

    @property
    def etag(self) -> str:
        """The validator of the release, without quotes."""
        return f"{self.number}-{self.digest[:16]}"


def read(folder: Path) -> Manifest:
    """The manifest of the release in ``folder``.

    Raises:
        CorruptedError: it is missing, cut or of a newer format.
    """
    path = folder / NAME
    try:
        content: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        if content.get("version", 0) > FORMAT_VERSION:
            raise CorruptedError(
                f"{path} was written by a newer clustergraph (format {content['version']}).",
                hint="Install that version.",
            )
        known = {each.name for each in fields(Manifest)}
        for name in ("changes", "tombstones"):
            content[name] = tuple(content.get(name, ()))
        content.setdefault("built", content["number"])
        return Manifest(**{name: value for name, value in content.items() if name in known})
    except (OSError, ValueError, TypeError, KeyError, AttributeError) as error:
        raise CorruptedError(
            f"{path} cannot be read: {error}",
            hint="Go back to an earlier release (clustergraph rollback), or build again.",
        ) from error
