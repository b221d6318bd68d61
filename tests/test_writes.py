"""Guarded writes: what is published, what is refused, and that nothing else changes."""

from __future__ import annotations

import random
from collections import defaultdict
from pathlib import Path

import pyoxigraph as ox
import pytest

from clustergraph import rdf, scaffold, settings
from clustergraph.errors import (
    ClusterGraphError,
    ForbiddenError,
    NotFoundError,
    PreconditionError,
    QueryError,
    UsageError,
    ValidationFailedError,
)
from clustergraph.releases import Done, Write
from clustergraph.releases.candidate import FULL, PUBLIC
from clustergraph.service import ClusterGraph
from clustergraph.tokens import Grant

ALL = Grant(("*",), sees_restricted=True)
LABEL = "<http://www.w3.org/2004/02/skos/core#prefLabel>"


@pytest.fixture
def graph(small: ClusterGraph) -> ClusterGraph:
    """The small project, built."""
    small.build()
    return small


def plain(folder: Path, **overrides: object) -> ClusterGraph:
    """A project without shapes and data, built; its default graph as the settings say."""
    scaffold.init(folder, bare=True)
    made = ClusterGraph(settings.load(folder, environment={}, **overrides))
    made.build()
    return made


def update(graph: ClusterGraph, text: str, **fields: object) -> Done | ClusterGraphError:
    """What a single update comes to."""
    options = {"grant": ALL, "who": "test", **fields}
    (outcome,) = graph.commit([Write(method="UPDATE", payload=text.encode(), **options)])  # type: ignore[arg-type]  # fields of Write
    return outcome


def done(outcome: Done | ClusterGraphError) -> Done:
    """The outcome of a write that must have been accepted."""
    assert isinstance(outcome, Done), outcome
    return outcome


def test_a_write_is_a_release(graph: ClusterGraph) -> None:
    """With its delta, who and why; computed graphs follow."""
    iri = graph.settings.iri("id/organisation/new")
    kind = graph.settings.iri("ontology#Cluster")
    text = f'INSERT DATA {{ <{iri}> {LABEL} "New"@en ; a <{kind}> }}'
    outcome = done(update(graph, text, why="because"))
    assert (outcome.manifest.number, outcome.added, outcome.removed) == (2, 2, 0)
    assert (outcome.manifest.who, outcome.manifest.why) == ("test", "because")
    (row,) = graph.select(f"SELECT ?g {{ GRAPH ?g {{ <{iri}> {LABEL} ?label }} }}")
    assert row["g"].value == graph.settings.iri("graph/curation")
    (counted,) = graph.select(
        "PREFIX void: <http://rdfs.org/ns/void#> SELECT ?n { ?d a void:Dataset ; void:triples ?n }"
    )
    (found,) = graph.select("SELECT (COUNT(*) AS ?n) { ?s ?p ?o }")
    assert counted["n"] == found["n"] == ox.Literal(outcome.manifest.triples)


def test_a_violation_is_refused_and_leaves_no_trace(graph: ClusterGraph) -> None:
    """Whatever else is in the same update."""
    before = graph.release().manifest
    iri = graph.settings.iri("id/organisation/bad")
    outcome = update(
        graph, f"INSERT DATA {{ <{iri}> a <{graph.settings.iri('ontology#Cluster')}> }}"
    )
    assert isinstance(outcome, ValidationFailedError)
    assert "preferred label" in outcome.text
    assert set(outcome.documents) == {"text/plain", "application/json", "text/turtle"}
    assert graph.release().manifest == before
    assert not graph.archive.unfinished()
    assert iri not in "".join(str(quad) for quad in graph.describe(iri))


def test_a_write_that_changes_nothing_makes_no_release(graph: ClusterGraph) -> None:
    """It is done all the same."""
    outcome = done(update(graph, "DELETE DATA { <http://x/a> <http://x/b> <http://x/c> }"))
    assert (outcome.manifest.number, outcome.added) == (1, 0)
    assert graph.archive.numbers() == [1]


