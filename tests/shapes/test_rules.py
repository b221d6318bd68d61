"""Each rule has an example that keeps all rules, and one or more that break it alone."""

from __future__ import annotations

import io
import re
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import pyoxigraph as ox
import pyshacl
import pytest
import rdflib
from rdflib.namespace import OWL, RDF, RDFS, SH

from clustergraph import queries, rdf
from clustergraph.validation import dataset_rules, evidence_rules

if TYPE_CHECKING:
    from collections.abc import Iterable

    from rdflib.term import Node

BASE = "https://w3id.org/clustergraph/"
HERE = Path(__file__).resolve().parent
REPOSITORY = HERE.parent.parent
SHAPES = sorted((REPOSITORY / "shapes").glob("*.ttl"))
ONTOLOGY = sorted((REPOSITORY / "ontology").rglob("*.ttl"))
EXAMPLES = sorted(path.name for path in HERE.glob("R*-*.t*") if path.suffix in {".ttl", ".trig"})
GOOD = [name for name in EXAMPLES if "-good" in name]
BAD = [name for name in EXAMPLES if "-bad" in name]
NUMBERS = (*range(1, 53), *range(54, 84))  # R53 needs the text of the source: test_evidence.py
RULES = [f"R{number:02}" for number in NUMBERS]
NAME = re.compile(r"#(R\d\d)(-[A-Za-z0-9-]+)?$")
CG, CGSH = rdflib.Namespace(BASE + "ontology#"), rdflib.Namespace(BASE + "shapes#")
HIERARCHY = {"subClassOf", "inScheme"}
SOURCE = ox.NamedNode(BASE + "graph/source/example")
COMPUTED = {ox.NamedNode(BASE + name) for name in ("graph/inferred", "graph/catalogue")}


def _read(paths: Iterable[Path]) -> list[ox.Quad]:
    return [quad for path in paths for quad in rdf.read(path, base=BASE)]


def _graph(triples: Iterable[ox.Triple]) -> rdflib.Graph:
    content = io.BytesIO()
    ox.serialize(triples, content, ox.RdfFormat.N_TRIPLES)
    return rdflib.Graph().parse(data=content.getvalue(), format="nt")


@cache
def shapes() -> rdflib.Graph:
    """All shapes, as pyshacl takes them."""
    return _graph(rdf.triples(_read(SHAPES)))


@cache
def ontology() -> tuple[ox.Quad, ...]:
    """All triples of the ontology and its schemes; the terms in the graph of their own."""
    return tuple(
        ox.Quad(quad.subject, quad.predicate, quad.object, ox.NamedNode(BASE + name))
        for path in ONTOLOGY
        for name in ["ontology" if path.stem == "clustergraph" else f"ontology/{path.stem}"]
        for quad in rdf.read(path, base=BASE)
    )


@cache
def background() -> tuple[ox.Quad, ...]:
    """What rules ask of the ontology: schemes, labels, declared and deprecated terms."""
    wanted = {*HIERARCHY, "type", "deprecated", "isReplacedBy", "prefLabel", "altLabel"}
    return tuple(q for q in ontology() if re.split("[/#]", q.predicate.value)[-1] in wanted)


@cache
def hierarchy() -> tuple[ox.Triple, ...]:
    """What shapes ask of the ontology."""
    kept = (q for q in ontology() if re.split("[/#]", q.predicate.value)[-1] in HIERARCHY)
    return tuple(rdf.triples(kept))


@cache
def rules() -> tuple[dataset_rules.DatasetRule, ...]:
    """All rules over named graphs."""
    folder = REPOSITORY / "shapes" / "rules"
    found = queries.read_folder(folder, written_base=BASE, base=BASE)
    return tuple(dataset_rules.of(query) for query in found.values())


def _shacl(quads: Iterable[ox.Quad]) -> list[str]:
    data = _graph(dict.fromkeys([*rdf.triples(quads), *hierarchy()]))
    _conforms, report, _text = pyshacl.validate(
        data, shacl_graph=shapes(), inference="none", advanced=False
    )
    assert isinstance(report, rdflib.Graph)
    results = report.objects(None, SH.result)
    return [str(report.value(each, SH.sourceShape)).rsplit("#", 1)[-1] for each in results]


