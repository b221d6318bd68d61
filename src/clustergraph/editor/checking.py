"""Validation for the editor, in a process beside the server so that answers do not wait for it."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from clustergraph import settings
from clustergraph.errors import ClusterGraphError, SourceError
from clustergraph.workbench import Files, LooseFiles, ProjectFiles, mend

if TYPE_CHECKING:
    from collections.abc import Mapping

    from clustergraph.positions import Place
    from clustergraph.validation import Finding, Report


@dataclass(frozen=True)
class Spec:
    """Which files are validated together; a plain value, for the other process."""

    project: Path | None = None
    paths: tuple[Path, ...] = ()
    shapes: tuple[Path, ...] = ()

    def files(self) -> Files:
        """The files.

        Raises:
            SettingsError: the project's settings cannot be used.
            UsageError: there is no such file.
        """
        if self.project is not None:
            return ProjectFiles(settings.load(self.project, environment={}))
        return LooseFiles(self.paths, self.shapes)


@dataclass(frozen=True)
class Spot:
    """A stretch of a file: lines and columns from 1, in characters."""

    path: Path
    line: int
    column: int
    end_line: int
    end_column: int


@dataclass(frozen=True)
class Note:
    """A finding as the editor shows it."""

    spot: Spot | None
    rule: str
    severity: str
    message: str
    suggestion: str = ""
    related: tuple[tuple[str, Spot], ...] = ()


def checked(spec: Spec, unsaved: Mapping[Path, str]) -> list[Note] | None:
    """What validation finds; None if a file cannot be read, which its syntax errors tell."""
    try:
        report = spec.files().check(unsaved)
    except SourceError:
        return None
    except ClusterGraphError as error:
        return [Note(None, "shapes", "Violation", str(error))]
    without_shapes = spec.project is None and not spec.shapes
    return [
        _note(report, each)
        for each in report.findings
        if not (without_shapes and each.rule == "no-shapes")
    ]


def mended(spec: Spec, unsaved: Mapping[Path, str], path: Path) -> str | None:
    """The text of a file with all mended that is mechanical; None if nothing is."""
    if path not in unsaved:
        return None
    try:
        return mend.mend(
            spec.files(), {path: unsaved[path]}, chosen=[path], unsaved=unsaved
        ).texts.get(path)
    except ClusterGraphError:
        return None


def apart() -> None:
    """Leave standard input and output to the server, which speaks to the editor over them."""
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.dup2(2, 1)


def faults(spec: Spec, unsaved: Mapping[Path, str], path: Path) -> list[Note]:
    """The syntax errors of one file."""
    report = spec.files().faults(unsaved, [path])
    return [_note(report, each) for each in report.findings]


def _note(report: Report, each: Finding) -> Note:
    lines = [each.message]
    if each.rule != "syntax":
        name = report.show(each.focus) + (f" '{each.label}'" if each.label else "")
        lines.append(f"node: {name}")
    if each.help:
        lines.append(f"help: {each.help}")
    return Note(
        spot=_spot(each.place),
        rule=each.rule,
        severity=each.severity.value,
        message="\n".join(lines),
        suggestion=each.suggestion,
        related=tuple(
            (other.message, spot)
            for other in each.related
            if (spot := _spot(other.place)) is not None
        ),
    )


def _spot(place: Place | None) -> Spot | None:
    if place is None:
        return None
    return Spot(
        Path(place.path).resolve(),
        max(place.line, 1),
        max(place.column, 1),
        max(place.end_line, 1),
        max(place.end_column, 1),
    )
