"""SPARQL Update: what is refused, and that every operation changes what the specification says."""

from __future__ import annotations

import random

import pyoxigraph as ox
import pytest

from clustergraph import update
from clustergraph.errors import QueryError, QueryRefusedError
from clustergraph.store import changes

PROLOGUE = "PREFIX : <http://x/>\n"


def run(
    store: ox.Store, text: str, dataset: changes.Dataset | None = None, **options: tuple[str, ...]
) -> None:
    """Do an update to a store, by patches."""
    for operation in update.parse(text).operations:
        effect = changes.evaluate(operation, store, dataset or changes.Dataset(), **options)
        assert not effect.patch.added & effect.patch.removed
        for quad in effect.patch.removed:
            assert quad in store
            store.remove(quad)
        for quad in effect.patch.added:
            assert quad not in store
            store.add(quad)
        for graph in effect.created:
            store.add_graph(graph)
        for graph in effect.dropped:
            store.remove_graph(graph)


def content(store: ox.Store) -> set[str]:
    """The quads in short: ``s p o`` or ``s p o g``, names alone."""
    return {
        " ".join(
            str(getattr(term, "value", "")).removeprefix("http://x/")
            for term in quad
            if not isinstance(term, ox.DefaultGraph)
        )
        for quad in store
    }


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("LOAD <http://x/>", "LOAD"),
        ("load silent <http://x/> ; LOAD <http://x/>", "LOAD"),
        (r"LO\u0041D <http://x/>", "LOAD"),
        ("INSERT DATA { :a :b :c } ;LOAD<http://x/>", "LOAD"),
        ("PREFIX load: <http://x/> CLEAR GRAPH load:x", "LOAD"),
        ("INSERT { ?s ?p ?o } WHERE { SERVICE <http://x/> { ?s ?p ?o } }", "SERVICE"),
        ("DELETE WHERE { SERVICE SILENT ?x { ?s ?p ?o } }", "SERVICE"),
        (r"INSERT {} WHERE { S\u0045RVICE <http://x/> { ?s ?p ?o } }", "SERVICE"),
    ],
)
def test_nothing_reaches_out(text: str, message: str) -> None:
    """Not even in another spelling."""
    with pytest.raises(QueryRefusedError, match=message):
        update.parse(PROLOGUE + text)


@pytest.mark.parametrize(
    "text",
    [
        "INSERT DATA { :a :b }",
        "INSERT DATA { ?a :b :c }",
        "DELETE DATA { _:a :b :c }",
        "SELECT * { ?s ?p ?o }",
        "INSERT DATA { :a :b :c } DELETE DATA { :a :b :c }",
        "INSERT { ?s ?p ?o } WHERE { ?s ?p ",
        "CLEARALL",
        "INSERT DATA { none:a :b :c }",
        "{" * 3000,
        "INSERT DATA { :a :b 'open }",
    ],
)
def test_what_is_no_update_is_told(text: str) -> None:
    """With a message, and no crash."""
    with pytest.raises(QueryError):
        update.parse(PROLOGUE + text)


def test_a_syntax_error_names_its_place() -> None:
    """Line and column."""
    with pytest.raises(QueryError, match="line 2, column"):
        update.parse(PROLOGUE + "INSERT DATA { :a :b }")


def test_load_silent_fails_in_silence() -> None:
    """As section 3.1.4 has it; what stands beside it is done."""
    store = ox.Store()
    run(
        store,
        PROLOGUE + "LOAD SILENT <http://x/d> ; INSERT DATA { :a :b :c } ;"
        "LOAD SILENT <http://x/e> INTO GRAPH <http://x/g>",
    )
    assert content(store) == {"a b c"}


CASES = [
    ("INSERT DATA { :a :p 1 . GRAPH :g { :a :p 2 . :b :p 3 } :c :p 4 }",
     {"a p 1", "a p 2 g", "b p 3 g", "c p 4"}),
    ("DELETE DATA { GRAPH :g1 { :s :p :o } }", {"s p o", "s p o2 g2"}),
    ("DELETE WHERE { ?s ?p ?o }", {"s p o g1", "s p o2 g2"}),
    ("DELETE WHERE { GRAPH ?g { ?s ?p ?o } }", {"s p o"}),
    ("WITH :g1 DELETE { ?s ?p ?o } INSERT { ?o ?p ?s } WHERE { ?s ?p ?o }",
     {"s p o", "o p s g1", "s p o2 g2"}),
    ("INSERT { GRAPH :n { ?s ?p ?o } } USING :g1 USING :g2 WHERE { ?s ?p ?o }",
     {"s p o", "s p o g1", "s p o2 g2", "s p o n", "s p o2 n"}),
    ("INSERT { GRAPH ?g { :x :q ?o } } WHERE { GRAPH ?g { ?s ?p ?o } }",
     {"s p o", "s p o g1", "s p o2 g2", "x q o g1", "x q o2 g2"}),
    ("INSERT { ?o :p 'no subject' ; :q ?unbound } WHERE { ?s ?p 'x' }",
     {"s p o", "s p o g1", "s p o2 g2"}),
    ("DROP DEFAULT", {"s p o g1", "s p o2 g2"}),
    ("CLEAR NAMED", {"s p o"}),
    ("DROP ALL", set()),
    ("COPY :g1 TO :g2", {"s p o", "s p o g1", "s p o g2"}),
    ("MOVE GRAPH :g1 TO DEFAULT", {"s p o", "s p o2 g2"}),
    ("ADD DEFAULT TO :g2", {"s p o", "s p o g1", "s p o2 g2", "s p o g2"}),
    ("COPY SILENT :none TO :g2", {"s p o", "s p o g1", "s p o2 g2"}),
    ("DELETE { ?s ?p ?o } INSERT { ?s ?p ?o } WHERE { ?s ?p ?o }",
     {"s p o", "s p o g1", "s p o2 g2"}),
    ("BASE <http://x/> INSERT DATA { <r> <p> <t> , ( 1 ) , [ :q 2 ] }", None),
]  # fmt: skip


