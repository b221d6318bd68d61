"""Check the graph's evidence against the text of its source: offsets, lines, digests, wording."""

from __future__ import annotations

import hashlib
import re
import string
from bisect import bisect_right
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pyoxigraph as ox

from clustergraph.errors import SourceError
from clustergraph.validation import Finding, Report, Severity
from clustergraph.validation.evidence_rules import attestation_slug

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from clustergraph.settings import Settings

_OA = "http://www.w3.org/ns/oa#"
_WORD = re.compile(r"\w+")
CONSECUTIVE_WORDS = 8
"""So many words of the source in a row are a quotation, not a fact."""

_NAMING = frozenset(
    ox.NamedNode(iri)
    for iri in (
        "http://purl.org/dc/terms/title",
        "http://www.w3.org/2004/02/skos/core#prefLabel",
        "http://www.w3.org/2004/02/skos/core#altLabel",
        "http://www.w3.org/2004/02/skos/core#hiddenLabel",
        "http://www.w3.org/2008/05/skos-xl#literalForm",
        "http://www.w3.org/2000/01/rdf-schema#label",
        "http://xmlns.com/foaf/0.1/name",
    )
)
"""Properties whose values are names and titles, which are the same words everywhere."""


@dataclass(frozen=True)
class Checked:
    """What was checked, and what was found."""

    source: str
    passages: int
    literals: int
    report: Report


class Text:
    """A source text: its characters, where its lines start, and its runs of words."""

    def __init__(self, content: bytes) -> None:
        self.content = content
        self.text = content.decode("utf-8")
        self._starts = [0, *(match.end() for match in re.finditer("\n", self.text))]
        words = _words(self.text)
        self._runs = {
            tuple(words[start : start + CONSECUTIVE_WORDS])
            for start in range(len(words) - CONSECUTIVE_WORDS + 1)
        }

    @property
    def sha256(self) -> str:
        """The digest of the stored bytes."""
        return hashlib.sha256(self.content).hexdigest()

    def line(self, offset: int) -> int:
        """The line, from 1, in which a character stands."""
        return bisect_right(self._starts, offset)

    def digest(self, start: int, end: int) -> str:
        """SHA-256 of a stretch of characters, in UTF-8."""
        return hashlib.sha256(self.text[start:end].encode()).hexdigest()

    def repeated(self, literal: str) -> str:
        """The first run of words that a literal shares with the text, or nothing."""
        words = _words(literal)
        for start in range(len(words) - CONSECUTIVE_WORDS + 1):
            run = tuple(words[start : start + CONSECUTIVE_WORDS])
            if run in self._runs:
                return " ".join(run)
        return ""


def _words(text: str) -> list[str]:
    return [word.casefold() for word in _WORD.findall(text)]


