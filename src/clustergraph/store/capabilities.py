"""What an engine can do, and how: found out by asking it (``probing``), never by its name."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field, fields, replace
from typing import TYPE_CHECKING, Any

from clustergraph import rdf, syntax
from clustergraph.errors import QueryError
from clustergraph.store.convert import Wire

if TYPE_CHECKING:
    from collections.abc import Mapping

    from clustergraph.sparql import Query
    from clustergraph.store.connection import Access


@dataclass(frozen=True, kw_only=True)
class Capabilities:
    """What is known of one endpoint; the values here are those of one that was not asked yet."""

    update: str = ""
    """Address for updates; "" if none is known."""
    graphs: str = ""
    """Address of the graph store protocol; "" if there is none."""
    dataset: str = "parameters"
    """How a query is told which graphs it sees: by "parameters" of the protocol, or by "from"."""
    default: str = ""
    """What a query without a dataset sees: "separate", "union", "union with duplicates" or ""."""
    open_graphs: bool = False
    """Whether GRAPH sees all graphs where a query is told its default graph alone. Then those that
    are hidden are filtered: such engines are slow with long lists of graphs."""
    distinct: bool = True
    """Whether a triple that stands in two graphs of a dataset counts once."""
    load: str = "insert"
    """How data are loaded: "quads" or "graph" (by the graph store protocol), or "insert"."""
    load_lines: int = 50_000
    load_length: int = 4 << 20
    """Largest document that is loaded at once."""
    update_lines: int = 100
    """Statements that one update may hold as data."""
    update_length: int = 100_000
    """Longest update, in characters."""
    query_length: int = 0
    """Longest query that was tried and taken; 0: none was tried."""
    exact: tuple[str, ...] = ()
    """Media types that it writes as we do: they are passed on as they come."""
    results: str = rdf.JSON.media_type
    """Media type from which tables are made in other formats."""
    triples: str = rdf.N_TRIPLES.media_type
    """Media type from which graphs are made in other formats."""
    datatypes: dict[str, str] = field(default_factory=dict)
    """Datatypes that come back under another name, and what they were."""
    timeout: tuple[str, int] | None = None
    """Parameter by which the engine ends a query itself, and its units in a second."""
    rows: int = 0
    """Most rows that it gives; 0: no limit was met."""
    atomic: bool = False
    """Whether an update of several operations is done as a whole or not at all."""
    describe: bool = True
    """Whether DESCRIBE gives the statements of which a thing is the subject."""
    was_written: bool = False
    """Whether it was tried with graphs of a moment; else much of this is a guess."""

    def reached(self, access: Access) -> Access:
        """How the engine is reached, with the addresses that were found."""
        return replace(
            access,
            update=access.update or self.update,
            graphs=access.graphs or self.graphs,
        )

    def wire(self) -> Wire:
        """How its answers become ours."""
        return Wire(
            frozenset(self.exact), self.results, self.triples, tuple(self.datatypes.items()),
            self.rows,
        )  # fmt: skip

    def lacks(self) -> tuple[str, ...]:
        """The names of what it cannot do; see ``probing/capabilities.toml``."""
        missing = {
            "distinct": not self.distinct, "rows": bool(self.rows), "timeout": self.timeout is None,
            "graphs": not self.graphs, "atomic": not self.atomic, "describe": not self.describe,
        }  # fmt: skip
        return tuple(name for name, is_missing in missing.items() if is_missing)

    def limited(self, seconds: float) -> dict[str, str]:
        """The parameters by which the engine ends a query itself."""
        if self.timeout is None:
            return {}
        name, units = self.timeout
        return {name: str(max(1, round(seconds * units)))}

    def explained(self, error: QueryError, query: Query) -> QueryError:
        """What an engine says of a query, with the place and what could stand there.

        The text is read once more by the grammar of the specification.
        """
        return syntax.explained(error, query.text)

    def to_fields(self) -> dict[str, Any]:
        """These, as JSON can hold them."""
        return asdict(self)

    @classmethod
    def from_fields(cls, content: Mapping[str, Any] | None) -> Capabilities | None:
        """What ``to_fields`` took apart; None if that was by another version of this."""
        if content is None or content.keys() != {each.name for each in fields(cls)}:
            return None
        lists = {name: tuple(value) for name, value in content.items() if isinstance(value, list)}
        return cls(**{**content, **lists})