def test_an_update_is_whole_or_nothing(graph: ClusterGraph) -> None:
    """Its first operation is undone if its second cannot be done."""
    outcome = update(graph, "INSERT DATA { <http://x/a> <http://x/b> 1 } ; DROP GRAPH <http://x/n>")
    assert isinstance(outcome, QueryError)
    assert graph.archive.numbers() == [1]
    assert not graph.select("SELECT ?o { <http://x/a> ?p ?o }")


def test_writes_that_wait_together_are_one_release(graph: ClusterGraph) -> None:
    """And a bad one takes no other with it."""
    texts = [
        "INSERT DATA { <http://x/1> <http://x/p> 1 }",
        "INSERT DATA { <http://x/2> <http://x/p> 2 }",
        "this is no update",
        "INSERT { <http://x/3> <http://x/p> ?o } WHERE { <http://x/1> <http://x/p> ?o }",
    ]
    writes = [
        Write(method="UPDATE", payload=text.encode(), who=f"w{number}", grant=ALL)
        for number, text in enumerate(texts)
    ]
    outcomes = graph.commit(writes)
    assert [isinstance(each, Done) for each in outcomes] == [True, True, False, True]
    assert graph.archive.numbers() == [1, 2]
    manifest = graph.release().manifest
    assert manifest.who == "w0, w1, w3"
    assert [each["who"] for each in manifest.changes] == ["w0", "w1", "w3"]
    assert len(graph.select("SELECT ?s { ?s <http://x/p> ?o }")) == 3
    bad = f"INSERT DATA {{ <http://x/9> a <{graph.settings.iri('ontology#Cluster')}> }}"
    good = "INSERT DATA { <http://x/4> <http://x/p> 4 }"
    outcomes = graph.commit(
        [Write(method="UPDATE", payload=each.encode(), grant=ALL) for each in (good, bad, good)]
    )
    assert [type(each).__name__ for each in outcomes] == ["Done", "ValidationFailedError", "Done"]
    assert len(graph.select("SELECT ?s { ?s <http://x/p> ?o }")) == 4


def test_optimistic_locking(graph: ClusterGraph) -> None:
    """If-Match holds against the release, and against what else waits."""
    tag = graph.release().etag
    text = "INSERT DATA {{ <http://x/{0}> <http://x/p> 1 }}"
    outcomes = graph.commit(
        [
            Write(method="UPDATE", payload=text.format(n).encode(), grant=ALL, if_match=(tag,))
            for n in (1, 2)
        ]
    )
    assert isinstance(outcomes[0], Done)
    assert isinstance(outcomes[1], PreconditionError)
    assert isinstance(update(graph, text.format(3), if_match=(tag,)), PreconditionError)
    fresh = graph.release().etag
    assert isinstance(update(graph, text.format(3), if_match=("x", f"{fresh}-abc")), Done)
    assert isinstance(update(graph, text.format(4), if_match=("*",)), Done)


@pytest.mark.parametrize(
    "text",
    [
        "INSERT DATA { GRAPH <BASEgraph/other> { <http://x/a> <http://x/b> 1 } }",
        "DROP ALL",
        "CLEAR DEFAULT",
        "MOVE <BASEgraph/source/organisations> TO <BASEgraph/mine>",
        "COPY <BASEgraph/mine> TO <BASEgraph/source/organisations>",
        "ADD <BASEgraph/mine> TO <BASEgraph/other>",
        "INSERT { GRAPH ?g { <http://x/a> <http://x/b> 1 } } WHERE { GRAPH ?g { ?s ?p ?o } }",
        "DELETE { ?s ?p ?o } WHERE { ?s ?p ?o FILTER(ISLITERAL(?o)) }",
        "CREATE GRAPH <BASEgraph/other>",
        "INSERT DATA { <http://x/a> <http://x/b> 1 }",
    ],
)
def test_a_scope_holds_for_what_would_change(graph: ClusterGraph, text: str) -> None:
    """However the update says it."""
    base = graph.settings.base
    done(
        update(
            graph, f"INSERT DATA {{ GRAPH <{base}graph/mine> {{ <http://x/a> <http://x/b> 2 }} }}"
        )
    )
    before = graph.release().manifest
    outcome = update(graph, text.replace("BASE", base), grant=Grant((f"{base}graph/mine",)))
    assert isinstance(outcome, ForbiddenError), outcome
    assert graph.release().manifest == before


