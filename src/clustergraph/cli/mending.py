"""``clustergraph validate --fix``: what mending would change, as a diff; written with --write."""

from __future__ import annotations

import difflib
import os
import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import click

from clustergraph.cli.terminal import progress
from clustergraph.workbench import mend
from clustergraph.workbench.files import texts

if TYPE_CHECKING:
    from collections.abc import Collection

    from clustergraph.workbench import Files
    from clustergraph.workbench.mend import Mended


def mended(files: Files, chosen: Collection[Path] | None, *, write: bool) -> Mended:
    """Mend, and show the diff or write the files.

    Raises:
        SourceError: a file cannot be read.
        UsageError: the shapes or a rule cannot be used.
        OSError: a file cannot be written; those written before it stay.
    """
    before = texts(files.paths())
    with progress("Mending") as step:
        done = mend.mend(files, before, chosen=chosen, progress=step)
    for path, text in sorted(done.texts.items()):
        if write:
            _write(path, text)
        else:
            click.echo(_diff(path, before[path], text), nl=False)
    number = len(done.texts)
    what = f"{done.edits} edit{'' if done.edits == 1 else 's'} in {number} file"
    what += "" if number == 1 else "s"
    if not number:
        click.echo("There is nothing that can be mended without asking.", err=True)
    elif write:
        click.echo(f"{what} written.", err=True)
    else:
        click.echo(f"{what}; --fix --write makes them.", err=True)
    return done


def _diff(path: Path, old: str, new: str) -> str:
    """A unified diff, as ``git apply`` and ``patch`` read it; lines end at line feeds alone."""
    try:
        shown = path.relative_to(Path.cwd()).as_posix()
    except ValueError:
        shown = path.as_posix()
    lines = difflib.unified_diff(
        _lines(old), _lines(new), f"a/{shown.lstrip('/')}", f"b/{shown.lstrip('/')}"
    )
    return "".join(
        each if each.endswith("\n") else f"{each}\n\\ No newline at end of file\n" for each in lines
    )


def _lines(text: str) -> list[str]:
    parts = text.split("\n")
    return [part + "\n" for part in parts[:-1]] + ([parts[-1]] if parts[-1] else [])


def _write(path: Path, text: str) -> None:
    """Replace a file as a whole: nobody sees half of it."""
    handle, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(text.encode())
        shutil.copymode(path, name)
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
