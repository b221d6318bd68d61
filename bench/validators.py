"""One run of one validator in a process of its own: ``python validators.py NAME DATA SHAPES``.

Needs nothing of this project but for our own engine, so that it runs in the others' environment.
Prints a line of JSON. The clock stops, and memory is read, when the validator has given its report;
comparing comes after.
"""

from __future__ import annotations

import hashlib
import json
import os
import resource
import sys
import time
from importlib.metadata import version
from pathlib import Path
from typing import Any

SH = "http://www.w3.org/ns/shacl#"


def ours(data: str, shapes: str) -> Any:
    """The default engine, as a build runs it."""
    import pyoxigraph as ox  # noqa: PLC0415  only where it is needed

    from clustergraph.validation import check  # noqa: PLC0415

    return check(
        list(ox.parse(path=data, format=ox.RdfFormat.N_TRIPLES)),
        list(ox.parse(path=shapes, format=ox.RdfFormat.TURTLE)),
        rules={},
        each_once=False,
    )


def ours_with_places(data: str, shapes: str) -> Any:
    """The same through the library, with file, line and column of each finding."""
    from clustergraph import validate  # noqa: PLC0415

    return validate(data, shapes)


def of_ours(report: Any) -> tuple[bool, list[tuple[str, str]]]:
    """What our report says."""
    results = [each for each in report.findings if each.is_result]
    return report.conforms, [(str(each.focus), each.component) for each in results]


def pyshacl(data: str, shapes: str) -> Any:
    """The reference in Python."""
    import pyshacl as peer  # noqa: PLC0415

    return peer.validate(
        data, shacl_graph=shapes, data_graph_format="nt", shacl_graph_format="turtle"
    )


def pyshacl_turbo(data: str, shapes: str) -> Any:
    """An engine in Rust behind the interface of pyshacl."""
    import pyshacl_turbo as peer  # noqa: PLC0415

    return peer.validate(
        data, shacl_graph=shapes, data_graph_format="nt", shacl_graph_format="turtle"
    )


def shifty(data: str, shapes: str) -> Any:
    """An engine in Rust; its rules are not run."""
    import shifty as peer  # noqa: PLC0415

    return peer.validate(Path(data), Path(shapes), infer=False)


def of_graph(answer: Any) -> tuple[bool, list[tuple[str, str]]]:
    """What a report in rdflib says."""
    import rdflib  # noqa: PLC0415

    conforms, graph, _text = answer
    if not isinstance(graph, rdflib.Graph):
        graph = rdflib.Graph().parse(data=graph, format="turtle")
    found = []
    for result in graph.objects(None, rdflib.URIRef(SH + "result")):
        focus = graph.value(result, rdflib.URIRef(SH + "focusNode"))
        component = graph.value(result, rdflib.URIRef(SH + "sourceConstraintComponent"))
        found.append((focus.n3() if focus is not None else "", str(component)))
    return bool(conforms), found


def shacl(data: str, shapes: str) -> Any:
    """An engine in Rust."""
    import shacl as peer  # noqa: PLC0415

    return peer.validate(data, shapes)


def of_shacl(report: Any) -> tuple[bool, list[tuple[str, str]]]:
    """What its report says."""
    return report.conforms, [(each.focus_node, each.component_iri) for each in report.results]


def shacl_rust(data: str, shapes: str) -> Any:
    """An engine in Rust, with its index for large graphs."""
    import shacl_rust as peer  # noqa: PLC0415

    texts = [Path(each).read_text(encoding="utf-8") for each in (data, shapes)]
    return peer.validate(*texts, data_format="nt", experimental_index=True)


def of_shacl_rust(report: Any) -> tuple[bool, list[tuple[str, str]]]:
    """What its report says."""
    return report["conforms"], [
        (each["focusNode"], each["sourceConstraintComponent"]) for each in report["results"]
    ]


def pyrudof(data: str, shapes: str) -> Any:
    """An engine in Rust."""
    import pyrudof as peer  # noqa: PLC0415

    session = peer.Rudof()
    session.read_data(data, peer.RDFFormat.NTriples)
    session.read_shacl(shapes)
    return session.validate_shacl()


def of_pyrudof(report: Any) -> tuple[bool, list[tuple[str, str]]]:
    """What its report says."""
    return report.conforms, [(str(e.focus_node), str(e.constraint_component)) for e in report]


VALIDATORS: dict[str, tuple[Any, Any, str]] = {
    "clustergraph": (ours, of_ours, "clustergraph"),
    "clustergraph, with places": (ours_with_places, of_ours, "clustergraph"),
    "pyshacl": (pyshacl, of_graph, "pyshacl"),
    "pyshacl-turbo": (pyshacl_turbo, of_graph, "pyshacl-turbo"),
    "pyshifty": (shifty, of_graph, "pyshifty"),
    "shacl": (shacl, of_shacl, "shacl"),
    "shacl-rust": (shacl_rust, of_shacl_rust, "shacl-rust"),
    "pyrudof": (pyrudof, of_pyrudof, "pyrudof"),
}
"""By name: what runs, what reads its report, and its package."""


def main() -> int:
    """Run, measure, tell."""
    name, data, shapes = sys.argv[1:]
    run, read, package = VALIDATORS[name]
    answer = run(data, shapes)
    seconds = time.time() - float(os.environ["BENCH_STARTED"])
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    conforms, results = read(answer)
    plain = sorted((focus.strip("<>"), part.strip("<>").rsplit("#")[-1]) for focus, part in results)
    told = {
        "version": version(package),
        "seconds": seconds,
        "peak": peak,
        "conforms": conforms,
        "results": len(results),
        "digest": hashlib.sha256(json.dumps(plain).encode()).hexdigest()[:12],
    }
    print(json.dumps(told))
    if os.environ.get("BENCH_DUMP"):
        Path(os.environ["BENCH_DUMP"]).write_text("\n".join(map(str, plain)), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
