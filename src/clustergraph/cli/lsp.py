"""``clustergraph lsp``: the language server for editors."""

from __future__ import annotations

from pathlib import Path

import click


@click.command()
@click.option(
    "--shapes",
    multiple=True,
    type=click.Path(exists=True, path_type=Path),
    help="Shapes for files that belong to no project; may be given several times.",
)
@click.option("--stdio", is_flag=True, help="Speak over standard input and output; it always does.")
def lsp(*, shapes: tuple[Path, ...], stdio: bool) -> None:
    """Help editors with Turtle and TriG: findings, hover, completion, go to definition.

    Speaks the Language Server Protocol over standard input and output. Which project a file
    belongs to is told by the nearest clustergraph.toml upwards.
    """
    from clustergraph.editor import server  # noqa: PLC0415  slow to import, needed here only

    server.run(shapes)