def _over_quads(quads: Iterable[ox.Quad], inferred: Iterable[ox.Quad]) -> list[str]:
    store = ox.Store()
    store.bulk_extend([*background(), *quads])
    found: list[str] = []
    for phase in dataset_rules.PHASES:
        if phase == "inferred":
            store.bulk_extend(inferred)
        if phase == "public":
            merge = {t for t in rdf.triples(store) if "/ontology" not in str(t.subject)}
            merge -= set(rdf.triples(background()))
            store.bulk_extend(ox.Quad(t.subject, t.predicate, t.object) for t in merge)
        for rule in rules():
            if rule.phase == phase:
                found += (each.rule for each in rule.check(store, CGSH[rule.rule]))
    return found


def findings(name: str) -> list[str]:
    """The rules and shapes that an example breaks."""
    quads = [
        ox.Quad(quad.subject, quad.predicate, quad.object, SOURCE)
        if isinstance(quad.graph_name, ox.DefaultGraph)
        else quad
        for quad in rdf.read(HERE / name, base=BASE)
    ]
    asserted = [quad for quad in quads if quad.graph_name not in COMPUTED]
    inferred = [quad for quad in quads if quad.graph_name in COMPUTED]
    evidence = [each.rule for each in evidence_rules.check(asserted, BASE)]
    return _shacl(asserted) + evidence + _over_quads(asserted, inferred)


@pytest.mark.parametrize("name", GOOD)
def test_good_examples_keep_every_rule(name: str) -> None:
    """No shape and no rule finds anything."""
    assert findings(name) == []


@pytest.mark.parametrize("name", BAD)
def test_bad_examples_break_their_rule_alone(name: str) -> None:
    """That it is told, and nothing else, is what makes a finding useful."""
    found = findings(name)
    assert found
    assert {shape.split("-")[0] for shape in found} == {name.split("-", maxsplit=1)[0]}, found


def test_every_rule_has_examples() -> None:
    """A good one and at least one bad one."""
    assert sorted({name.split("-")[0] for name in GOOD}) == RULES
    assert sorted({name.split("-")[0] for name in BAD}) == RULES


def test_every_rule_exists() -> None:
    """As a shape or as a rule over named graphs, and none that is not on the list."""
    named = {match[1] for shape in shapes().subjects() if (match := NAME.search(str(shape)))}
    assert sorted(named | {rule.rule for rule in rules()} | {"R69"}) == RULES  # in Python


def _results_of() -> set[Node]:
    """The shapes that results may name."""
    graph = shapes()
    targets = [SH.targetClass, SH.targetNode, SH.targetSubjectsOf, SH.targetObjectsOf]
    tops = {shape for target in targets for shape in graph.subjects(target, None)}
    parts = {part for top in tops for part in graph.objects(top, SH.property)}
    shown = set(graph.subjects(SH.group, None))  # these say how pages look, and find nothing
    pages = {top for top in tops if shown.issuperset(graph.objects(top, SH.property))}
    pages -= {top for top in pages if NAME.search(str(top))}
    return (tops - pages) | (parts - shown)


def test_shapes_of_pages_demand_nothing() -> None:
    """They have a path, a group and an order: whoever validates finds nothing by them."""
    graph = shapes()
    dash = rdflib.Namespace("http://datashapes.org/dash#")
    for field in graph.subjects(SH.group, None):
        said = set(graph.predicates(field))
        assert {SH.path, SH.group, SH.order} <= said <= {
            SH.path, SH.group, SH.order, SH.name, dash.viewer
        }  # fmt: skip
        assert (graph.value(field, SH.group), RDF.type, SH.PropertyGroup) in graph


def test_every_result_names_its_rule() -> None:
    """Shapes with a target, and the property shapes right in them, are called after a rule."""
    assert not [shape for shape in _results_of() if not NAME.search(str(shape))]


