"""The server: answers editors, and tells findings a moment after the last key (pygls).

Texts come whole at each change: positions are then counted by us alone, and lines end where the
specification says, also in texts with other line separators of Unicode.
"""

from __future__ import annotations

import asyncio
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from importlib.metadata import version
from multiprocessing import get_context
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar
from urllib.parse import unquote, urlsplit

from lsprotocol import types as lsp
from pygls.lsp.server import LanguageServer

from clustergraph import rdf
from clustergraph.editor import answers, checking, units
from clustergraph.editor.desk import Desk, spec_of
from clustergraph.editor.terms import Names
from clustergraph.errors import ClusterGraphError
from clustergraph.positions import Lines

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from clustergraph.editor.checking import Note, Spec, Spot

_T = TypeVar("_T")
_SEVERITIES = {
    "Violation": lsp.DiagnosticSeverity.Error,
    "Warning": lsp.DiagnosticSeverity.Warning,
    "Info": lsp.DiagnosticSeverity.Information,
}


def path_of(uri: str) -> Path | None:
    """The file that a URI names."""
    parts = urlsplit(uri)
    return Path(unquote(parts.path)).resolve() if parts.scheme == "file" else None


class Server(LanguageServer):
    """The state of one editor's session."""

    def __init__(self, shapes: Sequence[Path] = (), pause: float = 0.4) -> None:
        """Make a server that listens nowhere yet.

        Args:
            shapes: what files that belong to no project are held against.
            pause: how long to wait after a change before validating, in seconds.
        """
        super().__init__(
            "clustergraph",
            version("clustergraph"),
            text_document_sync_kind=lsp.TextDocumentSyncKind.Full,
        )
        self._shapes = tuple(path.resolve() for path in shapes)
        self._pause = pause
        self._desks: dict[Spec, Desk] = {}
        self._specs: dict[Path, Spec] = {}
        self._pool: ProcessPoolExecutor | None = None
        _register(self)

    # -- texts ---------------------------------------------------------------------------------

    @property
    def encoding(self) -> str:
        """How the editor counts within a line."""
        agreed = self.workspace.position_encoding
        return str(getattr(agreed, "value", agreed) or "utf-16")

    def unsaved(self) -> dict[Path, str]:
        """The texts of the open documents."""
        documents = self.workspace.text_documents.items()
        return {
            path: document.source
            for uri, document in documents
            if (path := path_of(uri)) is not None and rdf.is_source(path)
        }

    def desk(self, path: Path) -> Desk:
        """The files to which a file belongs."""
        spec = self._specs.get(path)
        if spec is None:
            spec = self._specs[path] = spec_of(path, self._shapes)
        return self._desks.setdefault(spec, Desk(spec))

    async def question(
        self, uri: str, where: lsp.Position | None = None
    ) -> answers.Question | None:
        """What a question needs: the text, its names, the offset, and what the files say."""
        path = path_of(uri)
        unsaved = self.unsaved()
        if path is None or path not in unsaved:
            return None
        text = unsaved[path]
        index = await asyncio.to_thread(self.desk(path).refresh, unsaved, path)
        lines = Lines(text)
        base = self._base(path)
        return answers.Question(
            text=text,
            lines=lines,
            offset=units.offset(lines, where, self.encoding) if where else 0,
            names=Names.of(text, base),
            index=index,
            encoding=self.encoding,
        )

    def _base(self, path: Path) -> str:
        spec = self._specs[path]
        if spec.project is None:
            return path.as_uri()
        try:
            files = spec.files()
        except ClusterGraphError:
            return path.as_uri()
        own = getattr(files, "settings", None)
        return own.written_base if own is not None else path.as_uri()

    # -- findings ------------------------------------------------------------------------------

    def changed(self, path: Path) -> None:
        """Validate the files to which a file belongs, once nothing changes for a moment."""
        desk = self.desk(path)
        if desk.task is not None:
            desk.task.cancel()
        desk.task = asyncio.ensure_future(self._validate(desk, path))

    def closed(self, uri: str) -> None:
        """Forget a file of no project; of a project's, look at what is saved."""
        path = path_of(uri)
        if path is None or not rdf.is_source(path):
            return
        desk = self.desk(path)
        if desk.spec.project is not None:
            desk.syntax.pop(path, None)
            if path.exists():
                self.changed(path)
            return
        if desk.task is not None:
            desk.task.cancel()
        for each in {*desk.shown, path}:
            self.text_document_publish_diagnostics(lsp.PublishDiagnosticsParams(each.as_uri(), []))
        del self._desks[self._specs.pop(path)]

    async def _validate(self, desk: Desk, path: Path) -> None:
        await asyncio.sleep(self._pause)
        unsaved = self.unsaved()
        try:
            desk.syntax[path] = await asyncio.to_thread(checking.faults, desk.spec, unsaved, path)
        except ClusterGraphError as error:
            desk.syntax[path] = [checking.Note(None, "settings", "Violation", str(error))]
        self._show(desk, path, unsaved)
        if desk.syntax[path]:
            return
        notes = await self._beside(checking.checked, desk.spec, unsaved)
        if notes is not None:
            desk.found = notes
            self._show(desk, path, unsaved)

    async def mended(self, uri: str) -> list[lsp.CodeAction]:
        """What mends all in a document that is mechanical, as one action."""
        path = path_of(uri)
        unsaved = self.unsaved()
        if path is None or path not in unsaved:
            return []
        new = await self._beside(checking.mended, self.desk(path).spec, unsaved, path)
        if new is None:
            return []
        old = unsaved[path]
        edit = lsp.TextEdit(*units.difference(old, new, self.encoding))
        return [
            lsp.CodeAction(
                title="Mend what is mechanical",
                kind=lsp.CodeActionKind.SourceFixAll,
                edit=lsp.WorkspaceEdit(changes={uri: [edit]}),
            )
        ]

    async def _beside(self, work: Callable[..., _T], *values: object) -> _T | None:
        """What a function gives in the process that validates; None if that is lost."""
        if self._pool is None:
            self._pool = ProcessPoolExecutor(
                1, mp_context=get_context("spawn"), initializer=checking.apart
            )
        loop = asyncio.get_running_loop()
        try:
            return await loop.run_in_executor(self._pool, work, *values)
        except BrokenProcessPool:
            self._pool = None
            return None

    def _show(self, desk: Desk, path: Path, unsaved: Mapping[Path, str]) -> None:
        """Tell the editor what there is, of each file that has or had something."""
        by_file: dict[Path, list[Note]] = {}
        broken = {each for each, notes in desk.syntax.items() if notes}
        for note in desk.found:
            home = note.spot.path if note.spot else path
            if home not in broken:
                by_file.setdefault(home, []).append(note)
        for each in broken:
            by_file[each] = desk.syntax[each]
        for each in sorted({*by_file, *desk.shown, path}):
            diagnostics = [self._diagnostic(note, unsaved) for note in by_file.get(each, ())]
            self.text_document_publish_diagnostics(
                lsp.PublishDiagnosticsParams(each.as_uri(), diagnostics)
            )
        desk.shown = set(by_file)

    def _diagnostic(self, note: Note, unsaved: Mapping[Path, str]) -> lsp.Diagnostic:
        return lsp.Diagnostic(
            range=self._range(note.spot, unsaved),
            message=note.message,
            severity=_SEVERITIES[note.severity],
            code=note.rule,
            source="clustergraph",
            related_information=[
                lsp.DiagnosticRelatedInformation(
                    lsp.Location(spot.path.as_uri(), self._range(spot, unsaved)), message
                )
                for message, spot in note.related
            ],
            data={"suggestion": note.suggestion} if note.suggestion else None,
        )

    def _range(self, spot: Spot | None, unsaved: Mapping[Path, str]) -> lsp.Range:
        if spot is None:
            return lsp.Range(lsp.Position(0, 0), lsp.Position(0, 0))
        lines = Lines(self._text(spot.path, unsaved))
        start = lines.offset(spot.line, spot.column)
        end = lines.offset(max(spot.end_line, spot.line), spot.end_column)
        return units.stretch(lines, start, max(start, end), self.encoding)

    @staticmethod
    def _text(path: Path, unsaved: Mapping[Path, str]) -> str:
        try:
            return rdf.text(path, unsaved)
        except ClusterGraphError:
            return ""

    def location(self, uri_path: str, line: int, column: int, length: int) -> lsp.Location:
        """A place as the editor names it."""
        path = Path(uri_path).resolve()
        lines = Lines(self._text(path, self.unsaved()))
        start = lines.offset(max(line, 1), max(column, 1))
        return lsp.Location(
            path.as_uri(), units.stretch(lines, start, start + max(length, 0), self.encoding)
        )

    def close(self) -> None:
        """End the process that validates."""
        if self._pool is not None:
            self._pool.shutdown(wait=False, cancel_futures=True)
            self._pool = None


