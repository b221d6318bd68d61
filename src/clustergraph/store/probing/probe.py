"""The probes, one after the other, and what they found.

Without leave to write, only questions are asked, of whatever is there. With it, a few graphs are
made under names of the project's own, and dropped at the end.
"""

from __future__ import annotations

import contextlib
import secrets
import string
import time
import tomllib
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit, urlunsplit

import pyoxigraph as ox

from clustergraph import dialect, errors, rdf, sparql
from clustergraph.errors import ClusterGraphError, StoreError
from clustergraph.store.backend import STORED_DATASET, DatasetClause
from clustergraph.store.capabilities import Capabilities
from clustergraph.store.embedded import EmbeddedStore, as_stored
from clustergraph.store.remote import RemoteStore

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from clustergraph.rdf import Format
    from clustergraph.store.connection import Access
    from clustergraph.store.engine.names import Names

_FOLDER = Path(__file__).resolve().parent
_TRIED = 4.0  # seconds that an address may take which may be none
_SHORT = 20.0  # seconds that a probe may take
_ROWS = 50  # values, three times multiplied: rows of a long answer
_LENGTHS = (10_000, 100_000, 262_144)
_LINES = (100, 1000, 5000)
_HEAVY = 30  # values, five times multiplied
_SOON, _LATE = 1.0, 3.0
"""Seconds after which an engine is told to end a query, and after which we end it."""


@dataclass(frozen=True)
class Finding:
    """One line of what was found."""

    name: str
    """The table of ``capabilities.toml``."""
    fine: bool | None
    """None where it could not be tried."""
    message: str

    @property
    def title(self) -> str:
        """What it is about, for people."""
        return str(table()["checks"][self.name]["title"])

    @property
    def needed(self) -> str:
        """What cannot be done without it: "read", "write", or ""."""
        return str(table()["checks"][self.name]["needed"])

    @property
    def missing(self) -> str:
        """What it means that it is missing."""
        return str(table()["checks"][self.name]["missing"])


@dataclass(frozen=True)
class Probed:
    """What was found of an engine."""

    capabilities: Capabilities
    findings: tuple[Finding, ...]

    def lacking(self, *, write: bool) -> list[Finding]:
        """What is needed and not there."""
        wanted = {"read", "write"} if write else {"read"}
        return [each for each in self.findings if each.fine is False and each.needed in wanted]


def _quiet(_step: str) -> None:
    """Progress that nobody watches."""


@cache
def table() -> dict[str, Any]:
    """What is looked for, and what it means."""
    return tomllib.loads((_FOLDER / "capabilities.toml").read_text(encoding="utf-8"))


def told(name: str) -> str:
    """What it means that something is missing, for people."""
    return str(table()["checks"][name]["missing"])


def found(
    access: Access, names: Names, *, write: bool, step: Callable[[str], None] = _quiet
) -> Capabilities:
    """What an engine can do.

    Args:
        access: how it is reached.
        names: under which graphs of a moment may be made.
        write: whether they may.
        step: called before the engine is tried.

    Raises:
        StoreError: it does not answer, or lacks what is needed.
    """
    step("probe")
    done = probe(access, names, write=write)
    lacking = done.lacking(write=write)
    if lacking:
        told = " ".join(f"{each.title}: {each.message}. {each.missing}" for each in lacking)
        raise StoreError(
            f"{access.shown()} cannot be used. {told}",
            hint="All that was found: clustergraph doctor --write",
        )
    return done.capabilities


def probe(access: Access, names: Names, *, write: bool) -> Probed:
    """Try everything; see ``found``."""
    return _Probe(access, names, write=write).run()