def read_source(path: Path) -> Text:
    """Read the text of a source.

    Raises:
        SourceError: it cannot be read or is not UTF-8.
    """
    try:
        return Text(path.read_bytes())
    except OSError as error:
        raise SourceError(str(path), f"cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise SourceError(str(path), "is not UTF-8 text.") from error


class _Evidence:
    """The passages of a graph, by property."""

    def __init__(self, quads: Iterable[ox.Quad], settings: Settings) -> None:
        self._cg = settings.iri("ontology#")
        self._values: dict[tuple[str, str], list[str]] = {}
        wanted = {
            self._cg + "sha256": "sha256",
            self._cg + "passageSha256": "digest",
            self._cg + "firstLine": "firstLine",
            self._cg + "lastLine": "lastLine",
            _OA + "hasSource": "source",
            _OA + "hasSelector": "selector",
            _OA + "start": "start",
            _OA + "end": "end",
        }
        self.passages: dict[str, ox.NamedNode] = {}
        for quad in quads:
            name = wanted.get(quad.predicate.value)
            if name and isinstance(quad.subject, ox.NamedNode):
                key = (quad.subject.value, name)
                value = getattr(quad.object, "value", "")
                if value not in self._values.setdefault(key, []):
                    self._values[key].append(value)
                if name == "digest":
                    self.passages[quad.subject.value] = quad.subject

    def sources(self, sha256: str) -> list[str]:
        """The source documents that are these bytes."""
        return [
            iri
            for (iri, name), values in self._values.items()
            if name == "sha256" and sha256 in values
        ]

    def one(self, iri: str, name: str) -> str | None:
        """The only value, or None if there is none or more than one."""
        values = self._values.get((iri, name), [])
        return values[0] if len(values) == 1 else None

    def number(self, iri: str, name: str) -> int | None:
        """The only value as a number."""
        value = self.one(iri, name)
        return int(value) if value is not None and value.isdigit() else None


def passage_turtle(text: Text, words: str, slug: str, settings: Settings) -> str:
    """The Turtle of the passage that holds ``words``.

    Raises:
        SourceError: the words do not occur in the text, or more than once.
    """
    count = text.text.count(words)
    if count != 1:
        raise SourceError(
            "source",
            f"the words occur {count} times." if count else "the words do not occur.",
            hint="Give more of the text around them." if count else "Check spelling and dashes.",
        )
    start = text.text.index(words)
    end = start + len(words)
    first, last = text.line(start), text.line(end - 1)
    template = (Path(__file__).resolve().parent / "passage.ttl").read_text(encoding="utf-8")
    return string.Template(template).substitute(
        base=settings.written_base,
        slug=slug,
        start=start,
        end=end,
        digest=text.digest(start, end),
        first=first,
        last=last,
    )


def attestation_turtle(
    statement: tuple[ox.NamedNode, ox.NamedNode, ox.NamedNode | ox.Literal],
    graph: ox.NamedNode,
    passage: ox.NamedNode,
    settings: Settings,
) -> str:
    """The Turtle of the attestation of one statement of a graph, under the base of the files."""
    subject, predicate, value = statement
    slug = attestation_slug(subject, predicate, value, graph, settings.written_base)
    template = (Path(__file__).resolve().parent / "attestation.ttl").read_text(encoding="utf-8")
    return string.Template(template).substitute(
        base=settings.written_base,
        slug=slug,
        subject=subject,
        predicate=predicate,
        object=value,
        passage=passage,
    )


def check(quads: Sequence[ox.Quad], text: Text, settings: Settings) -> Checked:
    """Check every passage that the graph takes from ``text``, and every literal's wording.

    Args:
        quads: all quads of the graph.
        text: the source.
        settings: the project's settings.

    Raises:
        SourceError: no source document of the graph has the text's digest.
    """
    evidence = _Evidence(quads, settings)
    sources = evidence.sources(text.sha256)
    if not sources:
        raise SourceError(
            "source",
            f"no source document of the graph has the SHA-256 {text.sha256}.",
            hint="The file is another text, or was changed since the facts were taken from it.",
        )
    findings: list[Finding] = []
    passages = 0
    for iri, node in evidence.passages.items():
        if evidence.one(iri, "source") in sources:
            passages += 1
            findings += (
                _finding("R55", node, message, settings) for message in _faults(evidence, iri, text)
            )
    literals = 0
    for quad in quads:
        if isinstance(quad.object, ox.Literal) and quad.predicate not in _NAMING:
            literals += 1
            repeated = text.repeated(quad.object.value)
            if repeated:
                findings.append(
                    Finding(
                        rule="R53",
                        severity=Severity.VIOLATION,
                        message=f"The text repeats words of the source: \u201c{repeated}\u201d. "
                        "Describe it in your own words.",
                        focus=_subject(quad),
                        path=quad.predicate.value,
                        value=quad.object,
                        shape=settings.iri("shapes#R53"),
                    )
                )
    report = Report(tuple(sorted(set(findings), key=lambda each: each.order)))
    return Checked(sources[0], passages, literals, report)


def _faults(evidence: _Evidence, iri: str, text: Text) -> Iterator[str]:
    selector = evidence.one(iri, "selector") or ""
    start, end = evidence.number(selector, "start"), evidence.number(selector, "end")
    if start is None or end is None:
        yield "The passage has no position: it needs one selector with one start and one end."
        return
    if not 0 <= start < end <= len(text.text):
        yield f"The passage {start}-{end} lies outside the text of {len(text.text)} characters."
        return
    if evidence.one(iri, "digest") != text.digest(start, end):
        yield f"Characters {start} to {end} of the source have another digest: the passage moved."
    for name, line in (("firstLine", text.line(start)), ("lastLine", text.line(end - 1))):
        if evidence.number(iri, name) != line:
            yield f"{name} is {evidence.one(iri, name)}, but the passage is on line {line}."


def _finding(rule: str, node: ox.NamedNode, message: str, settings: Settings) -> Finding:
    return Finding(
        rule=rule,
        severity=Severity.VIOLATION,
        message=message,
        focus=node,
        shape=settings.iri(f"shapes#{rule}"),
    )


def _subject(quad: ox.Quad) -> ox.NamedNode | ox.BlankNode:
    return quad.subject if not isinstance(quad.subject, ox.Triple) else ox.BlankNode()
