"""The prefixes that a SPARQL text of a shapes graph may use (SHACL section 5.2.1)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from clustergraph.validation.engine.errors import ill_formed
from clustergraph.validation.engine.nodes import OWL, iri, is_literal, value

if TYPE_CHECKING:
    from clustergraph.validation.engine.shapes import ShapesGraph

_IMPORTS = iri(OWL + "imports")


def header(shapes: ShapesGraph, node: str) -> str:
    """The PREFIX lines for the values of sh:prefixes, and what those import.

    Raises:
        UsageError: a declaration is ill-formed, or one prefix has two namespaces.
    """
    found: dict[str, str] = {}
    todo, seen = list(shapes.all(node, "prefixes")), set[str]()
    while todo:
        each = todo.pop()
        if each in seen:
            continue
        seen.add(each)
        todo.extend(shapes.graph.objects(each, _IMPORTS))
        for declaration in shapes.all(each, "declare"):
            prefix = shapes.one(declaration, "prefix")
            namespace = shapes.one(declaration, "namespace")
            if prefix is None or namespace is None or not is_literal(namespace):
                raise ill_formed(each, "has a sh:declare without sh:prefix or sh:namespace.")
            name, space = value(prefix), value(namespace)
            if found.setdefault(name, space) != space:
                raise ill_formed(node, f"uses the prefix {name}: for two namespaces.")
    return "".join(f"PREFIX {name}: <{space}>\n" for name, space in found.items())
