"""The files that somebody works on: a project's, or any others; unsaved texts stand for files."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Protocol, TypeAlias

from clustergraph import jsonld, project, rdf, settings
from clustergraph.errors import ClusterGraphError
from clustergraph.validation import Report, anywhere, locate, syntax

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from clustergraph.positions import Source
    from clustergraph.settings import Settings

Unsaved: TypeAlias = "Mapping[Path, str]"
"""Texts that stand for files, by resolved path."""


class Files(Protocol):
    """Files that are validated together."""

    def paths(self) -> list[Path]:
        """The resolved paths of all."""
        ...

    def faults(self, unsaved: Unsaved, only: Iterable[Path] | None = None) -> Report:
        """The syntax errors of all, or of some."""
        ...

    def check(self, unsaved: Unsaved) -> Report:
        """What validation finds, with places.

        Raises:
            SourceError: a file cannot be read.
            UsageError: the shapes or a rule cannot be used.
        """
        ...

    def sources(self, unsaved: Unsaved) -> list[Source]:
        """The files in which places are looked up; none is read yet."""
        ...


def project_above(path: Path) -> Path | None:
    """The nearest folder upwards that is a project."""
    full = path.resolve()
    return next(
        (each for each in (full, *full.parents) if (each / settings.PROJECT_FILE).is_file()), None
    )


class ProjectFiles:
    """The files of a project, against its shapes and rules."""

    def __init__(self, own: Settings, *, erased: frozenset[str] = frozenset()) -> None:
        self.settings = own
        self._erased = erased

    def paths(self) -> list[Path]:
        """See ``Files``."""
        return [(self.settings.project / path).resolve() for path in project.files(self.settings)]

    def faults(self, unsaved: Unsaved, only: Iterable[Path] | None = None) -> Report:
        """See ``Files``."""
        own = self.settings
        return syntax.check(
            self.paths() if only is None else only,
            base=own.written_base,
            contexts=jsonld.pinned(own.project, own.written_base, own.base),
            named=lambda path: project.shown(own, path),
            unsaved=unsaved,
        )

    def check(self, unsaved: Unsaved) -> Report:
        """See ``Files``."""
        from clustergraph.releases import Archive, Pipeline  # noqa: PLC0415  slow to import

        own = self.settings
        content = project.read(own, erased=self._erased, unsaved=unsaved)
        report = Pipeline(Archive(own.variable), own).completed(content.quads)[1]
        return locate.located(
            report, self.sources(unsaved), named=lambda path: project.shown(own, path)
        )

    def sources(self, unsaved: Unsaved) -> list[Source]:
        """See ``Files``."""
        return project.sources(self.settings, unsaved)


class LooseFiles:
    """Files of no project, against shapes that are given or stand among them.

    A file that is not there yet is one too: it may have a text that is not saved.
    """

    def __init__(self, paths: Sequence[Path], shapes: Sequence[Path] = ()) -> None:
        self._paths = anywhere.files(path for path in paths if path.exists())
        self._paths += [path for path in paths if not path.exists()]
        self._shapes = anywhere.files(shapes)

    def paths(self) -> list[Path]:
        """See ``Files``."""
        return list(dict.fromkeys(path.resolve() for path in (*self._paths, *self._shapes)))

    def faults(self, unsaved: Unsaved, only: Iterable[Path] | None = None) -> Report:
        """See ``Files``."""
        paths = [*self._paths, *self._shapes]
        if only is not None:
            wanted = {path.resolve() for path in only}
            paths = [path for path in paths if path.resolve() in wanted]
        return syntax.check(paths, base="file:///", named=Path.as_posix, unsaved=unsaved)

    def check(self, unsaved: Unsaved) -> Report:
        """See ``Files``."""
        return anywhere.validate(self._paths, self._shapes or None, unsaved=unsaved)

    def sources(self, unsaved: Unsaved) -> list[Source]:
        """See ``Files``; those that cannot be read are left out of those without positions."""
        found = []
        for kind, paths in (("data", self._paths), ("shapes", self._shapes)):
            for path in paths:
                try:
                    found.append(anywhere.lazily(path, kind=kind, unsaved=unsaved))
                except ClusterGraphError:
                    continue
        return found


def texts(paths: Iterable[Path]) -> dict[Path, str]:
    """The texts of the files that can be edited: in Turtle, TriG, N-Triples, N-Quads, as such."""
    return {
        path.resolve(): rdf.text(path)
        for path in paths
        if path.suffix.lstrip(".").lower() in {"ttl", "trig", "nt", "nq"}
    }
