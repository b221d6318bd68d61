"""A client of the Language Server Protocol, over the standard input and output of a process."""

from __future__ import annotations

import json
import queue
import subprocess
import sys
import threading
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path

PATIENCE = 60.0


class Client:
    """An editor with one server."""

    def __init__(self, folder: Path, *options: str, encodings: list[str] | None = None) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "clustergraph", "lsp", *options],
            cwd=folder,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        self._got: queue.Queue[dict[str, Any]] = queue.Queue()
        threading.Thread(target=self._listen, daemon=True).start()
        self._number = 0
        self.diagnostics: dict[str, list[dict[str, Any]]] = {}
        general = {"general": {"positionEncodings": encodings}} if encodings else {}
        self.offers = self.ask(
            "initialize", {"processId": None, "rootUri": folder.as_uri(), "capabilities": general}
        )["capabilities"]
        self.tell("initialized", {})

    def _listen(self) -> None:
        stream = self._process.stdout
        assert stream is not None
        while True:
            length = 0
            while (line := stream.readline().strip()) or not length:
                if not line:
                    return
                name, _, value = line.partition(b":")
                if name.lower() == b"content-length":
                    length = int(value)
            self._got.put(json.loads(stream.read(length)))

    def _send(self, message: dict[str, Any]) -> None:
        body = json.dumps({"jsonrpc": "2.0", **message}).encode()
        stream = self._process.stdin
        assert stream is not None
        stream.write(b"Content-Length: %d\r\n\r\n" % len(body) + body)
        stream.flush()

    def tell(self, method: str, params: dict[str, Any] | None) -> None:
        """Send a notification."""
        self._send({"method": method, "params": params})

    def ask(self, method: str, params: dict[str, Any] | None) -> Any:
        """Send a request and wait for its answer."""
        self._number += 1
        self._send({"id": self._number, "method": method, "params": params})
        while True:
            message = self._next()
            if message.get("id") == self._number and "method" not in message:
                assert "error" not in message, message
                return message["result"]

    def _next(self) -> dict[str, Any]:
        message = self._got.get(timeout=PATIENCE)
        if message.get("method") == "textDocument/publishDiagnostics":
            self.diagnostics[message["params"]["uri"]] = message["params"]["diagnostics"]
        return message

    def wait(self, path: Path, *codes: str) -> list[dict[str, Any]]:
        """The diagnostics of a file, once they have these codes and no others."""
        uri = path.as_uri()
        while sorted(each["code"] for each in self.diagnostics.get(uri, [{"code": ""}])) != sorted(
            codes
        ):
            self._next()
        return self.diagnostics[uri]

    def open(self, path: Path, text: str | None = None) -> None:
        """Open a document; with a text that is not saved, or that of the file."""
        content = path.read_text(encoding="utf-8") if text is None else text
        document = {"uri": path.as_uri(), "languageId": "turtle", "version": 1, "text": content}
        self.tell("textDocument/didOpen", {"textDocument": document})

    def change(self, path: Path, text: str) -> None:
        """Type: the document has another text, the file has not."""
        document = {"uri": path.as_uri(), "version": 2}
        self.tell(
            "textDocument/didChange", {"textDocument": document, "contentChanges": [{"text": text}]}
        )

    def at(self, method: str, path: Path, line: int, character: int) -> Any:
        """Ask about a position."""
        return self.ask(
            f"textDocument/{method}",
            {
                "textDocument": {"uri": path.as_uri()},
                "position": {"line": line, "character": character},
            },
        )

    def hang_up(self) -> None:
        """Go without a word; the server ends by itself."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait(timeout=PATIENCE)
        self._close()

    def _close(self) -> None:
        for stream in (self._process.stdin, self._process.stdout, self._process.stderr):
            assert stream is not None
            stream.close()

    def end(self) -> int:
        """Say good-bye; the exit code of the server."""
        self.ask("shutdown", None)
        self.tell("exit", None)
        try:
            return self._process.wait(timeout=PATIENCE)
        finally:
            self._close()
