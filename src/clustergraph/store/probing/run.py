"""One run of probes: how the engine is asked, under which names graphs of a moment are made."""

from __future__ import annotations

import contextlib
import secrets
import string
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyoxigraph as ox

from clustergraph import dialect, rdf, sparql
from clustergraph.errors import ClusterGraphError
from clustergraph.store.backend import STORED_DATASET, DatasetClause
from clustergraph.store.capabilities import Capabilities
from clustergraph.store.probing.findings import Finding
from clustergraph.store.remote import RemoteStore

if TYPE_CHECKING:
    from clustergraph.store.connection import Access
    from clustergraph.store.engine.names import Names

SHORT = 20.0
"""Seconds that a probe may take."""


class Run:
    """What is known so far, and how more is asked."""

    def __init__(self, access: Access, names: Names) -> None:
        self.access = access
        self.prefix = f"{names.reserved}probe/{secrets.token_hex(4)}/"
        self.nothing = names.nothing
        self.store = RemoteStore(access)
        self.can = Capabilities()
        self.findings: list[Finding] = []
        self._used: set[str] = set()

    def tell(self, name: str, fine: bool | None, message: str) -> None:
        """Note a finding; see ``Finding``."""
        self.findings.append(Finding(name, fine, message))

    def learn(self, **changes: Any) -> None:
        """Note what the engine can do, by the fields of ``Capabilities``."""
        self.can = replace(self.can, **changes)

    def use(self, access: Access) -> None:
        """Go on with other addresses, and with what is known of formats."""
        self.store.close()
        self.access = access
        self.store = RemoteStore(access, wire=self.can.wire())

    # -- texts ---------------------------------------------------------------------------------

    def graph(self, name: str) -> str:
        """The name of a graph of a moment; it is dropped at the end."""
        self._used.add(self.prefix + name)
        return self.prefix + name

    def text(self, name: str, **values: str) -> str:
        """A text of the folder, its places filled."""
        terms = {"s": f"{self.prefix}s", "p": f"{self.prefix}p", "d": f"{self.prefix}d"}
        return template(name).safe_substitute(terms | values)

    def triple(self, word: str) -> str:
        """A statement about a thing of the run."""
        return f'<{self.prefix}s> <{self.prefix}p> "{word}" .'

    # -- questions -----------------------------------------------------------------------------

    def ask(self, text: str, dataset: DatasetClause = STORED_DATASET) -> list[dict[str, Any]]:
        """The rows of an answer; one without values for yes, none for no."""
        chunks = self.store.answer(sparql.parse(text), rdf.JSON, dataset, seconds=SHORT)
        solutions = ox.parse_query_results(b"".join(chunks), rdf.JSON.engine)
        if isinstance(solutions, ox.QueryBoolean):
            return [{}] if solutions else []
        names = [each.value for each in solutions.variables]
        return [{name: row[name] for name in names} for row in solutions]

    def asked(
        self, way: str, text: str, default: tuple[str, ...], named: tuple[str, ...]
    ) -> list[dict[str, Any]]:
        """The same of a dataset, which is told by "parameters" or by "from"."""
        if way == "from":
            return self.ask(dialect.with_dataset(sparql.parse(text), default, named).text)
        return self.ask(text, DatasetClause(default, named))

    def ask_in(self, graph: str, name: str) -> list[dict[str, Any]]:
        """The same of one graph, however the engine wants to be told."""
        for way in ("parameters", "from"):
            rows = self.asked(way, self.text(name), (graph,), (self.nothing,))
            if rows:
                return rows
        return []

    def count(self, way: str, dataset: DatasetClause) -> int:
        """How many statements a dataset holds; -1 if that cannot be asked."""
        try:
            rows = self.asked(way, self.text("count.rq"), dataset.default_graphs, (self.nothing,))
            return int(rows[0]["n"].value)
        except (ClusterGraphError, IndexError, KeyError):
            return -1

    def stands(self, graph: str) -> bool:
        """Whether a graph holds anything."""
        return bool(self.ask(self.text("stands.rq", graph=graph)))

    # -- graphs of a moment --------------------------------------------------------------------

    def insert(self, graph: str, data: str) -> None:
        """Add statements to a graph by an update."""
        self.store.update(self.text("insert.ru", graph=graph, data=data), seconds=SHORT)

    def clean(self) -> None:
        """Drop the graphs of a moment."""
        if not self.can.update:
            return
        for graph in sorted(self._used):
            with contextlib.suppress(ClusterGraphError):
                self.store.update(self.text("drop.ru", graph=graph), seconds=SHORT)


@cache
def template(name: str) -> string.Template:
    """A text of the folder."""
    return string.Template(Path(__file__).with_name(name).read_text(encoding="utf-8"))
