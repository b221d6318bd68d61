"""Validation: findings, their forms, dataset rules, the names of attestations."""

from __future__ import annotations

import json
from pathlib import Path

import pyoxigraph as ox
import pytest
import rdflib
from rdflib.namespace import RDF, SH

from clustergraph import queries, rdf, validation
from clustergraph.errors import SourceError, UsageError, ValidationFailedError
from clustergraph.service import ClusterGraph
from clustergraph.validation import Severity, dataset_rules
from clustergraph.validation.evidence_rules import attestation_slug

SHAPES = """
@prefix sh: <http://www.w3.org/ns/shacl#> .
@prefix a: <http://a/> .
<http://a/shapes#R01> a sh:NodeShape ; sh:targetClass a:Thing ;
    sh:property <http://a/shapes#R01-name> , [
        sh:path ( a:part [ sh:inversePath a:of ] ) ; sh:maxCount 0 ; sh:severity sh:Warning ;
        sh:message "No detours."@en ] .
<http://a/shapes#R01-name> sh:path a:name ; sh:minCount 1 ;
    sh:message "Namen fehlt."@de , "Give it a name."@en .
"""
DATA = """
@prefix a: <http://a/> .
a:one a a:Thing ; a:part a:p . a:q a:of a:p .
a:two a a:Thing ; a:name "Two" .
"""


def graph(text: str) -> list[ox.Quad]:
    """The quads of a Turtle text, in a named graph."""
    home = ox.NamedNode("http://a/graph/source/x")
    return [
        ox.Quad(quad.subject, quad.predicate, quad.object, home)
        for quad in rdf.parse(text.encode(), rdf.TURTLE, base="http://a/", name="test")
    ]


def check(
    data: str = DATA, rules: dict[str, queries.StoredQuery] | None = None
) -> validation.Report:
    """Validate a Turtle text against the shapes above."""
    return validation.check(
        graph(data), graph(SHAPES), rules=rules or {}, base="http://a/", prefixes={"a": "http://a/"}
    )


def test_findings_name_rule_node_path_and_what_to_do() -> None:
    """In English, the gravest first."""
    error, warning = check().findings
    assert (error.rule, error.severity) == ("R01", Severity.VIOLATION)
    assert error.message == "Give it a name."
    assert error.focus == ox.NamedNode("http://a/one")
    assert (error.path, error.shape) == ("http://a/name", "http://a/shapes#R01-name")
    assert (warning.rule, warning.severity) == ("R01", Severity.WARNING)
    assert warning.path == "http://a/part / ^http://a/of"


def test_the_text_is_for_people() -> None:
    """With short names and a summary."""
    text = check().to_text()
    assert "error[R01] Give it a name.\n  at   a:one" in text
    assert text.endswith("does not conform: 1 error, 1 warning, 0 notes\n")


def test_the_json_holds_every_field() -> None:
    """One object a finding."""
    report = json.loads(check().to_json())
    assert report["conforms"] is False
    assert report["counts"] == {"Violation": 1, "Warning": 1, "Info": 0}
    assert report["findings"][0]["focusNode"] == "http://a/one"


def test_the_turtle_is_a_standard_report() -> None:
    """As another program reads it."""
    parsed = rdflib.Graph().parse(data=check().to_turtle(), format="turtle")
    (report,) = parsed.subjects(RDF.type, SH.ValidationReport)
    results = list(parsed.objects(report, SH.result))
    assert len(results) == 2
    assert parsed.value(report, SH.conforms) == rdflib.Literal(False)
    for result in results:
        for part in (SH.focusNode, SH.resultSeverity, SH.resultMessage):
            assert parsed.value(result, part) is not None


def test_warnings_do_not_refuse_a_release() -> None:
    """Violations do."""
    with pytest.raises(ValidationFailedError, match="1 violation of the shapes"):
        check().raise_for_violations()
    check(DATA.replace("a:part a:p", 'a:part a:p ; a:name "One"')).raise_for_violations()


