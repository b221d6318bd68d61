"""``clustergraph evidence``: check passages against a source text, and make new ones."""

from __future__ import annotations

from pathlib import Path

import click
import pyoxigraph as ox

from clustergraph import errors, rdf
from clustergraph.cli.terminal import opened

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
    from clustergraph.evidence import passage_turtle, read_source  # noqa: PLC0415  slow to import

    text = read_source(source)
    click.echo(passage_turtle(text, words, slug, opened(ctx).settings), nl=False)


@evidence.command()
@click.option("--graph", required=True, help="The graph that holds the statement.")
@click.option("--passage", "place", required=True, help="IRI of the passage that supports it.")
@click.argument("statement")
@click.pass_context
def attest(ctx: click.Context, graph: str, place: str, statement: str) -> None:
    """Write the Turtle of the attestation of a STATEMENT, ready to paste into the data.

    STATEMENT is one triple in Turtle with full IRIs, or IRIs relative to the base.

    \b
    Example:
      clustergraph evidence attest --graph graph/source/bioxclusters-blog \\
        --passage id/passage/bioxclusters-blog-99-232 \\
        '<id/person/x> <http://xmlns.com/foaf/0.1/name> "X" .'
    """
    from clustergraph.evidence import attestation_turtle  # noqa: PLC0415  slow to import

    options = opened(ctx).settings
    base = options.written_base
    quads = rdf.parse(statement.encode(), rdf.TURTLE, base=base, name="statement")
    subject = quads[0].subject if len(quads) == 1 else None
    if not isinstance(subject, ox.NamedNode):
        raise errors.UsageError("Give one triple about one IRI.")
    value = quads[0].object
    if not isinstance(value, ox.NamedNode | ox.Literal):
        raise errors.UsageError("The object must be an IRI or a literal.")

    def absolute(iri: str) -> ox.NamedNode:
        return ox.NamedNode(iri if "://" in iri else base + iri)

    turtle = attestation_turtle(
        (subject, quads[0].predicate, value),
        absolute(graph),
        absolute(place),
        options,
    )
    click.echo(turtle, nl=False)
