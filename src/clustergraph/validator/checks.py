"""Take a document in, have it validated by ``worker``, and give the report."""

from __future__ import annotations

import json
import os
import re
import tempfile
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Any

from clustergraph import compression, rdf
from clustergraph.errors import (
    MemoryLimitError,
    TimeLimitError,
)
from clustergraph.process import confined
from clustergraph.settings import to_environment
from clustergraph.validator.places import Places
from clustergraph.writing.uploads import format_of

if TYPE_CHECKING:
    from clustergraph.settings import Settings

_PLACES = Places(4)
"""Each takes a processor, and memory for the whole graph."""
_LARGEST = 64 << 20
"""Bytes of a report."""
_NOT_IN_NAMES = re.compile(r"[^\w.-]")
_LONGEST_NAME = 80


class Against(Enum):
    """What a document is held against."""

    PROJECT = "project"
    """The project's shapes and rules, as if it were added to the published graph."""
    OWN = "own"
    """Shapes that came with it, it alone."""
    NONE = "none"
    """No shapes: only its syntax counts."""


@dataclass(frozen=True)
class Document:
    """A document that came, decompressed."""

    name: str
    """As the report calls it; no path."""
    content: bytes
    fmt: rdf.RdfFormat

    @property
    def text(self) -> str:
        """For people; bytes that are no UTF-8 are told in the report."""
        return self.content.decode("utf-8", "replace")


@dataclass(frozen=True)
class Outcome:
    """What came of it."""

    report: bytes
    """In the form that was asked for."""
    readable: bool
    """Whether all documents could be read; else the report tells their syntax errors."""
    conforms: bool


def received(
    body: bytes,
    content_type: str,
    settings: Settings,
    *,
    encoding: str = "",
    name: str = "",
    stem: str = "document",
) -> Document:
    """Take in a document.

    Args:
        body: as it came.
        content_type: its media type; where it says nothing, the name's suffix tells the format.
        settings: of the project: how large it may be.
        encoding: its Content-Encoding.
        name: of its file, if it has one.
        stem: its name if it has none.

    Raises:
        UnsupportedError: a media type or encoding that is not read here.
        TooLargeError: it is larger than is read here.
        SourceError: its compressed data are damaged.
    """
    path = Path(name.replace("\\", "/")).name
    if path and content_type in {"", "application/octet-stream"}:
        content_type, encoding = _told_by(path, encoding)
    fmt = format_of(content_type)
    content = compression.decoded(body, encoding, settings.max_body, name=path or "the document")
    bare = Path(path).stem if path else stem
    bare = _NOT_IN_NAMES.sub("_", bare.removesuffix(f".{fmt.suffix}"))[:_LONGEST_NAME].lstrip(".")
    return Document(f"{bare or stem}.{fmt.suffix}", content, fmt)


def _told_by(path: str, encoding: str) -> tuple[str, str]:
    """Media type and encoding by the suffixes of a file."""
    coding = compression.SUFFIXES.get(Path(path).suffix[1:].lower(), encoding)
    return (rdf.format_of(Path(path)).media_type, coding) if rdf.is_source(Path(path)) else ("", "")


def validate(
    settings: Settings,
    document: Document | str,
    *,
    release: Path | None = None,
    shapes: Document | None = None,
    against: Against = Against.PROJECT,
    form: str,
    seconds: float,
    client: str = "",
) -> Outcome:
    """Validate a document.

    Args:
        settings: of the project.
        document: what came, or the path of one of the project's own files, relative to it: that is
            validated among the others as they lie there.
        release: the folder with the public store that a document is added to.
        shapes: its own shapes, if they do not stand in it; they are used against ``OWN``.
        against: what it is held against.
        form: of the report: one of ``forms.FORMS``, or the suffix of an RDF format.
        seconds: how long it may take.
        client: who asks; "" for one without a share.

    Raises:
        UsageError: the shapes cannot be used, or ask for what is not done here.
        TooLargeError: something is nested too deep.
        TimeLimitError, MemoryLimitError: it takes more than a query may take.
        OverloadedError: too many documents are being validated.
    """
    with tempfile.TemporaryDirectory(prefix="clustergraph-validate-") as folder:
        request: dict[str, Any] = {
            "folder": folder,
            "against": against.value,
            "form": form,
            "release": str(release or ""),
        }
        if isinstance(document, str):
            request["file"] = document
        else:
            request["document"] = _put(document, Path(folder))
            if shapes is not None:
                request["shapes"] = _put(shapes, Path(folder) / "shapes")
        return _run(request, settings, seconds, client)


def _put(document: Document, folder: Path) -> str:
    folder.mkdir(exist_ok=True)
    path = folder / document.name
    path.write_bytes(document.content)
    return str(path)


def _run(request: dict[str, Any], settings: Settings, seconds: float, client: str) -> Outcome:
    memory = settings.query_memory << 20
    try:
        with _PLACES.taken(client):
            answer = confined.run(
                "clustergraph.validator.worker",
                (str(memory), str(_LARGEST)),
                json.dumps(request).encode(),
                seconds=seconds,
                environment={**os.environ, **to_environment(settings)},
            )
    except TimeoutError as error:
        raise TimeLimitError(
            f"Validating took longer than {seconds:g} seconds.",
            hint="Send less at once, or look for a costly pattern or query in the shapes.",
        ) from error
    except MemoryError as error:
        raise MemoryLimitError(
            f"Validating needs more than {settings.query_memory} MiB of memory, "
            f"or a report of more than {_LARGEST >> 20} MiB.",
            hint="Send less at once, or nest it less deeply.",
        ) from error
    head, _, report = answer.partition(b"\n")
    return Outcome(report, **json.loads(head))