def test_labels_of_the_focus_node_are_shown() -> None:
    """So that a person knows which thing is meant."""
    data = DATA + 'a:one <http://www.w3.org/2004/02/skos/core#prefLabel> "Number one"@en .'
    assert check(data).findings[0].label == "Number one"


def test_shapes_that_cannot_be_used_are_told() -> None:
    """Not taken as conforming."""
    with pytest.raises(UsageError, match="shapes cannot be used"):
        validation.check(
            graph(DATA), graph(SHAPES.replace("sh:minCount 1", "sh:minCount 'x'")), rules={}
        )


def rule(tmp_path: Path, text: str) -> dict[str, queries.StoredQuery]:
    """A dataset rule as a project has it."""
    path = tmp_path / "R90.rq"
    path.write_text(text)
    return {"R90": queries.read(path, name="R90", written_base="x:", base="x:")}


RULE = """#+ title: No twos
#+ rule: R90
#+ severity: Violation
#+ message: "{?focusNode} is called {?value} in {?g}."
#+ phase: asserted
SELECT ?focusNode ?value ?g { GRAPH ?g { ?focusNode <http://a/name> ?value } }
"""


def test_dataset_rules_see_the_named_graphs(tmp_path: Path) -> None:
    """And fill their messages."""
    found = [each for each in check(rules=rule(tmp_path, RULE)).findings if each.rule == "R90"]
    assert [each.message for each in found] == [
        "http://a/two is called Two in http://a/graph/source/x."
    ]


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("#+ phase: asserted\n", ""),
        ("Violation", "Grave"),
        ("asserted", "later"),
        ("SELECT ?focusNode", "SELECT ?x"),
        ("SELECT ?focusNode ?value ?g {", "ASK {"),
        ("?value }", ""),
    ],
)
def test_bad_dataset_rules_are_told(tmp_path: Path, old: str, new: str) -> None:
    """By their file's name."""
    with pytest.raises(SourceError, match="R90"):
        check(rules=rule(tmp_path, RULE.replace(old, new)))


def test_phases_come_one_after_the_other(tmp_path: Path) -> None:
    """What the program adds is seen by the later ones only."""
    derived = [
        ox.Quad(*list(quad)[:3], ox.NamedNode("http://a/graph/inferred"))
        for quad in graph('<http://a/x> <http://a/name> "X" .')
    ]
    for phase, expected in (("asserted", 1), ("inferred", 2), ("public", 2)):
        rules = rule(tmp_path, RULE.replace("asserted", phase))
        report = validation.check(
            graph(DATA), graph(SHAPES), rules=rules, derived=derived, base="http://a/"
        )
        assert sum(each.rule == "R90" for each in report.findings) == expected
    assert dataset_rules.PHASES == ("asserted", "inferred", "public")


def test_an_attestation_is_named_after_its_triple_under_any_base() -> None:
    """R69 finds one that is not."""

    def slug(base: str) -> str:
        return attestation_slug(
            ox.NamedNode(base + "id/s"),
            ox.NamedNode(base + "ontology#p"),
            ox.NamedNode(base + "id/o"),
            ox.NamedNode(base + "graph/source/x"),
            base,
        )

    assert slug("http://a/") == slug("https://b.example/")
    text = (
        "@prefix rdf: <http://www.w3.org/1999/02/22-rdf-syntax-ns#> . "
        "<id/attestation/{}> rdf:subject <id/s> ; rdf:predicate <ontology#p> ; rdf:object <id/o> ."
    )
    assert not [x for x in check(text.format(slug("http://a/"))).findings if x.rule == "R69"]
    (found,) = [x for x in check(text.format("0" * 16)).findings if x.rule == "R69"]
    assert slug("http://a/") in found.message


def test_the_project_is_validated_without_writing(small: ClusterGraph) -> None:
    """No release comes of it."""
    assert small.validate().conforms
    assert not small.settings.variable.exists()
