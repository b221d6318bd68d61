"""Styles, scripts and icons: named by what is in them, so that browsers keep them (RFC 8246)."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import TYPE_CHECKING

from flask import request

from clustergraph.web import views

if TYPE_CHECKING:
    from flask import Flask, Response

_KEPT = "public, max-age=31536000, immutable"
_NAMED_BY_CONTENT = "bundle/chunks/"


def register(app: Flask) -> None:
    """Give templates ``asset``, and let what it names be kept for a year."""
    folder = Path(app.root_path) / "static"
    digests = {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()[:16]
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }

    def asset(name: str) -> str:
        """The address of a file, which changes when the file does."""
        return f"{views.graph().settings.public_url}/static/{name}?v={digests[name]}"

    app.jinja_env.globals["asset"] = asset

    @app.after_request
    def keep(response: Response) -> Response:
        if request.endpoint == "static" and response.status_code in {200, 206, 304}:
            name = (request.view_args or {}).get("filename", "")
            if name.startswith(_NAMED_BY_CONTENT) or request.args.get("v") == digests.get(name):
                response.headers["Cache-Control"] = _KEPT
        return response
