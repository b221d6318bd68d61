"""What a write may see and touch: nothing that its author may not read, nothing half done."""

from __future__ import annotations

from pathlib import Path

import pyoxigraph as ox
import pytest

from clustergraph import scaffold, settings
from clustergraph.errors import (
    ClusterGraphError,
    ForbiddenError,
    NoSpaceError,
    PreconditionError,
    QueryError,
    UsageError,
)
from clustergraph.process import frames
from clustergraph.releases import Done, Pipeline, Write
from clustergraph.releases.candidate import FULL, PUBLIC
from clustergraph.service import ClusterGraph
from clustergraph.tokens import Grant
from clustergraph.writing import writer

ALL = Grant(("*",), sees_restricted=True)
BLIND = Grant(("*",))


@pytest.fixture
def graph(tmp_path: Path) -> ClusterGraph:
    """A project without data, with one restricted statement, and an empty graph."""
    scaffold.init(tmp_path / "plain", bare=True)
    made = ClusterGraph(
        settings.load(tmp_path / "plain", environment={}, default_graph="merge", blank_nodes="keep")
    )
    made.build()
    assert isinstance(one(made, "INSERT DATA { GRAPH r:g { :s :p :secret } }"), Done)
    assert isinstance(one(made, "CREATE GRAPH g:empty"), Done)
    return made


def head(graph: ClusterGraph) -> str:
    """Prefixes for updates."""
    base = graph.settings.base
    return f"PREFIX : <http://x/> PREFIX g: <{base}graph/> PREFIX r: <{base}graph/restricted/> "


def request(graph: ClusterGraph, text: str, grant: Grant = ALL, **fields: object) -> Write:
    """An update as it comes in."""
    payload = (head(graph) + text).encode()
    return Write(method="UPDATE", payload=payload, grant=grant, who="test", **fields)  # type: ignore[arg-type]  # fields of Write


def one(
    graph: ClusterGraph, text: str, grant: Grant = ALL, **fields: object
) -> Done | ClusterGraphError:
    """What one update comes to."""
    (outcome,) = graph.commit([request(graph, text, grant, **fields)])
    return outcome


def held(graph: ClusterGraph, folder: str = FULL) -> set[str]:
    """The statements about :s in named graphs, in the current release's store."""
    number = graph.archive.current_number()
    assert number is not None
    path = graph.archive.path(number) / folder
    store = ox.Store.read_only(str(path if path.exists() else path.parent / PUBLIC))
    found = store.quads_for_pattern(ox.NamedNode("http://x/s"), None, None, None)
    return {str(quad) for quad in found if isinstance(quad.graph_name, ox.NamedNode)}


@pytest.mark.parametrize("kind", ["COPY", "ADD", "MOVE"])
def test_what_is_not_seen_is_not_transferred(graph: ClusterGraph, kind: str) -> None:
    """A restricted graph is for a blind token as one that does not exist."""
    before = held(graph)
    refused = one(graph, f"{kind} r:g TO g:open", BLIND)
    absent = one(graph, f"{kind} r:none TO g:open", BLIND)
    assert isinstance(refused, QueryError)
    assert isinstance(absent, QueryError)
    assert refused.message == absent.message.replace("none", "g")
    assert isinstance(one(graph, f"{kind} SILENT r:g TO g:open", BLIND), Done)
    assert held(graph) == before
    assert isinstance(one(graph, f"{kind} r:g TO r:other"), Done)
    assert any("restricted/other" in each for each in held(graph))


@pytest.mark.parametrize(
    "text",
    [
        "INSERT DATA { :s :p %s }",
        "DELETE DATA { :s :p %s }",
        "DELETE WHERE { :s :p %s }",
        "DELETE DATA { GRAPH r:g { :s :p %s } }",
        "INSERT DATA { GRAPH r:g { :s :p %s } }",
        "INSERT { :t :p 1 } WHERE { :s :p %s }",
        "INSERT { :t :p 1 } WHERE { GRAPH ?g { :s :p %s } }",
        "CLEAR GRAPH r:g ; INSERT DATA { :t :q %s }",
        "DROP SILENT GRAPH r:g ; INSERT DATA { :t :q %s }",
    ],
)
def test_nobody_finds_out_by_trying(graph: ClusterGraph, text: str) -> None:
    """A blind write comes to the same whether a restricted graph states something or not."""
    outcomes = []
    for value in (":secret", ":wrong"):
        outcome = one(graph, text % value, BLIND)
        if isinstance(outcome, Done):
            outcomes.append((outcome.added, outcome.removed))
        else:
            outcomes.append((type(outcome).__name__, outcome.message))
        graph.rollback(3)
    assert outcomes[0] == outcomes[1]
    assert any(":secret" in each or "/secret" in each for each in held(graph))


