"""One write: a SPARQL Update or a Graph Store operation, with what its author may do and wants."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pyoxigraph as ox

from clustergraph import catalogue, rdf, tombstones, update
from clustergraph.errors import (
    ForbiddenError,
    NotFoundError,
    PreconditionError,
    UsageError,
)
from clustergraph.patch import Patch
from clustergraph.releases.candidate import Record
from clustergraph.store import changes
from clustergraph.store.changes import Effect
from clustergraph.tokens import NOBODY, Grant

if TYPE_CHECKING:
    from collections.abc import Iterable

    from clustergraph.releases.candidate import Candidate
    from clustergraph.releases.manifest import Manifest
    from clustergraph.settings import Settings

DEFAULT = ""
"""Stands for the default graph where a graph is named."""


@dataclass(frozen=True, kw_only=True)
class Write:
    """A change that somebody asks for over HTTP or from the command line."""

    method: str
    """UPDATE, or of the Graph Store Protocol: PUT, POST, DELETE, PATCH."""
    payload: bytes = b""
    """The update, or the RDF document."""
    media_type: str = ""
    """Of the document."""
    graph: str | None = None
    """The graph that is meant; "" the default graph; None: those that the document names."""
    minted: str = ""
    """Where the triples of a document go that name no graph, if no graph is meant."""
    using: tuple[str, ...] = ()
    using_named: tuple[str, ...] = ()
    base: str = ""
    """What relative IRIs are resolved against."""
    who: str = ""
    why: str = ""
    grant: Grant = NOBODY
    lenient: bool = False
    """Whether warnings are accepted (RFC 7240: handling=lenient)."""
    if_match: tuple[str, ...] = ()
    """Validators, one of which must be that of the current release; or ``*``."""
    if_new: bool = False
    """Whether the graph must not exist yet (If-None-Match: *)."""

    @property
    def record(self) -> Record:
        """What is remembered of it."""
        return Record(
            kind="update" if self.method in {"UPDATE", "PATCH"} else "graph",
            who=self.who,
            why=self.why,
        )


@dataclass(frozen=True)
class Applied:
    """What a write did to a candidate."""

    effect: Effect
    new_graph: bool = False
    """Whether the graph that it names did not exist before."""


def apply(
    write: Write,
    candidate: Candidate,
    settings: Settings,
    parent: Manifest,
    *,
    first: bool,
    erased: frozenset[str] = frozenset(),
) -> Applied:
    """Apply a write to a candidate, whole or not at all.

    Args:
        write: what is asked for.
        candidate: the release in the making.
        settings: of the project.
        parent: the release that was forked: what the author saw.
        first: whether nothing was changed in the candidate before.
        erased: hashes of the IRIs that were erased: they do not come back.

    Raises:
        QueryError: the update is wrong.
        SourceError: the document is.
        UsageError: it cannot be done as asked.
        ForbiddenError: the author may not, or nobody may.
        PreconditionError: the graph is not as the author thinks.
        NotFoundError: there is no such graph.
    """
    _check_precondition(write, parent, first=first)
    for iri in (*write.using, *write.using_named):
        _named(iri)
    if write.graph is not None and write.method != "UPDATE":
        _check_scope(write, write.graph, settings)  # before anything is told of the graph
    new = write.graph is not None and not _exists(candidate, settings, write.graph)
    if new and write.method == "DELETE":
        raise NotFoundError(f"There is no graph <{write.graph}>.")
    if write.if_new and not new:
        raise PreconditionError(
            f"The graph <{write.graph}> exists already."
            if write.graph is not None
            else "If-None-Match: * is for graphs that a request names; this one names none."
        )
    total = Effect()
    try:
        for operation in _operations(write, settings):
            effect = _evaluate(operation, write, candidate, settings)
            _authorise(effect, write, settings)
            _check_erased(effect, settings, erased)
            candidate.apply(effect.patch, created=effect.created, dropped=effect.dropped)
            total = total.then(effect)
    except BaseException:
        undo = total.inverse()
        candidate.apply(undo.patch, created=undo.created, dropped=undo.dropped)
        raise
    return Applied(total, new or ox.NamedNode(write.minted or "urn:x") in total.created)


def _check_precondition(write: Write, parent: Manifest, *, first: bool) -> None:
    if not write.if_match or write.if_match == ("*",):
        return
    fits = any(tag == parent.etag or tag.startswith(f"{parent.etag}-") for tag in write.if_match)
    if not (fits and first):
        raise PreconditionError(
            "The graph has changed since you looked at it: it is not as If-Match says.",
            hint="Read it again, and send the change with the new ETag.",
        )


def _exists(candidate: Candidate, settings: Settings, graph: str) -> bool:
    if graph == DEFAULT:
        return True
    if settings.is_restricted(graph):
        return candidate.everything.contains_named_graph(_named(graph))
    return candidate.public.contains_named_graph(_named(graph))


def _named(graph: str) -> ox.NamedNode:
    try:
        return rdf.checked_iri(graph)
    except ValueError as error:
        raise UsageError(f"No graph can have that name: {error}") from error


def _operations(write: Write, settings: Settings) -> Iterable[update.Operation]:
    """A write as operations of SPARQL Update (the Graph Store Protocol is defined so)."""
    if write.method in {"UPDATE", "PATCH"}:
        try:
            text = write.payload.decode("utf-8")
        except UnicodeDecodeError as error:
            raise UsageError("The update is not UTF-8 text.") from error
        return update.parse(
            text,
            base=write.base or None,
            max_length=max(settings.max_query, settings.max_upload << 20),
            max_nesting=settings.max_nesting,
        ).operations
    target = _named(write.graph) if write.graph else None
    clear = update.Clear(target or update.DEFAULT, drop=write.method == "DELETE", silent=True)
    if write.method == "DELETE":
        return [clear]
    quads = _document(write, target)
    insert = update.Data(insert=True, quads=quads)
    made = target or (_named(write.minted) if write.minted and not quads else None)
    created = [update.Create(made, silent=True)] if made else []
    return [*([clear] if write.method == "PUT" else []), *created, insert]


def _document(write: Write, target: ox.NamedNode | None) -> tuple[ox.Quad, ...]:
    fmt = next(each for each in rdf.RDF_FORMATS if each.media_type == write.media_type)
    base = write.base or write.graph or write.minted or "urn:x:"
    quads = rdf.parse(write.payload, fmt, base=base, name="the document")
    if write.graph is None:
        minted = _named(write.minted)
        return tuple(
            ox.Quad(q.subject, q.predicate, q.object, minted)
            if isinstance(q.graph_name, ox.DefaultGraph)
            else q
            for q in quads
        )
    named = next((q for q in quads if not isinstance(q.graph_name, ox.DefaultGraph)), None)
    if named is not None and named.graph_name != target:
        raise UsageError(
            f"The document fills the graph {named.graph_name}, but the address names another.",
            hint="Send it with POST to /graphs without ?graph=, or leave the graphs out.",
        )
    home = target or rdf.DEFAULT_GRAPH
    return tuple(ox.Quad(q.subject, q.predicate, q.object, home) for q in quads)


def _evaluate(
    operation: update.Operation, write: Write, candidate: Candidate, settings: Settings
) -> Effect:
    everything = write.grant.sees_restricted
    store = candidate.everything if everything else candidate.public
    if write.method == "PATCH" and write.graph:
        operation = _at_home(operation, _named(write.graph))
    effect = changes.evaluate(
        operation,
        store,
        _dataset(settings),
        asked=candidate.asked(everything=everything) if _is_asking(operation) else None,
        using=write.using,
        using_named=write.using_named,
    )
    if write.method == "PATCH":
        changed = effect.patch.graphs()
        changed |= {each.value for each in (*effect.created, *effect.dropped)}
        if changed - {write.graph or ""} and (write.graph or settings.default_graph != "merge"):
            raise UsageError("A PATCH changes the graph that its address names, and no other.")
    return Effect(_admitted(effect.patch, store, settings), effect.created, effect.dropped)


def _is_asking(operation: update.Operation) -> bool:
    return isinstance(operation, update.Modify)


def _dataset(settings: Settings) -> changes.Dataset:
    computed = (ox.NamedNode(settings.iri(f"graph/{name}")) for name in ("inferred", "catalogue"))
    return changes.Dataset(
        merged=settings.default_graph == "merge",
        home=ox.NamedNode(settings.iri(settings.update_graph)),
        computed=frozenset(computed),
        is_restricted=settings.is_restricted,
    )


def _at_home(operation: update.Operation, home: ox.NamedNode) -> update.Operation:
    """An operation whose default graph is the graph that a PATCH names."""

    def placed(quads: tuple[ox.Quad, ...]) -> tuple[ox.Quad, ...]:
        return tuple(
            ox.Quad(q.subject, q.predicate, q.object, home)
            if isinstance(q.graph_name, ox.DefaultGraph)
            else q
            for q in quads
        )

    if isinstance(operation, update.Data):
        return update.Data(operation.insert, placed(operation.quads))
    if isinstance(operation, update.Modify) and operation.home is None:
        return update.Modify(
            operation.delete, operation.insert, operation.query, operation.names,
            home, operation.using, operation.using_named,
        )  # fmt: skip
    if isinstance(operation, update.Clear) and operation.target == update.DEFAULT:
        return update.Clear(home, operation.drop, silent=True)
    return operation


def _admitted(change: Patch, store: ox.Store, settings: Settings) -> Patch:
    """A patch whose new terms may go into the graph: IRIs checked, blank nodes by policy."""
    names: dict[ox.BlankNode, ox.NamedNode | ox.BlankNode] = {}

    def name(node: ox.BlankNode) -> ox.NamedNode | ox.BlankNode:
        if node not in names:
            known = any(
                next(found, None) is not None
                for found in (
                    store.quads_for_pattern(node, None, None, None),
                    store.quads_for_pattern(None, None, node, None),
                )
            )
            if not known and settings.blank_nodes == "refuse":
                raise UsageError(
                    "Blank nodes are not taken here: nobody could ever point to them.",
                    hint="Give each thing an IRI.",
                )
            keep = known or settings.blank_nodes == "keep"
            names[node] = node if keep else ox.NamedNode(
                settings.iri(f".well-known/genid/{uuid.uuid4().hex}")
            )  # fmt: skip
        return names[node]

    def term(each: object) -> object:
        if isinstance(each, ox.BlankNode):
            return name(each)
        rdf.check_term(each)
        return each

    if any(isinstance(quad.graph_name, ox.BlankNode) for quad in change.added):
        raise UsageError("A graph is named by a blank node.", hint="Give each graph an IRI.")

    try:
        added = frozenset(
            ox.Quad(*(term(each) for each in quad))  # type: ignore[arg-type]  # kinds are kept
            for quad in change.added
        )
    except ValueError as error:
        raise UsageError(str(error)) from error
    return Patch(added, change.removed)


def _check_erased(effect: Effect, settings: Settings, erased: frozenset[str]) -> None:
    """Refuse what was erased on request.

    Raises:
        ForbiddenError: a new statement holds it.
    """
    created = (each.value for each in effect.created)
    if tombstones.first_erased(created, effect.patch.added, settings.base, erased) is not None:
        raise ForbiddenError("This holds something that was erased on request.")


def _authorise(effect: Effect, write: Write, settings: Settings) -> None:
    """Check what would really change: whatever the text looks like, this is what counts.

    Raises:
        ForbiddenError: some graph may not be written.
    """
    computed = next(
        (
            quad
            for quad in (*effect.patch.added, *effect.patch.removed)
            if catalogue.is_computed(quad, settings)
        ),
        None,
    )
    if settings.derive and computed is not None:
        raise ForbiddenError(
            f"{computed.graph_name} is computed from the other graphs: nobody writes it.",
            hint="Change what it is computed from.",
        )
    graphs = effect.patch.graphs() | {each.value for each in (*effect.created, *effect.dropped)}
    for graph in sorted(graphs):
        if graph == settings.iri("shapes"):
            raise ForbiddenError(
                "Shapes are not written over HTTP: they come from the project's shapes folder.",
                hint="Change the files, and build.",
            )
        _check_scope(write, graph, settings)


def _check_scope(write: Write, graph: str, settings: Settings) -> None:
    """Refuse a graph that the author may not write.

    Raises:
        ForbiddenError: it is not among those that the token names.
    """
    hidden = settings.is_restricted(graph) and not write.grant.sees_restricted
    merged = settings.default_graph == "merge" and graph == DEFAULT
    written = settings.iri(settings.update_graph) if merged else graph
    if write.grant.may_write(written) and not hidden:
        return
    shown = f"the graph <{graph}>" if graph else "the default graph"
    if hidden:
        shown = "restricted graphs: it does not read them"
    raise ForbiddenError(
        f"This token may not write {shown}.",
        hint="A token's scopes are set when it is made: clustergraph token create --help",
    )