def test_nobody_writes_what_is_computed_or_the_shapes(graph: ClusterGraph) -> None:
    """Not even with a token for everything."""
    base = graph.settings.base
    for name in ("graph/inferred", "graph/catalogue", "shapes"):
        text = f"INSERT DATA {{ GRAPH <{base}{name}> {{ <http://x/a> <http://x/b> 1 }} }}"
        assert isinstance(update(graph, text), ForbiddenError)


def test_warnings_are_accepted_on_demand_only(small: ClusterGraph) -> None:
    """New ones: those that the graph has already are nobody's fault."""
    shapes = small.settings.project / "shapes/shapes.ttl"
    shapes.write_text(
        shapes.read_text()
        + """
    <#warn> a <http://www.w3.org/ns/shacl#NodeShape> ;
      <http://www.w3.org/ns/shacl#targetSubjectsOf> <http://x/p> ;
      <http://www.w3.org/ns/shacl#property> [
        <http://www.w3.org/ns/shacl#path> <http://x/p> ;
        <http://www.w3.org/ns/shacl#maxCount> 1 ;
        <http://www.w3.org/ns/shacl#severity> <http://www.w3.org/ns/shacl#Warning> ;
        <http://www.w3.org/ns/shacl#message> "Two of them."@en ] .
    """
    )
    small.build()
    two = "INSERT DATA { <http://x/a> <http://x/p> 1 , 2 }"
    refused = update(small, two)
    assert isinstance(refused, ValidationFailedError)
    assert "Two of them" in refused.text
    assert "handling=lenient" in refused.message
    assert isinstance(update(small, two, lenient=True), Done)
    assert isinstance(update(small, "INSERT DATA { <http://x/b> <http://x/p> 1 }"), Done)


@pytest.mark.parametrize(
    "iri", ["javascript:alert(1)", "JavaScript:x", "data:text/html,x", "http://x/e\u0301"]
)
def test_iris_are_checked(graph: ClusterGraph, iri: str) -> None:
    """What a browser would run, or two spellings of one name, do not get in."""
    outcome = update(graph, f"INSERT DATA {{ <http://x/a> <http://x/b> <{iri}> }}")
    assert isinstance(outcome, UsageError)


def test_literals_that_xml_cannot_hold_are_refused(graph: ClusterGraph) -> None:
    """Each format must give back what came in."""
    outcome = update(graph, 'INSERT DATA { <http://x/a> <http://x/b> "a\\u0001b" }')
    assert isinstance(outcome, UsageError)
    assert "U+0001" in outcome.message


def test_blank_nodes_by_policy(tmp_path: Path) -> None:
    """They get IRIs, are kept, or are refused."""
    text = "INSERT DATA { [] <http://x/p> [ <http://x/q> 1 ] }"
    named = plain(tmp_path / "s", blank_nodes="skolemise")
    done(update(named, text))
    for row in named.select("SELECT ?s { ?s ?p ?o }"):
        assert row["s"].value.startswith(named.settings.iri(".well-known/genid/"))
    kept = plain(tmp_path / "k")
    done(update(kept, text))
    done(update(kept, "INSERT { GRAPH <http://x/g> { ?s ?p ?o } } WHERE { ?s ?p ?o }"))
    rows = kept.select(
        "SELECT ?s { ?s <http://x/p> ?o . GRAPH <http://x/g> { ?s <http://x/p> ?o } }"
    )
    assert len(rows) == 1
    assert isinstance(rows[0]["s"], ox.BlankNode)
    refused = update(plain(tmp_path / "r", blank_nodes="refuse"), text)
    assert isinstance(refused, UsageError)