def test_what_only_a_restricted_graph_says_can_be_said_openly(graph: ClusterGraph) -> None:
    """By who sees both: it is stated where everybody sees it."""
    assert isinstance(one(graph, "INSERT DATA { :s :p :secret }"), Done)
    assert any("secret" in each for each in held(graph, PUBLIC))


def test_a_scope_of_all_graphs_below(graph: ClusterGraph) -> None:
    """Covers restricted ones if they may be read, and then in full; else none of them."""
    below = (graph.settings.iri("graph/*"),)
    address = graph.settings.iri("graph/restricted/g")
    document = {"payload": b"<http://x/s> <http://x/p> 1 .", "media_type": "text/turtle"}
    for method in ("PUT", "POST", "DELETE"):
        (refused,) = graph.commit(
            [Write(method=method, graph=address, grant=Grant(below), **document)]  # type: ignore[arg-type]  # fields of Write
        )
        assert isinstance(refused, ForbiddenError)
        assert "read" in refused.message
    seeing = Grant(below, sees_restricted=True)
    (done,) = graph.commit([Write(method="PUT", graph=address, grant=seeing, **document)])  # type: ignore[arg-type]  # fields of Write
    assert isinstance(done, Done)
    assert (done.added, done.removed) == (1, 1)
    assert [each.rpartition("/p> ")[2][:2] for each in held(graph)] == ['"1']
    (done,) = graph.commit([Write(method="DELETE", graph=address, grant=seeing)])
    assert isinstance(done, Done)
    assert not held(graph)
    assert not [problem for _number, problems in graph.verify() for problem in problems]


def test_what_is_refused_leaves_empty_graphs_as_they_were(graph: ClusterGraph) -> None:
    """A graph that existed empty exists after it, one that did not does not."""
    before = graph.release().manifest.graphs
    for text in (
        "INSERT DATA { GRAPH g:empty { :a :b 1 } } ; DROP GRAPH g:none",
        "DROP GRAPH g:empty ; CREATE GRAPH g:empty ; DROP GRAPH g:none",
        "CREATE GRAPH g:new ; DROP GRAPH g:none",
        "COPY g:empty TO g:new ; DROP GRAPH g:none",
    ):
        outcomes = graph.commit([request(graph, text), request(graph, "INSERT DATA { :a :b :c }")])
        assert isinstance(outcomes[0], QueryError)
        assert isinstance(outcomes[1], Done)
        graphs = graph.release().manifest.graphs
        assert graphs == before | {graph.settings.iri(graph.settings.update_graph): 1}
        graph.rollback(3)


def test_a_new_graph_is_a_change_for_those_who_wait(graph: ClusterGraph) -> None:
    """If-Match does not fit after a write in the same batch that only made a graph."""
    etag = graph.release().manifest.etag
    first, second = graph.commit(
        [
            request(graph, "CREATE GRAPH g:new"),
            request(graph, "INSERT DATA { :a :b :c }", if_match=(etag,)),
        ]
    )
    assert isinstance(first, Done)
    assert isinstance(second, PreconditionError)


def test_a_patch_changes_its_graph_alone(graph: ClusterGraph) -> None:
    """It makes no other, and drops none."""
    address = graph.settings.iri("graph/mine")
    for text in (
        "CREATE GRAPH g:other",
        "DROP GRAPH g:empty",
        "INSERT DATA { GRAPH g:o { :a :b 1 } }",
    ):
        write = Write(
            method="PATCH", graph=address, payload=(head(graph) + text).encode(), grant=ALL
        )
        (refused,) = graph.commit([write])
        assert isinstance(refused, UsageError)
    (refused,) = graph.commit([Write(method="PATCH", graph=address, payload=b"\xff", grant=ALL)])
    assert isinstance(refused, UsageError)