class _Probe:
    """One run of all probes."""

    def __init__(self, access: Access, names: Names, *, write: bool) -> None:
        self._access = access
        self._write = write
        self._prefix = f"{names.reserved}probe/{secrets.token_hex(4)}/"
        self._nothing = names.nothing
        self._store = RemoteStore(access)
        self._can = Capabilities()
        self._findings: list[Finding] = []
        self._used: set[str] = set()

    def run(self) -> Probed:
        """Find out everything."""
        try:
            self._answers()
            if self._findings[0].fine:
                self._formats()
                self._use(self._access)
                if self._write:
                    self._writing()
                self._datasets()
                self._lengths()
                self._row_limit()
                self._timeouts()
                self._can = replace(self._can, was_written=self._write)
        finally:
            self._clean()
            self._store.close()
        order = list(table()["checks"])
        ordered = sorted(self._findings, key=lambda each: order.index(each.name))
        return Probed(self._can, tuple(ordered))

    def _tell(self, name: str, fine: bool | None, message: str) -> None:
        self._findings.append(Finding(name, fine, message))

    def _graph(self, name: str) -> str:
        self._used.add(self._prefix + name)
        return self._prefix + name

    def _text(self, name: str, **values: str) -> str:
        terms = {"s": f"{self._prefix}s", "p": f"{self._prefix}p", "d": f"{self._prefix}d"}
        return _template(name).safe_substitute(terms | values)

    def _triple(self, word: str) -> str:
        return f'<{self._prefix}s> <{self._prefix}p> "{word}" .'

    def _ask(self, text: str, dataset: DatasetClause = STORED_DATASET) -> list[dict[str, Any]]:
        chunks = self._store.answer(sparql.parse(text), rdf.JSON, dataset, seconds=_SHORT)
        solutions = ox.parse_query_results(b"".join(chunks), rdf.JSON.engine)
        if isinstance(solutions, ox.QueryBoolean):
            return [{}] if solutions else []
        names = [each.value for each in solutions.variables]
        return [{name: row[name] for name in names} for row in solutions]

    # -- reading -------------------------------------------------------------------------------

    def _answers(self) -> None:
        try:
            query = sparql.parse(_template("answers.rq").template)
            content = b"".join(self._store.answer(query, rdf.JSON, seconds=_SHORT))
        except ClusterGraphError as error:
            self._tell("answers", False, error.message)
            return
        try:
            results = ox.parse_query_results(content, rdf.JSON.engine)
        except (SyntaxError, ValueError):
            self._tell("answers", False, "its answer cannot be read")
            return
        self._tell("answers", True, self._access.shown())
        plain = isinstance(results, ox.QueryBoolean)
        self._tell("ask", plain, "boolean" if plain else "a table")

    def _formats(self) -> None:
        """Which formats are written, and which as we write them."""
        exact: list[str] = []
        for name, text, formats, key, order in (
            ("results", "shape.rq", rdf.RESULTS_FORMATS, "results", (rdf.XML, rdf.JSON)),
            ("graph-formats", "triples.rq", rdf.RDF_FORMATS, "triples",
             (rdf.N_TRIPLES, rdf.TURTLE, rdf.RDF_XML)),
        ):  # fmt: skip
            query = sparql.parse(_template(text).template)
            ours = EmbeddedStore(ox.Store())
            readable, same = [], []
            for fmt in formats:
                expected = b"".join(ours.answer(query, fmt))
                content = self._content(query, fmt)
                if content is None:
                    continue
                meaning = _meaning(content, fmt)
                if meaning is not None and meaning == _meaning(expected, fmt):
                    readable.append(fmt)
                    if _is_exact(content, expected, fmt):
                        same.append(fmt)
            exact += [each.media_type for each in same]
            best = next((each for each in order if each in same and key != "results"), None)
            best = best or next((each for each in (rdf.JSON, rdf.XML) if each in same), None)
            best = best or next((each for each in order if each in readable), None)
            if best is not None:
                changed: dict[str, Any] = {key: best.media_type}
                self._can = replace(self._can, **changed)
            others = [each.name for each in readable if each not in same]
            told = ", ".join(each.name for each in same) or "none as we do"
            told += f"; made from {best.name if best else 'nothing'}: {', '.join(others)}" * bool(
                others
            )
            self._tell(name, best is not None, told)
        self._can = replace(self._can, exact=tuple(exact))

    def _content(self, query: sparql.Query, fmt: Format) -> bytes | None:
        try:
            return b"".join(self._store.answer(query, fmt, seconds=_SHORT))
        except ClusterGraphError:
            return None

    def _datasets(self) -> None:
        """How a query is told which graphs it sees, and what it sees else."""
        if self._write and self._can.update:
            one, two = self._graph("one"), self._graph("two")
            rows: dict[str, int] = {one: 2, two: 1}
        else:
            try:
                found = self._ask(_template("some.rq").template)
            except ClusterGraphError:
                found = []
            if not found:
                self._tell("dataset", None, "there is no graph to try it with")
                return
            one, two = found[0]["g"].value, ""
            rows = {}
        for way in ("parameters", "from"):
            if self._chooses(way, one, rows.get(one)):
                self._can = replace(self._can, dataset=way)
                told = "by the protocol's parameters" if way == "parameters" else "by FROM alone"
                self._tell("dataset", True, told)
                break
        else:
            self._tell("dataset", False, "its graphs cannot be chosen")
            return
        if two:
            counted = self._count(self._can.dataset, DatasetClause((one, two)))
            self._can = replace(self._can, distinct=counted == 2)
            self._tell("distinct", counted == 2, "once" if counted == 2 else "twice")
            self._default_graph()

    def _default_graph(self) -> None:
        try:
            union = bool(self._ask(self._text("anything.rq")))
        except ClusterGraphError:
            self._tell("default", None, "not known")
            return
        known = "separate"
        if union:
            known = "union" if self._can.distinct else "union with duplicates"
        opened = False
        with contextlib.suppress(ClusterGraphError):
            dataset = DatasetClause((self._prefix + "one",))
            opened = self._can.dataset == "parameters" and bool(
                self._ask(self._text("open.rq"), dataset)
            )
        self._can = replace(self._can, default=known, open_graphs=opened)
        self._tell("default", True, known)

    def _chooses(self, way: str, graph: str, count: int | None) -> bool:
        """Whether a dataset is honoured that is given in some way."""
        with contextlib.suppress(ClusterGraphError, KeyError):
            hidden = self._asked(way, self._text("count.rq"), (self._nothing,), (graph,))
            shown = self._asked(way, self._text("count.rq"), (graph,), (self._nothing,))
            unseen = self._asked(way, self._text("seen.rq"), (graph,), (self._nothing,))
            seen = self._asked(way, self._text("seen.rq"), (self._nothing,), (graph,))
            number = int(shown[0]["n"].value)
            return (
                int(hidden[0]["n"].value) == 0
                and (number == count if count is not None else number > 0)
                and not unseen
                and [each["g"].value for each in seen] == [graph]
            )
        return False

    def _asked(
        self, way: str, text: str, default: tuple[str, ...], named: tuple[str, ...]
    ) -> list[dict[str, Any]]:
        if way == "from":
            return self._ask(dialect.with_dataset(sparql.parse(text), default, named).text)
        return self._ask(text, DatasetClause(default, named))

    def _count(self, way: str, dataset: DatasetClause) -> int:
        try:
            rows = self._asked(
                way, self._text("count.rq"), dataset.default_graphs, (self._nothing,)
            )
            return int(rows[0]["n"].value)
        except (ClusterGraphError, IndexError, KeyError):
            return -1

    def _lengths(self) -> None:
        longest = 0
        for length in _LENGTHS:
            text = _template("answers.rq").template
            text += f"# {'x' * (length - len(text) - 2)}"
            try:
                self._ask(text)
            except ClusterGraphError:
                break
            longest = length
        self._can = replace(self._can, query_length=longest)
        fine = longest == _LENGTHS[-1]
        self._tell("query-length", fine, f"{longest} characters{' or more' * fine}")

    def _row_limit(self) -> None:
        values = " ".join(map(str, range(_ROWS)))
        text = _template("rows.rq").substitute(values=values)
        try:
            count = len(self._ask(text))
        except ClusterGraphError as error:
            self._tell("rows", None, error.message)
            return
        if count == _ROWS**3:
            self._tell("rows", True, f"{count} rows or more")
            return
        self._can = replace(self._can, rows=count)
        self._tell("rows", False, f"{count} rows of {_ROWS**3}")

    def _timeouts(self) -> None:
        """By which parameter the engine ends a query itself."""
        values = " ".join(map(str, range(_HEAVY)))
        lists = " ".join(f"VALUES ?a{index} {{ {values} }}" for index in range(5))
        query = sparql.parse(_template("heavy.rq").substitute(lists=lists))
        plain = self._lasts(query, {})
        if plain < _LATE:
            self._tell("timeout", None, "no query took long enough to try it")
            return
        for name, units in table()["timeouts"].items():
            for unit in units:
                if self._lasts(query, {name: str(round(_SOON * unit))}) < _LATE - _SOON / 2:
                    self._can = replace(self._can, timeout=(name, unit))
                    self._tell("timeout", True, f"{name} in 1/{unit} seconds")
                    return
        self._tell("timeout", False, "not by any parameter that we know")

    def _lasts(self, query: sparql.Query, parameters: dict[str, str]) -> float:
        began = time.monotonic()
        with contextlib.suppress(ClusterGraphError):
            chunks = self._store.answer(query, rdf.JSON, seconds=_LATE, parameters=parameters)
            for _ in chunks:
                pass
        return time.monotonic() - began

    # -- writing -------------------------------------------------------------------------------

    def _writing(self) -> None:
        self._find_update()
        if not self._can.update:
            return
        self._find_graph_store()
        for name, words in (("one", ("both", "alone")), ("two", ("both",))):
            data = " ".join(map(self._triple, words))
            self._insert(self._graph(name), data)
        other = f"<{self._prefix}other> <{self._prefix}p> <{self._prefix}s> . {self._triple('it')}"
        self._insert(self._graph("described"), other)
        self._moves()
        self._halves()
        self._update_length()
        self._literals()
        self._describes()

    def _insert(self, graph: str, data: str) -> None:
        self._store.update(self._text("insert.ru", graph=graph, data=data), seconds=_SHORT)

    def _stands(self, graph: str) -> bool:
        return bool(self._ask(self._text("stands.rq", graph=graph)))

    def _use(self, access: Access) -> None:
        """Go on with other addresses, and with what is known of formats."""
        self._store.close()
        self._access = access
        self._store = RemoteStore(access, wire=self._can.wire())

    def _find_update(self) -> None:
        given = self._access.update
        candidates = [given] if given else list(_addresses(self._access.query, "update"))
        first: ClusterGraphError | None = None
        given_access = self._access
        for number, address in enumerate(candidates):
            graph = self._graph(f"update/{number}")
            self._use(replace(given_access, update=address))
            try:
                self._insert(graph, self._triple("x"))
                if self._stands(graph):
                    self._can = replace(self._can, update=address)
                    self._tell("update", True, self._access.shown(address))
                    return
            except ClusterGraphError as error:
                first = first or error
        self._tell("update", False, first.message if first else "what was written is not there")

    def _find_graph_store(self) -> None:
        given = self._access.graphs
        candidates = [given] if given else list(_addresses(self._access.query, "graphs"))
        given_access = self._access
        for number, address in enumerate(candidates):
            graph = self._graph(f"graphs/{number}")
            self._use(replace(given_access, graphs=address))
            with contextlib.suppress(ClusterGraphError):
                self._store.put(graph, f"{self._triple('x')}\n".encode(), seconds=_TRIED)
                if self._stands(graph):
                    self._can = replace(self._can, graphs=address, load="graph")
                    self._quads()
                    how = " (quads at once)" if self._can.load == "quads" else ""
                    self._tell("graphs", True, f"{self._access.shown(address)}{how}")
                    return
        self._use(given_access)
        self._tell("graphs", False, "none was found")

    def _quads(self) -> None:
        """Whether several graphs can be loaded at once."""
        graphs = self._graph("quads/1"), self._graph("quads/2")
        line = self._triple("x").removesuffix(".")
        with contextlib.suppress(ClusterGraphError):
            data = "".join(f"{line}<{graph}> .\n" for graph in graphs)
            self._store.put("", data.encode(), rdf.N_QUADS, replace=False)
            if all(map(self._stands, graphs)):
                self._can = replace(self._can, load="quads")

    def _moves(self) -> None:
        """Whether what stands in one graph is added to and removed from another."""
        graph = self._graph("moved")
        try:
            self._store.update(
                self._text(
                    "moved.ru", graph=graph, stage=self._graph("one"), other=self._graph("two")
                ),
                seconds=_SHORT,
            )
            left = self._objects(graph)
        except ClusterGraphError as error:
            self._tell("switch", False, error.message)
            return
        self._tell("switch", left == {"alone"}, "as it should" if left == {"alone"} else "wrongly")

    def _objects(self, graph: str) -> set[str]:
        rows = self._ask(self._text("read.rq"), DatasetClause((graph,), (self._nothing,)))
        if self._can.dataset == "from" or not rows:
            query = dialect.with_dataset(sparql.parse(self._text("read.rq")), (graph,), ())
            rows = self._ask(query.text)
        return {row["o"].value for row in rows}

    def _halves(self) -> None:
        """Whether an update of which a part fails is not done at all."""
        graph = self._graph("halves")
        text = self._text("halves.ru", graph=graph)
        failed = False
        try:
            self._store.update(text, seconds=_SHORT)
        except ClusterGraphError:
            failed = True
        there = self._stands(graph)
        self._can = replace(self._can, atomic=failed and not there)
        told = "yes" if not there else "no: what comes before a mistake stays"
        self._tell("atomic", failed and not there, told)

    def _update_length(self) -> None:
        taken = length = 0
        for lines in _LINES:
            graph = self._graph(f"lines/{lines}")
            data = "\n".join(
                f'<{self._prefix}{each}> <{self._prefix}p> "{"x" * 60}" .' for each in range(lines)
            )
            try:
                self._insert(graph, data)
            except ClusterGraphError:
                break
            if self._count("from", DatasetClause((graph,))) not in {lines, -1}:
                break
            taken, length = lines, len(data)
        if taken:
            self._can = replace(self._can, update_lines=taken, update_length=length)
        told = f"{taken} statements{' or more' * (taken == _LINES[-1])} in {length} characters"
        self._tell("update-length", bool(taken), told)

    def _literals(self) -> None:
        """What becomes of literals, loaded as releases are."""
        graph = self._graph("literals")
        lines = self._text("literals.nt").splitlines()
        written = {_object(line) for line in lines}
        try:
            self._load(graph, lines)
            read = {row["o"] for row in self._ask_in(graph, "read.rq") if row["o"] is not None}
        except ClusterGraphError as error:
            self._tell("literals", False, error.message)
            return
        missing, more = written - read, read - written
        renamed: dict[str, str] = {}
        for term in more:
            for each in missing:
                if each.value == term.value and each.datatype != term.datatype:
                    renamed[term.datatype.value] = each.datatype.value
        kept = {each.datatype.value for each in written}
        renamed = {new: old for new, old in renamed.items() if new not in kept}
        self._can = replace(self._can, datatypes=renamed)
        again = {
            ox.Literal(term.value, datatype=ox.NamedNode(renamed[term.datatype.value]))
            if term.datatype.value in renamed
            else term
            for term in read
        }
        lost = sorted(map(str, written - again))
        told = f"{len(lines) - len(lost)} of {len(lines)} kinds"
        self._tell("literals", not lost, told if not lost else f"{told}; not {', '.join(lost)}")
        self._deletes(graph, lines)

    def _ask_in(self, graph: str, name: str) -> list[dict[str, Any]]:
        for way in ("parameters", "from"):
            rows = self._asked(way, self._text(name), (graph,), (self._nothing,))
            if rows:
                return rows
        return []

    def _load(self, graph: str, lines: list[str]) -> None:
        content = "\n".join([*lines, ""])
        if self._can.load == "graph":
            self._store.put(graph, content.encode(), replace=False)
        elif self._can.load == "quads":
            quads = "".join(f"{line.removesuffix('.')}<{graph}> .\n" for line in lines)
            self._store.put("", quads.encode(), rdf.N_QUADS, replace=False)
        else:
            self._insert(graph, content)

    def _deletes(self, graph: str, lines: list[str]) -> None:
        """Whether what was loaded can be deleted by naming it."""
        refused = []
        try:
            for line in lines:
                with contextlib.suppress(errors.QueryError):
                    text = self._text("delete.ru", graph=graph, data=line)
                    self._store.update(text, seconds=_SHORT)
            refused = [str(row["o"]) for row in self._ask_in(graph, "read.rq")]
        except ClusterGraphError as error:
            self._tell("delete", False, error.message)
            return
        told = f"{len(lines) - len(refused)} of {len(lines)} kinds"
        told += f"; not {', '.join(refused)}" if refused else ""
        self._tell("delete", not refused, told)

    def _describes(self) -> None:
        try:
            query = sparql.parse(self._text("describe.rq"))
            dataset = DatasetClause((self._graph("described"),), (self._nothing,))
            content = b"".join(self._store.answer(query, rdf.N_TRIPLES, dataset, seconds=_SHORT))
            objects = {
                quad.subject.value
                if quad.subject.value != f"{self._prefix}s"
                else getattr(quad.object, "value", "")
                for quad in ox.parse(content, rdf.N_TRIPLES.engine)
            }
        except (ClusterGraphError, SyntaxError):
            objects = set()
        fine = objects == {"it"}
        self._can = replace(self._can, describe=fine)
        self._tell("describe", fine, "yes" if fine else "no")

    def _clean(self) -> None:
        """Drop the graphs of a moment."""
        if not self._can.update:
            return
        for graph in sorted(self._used):
            with contextlib.suppress(ClusterGraphError):
                self._store.update(self._text("drop.ru", graph=graph), seconds=_SHORT)