def test_graph_store_operations(tmp_path: Path) -> None:
    """PUT, POST, DELETE and PATCH as the protocol defines them (sections 5.3 to 5.7)."""
    graph = plain(tmp_path / "p")

    def do(method: str, turtle: str = "", **fields: object) -> Done | ClusterGraphError:
        options = {"media_type": "text/turtle", "graph": "http://x/g", **fields}
        write = Write(
            method=method,
            payload=turtle.encode(),
            grant=ALL,
            base="http://x/",
            **options,  # type: ignore[arg-type]  # fields of Write
        )
        return graph.commit([write])[0]

    def values(name: str = "http://x/g") -> set[str]:
        rows = graph.select(f"SELECT ?o {{ GRAPH <{name}> {{ ?s ?p ?o }} }}")
        return {row["o"].value for row in rows}

    assert done(do("PUT", "<a> <p> 1 , 2 .")).new_graph
    assert not done(do("PUT", "<a> <p> 2 , 3 .")).new_graph
    assert values() == {"2", "3"}
    done(do("POST", "<a> <p> 4 ."))
    assert values() == {"2", "3", "4"}
    done(do("PATCH", "DELETE { ?s ?p ?o } WHERE { ?s ?p ?o FILTER(?o > 2) }"))
    assert values() == {"2"}
    done(do("PUT", "<d> <p> 9 .", graph=""))
    assert [row["o"].value for row in graph.select("SELECT ?o { ?s ?p ?o }")] == ["9"]
    assert isinstance(do("PATCH", "INSERT DATA { GRAPH <http://x/h> { <a> <p> 1 } }"), UsageError)
    assert isinstance(do("POST", "<a> <p> ."), ClusterGraphError)
    assert isinstance(do("PUT", "<a> <p> 1 .", if_new=True), PreconditionError)
    done(do("PUT", "", graph="http://x/empty"))
    assert "http://x/empty" in graph.release().manifest.graphs
    done(do("DELETE"))
    assert isinstance(do("DELETE"), NotFoundError)
    trig = "<a> <p> 1 . GRAPH <http://x/t> { <a> <p> 5 }"
    done(do("POST", trig, graph=None, minted="http://x/m", media_type="application/trig"))
    assert (values("http://x/t"), values("http://x/m")) == ({"5"}, {"1"})
    other = do("POST", "GRAPH <http://x/o> { <a> <p> 5 }", media_type="application/trig")
    assert isinstance(other, UsageError)


class _Model:
    """Named graphs as sets: the naive model of a merged dataset."""

    def __init__(self) -> None:
        self.graphs: dict[str, set[ox.Triple]] = defaultdict(set)

    def merge(self, *, restricted: bool) -> set[ox.Triple]:
        """The default graph, with or without what is restricted."""
        return {
            triple
            for graph, triples in self.graphs.items()
            if restricted or "restricted" not in graph
            for triple in triples
        }


def _stores(graph: ClusterGraph) -> dict[str, ox.Store]:
    folder = graph.archive.path(graph.release().manifest.number)
    names = (PUBLIC, FULL) if (folder / FULL).exists() else (PUBLIC,)
    return {name: ox.Store.read_only(str(folder / name)) for name in names}