@pytest.mark.parametrize(
    "text",
    [
        "INSERT DATA { :a :b <<( :s :p :o )>> }",
        "INSERT { :a :b <<( ?s :p :o )>> } WHERE { ?s ?p ?o }",
        "INSERT { :a :b ?t } WHERE { BIND(TRIPLE(:s, :p, :o) AS ?t) }",
        "INSERT DATA { << :s :p :o >> :b 1 }",
    ],
)
def test_triple_terms_are_refused(graph: ClusterGraph, text: str) -> None:
    """The checks of writes do not look into them."""
    outcome = one(graph, text)
    assert isinstance(outcome, UsageError)
    assert "Triple terms" in outcome.message


def test_a_dataset_is_named_once(graph: ClusterGraph) -> None:
    """By the request or by the update (protocol 2.2.3), and by absolute IRIs."""
    text = "INSERT { GRAPH g:x { ?s ?p ?o } } USING g:empty WHERE { ?s ?p ?o }"
    assert isinstance(one(graph, text, using=("http://x/g",)), QueryError)
    assert isinstance(one(graph, "INSERT DATA { :a :b 1 }", using=("no iri",)), UsageError)


def test_relative_iris_are_resolved_in_patterns_too(graph: ClusterGraph) -> None:
    """Against the request's base, and against that of the text."""
    base = "http://b/"
    assert isinstance(one(graph, "INSERT DATA { <a> :p <o> }", base=base), Done)
    for text in (
        "DELETE { <a> :p ?o } INSERT { <a> :q ?o } WHERE { <a> :p ?o }",
        "BASE <./> DELETE WHERE { <a> :q <o> }",
    ):
        outcome = one(graph, text, base=base)
        assert isinstance(outcome, Done)
        assert outcome.removed == 1


def test_predicates_without_a_namespace(graph: ClusterGraph) -> None:
    """Have no vocabulary to be described."""
    assert isinstance(one(graph, "INSERT DATA { :s <urn:b> 1 }"), Done)


def test_what_is_published_stays_acknowledged(
    graph: ClusterGraph, monkeypatch: pytest.MonkeyPatch
) -> None:
    """If writes are tried one by one, the failure of one hides no other; nor does thinning's."""
    together = Pipeline._together
    calls = []

    def failing(self: Pipeline, writes: list[Write]) -> list[Done | ClusterGraphError] | None:
        calls.append(len(writes))
        if len(calls) == 1:
            return None
        if len(calls) == 3:
            raise NoSpaceError("full")
        return together(self, writes)

    def thin(*_arguments: object) -> None:
        raise OSError

    monkeypatch.setattr(Pipeline, "_together", failing)
    monkeypatch.setattr(type(graph.archive), "thin", thin)
    outcomes = graph.commit([request(graph, f"INSERT DATA {{ :s :p {n} }}") for n in range(3)])
    assert [type(each) for each in outcomes] == [Done, NoSpaceError, Done]
    assert sum('"0"' in each or '"2"' in each for each in held(graph)) == 2


def test_an_error_that_nobody_foresaw_takes_no_other_write_with_it(
    graph: ClusterGraph, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """The writer lives on, and tells of that one write."""
    commit = Pipeline.commit

    def failing(self: Pipeline, writes: list[Write], *, wait: float) -> object:
        if any(b"broken" in each.payload for each in writes):
            raise IndexError("something")
        return commit(self, writes, wait=wait)

    monkeypatch.setattr(Pipeline, "commit", failing)
    texts = ["INSERT DATA { :s :p 1 }", "INSERT DATA { :s :p 'broken' }", "INSERT DATA { :s :p 2 }"]
    kind, answer = writer._published(graph.pipeline, [request(graph, each) for each in texts])
    assert kind == frames.END
    assert ["number" in each for each in answer] == [True, False, True]
    assert "IndexError" in capfd.readouterr().err


def test_no_release_of_another_base_comes_back(graph: ClusterGraph) -> None:
    """It would mix two bases in one graph."""
    other = ClusterGraph(
        settings.load(graph.settings.project, environment={}, base="http://other.example/")
    )
    other.build()
    with pytest.raises(UsageError, match="under the base"):
        other.rollback(1)
    assert other.release().manifest.base == "http://other.example/"
