"""What is answered to hover, go to definition, completion and code actions."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from lsprotocol import types as lsp

from clustergraph.editor import units
from clustergraph.editor.terms import typed, under

if TYPE_CHECKING:
    from clustergraph.editor.index import Index
    from clustergraph.editor.terms import Names
    from clustergraph.positions import Lines, Place

_KINDS = {
    "class": lsp.CompletionItemKind.Class,
    "property": lsp.CompletionItemKind.Property,
    "thing": lsp.CompletionItemKind.Value,
}
_MOST = 500
"""So many names are offered at once; typing on narrows them down."""
_PLAIN = re.compile(r"[^\W_](?:[\w.\-:]*[\w\-:])?|")
_ESCAPED = re.compile(r"([~!$&'()*+,;=/?#@%])")


@dataclass(frozen=True)
class Question:
    """What an editor asks about a place in a text."""

    text: str
    lines: Lines
    offset: int
    names: Names
    index: Index
    encoding: str


def hover(asked: Question) -> lsp.Hover | None:
    """Label, classes and definition of the term at a place."""
    found = under(asked.text, asked.offset, asked.names)
    if found is None:
        return None
    index, short = asked.index, asked.names.short
    label = index.label(found.iri)
    classes = [index.label(each) or short(each) for each in index.classes(found.iri)]
    head = f"**{_plain(label)}**" if label else f"`{short(found.iri)}`"
    if classes:
        head += " · " + ", ".join(_plain(each) for each in classes)
    parts = [head]
    if index.is_deprecated(found.iri):
        parts.append("*Deprecated.*")
    definition = index.definition(found.iri)
    if definition:
        parts.append(_plain(definition))
    parts.append(f"`{short(found.iri)}`\n`<{found.iri}>`" if label else f"`<{found.iri}>`")
    return lsp.Hover(
        lsp.MarkupContent(lsp.MarkupKind.Markdown, "\n\n".join(parts)),
        units.stretch(asked.lines, found.start, found.end, asked.encoding),
    )


def definition(asked: Question) -> list[Place]:
    """Where the term at a place is described."""
    found = under(asked.text, asked.offset, asked.names)
    return [] if found is None else asked.index.places(found.iri)


def completion(asked: Question) -> lsp.CompletionList:
    """The names that may follow what is typed: prefixes, or what is in a prefix's namespace."""
    line, column = asked.lines.position(asked.offset)
    before = asked.lines.text(line)[: column - 1]
    found = typed(before)
    if found is None:
        return lsp.CompletionList(is_incomplete=False, items=[])
    prefix, _local, at = found
    stretch = units.stretch(
        asked.lines, asked.offset - (len(before) - at), asked.offset, asked.encoding
    )
    if prefix is None:
        items = [
            lsp.CompletionItem(
                label=f"{name}:",
                kind=lsp.CompletionItemKind.Module,
                detail=start,
                text_edit=lsp.TextEdit(stretch, f"{name}:"),
            )
            for name, start in sorted(asked.names.prefixes.items())
        ]
        return lsp.CompletionList(is_incomplete=False, items=items)
    start = asked.names.prefixes.get(prefix)
    if start is None:
        return lsp.CompletionList(is_incomplete=False, items=[])
    return _in_namespace(asked, prefix, start, found[1], stretch)


def _in_namespace(
    asked: Question, prefix: str, start: str, local: str, stretch: lsp.Range
) -> lsp.CompletionList:
    index = asked.index
    wanted = local.replace("\\", "").casefold()
    items: list[lsp.CompletionItem] = []
    for iri in index.names(start):
        written = _local(iri[len(start) :])
        label = index.label(iri)
        if written is None or not (
            wanted in iri[len(start) :].casefold() or wanted in label.casefold()
        ):
            continue
        name = f"{prefix}:{written}"
        if len(items) == _MOST:
            return lsp.CompletionList(is_incomplete=True, items=items)
        items.append(
            lsp.CompletionItem(
                label=name,
                label_details=lsp.CompletionItemLabelDetails(description=label or None),
                kind=_KINDS[index.kind(iri)],
                detail=_detail(asked, iri, label),
                documentation=index.definition(iri) or None,
                filter_text=f"{name} {label}".strip(),
                text_edit=lsp.TextEdit(stretch, name),
                tags=[lsp.CompletionItemTag.Deprecated] if index.is_deprecated(iri) else None,
            )
        )
    return lsp.CompletionList(is_incomplete=False, items=items)


def _detail(asked: Question, iri: str, label: str) -> str:
    classes = [
        asked.index.label(each) or asked.names.short(each) for each in asked.index.classes(iri)
    ]
    return " · ".join(each for each in (label, ", ".join(classes)) if each)


def _local(name: str) -> str | None:
    """A local name as it is written; None if only angle brackets will do."""
    written = _ESCAPED.sub(r"\\\1", name)
    return written if _PLAIN.fullmatch(written.replace("\\", "").translate(_LETTERS)) else None


_LETTERS = {ord(mark): "x" for mark in "~!$&'()*+,;=/?#@%"}


def actions(params: lsp.CodeActionParams) -> list[lsp.CodeAction]:
    """What the findings at a place suggest to write instead."""
    found = []
    for each in params.context.diagnostics:
        data = each.data if isinstance(each.data, dict) else {}
        suggestion = data.get("suggestion")
        if each.source != "clustergraph" or not isinstance(suggestion, str):
            continue
        edit = lsp.TextEdit(each.range, suggestion)
        found.append(
            lsp.CodeAction(
                title=f"Write {suggestion}",
                kind=lsp.CodeActionKind.QuickFix,
                diagnostics=[each],
                is_preferred=True,
                edit=lsp.WorkspaceEdit(changes={params.text_document.uri: [edit]}),
            )
        )
    return found


def _plain(text: str) -> str:
    """A text without what Markdown would make of it."""
    return re.sub(r"([\\`*_{}\[\]<>#|!])", r"\\\1", text)
