"""``clustergraph evidence``: check passages against a source text, and make new ones."""

from __future__ import annotations

from pathlib import Path

import click

from clustergraph import errors
from clustergraph.cli.terminal import opened
from clustergraph.evidence import Text, passage_turtle, read_source

_SOURCE = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.group()
def evidence() -> None:
    """Check the evidence of the graph against the text of its source."""


@evidence.command()
@click.option("--source", required=True, type=_SOURCE, help="The text of the source.")
@click.pass_context
def check(ctx: click.Context, source: Path) -> None:
    """Verify every passage (offsets, lines, digests) and every literal's wording.

    A literal that repeats eight or more consecutive words of the source is named, unless it is
    a name or a title. Exit code 0: all is right; 1: findings; 2: the source is another text.
    """
    checked = opened(ctx).check_evidence(source)
    for finding in checked.report.findings:
        click.echo(f"{finding.severity.word}[{finding.rule}] {finding.message}")
        click.echo(f"  at {checked.report.show(finding.focus)}")
    number = len(checked.report.findings)
    click.echo(
        f"{checked.source}: {checked.passages} passages and {checked.literals} literals checked, "
        f"{number or 'no'} finding{'' if number == 1 else 's'}."
    )
    if number:
        ctx.exit(errors.EXIT_FINDINGS)


@evidence.command()
@click.option("--source", required=True, type=_SOURCE, help="The text of the source.")
@click.option("--slug", required=True, help="Slug of the source document in the graph.")
@click.argument("words")
@click.pass_context
def passage(ctx: click.Context, source: Path, slug: str, words: str) -> None:
    """Write the Turtle of the passage that holds WORDS, ready to paste into the data.

    WORDS must occur exactly once in the source; if they occur more often, give more of them.
    """
    text: Text = read_source(source)
    click.echo(passage_turtle(text, words, slug, opened(ctx).settings), nl=False)
