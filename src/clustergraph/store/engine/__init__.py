"""A project's dataset on an engine: what it holds, and how it comes from one state to another."""

from clustergraph.store.engine.holding import Change, Holding, Marker
from clustergraph.store.engine.names import Names
from clustergraph.store.engine.published import Published

__all__ = ["Change", "Holding", "Marker", "Names", "Published"]
