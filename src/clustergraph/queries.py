"""Stored queries: .rq files whose header comments give title, description and typed parameters.

The header is YAML behind ``#+``, in the manner of grlc (https://grlc.io)::

    #+ title: Signatories of an agreement
    #+ description: Who signed, and from where.
    #+ params:
    #+   agreement: {type: iri, description: The agreement., default: "id/agreement/x"}
"""

from __future__ import annotations

import datetime
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Any

import pyoxigraph as ox
import yaml

from clustergraph import sparql
from clustergraph.errors import ParameterError, SourceError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from clustergraph.rdf import Term

_XSD = "http://www.w3.org/2001/XMLSchema#"
PARAMETER_TYPES = ("iri", "string", "integer", "decimal", "date", "boolean")
_HEADER = "#+"
_DIGITS = 100  # before or behind the point of a decimal
RESERVED = frozenset(
    {"format", "timeout", "lang", "release", "default-graph-uri", "named-graph-uri"}
)
"""What the address of a query says of how it is answered: no names for parameters."""


@dataclass(frozen=True)
class Parameter:
    """A variable of a stored query that its caller sets."""

    name: str
    type: str
    description: str
    default: str | None = None

    def term(self, value: str, base: str) -> Term:
        """The RDF term for a value given as text.

        Args:
            value: the text; an IRI may be relative to the base.
            base: the base IRI.

        Raises:
            ParameterError: the text is no value of the parameter's type.
        """
        try:
            return self._term(value, base)
        except ValueError as error:
            raise ParameterError(
                f"{self.name}={value!r} is not of type {self.type}.", hint=self.description
            ) from error

    def _term(self, value: str, base: str) -> Term:
        if self.type == "iri":
            return ox.NamedNode(value if ":" in value.split("/", 1)[0] else base + value)
        if self.type == "string":
            return ox.Literal(value)
        if self.type == "integer":
            return ox.Literal(str(int(value)), datatype=ox.NamedNode(_XSD + "integer"))
        if self.type == "decimal":
            return ox.Literal(_decimal(value), datatype=ox.NamedNode(_XSD + "decimal"))
        if self.type == "date":
            day = datetime.date.fromisoformat(value).isoformat()
            return ox.Literal(day, datatype=ox.NamedNode(_XSD + "date"))
        if value not in {"true", "false"}:
            raise ValueError(value)
        return ox.Literal(value, datatype=ox.NamedNode(_XSD + "boolean"))


def _decimal(value: str) -> str:
    """A number as xsd:decimal writes it: every digit, no exponent.

    Raises:
        ValueError: it is none, or not finite, or absurdly long.
    """
    try:
        number = Decimal(value)
    except InvalidOperation as error:
        raise ValueError(value) from error
    if not number.is_finite() or abs(number.adjusted()) > _DIGITS:
        raise ValueError(value)
    return f"{number:f}"


@dataclass(frozen=True)
class StoredQuery:
    """A named query of the project."""

    name: str
    title: str
    description: str
    parameters: tuple[Parameter, ...]
    text: str
    """The query, header included, under the published base."""
    header: Mapping[str, Any]
    """All fields of the header."""
    expected: str | None = None
    """The rows that it must give: what stands in a CSV file beside it."""

    def bound(self, values: Mapping[str, str], base: str) -> str:
        """The query's text with its parameters set.

        Raises:
            ParameterError: an unknown parameter, a missing one, or a bad value.
        """
        known = {parameter.name: parameter for parameter in self.parameters}
        unknown = sorted(set(values) - set(known))
        if unknown:
            raise ParameterError(
                f"The query {self.name} has no parameter {', '.join(unknown)}.",
                hint="It has: " + (", ".join(known) or "none"),
            )
        terms: dict[str, Term | Sequence[Term]] = {}
        for parameter in self.parameters:
            value = values.get(parameter.name, parameter.default)
            if value is None:
                raise ParameterError(
                    f"The query {self.name} needs {parameter.name}.", hint=parameter.description
                )
            terms[parameter.name] = parameter.term(value, base)
        return sparql.bind(self.text, terms)


def read(path: Path, *, name: str, written_base: str, base: str) -> StoredQuery:
    """Read one .rq file.

    Args:
        path: the file.
        name: the name of the query.
        written_base: the base IRI that the file is written with.
        base: the base IRI that it shall run with.

    Raises:
        SourceError: no title, a header that is not YAML, an unknown type of parameter.
    """
    text = path.read_text(encoding="utf-8").replace(written_base, base)
    header = "\n".join(
        line[len(_HEADER) :].removeprefix(" ")
        for line in text.splitlines()
        if line.startswith("#+")
    )
    try:
        fields: Any = yaml.safe_load(header) or {}
    except yaml.YAMLError as error:
        raise SourceError(str(path), f"the header is not YAML: {error}") from error
    if not isinstance(fields, dict) or not fields.get("title"):
        raise SourceError(str(path), "the query has no title.", hint="Add a line: #+ title: ...")
    return StoredQuery(
        name=name,
        title=str(fields["title"]),
        description=" ".join(str(fields.get("description", "")).split()),
        parameters=tuple(
            _parameter(path, each, spec or {})
            for each, spec in (fields.get("params") or {}).items()
        ),
        text=text,
        header=fields,
        expected=_expected(path.with_suffix(".csv")),
    )


def _expected(path: Path) -> str | None:
    try:
        return path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return None
    except (OSError, UnicodeDecodeError) as error:
        raise SourceError(str(path), f"cannot be read: {error}") from error


def _parameter(path: Path, name: str, spec: Mapping[str, Any]) -> Parameter:
    if name in RESERVED:
        raise SourceError(
            str(path),
            f"a parameter cannot be named {name}: over HTTP that says how to answer.",
            hint="Give it another name.",
        )
    kind = str(spec.get("type", "string"))
    if kind not in PARAMETER_TYPES:
        raise SourceError(
            str(path),
            f"parameter {name} has the unknown type {kind!r}.",
            hint="Known: " + ", ".join(PARAMETER_TYPES),
        )
    default = spec.get("default")
    return Parameter(
        name=name,
        type=kind,
        description=str(spec.get("description", "")),
        default=None if default is None else str(default),
    )


def read_folder(folder: Path, *, written_base: str, base: str) -> dict[str, StoredQuery]:
    """All .rq files below a folder, by name: the path below it without suffix, '/' as '-'."""
    found: dict[str, StoredQuery] = {}
    for path in sorted(folder.rglob("*.rq")):
        name = "-".join(path.relative_to(folder).with_suffix("").parts)
        found[name] = read(path, name=name, written_base=written_base, base=base)
    return found