def _addresses(address: str, kind: str) -> Iterator[str]:
    """Addresses that an engine may have beside the one for queries."""
    parts = urlsplit(address)
    path = parts.path.rstrip("/")
    for pattern in table()["addresses"][kind]:
        if pattern.startswith("../"):
            changed = path.rpartition("/")[0] + pattern[2:]
        else:
            changed = path + pattern if pattern else parts.path
        yield urlunsplit((parts.scheme, parts.netloc, changed, parts.query, ""))


def _meaning(content: bytes, fmt: Format) -> object:
    """What an answer says, term by term; None if it cannot be read."""
    try:
        if isinstance(fmt, rdf.RdfFormat):
            return as_stored(ox.parse(content, fmt.engine))
        if fmt in {rdf.CSV, rdf.TSV}:
            return sorted(content.replace(b"\r", b"").splitlines())
        if isinstance(fmt, rdf.ResultsFormat):
            solutions = ox.parse_query_results(content, fmt.engine)
            if isinstance(solutions, ox.QueryBoolean):
                return bool(solutions)
            names = [each.value for each in solutions.variables]
            return sorted(str([(name, str(row[name])) for name in names]) for row in solutions)
    except (SyntaxError, ValueError):
        return None
    return None


def _is_exact(content: bytes, expected: bytes, fmt: Format) -> bool:
    """Whether every client reads an answer as it reads ours."""
    return fmt != rdf.JSON or (b'"typed-literal"' in content) == (b'"typed-literal"' in expected)


def _object(line: str) -> Any:
    quad = next(iter(ox.parse(line, ox.RdfFormat.N_TRIPLES)))
    return next(iter(as_stored([ox.Quad(quad.subject, quad.predicate, quad.object)]))).object


@cache
def _template(name: str) -> string.Template:
    return string.Template((_FOLDER / name).read_text(encoding="utf-8"))