@pytest.mark.parametrize(("text", "expected"), CASES)
def test_operations(text: str, expected: set[str] | None) -> None:
    """After the examples of the specification; the engine's own update is asked too."""
    ours, engine = ox.Store(), ox.Store()
    if not text.startswith("INSERT DATA"):
        for store in (ours, engine):
            store.update(
                PROLOGUE + "INSERT DATA { :s :p :o GRAPH :g1 { :s :p :o } GRAPH :g2 { :s :p :o2 } }"
            )
    run(ours, PROLOGUE + text)
    engine.update(PROLOGUE + text)
    if expected is not None:
        assert content(ours) == expected
    if "SILENT :none" not in text:  # the engine empties the target first; we pass it over
        assert len(ours) == len(engine)


def test_a_prologue_may_stand_behind_a_semicolon() -> None:
    """Grammar rule 29; and an error behind it still names its place."""
    store = ox.Store()
    head = "PREFIX a: <http://x/> INSERT DATA { a:r a:p a:t } ;\n"
    run(store, head + "PREFIX z: <http://x/z/> BASE <http://x/> INSERT DATA { z:a a:p <t> } ;")
    assert content(store) == {"r p t", "z/a p t"}
    with pytest.raises(QueryError, match="line 2, column 4"):
        update.parse(head + "PREFIX z: <http://x/z/> INSERT DATA { z:a z:p }")


def test_graphs_that_are_not_there_are_told() -> None:
    """Unless the operation is SILENT."""
    store = ox.Store()
    run(store, PROLOGUE + "CREATE GRAPH :g ; CREATE SILENT GRAPH :g ; DROP SILENT GRAPH :n")
    for text in ("CREATE GRAPH :g", "DROP GRAPH :n", "CLEAR GRAPH :n", "COPY :n TO :g"):
        with pytest.raises(QueryError, match="graph"):
            run(store, PROLOGUE + text)


def test_the_protocols_datasets() -> None:
    """using-graph-uri and using-named-graph-uri (section 2.2.3 of the protocol)."""
    store = ox.Store()
    store.update(PROLOGUE + "INSERT DATA { :s :p :o GRAPH :g1 { :s :p 1 } GRAPH :g2 { :s :p 2 } }")
    text = PROLOGUE + "INSERT { :r :default ?o } WHERE { :s :p ?o }"
    run(store, text, using=("http://x/g1",))
    text = PROLOGUE + "INSERT { :r :named ?o } WHERE { GRAPH ?g { :s :p ?o } }"
    run(store, text, using_named=("http://x/g2",))
    assert {each for each in content(store) if each.startswith("r")} == {
        "r default 1", "r named 2",
    }  # fmt: skip