def _register(server: Server) -> None:
    """Say what the server answers."""

    def touched(uri: str) -> None:
        path = path_of(uri)
        if path is not None and rdf.is_source(path):
            server.changed(path)

    @server.feature(lsp.TEXT_DOCUMENT_DID_OPEN)
    async def opened(params: lsp.DidOpenTextDocumentParams) -> None:
        touched(params.text_document.uri)

    @server.feature(lsp.TEXT_DOCUMENT_DID_CHANGE)
    async def changed(params: lsp.DidChangeTextDocumentParams) -> None:
        touched(params.text_document.uri)

    @server.feature(lsp.TEXT_DOCUMENT_DID_SAVE)
    async def saved(params: lsp.DidSaveTextDocumentParams) -> None:
        touched(params.text_document.uri)

    @server.feature(lsp.TEXT_DOCUMENT_DID_CLOSE)
    async def closed(params: lsp.DidCloseTextDocumentParams) -> None:
        server.closed(params.text_document.uri)

    @server.feature(lsp.WORKSPACE_DID_CHANGE_WATCHED_FILES)
    async def others(params: lsp.DidChangeWatchedFilesParams) -> None:
        for each in params.changes:
            touched(each.uri)

    @server.feature(lsp.TEXT_DOCUMENT_HOVER)
    async def hover(params: lsp.HoverParams) -> lsp.Hover | None:
        asked = await server.question(params.text_document.uri, params.position)
        return answers.hover(asked) if asked else None

    @server.feature(lsp.TEXT_DOCUMENT_DEFINITION)
    async def definition(params: lsp.DefinitionParams) -> list[lsp.Location]:
        asked = await server.question(params.text_document.uri, params.position)
        places = answers.definition(asked) if asked else []
        return [server.location(each.path, each.line, each.column, each.length) for each in places]

    @server.feature(lsp.TEXT_DOCUMENT_COMPLETION, lsp.CompletionOptions(trigger_characters=[":"]))
    async def completion(params: lsp.CompletionParams) -> lsp.CompletionList:
        asked = await server.question(params.text_document.uri, params.position)
        if asked is None:
            return lsp.CompletionList(is_incomplete=False, items=[])
        return answers.completion(asked)

    @server.feature(
        lsp.TEXT_DOCUMENT_CODE_ACTION,
        lsp.CodeActionOptions(
            code_action_kinds=[lsp.CodeActionKind.QuickFix, lsp.CodeActionKind.SourceFixAll]
        ),
    )
    async def actions(params: lsp.CodeActionParams) -> list[lsp.CodeAction]:
        only = {str(getattr(each, "value", each)) for each in params.context.only or ()}
        if only & {"source", "source.fixAll"}:  # it takes a while: on demand alone
            return await server.mended(params.text_document.uri)
        return answers.actions(params)

    @server.feature(lsp.SHUTDOWN)
    def shutdown(_params: None) -> None:
        server.close()


def run(shapes: Sequence[Path] = ()) -> None:
    """Serve the editor at standard input and output until it goes."""
    server = Server(shapes)
    try:
        server.start_io()
    finally:
        server.close()