def test_shapes_are_documented() -> None:
    """Each says what it is, what it asks for, how grave a breach is and what to do then."""
    graph = shapes()
    for shape in _results_of():
        assert graph.value(shape, RDFS.label), shape
        assert str(graph.value(shape, RDFS.comment)).endswith("."), shape
        assert graph.value(shape, SH.severity) in {SH.Violation, SH.Warning, SH.Info}, shape
        sparql = list(graph.objects(shape, SH.sparql))
        own = set(graph.predicates(shape)) - {RDF.type, RDFS.label, RDFS.comment, SH.severity}
        plain = own - {SH.sparql, SH.property, SH.targetClass, SH.targetSubjectsOf, SH.message}
        assert not plain or graph.value(shape, SH.message), shape
        for constraint in sparql:
            assert graph.value(constraint, SH.message), shape
            assert (constraint, SH.prefixes, rdflib.URIRef(BASE + "shapes")) in graph, shape
    assert all(rule.message.endswith((".", "}")) for rule in rules())


def test_messages_fill_what_their_query_selects() -> None:
    """A placeholder without its variable would be shown as it stands."""
    graph = shapes()
    texts = [
        (str(message), str(graph.value(constraint, SH.select)))
        for constraint in graph.objects(None, SH.sparql)
        for message in graph.objects(constraint, SH.message)
    ]
    texts += [(rule.message, rule.text) for rule in rules()]
    for message, text in texts:
        selected = text.split("SELECT", 1)[1].split("WHERE", 1)[0]
        for variable in re.findall(r"\{[?$](\w+)\}", message):
            assert re.search(rf"[?$]{variable}\b", selected), (variable, message)


def test_queries_keep_to_what_every_engine_binds() -> None:
    """No MINUS, VALUES, SERVICE or GRAPH; $this is selected, in inner queries too."""
    for text in map(str, shapes().objects(None, SH.select)):
        assert not re.search(r"\b(MINUS|VALUES|SERVICE|GRAPH)\b", text), text
        for selected in re.findall(r"SELECT (?:DISTINCT )?(.*?)WHERE", text, re.DOTALL):
            assert "$this" in selected, text


def test_queries_declare_their_prefixes() -> None:
    """By sh:prefixes, since engines differ in what else they take."""
    graph = shapes()
    for constraint, text in graph.subject_objects(SH.select):
        declared = {
            str(graph.value(declaration, SH.prefix))
            for node in graph.objects(constraint, SH.prefixes)
            for declaration in graph.objects(node, SH.declare)
        }
        plain = re.sub(r'"[^"]*"', "", str(text))
        assert set(re.findall(r"\b([a-z]+):[A-Za-z]", plain)) <= declared, text


def test_shacl_terms_exist() -> None:
    """A misspelt one would be no constraint at all."""
    used = {term for triple in shapes() for term in triple if str(term).startswith(str(SH))}
    assert not [term for term in used if not hasattr(SH, str(term).removeprefix(str(SH)))]
    assert not used & {SH.rule, SH.target, SH.expression, SH.SPARQLRule, SH.SPARQLTarget}


def test_terms_of_the_ontology_exist() -> None:
    """Those that shapes and rules name are declared, and not deprecated."""
    terms = _graph(rdf.triples(ontology()))
    named = {str(term) for triple in shapes() for term in triple if str(term).startswith(CG)}
    texts = [*map(str, shapes().objects(None, SH.select)), *(rule.text for rule in rules())]
    named |= {str(CG[local]) for text in texts for local in re.findall(r"\bcg:(\w+)", text)}
    for term in map(rdflib.URIRef, named - {str(CG)}):
        assert (term, RDF.type, None) in terms, term
        assert (term, OWL.deprecated, None) not in terms, term


def test_concepts_of_the_schemes_exist() -> None:
    """Those that shapes name are in their schemes."""
    terms = _graph(rdf.triples(ontology()))
    prefix = BASE + "scheme/"
    for term in {o for o in shapes().objects() if isinstance(o, rdflib.URIRef)}:
        if str(term).startswith(prefix):
            assert (term, RDF.type, None) in terms, term
