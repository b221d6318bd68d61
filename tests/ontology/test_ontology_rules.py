"""The rules: each derives what it should, stays silent where it should, and all come to an end."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pyoxigraph as ox
import pytest

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from clustergraph.queries import StoredQuery

ID = "https://w3id.org/clustergraph/id/"
CG = "https://w3id.org/clustergraph/ontology#"
XSD = "http://www.w3.org/2001/XMLSchema#"
SPACES = {
    "cg": CG,
    "rdf": "http://www.w3.org/1999/02/22-rdf-syntax-ns#",
    "dcterms": "http://purl.org/dc/terms/",
    "org": "http://www.w3.org/ns/org#",
    "prov": "http://www.w3.org/ns/prov#",
    "schema": "https://schema.org/",
    "skos": "http://www.w3.org/2004/02/skos/core#",
}


def term(text: str) -> ox.NamedNode | ox.Literal:
    """A term as the samples below write it: ``<slug>``, ``prefix:name``, a date or a label."""
    if text.startswith("<"):
        return ox.NamedNode(ID + text[1:-1])
    if re.fullmatch(r"\d{4}-\d\d-\d\d", text):
        return ox.Literal(text, datatype=ox.NamedNode(XSD + "date"))
    if text.endswith("@en"):
        return ox.Literal(text.removesuffix("@en"), language="en")
    prefix, name = text.split(":")
    return ox.NamedNode(SPACES[prefix] + name)


# For each rule: what it reads, what it must derive, what it must leave alone.
SAMPLES: dict[str, tuple[str, set[str], str]] = {
    "types-from-subclasses": (
        "<a> a cg:Mission .",
        {"<a> rdf:type cg:Event", "<a> rdf:type schema:Event", "<a> rdf:type prov:Activity"},
        "<a> a foaf:Person ; cg:manages <b> .",
    ),
    "facts-from-subproperties": (
        "<a> cg:targetsNewMarket <m> .",
        {"<a> cg:targetsMarket <m>"},
        "<a> cg:targetsMarket <m> ; a cg:Project .",
    ),
    "inverses": (
        "<a> cg:manages <c> . <d> cg:isManagedBy <b> .",
        {"<c> cg:isManagedBy <a>", "<b> cg:manages <d>"},
        '<a> cg:isBasedIn <p> ; cg:asWritten "x" ; cg:announces "no thing" .',
    ),
    "symmetric-facts": (
        "<a> cg:isCoordinatedWith <b> .",
        {"<b> cg:isCoordinatedWith <a>"},
        "<a> cg:continues <b> .",
    ),
    "transitive-facts": (
        "<a> schema:containedInPlace <b> . <b> schema:containedInPlace <c> .",
        {"<a> schema:containedInPlace <c>"},
        "<a> cg:continues <b> . <b> cg:continues <c> . <d> schema:containedInPlace <e> .",
    ),
    "concept-hierarchy": (
        (
            "<s> skos:topConceptOf <x> . <n> skos:broader <s> . <s> a skos:Concept . "
            "<r> skos:related <s> ."
        ),
        {
            "<x> skos:hasTopConcept <s>",
            "<s> skos:narrower <n>",
            "<n> skos:broaderTransitive <s>",
            "<s> skos:related <r>",
        },
        "<n> skos:inScheme <x> ; a skos:Concept .",
    ),
    "names-from-labels": (
        '<a> skosxl:altLabel <l> . <l> skosxl:literalForm "Alpha"@en .',
        {"<a> skos:altLabel Alpha@en"},
        (
            '<a> skosxl:altLabel <l>, <m> ; skos:prefLabel "Alpha"@en . '
            '<a> skos:hiddenLabel "Alfa"@en . '
            '<l> skosxl:literalForm "Alpha"@en . <m> skosxl:literalForm "Alfa"@en .'
        ),
    ),
    "signatories": (
        "<a> cg:hasSignature <s> . <s> cg:signatory <o> .",
        {"<a> cg:isSignedBy <o>"},
        "<a> cg:hasSignature <s> . <s> cg:actsOnBehalfOf <o> . <p> cg:participant <q> .",
    ),
    "participants": (
        "<a> cg:hasParticipation <p> . <p> cg:participant <o> .",
        {"<a> cg:hasParticipant <o>"},
        "<a> cg:hasParticipation <p> . <p> cg:actsOnBehalfOf <o> .",
    ),
    "alliance-members": (
        (
            "<m> a org:Membership ; org:member <o> ; org:organization <a> . "
            "<a> a cg:ClusterAlliance . <o> a cg:ClusterOrganisation ."
        ),
        {"<a> cg:hasAllianceMember <o>"},
        (
            "<m> a org:Membership ; org:member <o> ; org:organization <a> . "
            "<n> a org:Membership ; org:member <p> ; org:organization <b> . "
            "<a> a cg:ClusterAlliance . <o> a foaf:Person . "
            "<b> a cg:ClusterOrganisation . <p> a cg:ClusterOrganisation ."
        ),
    ),
    "co-funding": (
        (
            "<p> a cg:Project ; cg:hasAward <w>, <v> . "
            "<w> cg:awardedUnder <c> ; cg:awardedBy <o> . "
            "<c> a cg:Call ; cg:belongsToProgramme <g> . <v> cg:awardedUnder <h> . "
            "<h> a cg:FundingProgramme ."
        ),
        {"<p> cg:isCoFundedBy <g>", "<p> cg:isCoFundedBy <o>", "<p> cg:isCoFundedBy <h>"},
        (
            "<p> a cg:Project ; cg:isSelectedUnder <c> . <c> cg:belongsToProgramme <g> . "
            "<g> a cg:FundingProgramme . "
            "<x> a cg:Agreement ; cg:hasAward <w> . <w> cg:awardedBy <o> . "
            "<a> a cg:ClusterAlliance ; cg:carriesOut <p> . "
            "<q> a cg:Project ; cg:hasAward <v> . <v> cg:awardedUnder <k> . <k> a cg:Call ."
        ),
    ),
    "earliest-dates": (
        (
            '<a> schema:startDate "2012"^^xsd:gYear ; schema:endDate "2014"^^xsd:gYear . '
            '<d> a cg:Document ; dcterms:issued "2016-03"^^xsd:gYearMonth .'
        ),
        {"<a> cg:earliestDate 2012-01-01", "<d> cg:earliestDate 2016-03-01"},
        (
            '<a> schema:endDate "2014"^^xsd:gYear . <b> dcterms:issued "2016"^^xsd:gYear . '
            '<c> schema:startDate "in spring" , "2016-02-30"^^xsd:date .'
        ),
    ),
    "latest-dates": (
        (
            '<a> schema:startDate "2012"^^xsd:gYear ; schema:endDate "2014"^^xsd:gYear . '
            '<b> schema:startDate "2014-11-03"^^xsd:date . '
            '<c> cg:boundDate "2016-06-09"^^xsd:date .'
        ),
        {
            "<a> cg:latestDate 2014-12-31",
            "<b> cg:latestDate 2014-11-03",
            "<c> cg:latestDate 2016-06-09",
        },
        '<b> dcterms:issued "2016"^^xsd:gYear . <c> schema:endDate "later" .',
    ),
    "attested-dates": (
        (
            "<m> a org:Membership ; org:memberDuring <m#during> ; cg:hasPassage <p>, <q> . "
            "<p> cg:inAnnouncement <n> . <q> cg:inAnnouncement <o> . "
            '<n> cg:earliestDate "2016-01-01"^^xsd:date ; cg:latestDate "2016-12-31"^^xsd:date . '
            '<o> cg:earliestDate "2015-05-05"^^xsd:date ; cg:latestDate "2015-05-05"^^xsd:date .'
        ),
        {"<m#during> cg:earliestDate 2015-05-05", "<m#during> cg:latestDate 2016-12-31"},
        (
            "<m> a org:Membership ; org:memberDuring <m#during> ; cg:hasPassage <p> . "
            "<p> cg:inAnnouncement <n> . <n> a cg:Announcement . "
            "<k> a org:Membership ; org:memberDuring <k#during> ; cg:hasPassage <q> . "
            '<k#during> schema:startDate "2010"^^xsd:gYear . <q> cg:inAnnouncement <o> . '
            '<o> cg:earliestDate "2015-05-05"^^xsd:date ; cg:latestDate "2015-05-05"^^xsd:date .'
        ),
    ),
    "statements-in-announcements": (
        "<s> cg:isStatedBy <a> ; cg:hasPassage <p> . <p> cg:inAnnouncement <n> .",
        {"<s> dcterms:isPartOf <n>"},
        (
            "<s> cg:isStatedBy <a> ; cg:hasPassage <p> . <t> cg:hasPassage <q> . "
            "<q> cg:inAnnouncement <n> ."
        ),
    ),
    "derivations": (
        "<s> a prov:Entity ; cg:hasPassage <p> .",
        {"<s> prov:wasDerivedFrom <p>"},
        (
            "<e> a prov:Activity ; cg:hasPassage <p> . "
            "<d> a cg:SourceDocument, prov:Entity ; cg:hasPassage <p> ."
        ),
    ),
}


def written(text: str) -> ox.Triple:
    """One expected triple."""
    subject, predicate, obj = text.split(" ", 2)
    left, middle = term(subject), term(predicate)
    assert isinstance(left, ox.NamedNode)
    assert isinstance(middle, ox.NamedNode)
    return ox.Triple(left, middle, term(obj))


def test_every_rule_has_its_sample(rules: Mapping[str, StoredQuery]) -> None:
    """No rule is left untested."""
    assert set(SAMPLES) == set(rules)


@pytest.mark.parametrize("name", SAMPLES)
def test_rule_derives_what_it_should(name: str, derive: Callable[..., set[ox.Triple]]) -> None:
    """Alone on its sample, a rule derives what is expected."""
    text, expected, _ = SAMPLES[name]
    derived = derive(text, name)
    assert {written(triple) for triple in expected} <= derived
    if name != "types-from-subclasses":
        assert len(derived) == len(expected)


@pytest.mark.parametrize("name", SAMPLES)
def test_rule_is_silent_where_it_should_be(
    name: str, derive: Callable[..., set[ox.Triple]]
) -> None:
    """Alone on a sample that only looks alike, a rule derives nothing."""
    assert derive(SAMPLES[name][2], name) == set()


@pytest.mark.parametrize("name", SAMPLES)
def test_rule_is_documented(name: str, rules: Mapping[str, StoredQuery]) -> None:
    """A rule has a title and a description of one sentence, makes no nodes, calls nobody."""
    rule = rules[name]
    assert rule.title
    assert re.fullmatch(r"[A-Z][^.]*\.", rule.description)
    body = rule.text.split("CONSTRUCT", 1)[1]
    assert "_:" not in body
    assert "[" not in body
    assert "SERVICE" not in body


@pytest.mark.parametrize(
    ("given", "first", "last"),
    [
        ('"2012"^^xsd:gYear', "2012-01-01", "2012-12-31"),
        ('"2012Z"^^xsd:gYear', "2012-01-01", "2012-12-31"),
        ('"2013-10"^^xsd:gYearMonth', "2013-10-01", "2013-10-31"),
        ('"2013-11"^^xsd:gYearMonth', "2013-11-01", "2013-11-30"),
        ('"2015-02"^^xsd:gYearMonth', "2015-02-01", "2015-02-28"),
        ('"2016-02"^^xsd:gYearMonth', "2016-02-01", "2016-02-29"),
        ('"1900-02"^^xsd:gYearMonth', "1900-02-01", "1900-02-28"),
        ('"2000-02"^^xsd:gYearMonth', "2000-02-01", "2000-02-29"),
        ('"2016-10-09"^^xsd:date', "2016-10-09", "2016-10-09"),
        ('"2016-10-09+09:00"^^xsd:date', "2016-10-09", "2016-10-09"),
        ('"2016-10-09T10:30:00Z"^^xsd:dateTime', "2016-10-09", "2016-10-09"),
    ],
)
def test_bounds_of_a_date(
    given: str, first: str, last: str, derive: Callable[..., set[ox.Triple]]
) -> None:
    """A start alone, in any precision, gives the first and the last day that it may mean."""
    derived = derive(f"<a> schema:startDate {given} .", "earliest-dates", "latest-dates")
    assert derived == {
        written(f"<a> cg:earliestDate {first}"),
        written(f"<a> cg:latestDate {last}"),
    }


def test_rules_work_together(derive: Callable[..., set[ox.Triple]]) -> None:
    """Told backwards and by subproperties only, a signing still gives participants both ways."""
    derived = derive("<s> cg:signatureOf <a> ; cg:signatory <o> .")
    for expected in (
        "<a> cg:hasSignature <s>",
        "<a> cg:hasParticipation <s>",
        "<s> cg:participationIn <a>",
        "<s> cg:participant <o>",
        "<a> cg:isSignedBy <o>",
        "<o> cg:signs <a>",
        "<a> cg:hasParticipant <o>",
        "<o> cg:participatesIn <a>",
    ):
        assert written(expected) in derived


def test_circles_come_to_an_end(derive: Callable[..., set[ox.Triple]]) -> None:
    """Wrong data that go round in a circle do not keep the rules going, nor loop on a thing."""
    derived = derive(
        "<a> schema:containedInPlace <b> . <b> schema:containedInPlace <c> . "
        "<c> schema:containedInPlace <a> . <x> cg:continues <y> . <y> cg:continues <x> ."
    )
    assert written("<a> schema:containedInPlace <c>") in derived
    assert written("<a> schema:containedInPlace <a>") not in derived
