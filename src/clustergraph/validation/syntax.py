"""Syntax errors of files as findings: each with its line, several a file."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pyoxigraph as ox

from clustergraph import rdf
from clustergraph.errors import ClusterGraphError, SourceError
from clustergraph.positions import Lines, Place, Source
from clustergraph.validation.report import Finding, Report, Severity

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from pathlib import Path


def check(
    paths: Iterable[Path],
    *,
    base: str,
    contexts: Mapping[str, str] | None = None,
    named: Callable[[Path], str] = str,
    unsaved: Mapping[Path, str] | None = None,
) -> Report:
    """What stops files from being read.

    The engine says whether a file can be read. Where it cannot, our own reader tells all errors
    in it, since it goes on after the first.

    Args:
        paths: the files.
        base: what relative IRIs are resolved against.
        contexts: the JSON-LD contexts that files may name.
        named: how a file is called to people.
        unsaved: texts that stand for files, by resolved path.
    """
    found: list[Finding] = []
    for path in paths:
        try:
            rdf.read(path, base=base, name=named(path), contexts=contexts, unsaved=unsaved)
        except SourceError as error:
            found += _faults(path, named(path), base, error, unsaved)
        except ClusterGraphError as error:
            found.append(_finding(path, Place(named(path)), error.message, error.hint))
    return Report(tuple(found))


def _faults(
    path: Path, name: str, base: str, error: SourceError, unsaved: Mapping[Path, str] | None
) -> list[Finding]:
    try:
        text = rdf.text(path, unsaved)
        suffix = rdf.format_of(path).suffix
    except ClusterGraphError:
        return [_finding(path, Place(name, error.line or 0, error.column or 0), *_said(error))]
    source = Source(path=name, suffix=suffix, load=lambda: text, engine=lambda: (), base=base)
    lines = Lines(text)
    found: list[Finding] = []
    if source.has_positions:
        found = [
            _finding(path, lines.place(name, each.start, each.end), each.message, each.hint)
            for each in source.reading.faults
        ]
    first = min((each.place.line for each in found if each.place), default=None)
    if first is None or (error.line is not None and error.line < first):
        place = Place(name)
        if error.line is not None:
            start = lines.offset(error.line, error.column or 1)
            place = lines.place(name, start, start)
        found.insert(0, _finding(path, place, *_said(error)))
    return found


def _said(error: SourceError) -> tuple[str, str | None]:
    """The message without the place, which the finding has."""
    place = ":".join(str(each) for each in (error.path, error.line, error.column) if each)
    return error.message.removeprefix(f"{place}: "), error.hint


def _finding(path: Path, place: Place, message: str, hint: str | None) -> Finding:
    return Finding(
        rule="syntax",
        severity=Severity.VIOLATION,
        message=message if message.endswith(".") else message + ".",
        focus=ox.NamedNode(path.resolve().as_uri()),
        place=place,
        help=hint or "",
    )
