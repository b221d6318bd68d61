"""The standard sh:ValidationReport (SHACL section 3.6), and where in the files each finding is."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import quote

import pyoxigraph as ox

from clustergraph import rdf

if TYPE_CHECKING:
    from clustergraph.positions import Place
    from clustergraph.validation.report import Finding, Report

_SH = rdf.SHACL
_EARL = "http://www.w3.org/ns/earl#"
_PTR = "http://www.w3.org/2009/pointers#"
_TYPE = ox.NamedNode("http://www.w3.org/1999/02/22-rdf-syntax-ns#type")
_BOOLEAN = ox.NamedNode("http://www.w3.org/2001/XMLSchema#boolean")


def write(report: Report, *, places: bool = False) -> bytes:
    """The report as Turtle; see ``Report.to_turtle``."""
    prefixes = {"sh": _SH, "earl": _EARL, "ptr": _PTR, **report.prefixes}
    return rdf.serialise(quads(report, places=places), rdf.TURTLE, prefixes)


def write_text(report: Report) -> str:
    """The report as Turtle, in characters."""
    return write(report).decode()


def quads(report: Report, *, places: bool = False) -> list[ox.Quad]:
    """The triples of the report."""
    found: list[ox.Quad] = []

    def add(subject: rdf.Subject, predicate: str, value: rdf.Term) -> None:
        found.append(ox.Quad(subject, ox.NamedNode(predicate), value))

    node = ox.BlankNode("report")
    add(node, _TYPE.value, ox.NamedNode(_SH + "ValidationReport"))
    conforms = "true" if report.conforms else "false"
    add(node, _SH + "conforms", ox.Literal(conforms, datatype=_BOOLEAN))
    results = [each for each in report.findings if each.is_result]
    for number, each in enumerate(results):
        result = ox.BlankNode(f"result{number}")
        add(node, _SH + "result", result)
        add(result, _TYPE.value, ox.NamedNode(_SH + "ValidationResult"))
        add(result, _SH + "focusNode", each.focus)
        for name, value in _parts(each):
            add(result, _SH + name, value)
        found.extend(_path(each, result, number))
        if places and each.place:
            pointer = ox.BlankNode(f"pointer{number}")
            add(result, _EARL + "pointer", pointer)
            for name, value in _pointer(each.place):
                add(pointer, name, value)
    return found


def _parts(each: Finding) -> list[tuple[str, rdf.Term]]:
    exactly = each.exactly
    parts: list[tuple[str, rdf.Term]] = []
    if exactly is not None:
        parts += [("resultSeverity", exactly.severity), ("sourceShape", exactly.shape)]
        parts += [("resultMessage", message) for message in exactly.messages]
        if exactly.constraint is not None:
            parts.append(("sourceConstraint", exactly.constraint))
    else:
        parts.append(("resultSeverity", ox.NamedNode(_SH + each.severity.value)))
        parts.append(("resultMessage", ox.Literal(each.message, language="en")))
        if each.shape:
            parts.append(("sourceShape", ox.NamedNode(each.shape)))
    if each.value is not None:
        parts.append(("value", each.value))
    if each.component:
        parts.append(("sourceConstraintComponent", ox.NamedNode(each.component)))
    return parts


def _path(each: Finding, result: ox.BlankNode, number: int) -> list[ox.Quad]:
    """Each result has a path of its own (section 3.6.2.2)."""
    predicate = ox.NamedNode(_SH + "resultPath")
    if each.exactly is None:
        if each.path and ":" in each.path and " " not in each.path and each.path[0] not in "^(":
            return [ox.Quad(result, predicate, ox.NamedNode(each.path.strip("<>")))]
        return []
    if each.exactly.path is None:
        return []

    def own(term: object) -> object:
        return ox.BlankNode(f"{term.value}of{number}") if isinstance(term, ox.BlankNode) else term

    return [
        ox.Quad(result, predicate, own(each.exactly.path)),  # type: ignore[arg-type]  # kinds are kept
        *(
            ox.Quad(*map(own, (part.subject, part.predicate, part.object)))  # type: ignore[arg-type]
            for part in each.exactly.parts_of_path
        ),
    ]


def _pointer(place: Place) -> list[tuple[str, rdf.Term]]:
    """A place in the words of Pointer Methods in RDF 1.0."""
    number = ox.NamedNode("http://www.w3.org/2001/XMLSchema#positiveInteger")
    reference = ox.Literal(quote(place.path), datatype=ox.NamedNode(
        "http://www.w3.org/2001/XMLSchema#anyURI"
    ))  # fmt: skip
    if not place.line:
        return [(_TYPE.value, ox.NamedNode(_PTR + "Pointer")), (_PTR + "reference", reference)]
    return [
        (_TYPE.value, ox.NamedNode(_PTR + "LineCharPointer")),
        (_PTR + "reference", reference),
        (_PTR + "lineNumber", ox.Literal(str(place.line), datatype=number)),
        (_PTR + "charNumber", ox.Literal(str(place.column), datatype=number)),
    ]