class _Random:
    """Random updates over few names, so that they meet."""

    TERMS = (
        "<http://x/a>", "<http://x/b>", "<http://x/c>", "1", '"x"@en', '"1"^^<http://x/t>',
        "'a # b'",
    )  # fmt: skip
    GRAPHS = ("<http://x/g1>", "<http://x/g2>", "<http://x/g3>")

    def __init__(self, seed: int) -> None:
        self.pick = random.Random(seed)  # noqa: S311  no secret

    def triple(self, *, variables: bool) -> str:
        more = ("?x", "?y") if variables else ()
        subject = self.pick.choice([*self.TERMS[:3], *more])
        predicate = self.pick.choice(["<http://x/p>", "<http://x/q>", *(["?p"] * variables)])
        return f"{subject} {predicate} {self.pick.choice([*self.TERMS, *more])}"

    def quads(self, *, variables: bool = False) -> str:
        parts = []
        for _ in range(self.pick.randint(1, 3)):
            graph = self.pick.choice([None, *self.GRAPHS, *(["?g"] * variables)])
            triple = self.triple(variables=variables)
            parts.append(f"{triple} ." if graph is None else f"GRAPH {graph} {{ {triple} }}")
        return " ".join(parts)

    def operation(self) -> str:
        kind = self.pick.randint(0, 7)
        if kind <= 1:
            return f"INSERT DATA {{ {self.quads()} }}"
        if kind == 2:
            return f"DELETE DATA {{ {self.quads()} }}"
        if kind == 3:
            return f"DELETE WHERE {{ {self.quads(variables=True)} }}"
        if kind == 7:
            graph = self.pick.choice(self.GRAPHS)
            target = self.pick.choice(["DEFAULT", "NAMED", "ALL", f"GRAPH {graph}"])
            return self.pick.choice(["CLEAR SILENT ", "DROP SILENT "]) + target
        head = self.pick.choice(["", f"WITH {self.pick.choice(self.GRAPHS)} "])
        using = self.pick.choice(
            ["", "", " USING <http://x/g1>", " USING NAMED <http://x/g2>",
             " USING <http://x/g1> USING <http://x/g3>"]
        )  # fmt: skip
        delete = f"DELETE {{ {self.quads(variables=True)} }} " if self.pick.random() < 0.6 else ""
        insert = f"INSERT {{ {self.quads(variables=True)} }} "
        where = f"WHERE {{ {self.quads(variables=True)} }}"
        return (
            head
            + delete
            + (insert if not delete or self.pick.random() < 0.6 else "")
            + (f"{using} {where}")
        )

    def update(self) -> str:
        return " ; ".join(self.operation() for _ in range(self.pick.randint(1, 4)))


@pytest.mark.parametrize("seed", range(6))
def test_random_updates_do_what_the_engine_does(seed: int) -> None:
    """Its own update is the oracle, where the default graph is a graph of its own."""
    source = _Random(seed)
    for _ in range(200):
        ours, engine = ox.Store(), ox.Store()
        start = "INSERT DATA { " + " ".join(source.quads() for _ in range(4)) + " }"
        text = source.update()
        for store in (ours, engine):
            store.update(start)
        engine.update(text)
        run(ours, text)
        assert set(ours) == set(engine), (start, text)


@pytest.mark.parametrize("seed", range(6))
def test_the_merge_is_never_written_itself(seed: int) -> None:
    """In a merged dataset every change is one of named graphs, and shows in the default graph."""
    source = _Random(100 + seed)
    home = ox.NamedNode("http://x/home")
    dataset = changes.Dataset(merged=True, home=home)
    for _ in range(100):
        store = ox.Store()
        named: set[ox.Quad] = set()
        for text in (f"INSERT DATA {{ {source.quads()} }}", source.update(), source.update()):
            for operation in update.parse(text).operations:
                patch = changes.evaluate(operation, store, dataset).patch
                assert not patch.graphs() & {""}
                named = patch.applied(named)
                store = ox.Store()
                store.extend(named)
                store.extend(ox.Quad(q.subject, q.predicate, q.object) for q in named)
                if isinstance(operation, update.Data):
                    for quad in operation.quads:
                        bare = ox.Quad(quad.subject, quad.predicate, quad.object)
                        if isinstance(quad.graph_name, ox.DefaultGraph):
                            assert (bare in store) is operation.insert


@pytest.mark.parametrize(
    "text", ["LOAD SILENT 5", "LOAD SILENT ?x", "LOAD SILENT <x> INTO GRAPH 5", "LOAD SILENT"]
)
def test_a_silent_load_still_has_to_be_one(text: str) -> None:
    """What is no LOAD by the grammar is refused, silent or not."""
    with pytest.raises(QueryError):
        update.parse(text)


def test_data_may_hold_many_signs_and_graphs() -> None:
    """Neither negative numbers nor graphs one after the other are a chain."""
    numbers = " ".join(f"(-{each} +{each}) ," for each in range(3000))
    found = update.parse(f"INSERT DATA {{ <x:s> <x:p> {numbers} () }}", max_length=1 << 20)
    assert found.operations
    graphs = " ".join(f"GRAPH <x:g{each}> {{ <x:s> <x:p> {each} }}" for each in range(5000))
    assert update.parse(f"INSERT DATA {{ {graphs} }}", max_length=1 << 20).operations
    many = " ; ".join(["DELETE { ?s ?p 1 } WHERE { ?s ?p 1 FILTER(?p != <x:a>) }"] * 5000)
    assert len(update.parse(many, max_length=1 << 20).operations) == 5000


def test_a_long_prologue_before_many_operations_is_refused() -> None:
    """It would be read for each of them."""
    prologue = " ".join(f"PREFIX p{each}: <http://x/{'y' * 900}/{each}>" for each in range(900))
    many = " ; ".join(["INSERT DATA { <x:s> <x:p> 1 }"] * 200)
    with pytest.raises(QueryError, match="prologue"):
        update.parse(f"{prologue} {many}", max_length=1 << 22)
    with pytest.raises(QueryError, match="prologue"):
        update.parse(f"PREFIX p: <http://x/{'y' * 5000}> INSERT DATA {{ p:s p:p 1 }}")