@pytest.mark.parametrize("seed", range(2))
def test_the_default_graph_stays_the_exact_merge(tmp_path: Path, seed: int) -> None:
    """After every kind of write, in the public store and in the full one; with rollbacks."""
    pick = random.Random(seed)  # noqa: S311  no secret
    graph = plain(tmp_path / "m", default_graph="merge")
    base = graph.settings.base
    names = [f"{base}graph/{each}" for each in ("a", "b", "restricted/c")]
    model = _Model()
    past: dict[int, dict[str, set[ox.Triple]]] = {}

    def triples(count: int) -> set[ox.Triple]:
        return {
            ox.Triple(
                ox.NamedNode(f"http://x/{pick.choice('st')}"),
                ox.NamedNode("http://x/p"),
                ox.Literal(pick.randint(1, 4)),
            )
            for _ in range(count)
        }

    for _ in range(30):
        name, some = pick.choice(names), triples(pick.randint(1, 3))
        text = " . ".join(map(str, some))
        kind = pick.choice(
            ["insert", "delete", "put", "post", "drop", "move", "everywhere", "back"]
        )
        other = pick.choice(names)
        if kind == "back" and past:
            number = pick.choice(list(past))
            graph.rollback(number)
            model.graphs = defaultdict(set, {g: set(t) for g, t in past[number].items()})
        elif kind == "insert":
            done(update(graph, f"INSERT DATA {{ GRAPH <{name}> {{ {text} }} }}"))
            model.graphs[name] |= some
        elif kind == "delete":
            done(update(graph, f"DELETE DATA {{ GRAPH <{name}> {{ {text} }} }}"))
            model.graphs[name] -= some
        elif kind == "everywhere":
            done(update(graph, f"DELETE DATA {{ {text} }}"))
            for each in model.graphs.values():
                each.difference_update(some)
        elif kind in {"put", "post"}:
            write = Write(
                method=kind.upper(), payload=f"{text} .".encode(), media_type="text/turtle",
                graph=name, grant=ALL,
            )  # fmt: skip
            done(graph.commit([write])[0])
            model.graphs[name] = some | (model.graphs[name] if kind == "post" else set())
        elif kind == "drop":
            done(update(graph, f"DROP SILENT GRAPH <{name}>"))
            model.graphs[name] = set()
        elif kind == "move" and other != name and model.graphs[name]:
            done(update(graph, f"MOVE <{name}> TO <{other}>"))
            model.graphs[other] = model.graphs.pop(name)
        for store_name, store in _stores(graph).items():
            found = {quad.triple for quad in store if isinstance(quad.graph_name, ox.DefaultGraph)}
            assert found == model.merge(restricted=store_name == FULL), kind
        stated = {each for each in model.graphs if model.graphs[each] and "restricted" not in each}
        public = graph.release().manifest.graphs
        assert {each for each, size in public.items() if size} == stated
        past[graph.release().manifest.number] = {g: set(t) for g, t in model.graphs.items()}
        past = {number: past[number] for number in past if number in graph.archive.numbers()}
    assert not [problem for _number, problems in graph.verify() for problem in problems]


def test_a_build_carries_over_what_was_written(small: ClusterGraph) -> None:
    """Files say what they say; what was written beside them stays, until it is discarded."""
    small.build()
    base = small.settings.base
    thing = f"<{base}id/organisation/example-cluster>"
    done(update(small, f"INSERT DATA {{ {thing} <http://x/note> 1 }}"))
    other = f"<{base}id/organisation/another-cluster> {LABEL}"
    renamed = (
        f'DELETE DATA {{ {other} "Another Cluster"@en }} ; INSERT DATA {{ {other} "Renamed"@en }}'
    )
    done(update(small, renamed))
    file = small.settings.project / "data/more.ttl"
    file.write_text(f"{thing} <http://x/more> 2 .")
    manifest = small.build().manifest
    values = {row["o"].value for row in small.select(f"SELECT ?o {{ {thing} ?p ?o }}")}
    assert {"1", "2"} <= values
    assert "Renamed" in {row["o"].value for row in small.select(f"SELECT ?o {{ ?s {LABEL} ?o }}")}
    assert small.build().manifest == manifest
    assert not [problem for _number, problems in small.verify() for problem in problems]
    small.build(keep_written=False)
    values = {row["o"].value for row in small.select("SELECT ?o { ?s ?p ?o }")}
    assert "Renamed" not in values
    assert "Another Cluster" in values
    assert not small.select(f"SELECT ?o {{ {thing} <http://x/note> ?o }}")


