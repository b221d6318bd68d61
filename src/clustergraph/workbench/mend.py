"""Mend what is mechanical: the smallest edits after which findings are gone and none has come.

Whether an edit mends something is not believed but seen: the files are validated with it. What
one edit may say is compared with what was meant, statement by statement; everything else in a file
stays as it is, byte for byte.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias
from unicodedata import normalize

import pyoxigraph as ox

from clustergraph.errors import ClusterGraphError
from clustergraph.positions import reader, terms
from clustergraph.positions.source import OBJECT, PREDICATE, SUBJECT
from clustergraph.validation import baseline
from clustergraph.workbench.edits import Edit, applied, change, insertion, rewritten, tag_edits

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping, Sequence

    from clustergraph.positions import Source
    from clustergraph.positions.reader import Record
    from clustergraph.validation import Finding, Report
    from clustergraph.workbench.files import Files

_Key: TypeAlias = "tuple[str, str, str, str]"
_SH = "http://www.w3.org/ns/shacl#"
_MOST_CHECKS = 60
"""So often the files are validated at most; what was not tried by then is left for the next run."""
_FEWEST = 3
"""So many other values of a property must have the same language before one is given it."""


@dataclass(frozen=True)
class Proposal:
    """An edit and the finding that it shall mend, and how many statements go and come."""

    edit: Edit
    key: _Key
    removed: int
    added: int
    new_value: str = ""
    """The key's value after it, if it is a value that changes."""

    @property
    def sign(self) -> tuple[Path, str, _Key]:
        """By which it is known again when places have moved."""
        return self.edit.path, self.edit.text, self.key


@dataclass
class Mended:
    """What mending came to."""

    texts: dict[Path, str]
    """The files that change, with their new texts."""
    report: Report
    """What validation finds after it."""
    edits: int = 0


@dataclass
class _Bench:
    files: Files
    texts: Mapping[Path, str]
    chosen: Collection[Path]
    unsaved: dict[Path, str] = field(default_factory=dict)
    rejected: set[tuple[Path, str, _Key]] = field(default_factory=set)
    checks: int = 0

    def check(self, unsaved: Mapping[Path, str]) -> Report:
        self.checks += 1
        return self.files.check(unsaved)

    def sources(self, unsaved: Mapping[Path, str]) -> dict[Path, Source]:
        return {Path(each.path).resolve(): each for each in self.files.sources(unsaved)}

    def text(self, path: Path) -> str:
        return self.unsaved.get(path, self.texts[path])


def mend(
    files: Files,
    texts: Mapping[Path, str],
    *,
    chosen: Collection[Path] | None = None,
    unsaved: Mapping[Path, str] | None = None,
    progress: Callable[[str], None] = lambda _: None,
) -> Mended:
    """Mend literals that want trimming or NFC, language tags, missing inverses and stale counts.

    Args:
        files: what is validated.
        texts: the texts of the files that may be edited, by resolved path.
        chosen: those in which something is mended; all if not given.
        unsaved: texts that stand for files, by resolved path.
        progress: called with the name of each step before it is taken.

    Raises:
        SourceError: a file cannot be read.
        UsageError: the shapes or a rule cannot be used.
    """
    bench = _Bench(files, texts, set(texts) if chosen is None else set(chosen) & set(texts))
    bench.unsaved.update(unsaved or {})
    progress("language tags")
    number = _tags(bench)
    report = bench.check(bench.unsaved)
    accepted = 1
    while accepted:
        progress(f"{number} edits so far")
        proposals = [each for each in _proposals(bench, report) if each.sign not in bench.rejected]
        accepted, report = _accept(bench, proposals, report)
        number += accepted
    changed = {path: text for path, text in bench.unsaved.items() if text != texts.get(path, text)}
    return Mended(changed, report, number)


def _tags(bench: _Bench) -> int:
    """Language tags in their usual case: that changes no statement."""
    number = 0
    for path in sorted(bench.chosen):
        edits = list(tag_edits(path, bench.texts[path]))
        if edits:
            new = {path: applied(bench.texts[path], edits)}
            if _meant(bench, new, {path: (0, 0)}):
                bench.unsaved.update(new)
                number += len(edits)
    return number


# -- trying


