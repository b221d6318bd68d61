"""Commands that change the published graph beside a build: update, rollback, diff, tokens."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from clustergraph import errors
from clustergraph.cli.terminal import opened, progress
from clustergraph.tokens import EVERYTHING, Grant


@click.command()
@click.argument("text", required=False)
@click.option(
    "--file",
    "path",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Read the update from a file.",
)
@click.option("-m", "--message", default="", help="Why; kept in the history.")
@click.option("--lenient", is_flag=True, help="Accept warnings; violations are never accepted.")
@click.pass_context
def update(
    ctx: click.Context, *, text: str | None, path: Path | None, message: str, lenient: bool
) -> None:
    """Publish a SPARQL Update TEXT ('-' reads it from standard input).

    It goes through the same checks as a build: a violation refuses it, the report says why, and
    nothing is changed.

    \b
    Example:
      clustergraph update 'INSERT DATA { GRAPH <https://example.org/graph/curation> { ... } }'
    """
    if (text is None) == (path is None):
        raise errors.UsageError("Give one of: a TEXT, --file.")
    if path is not None:
        payload = path.read_bytes()
    else:
        payload = sys.stdin.buffer.read() if text == "-" else str(text).encode()
    from clustergraph import releases  # noqa: PLC0415  slow to import

    graph = opened(ctx)
    with progress("Publishing"):
        (outcome,) = graph.commit(
            [
                releases.Write(
                    method="UPDATE",
                    payload=payload,
                    base=graph.settings.base,
                    who=graph.user(),
                    why=message,
                    grant=Grant((EVERYTHING,), sees_restricted=True),
                    lenient=lenient,
                )
            ]
        )
    if isinstance(outcome, errors.ClusterGraphError):
        raise outcome
    click.echo(f"Release {outcome.manifest.number}: +{outcome.added} -{outcome.removed}.")


@click.command()
@click.argument("number", type=click.IntRange(min=1))
@click.option("-m", "--message", default="", help="Why; kept with the release.")
@click.pass_context
def rollback(ctx: click.Context, number: int, message: str) -> None:
    """Publish a new release that is equal to release NUMBER.

    History stays as it is; going back can itself be undone. A later build applies what has changed
    in the project's files since, and nothing else.
    """
    graph = opened(ctx)
    with progress("Going back"):
        manifest = graph.rollback(number, message=message)
    click.echo(
        f"Release {manifest.number} is equal to release {number} "
        f"(+{manifest.added} -{manifest.removed})."
    )


@click.command()
@click.argument("old", type=click.IntRange(min=1))
@click.argument("new", type=click.IntRange(min=1), required=False)
@click.option(
    "--format",
    "form",
    type=click.Choice(["text", "patch"]),
    default="text",
    show_default=True,
    help="text: grouped by thing, with labels; patch: RDF Patch.",
)
@click.pass_context
def diff(ctx: click.Context, old: int, new: int | None, form: str) -> None:
    """Show what makes release NEW (without it: the current one) out of release OLD.

    Exit code 0: they are the same; 1: they differ.
    """
    graph = opened(ctx)
    new = new or graph.release().manifest.number
    change = graph.diff(old, new)
    if form == "patch":
        click.echo(change.to_rdf_patch(), nl=False)
    else:
        for thing in graph.explained(change):
            click.echo(f"{thing.label}  <{thing.iri}>" if thing.label else f"<{thing.iri}>")
            for mark, statement in thing.lines:
                click.secho(f"  {mark} {statement}", fg="green" if mark == "+" else "red")
    if change:
        ctx.exit(errors.EXIT_FINDINGS)


@click.group()
def token() -> None:
    """Make, list and revoke the tokens with which others write, or read what is restricted."""


@token.command()
@click.argument("name")
@click.option(
    "--write",
    multiple=True,
    metavar="GRAPH",
    help="A graph it may write: an IRI (may be relative to the base), one that ends with '*' for "
    "all that begin so, '*' for all, 'default' for the default graph. Restricted ones only with "
    "--read-restricted. May be repeated.",
)
@click.option("--read-restricted", is_flag=True, help="It may read restricted graphs.")
@click.option("--admin", is_flag=True, help="It may do everything.")
@click.option(
    "--query-seconds",
    type=click.IntRange(min=1),
    help="Its queries may run so long (instead of query.seconds).",
)
@click.option("--days", type=click.IntRange(min=1), help="It is valid for so many days.")
@click.pass_context
def create(
    ctx: click.Context,
    *,
    name: str,
    write: tuple[str, ...],
    read_restricted: bool,
    admin: bool,
    days: int | None,
    query_seconds: int | None,
) -> None:
    """Make a token for NAME (a person or a program; told in the history) and print it, once.

    \b
    Example:
      clustergraph token create "Jo's import" --write graph/source/jo --days 90
    """
    if not (write or read_restricted or admin or query_seconds):
        raise errors.UsageError(
            "The token would allow nothing.",
            hint="Give --write, --read-restricted, --query-seconds or --admin.",
        )
    graph = opened(ctx)
    graphs = tuple(
        {"default": "", EVERYTHING: EVERYTHING}.get(
            each, each if ":" in each else graph.settings.iri(each)
        )
        for each in write
    )
    hidden = [each for each in graphs if graph.settings.is_restricted(each.rstrip("*"))]
    if hidden and not (read_restricted or admin):
        raise errors.UsageError(
            f"{hidden[0]} is restricted: who writes it must be allowed to read it.",
            hint="Give --read-restricted too.",
        )
    made, text = graph.tokens.create(
        name,
        write=graphs,
        read=read_restricted,
        admin=admin,
        days=days,
        query_seconds=query_seconds or 0,
    )
    click.echo(text)
    click.echo(
        f"Token {made.id} for {name}. It is shown this once; only a hash of it is kept.", err=True
    )


@token.command("list")
@click.pass_context
def list_tokens(ctx: click.Context) -> None:
    """List the tokens: id, state, name, what each allows."""
    graph = opened(ctx)
    for each in graph.tokens.all():
        scopes = [f"write {graph or 'default'}" for graph in each.write]
        scopes += ["read-restricted"] * each.read + ["admin"] * each.admin
        scopes += [f"queries of {each.query_seconds} s"] if each.query_seconds else []
        until = f" until {each.expires}" if each.expires else ""
        click.echo(
            f"{each.id}  {each.state(graph.now()):<8}  {each.name}: {', '.join(scopes)}{until}"
        )


@token.command()
@click.argument("identifier", metavar="ID")
@click.pass_context
def revoke(ctx: click.Context, identifier: str) -> None:
    """Make the token ID worthless, at once."""
    revoked = opened(ctx).tokens.revoke(identifier)
    click.echo(f"Token {revoked.id} for {revoked.name} is revoked.")