def test_a_rollback_is_a_new_release_equal_to_the_old_one(small: ClusterGraph) -> None:
    """Build does not undo it, and it can itself be undone."""
    first = small.build().manifest
    done(update(small, "INSERT DATA { <http://x/a> <http://x/p> 1 }"))
    back = small.rollback(1, message="a mistake")
    assert (back.number, back.kind, back.digest) == (3, "rollback", first.digest)
    assert small.build().manifest == back
    assert small.diff(2, 3) == small.diff(1, 2).inverse()
    assert not small.diff(1, 3)
    (small.settings.project / "data/more.ttl").write_text("<http://x/b> <http://x/p> 2 .")
    small.build()
    assert [row["o"].value for row in small.select("SELECT ?o { ?s <http://x/p> ?o }")] == ["2"]
    again = small.rollback(2)
    assert again.digest == small.manifest(2).digest
    with pytest.raises(NotFoundError):
        small.rollback(99)


def test_the_digest_is_that_of_the_canonical_dataset(graph: ClusterGraph) -> None:
    """RDFC-1.0 and SHA-256 over what anybody can export."""
    import hashlib  # noqa: PLC0415  only here

    exported = b"".join(graph.export(rdf.N_QUADS))
    dataset = ox.Dataset(ox.parse(exported, ox.RdfFormat.N_QUADS))
    dataset.canonicalize(ox.CanonicalizationAlgorithm.RDFC_1_0)
    lines = sorted(f"{quad} .\n" for quad in dataset)
    assert hashlib.sha256("".join(lines).encode()).hexdigest() == graph.release().manifest.digest


def test_numbers_are_what_they_are_however_they_are_written(small: ClusterGraph) -> None:
    """The store writes 01 as 1: deltas, digests and later builds agree with what it holds."""
    (small.settings.project / "data/more.ttl").write_text("<http://x/f> <http://x/p> 01 , 1.50 .")
    small.build()
    assert small.build(force=True).manifest.added == 0
    outcome = done(update(small, "INSERT DATA { <http://x/a> <http://x/p> 007 , 2.50 , 1e3 }"))
    assert outcome.added == 3
    assert done(update(small, "INSERT DATA { <http://x/a> <http://x/p> 7 }")).added == 0
    same = (
        "DELETE DATA { <http://x/a> <http://x/p> 07 } ; INSERT DATA { <http://x/a> <http://x/p> 7 }"
    )
    assert done(update(small, same)).manifest.number == outcome.manifest.number
    swap = "DELETE { ?s <http://x/p> 7 } INSERT { ?s <http://x/p> 07 } WHERE { ?s <http://x/p> 7 }"
    assert done(update(small, swap)).manifest.number == outcome.manifest.number
    assert done(update(small, "DELETE DATA { <http://x/a> <http://x/p> 0007 }")).removed == 1
    assert small.build(force=True).manifest.added == 0
    assert len(small.select("SELECT ?o { <http://x/a> <http://x/p> ?o }")) == 2
    assert not [problem for _number, problems in small.verify() for problem in problems]


def test_numbers_that_end_in_a_full_byte(small: ClusterGraph) -> None:
    """Asked for 255, a scan of a disk store gives 256 too: nothing here may rely on it."""
    small.build()
    values = (254, 255, 256, 257, 511, 512, 65535, 65536)
    text = " . ".join(f"<http://x/a> <http://x/p> {n}" for n in values)
    done(update(small, f"INSERT DATA {{ {text} }}"))
    for number in (255, 511, 65535):
        rows = small.select(f"SELECT ?s ?p {{ ?s ?p {number} . ?s <http://x/p> {number} }}")
        assert len(rows) == 1
        subject = f"INSERT {{ ?s <http://x/q> {number} }} WHERE {{ ?s <http://x/p> {number} }}"
        done(update(small, subject))
        done(update(small, f"DELETE DATA {{ <http://x/a> <http://x/p> {number} }}"))
        rows = small.select("SELECT ?o { <http://x/a> <http://x/p> ?o }")
        found = {row["o"].value for row in rows}
        assert str(number) not in found
        assert str(number + 1) in found
    assert not [problem for _number, problems in small.verify() for problem in problems]
