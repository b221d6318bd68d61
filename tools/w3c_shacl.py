"""Run the W3C SHACL test suite: ``w3c_shacl.py data-shapes-test-suite/tests``.

A test passes if the validation report is the expected one up to the names of blank nodes. As the
suite asks, messages count only where the expected result has some.
"""

from __future__ import annotations

import sys
from pathlib import Path

import pyoxigraph as ox

from clustergraph import rdf
from clustergraph.errors import UsageError
from clustergraph.validation import validate

MF = "http://www.w3.org/2001/sw/DataAccess/tests/test-manifest#"
SHT = "http://www.w3.org/ns/shacl-test#"
SH = "http://www.w3.org/ns/shacl#"
TYPE = "http://www.w3.org/1999/02/22-rdf-syntax-ns#type"
BASE = "urn:x-test:/"


def read(path: Path) -> ox.Dataset:
    """A file of the suite; relative IRIs are resolved against its place in it."""
    return ox.Dataset(
        ox.parse(path=path, format=ox.RdfFormat.TURTLE, base_iri=f"{BASE}{path.resolve()}")
    )


def match(
    graph: ox.Dataset, subject: rdf.Term | None, predicate: str, value: rdf.Term | None = None
) -> list[ox.Quad]:
    """The quads with these terms."""
    return [
        quad
        for quad in graph.quads_for_predicate(ox.NamedNode(predicate))
        if subject in {None, quad.subject} and value in {None, quad.object}
    ]


def tests(folder: Path) -> list[Path]:
    """The files with a test; some approved ones stand in no manifest."""
    return [
        path
        for path in sorted(folder.rglob("*.ttl"))
        if match(read(path), None, TYPE, ox.NamedNode(SHT + "Validate"))
    ]


def passes(path: Path) -> str:
    """Run the test of a file; empty, or what is wrong."""
    store = read(path)
    (test,) = (quad.subject for quad in match(store, None, TYPE, ox.NamedNode(SHT + "Validate")))

    def one(subject: rdf.Subject, iri: str) -> rdf.Term:
        (quad,) = match(store, subject, iri)
        return quad.object

    action, expected = one(test, MF + "action"), one(test, MF + "result")
    data, shapes = (
        Path(one(action, SHT + name).value.removeprefix(BASE))
        for name in ("dataGraph", "shapesGraph")
    )
    try:
        report = validate(data, shapes, base=f"{BASE}{data.resolve()}")
    except UsageError as error:
        return "" if expected == ox.NamedNode(SHT + "Failure") else f"raised {error}"
    if expected == ox.NamedNode(SHT + "Failure"):
        return f"expected a failure, got {len(report.findings)} results"
    found = ox.Dataset(ox.parse(report.to_turtle(), format=ox.RdfFormat.TURTLE))
    return compare(found, expected_report(store, expected))


def expected_report(store: ox.Dataset, node: rdf.Term) -> ox.Dataset:
    """The triples of the expected report, and of the paths in it."""
    found: list[ox.Quad] = []
    todo, seen = [node], {node}
    while todo:
        for quad in store.quads_for_subject(todo.pop()):
            found.append(quad)
            is_part = quad.predicate.value.endswith(("resultPath", "#result", "first", "rest"))
            is_part = is_part or quad.predicate.value.endswith("Path")
            if is_part and isinstance(quad.object, ox.BlankNode) and quad.object not in seen:
                seen.add(quad.object)
                todo.append(quad.object)
    return ox.Dataset(found)


def compare(found: ox.Dataset, expected: ox.Dataset) -> str:
    """Empty if both are the same but for the names of blank nodes."""
    message = ox.NamedNode(SH + "resultMessage")
    if not any(expected.quads_for_predicate(message)):
        found = ox.Dataset(quad for quad in found if quad.predicate != message)
    for each in (found, expected):
        each.canonicalize(ox.CanonicalizationAlgorithm.UNSTABLE)
    if found == expected:
        return ""
    ours, theirs = ({str(quad) for quad in each} for each in (found, expected))
    lines = [f"  + {line}" for line in sorted(ours - theirs)]
    lines += [f"  - {line}" for line in sorted(theirs - ours)]
    return "differs\n" + "\n".join(lines)


def main() -> None:
    """Run all tests and tell which fail."""
    files = tests(Path(sys.argv[1]))
    failed = 0
    for path in files:
        wrong = passes(path)
        if wrong:
            failed += 1
            print(f"{path.parent.name}/{path.name}: {wrong}")
    print(f"{len(files) - failed} of {len(files)} pass")
    sys.exit(failed > 0)


if __name__ == "__main__":
    main()