def _accept(bench: _Bench, proposals: Sequence[Proposal], report: Report) -> tuple[int, Report]:
    """Make those of the edits that mend; how many there were, and the report after them."""
    if not proposals or bench.checks >= _MOST_CHECKS:
        return 0, report
    made = _tried(bench, proposals, report)
    if made is not None:
        return len({each.edit for each in proposals}), made
    if len({each.edit for each in proposals}) == 1:
        bench.rejected.update(each.sign for each in proposals)
        return 0, report
    edits = sorted({each.edit for each in proposals})
    middle = edits[len(edits) // 2]
    first = [each for each in proposals if each.edit < middle]
    second = [each for each in proposals if each.edit >= middle]
    here, report_after = _accept(bench, first, report)
    if here:  # places have moved: the others are found again in the next round
        return here, report_after
    return _accept(bench, second, report)


def _tried(bench: _Bench, proposals: Sequence[Proposal], report: Report) -> Report | None:
    """The report with the edits made, if they mend what they shall and nothing new is found."""
    by_file: dict[Path, set[Edit]] = {}
    meant: dict[Path, tuple[int, int]] = {}
    for each in {each.edit: each for each in proposals}.values():
        path = each.edit.path
        by_file.setdefault(path, set()).add(each.edit)
        removed, added = meant.get(path, (0, 0))
        meant[path] = removed + each.removed, added + each.added
    new = {path: applied(bench.text(path), edits) for path, edits in by_file.items()}
    if not _meant(bench, new, meant):
        return None
    unsaved = {**bench.unsaved, **new}
    try:
        after = bench.check(unsaved)
    except ClusterGraphError:
        return None
    renamed = {each.key[1::2]: each.new_value for each in proposals if each.new_value}

    def renewed(key: _Key) -> _Key:
        """A finding about a value is the same one about the value that it has now."""
        return (*key[:3], renamed.get(key[1::2], key[3]))

    before = Counter(renewed(baseline.key(each)) for each in report.findings)
    now = Counter(map(baseline.key, after.findings))
    gone = before - now
    mended = {each.edit for each in proposals if gone[renewed(each.key)]}
    if now - before or mended != {each.edit for each in proposals}:
        return None
    bench.unsaved = unsaved
    return after


def _meant(bench: _Bench, new: Mapping[Path, str], meant: Mapping[Path, tuple[int, int]]) -> bool:
    """Whether the new texts say what the old ones say, but for so many statements."""
    before, after = bench.sources(bench.unsaved), bench.sources({**bench.unsaved, **new})
    for path in new:
        if path not in after or after[path].reading.faults:
            return False
        removed, added = change(before[path], after[path])
        if (removed.total(), added.total()) != meant[path]:
            return False
    return True


# -- proposing


def _proposals(bench: _Bench, report: Report) -> list[Proposal]:
    sources = bench.sources(bench.unsaved)
    found: dict[tuple[Path, int, int], list[Proposal]] = {}
    for each in report.findings:
        proposal = _of_literal(bench, each, sources) or _of_inverse(bench, each, sources)
        if proposal is None:
            continue
        edit = proposal.edit
        others = found.setdefault((edit.path, edit.start, edit.end), [])
        if not others or others[0].edit == edit:  # two that differ: one after the other
            others.append(proposal)
    return [each for others in found.values() for each in others]


def _of_literal(bench: _Bench, each: Finding, sources: Mapping[Path, Source]) -> Proposal | None:
    """A literal at fault: as the rule says, trimmed and in NFC, or with its language."""
    if each.place is None or not each.place.line or not isinstance(each.value, ox.Literal):
        return None
    path = Path(each.place.path).resolve()
    source = sources.get(path)
    if source is None or path not in bench.chosen:
        return None
    start = source.lines.offset(each.place.line, each.place.column)
    records = [record for record in source.statements() if record[6] == start]
    if len(records) != 1 or records[0][OBJECT] != terms.key(each.value):
        return None
    value = _better(each, each.value, records[0], sources.values())
    end = reader.end_of(source.text, start)
    raw = source.text[start:end]
    if value is None:
        return None
    if value.language and not each.value.language:
        written = None if "^^" in raw[-200:] else f"{raw}@{value.language}"
    else:
        written = rewritten(raw, value.value)
    if written is None or written == raw:
        return None
    return Proposal(Edit(path, start, end, written), baseline.key(each), 1, 1, str(value))


def _better(
    each: Finding, value: ox.Literal, record: Record, sources: Collection[Source]
) -> ox.Literal | None:
    """The literal that should stand there; None if nobody can tell."""
    if isinstance(each.instead, ox.Literal):
        same = (each.instead.datatype, each.instead.language) == (value.datatype, value.language)
        return each.instead if same else None
    clean = normalize("NFC", value.value).strip()
    if clean and clean != value.value:
        if value.language:
            return ox.Literal(clean, language=value.language)
        return ox.Literal(clean, datatype=value.datatype)
    if value.language or value.datatype.value != terms.STRING:
        return None
    language = _only_language(record, sources)
    return ox.Literal(value.value, language=language) if language else None


def _only_language(record: Record, sources: Collection[Source]) -> str:
    """The language of all other values of the property, if there is but one and no doubt."""
    others = [
        key
        for source in sources
        for key in source.values(record[PREDICATE])
        if key.startswith('"') and key != record[OBJECT]
    ]
    tags = {key.rpartition('"')[2] for key in others}
    only = tags.pop() if len(tags) == 1 else ""
    return only[1:] if only.startswith("@") and len(others) >= _FEWEST else ""


def _of_inverse(bench: _Bench, each: Finding, sources: Mapping[Path, Source]) -> Proposal | None:
    """A missing inverse: ``sh:equals`` between a property and another one backwards."""
    is_pair = each.component == _SH + "EqualsConstraintComponent" and each.path.startswith("^")
    there, here = each.value, each.focus
    if not is_pair or not all(isinstance(term, ox.NamedNode) for term in (here, there)):
        return None
    back = each.path[1:].strip("<>")
    if any(source.records(there, ox.NamedNode(back), here) for source in sources.values()):
        return None  # it is the other way that is missing; which one, the shape alone says
    for path, source in sources.items():
        if path not in bench.chosen or not source.has_positions:
            continue
        records = source.records(there)
        if not records:
            continue
        names = [_name(source, iri) for iri in (back, str(getattr(here, "value", "")))]
        edit = insertion(path, source, records[0], *names)
        return Proposal(edit, baseline.key(each), 0, 1)
    return None


def _name(source: Source, iri: str) -> str:
    """An IRI as the file writes it: as it stands there already, or with its prefixes."""
    old, new = source.moved
    own = old + iri[len(new) :] if new and iri.startswith(new) else iri
    if source.suffix not in {"nt", "nq"}:
        for record in source.reading.records:
            for role in (SUBJECT, PREDICATE, OBJECT):
                if record[role] == own:
                    start = record[4:][role]
                    raw = source.text[start : reader.end_of(source.text, start)]
                    if ":" in raw and raw[0] not in "\"'[(":
                        return raw
        for prefix, start_of in source.reading.prefixes.items():
            local = own[len(start_of) :]
            if own.startswith(start_of) and local.replace("-", "").replace("_", "").isalnum():
                return f"{prefix}:{local}"
    return f"<{own}>"
