"""Commands that keep the releases: forget, backup, restore, verify."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from clustergraph import errors
from clustergraph.cli.terminal import opened, progress

if TYPE_CHECKING:
    from clustergraph.releases.forget import Plan


@click.command()
@click.argument("iris", metavar="IRI...", nargs=-1, required=True)
@click.option("--reason", default="", help="For the tombstone and the history; name nobody.")
@click.option("--force", is_flag=True, help="Do it even if what is left breaks the shapes.")
@click.option("--dry-run", is_flag=True, help="Only show what would go.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.pass_context
def forget(
    ctx: click.Context,
    *,
    iris: tuple[str, ...],
    reason: str,
    force: bool,
    dry_run: bool,
    yes: bool,
) -> None:
    """Erase things from the graph and from all its history. This cannot be undone.

    IRI may be relative to the base. With a thing go its labels, contact points and statements
    about it, and what names it in other texts. The graph is written into new files, every earlier
    release is removed, their history is kept without it. From then on its IRI answers 410 Gone,
    and no build takes files that still hold it.

    Backups are not touched: make a new one, and destroy those that were made before.

    \b
    Example:
      clustergraph forget id/person/jane-doe --reason "Asked for on 2026-11-02"
    """
    graph = opened(ctx)
    full = [each if ":" in each.split("/", 1)[0] else graph.settings.iri(each) for each in iris]
    if dry_run or not yes:
        _show(graph.forgetting(full), "goes")
    if dry_run:
        return
    if not yes:
        if not sys.stdin.isatty():
            raise errors.UsageError(
                "Nobody is there to be asked, and what is erased is gone for good.",
                hint="Nothing was erased. If it is meant, add --yes.",
            )
        click.confirm(f"Erase {', '.join(full)} for good?", abort=True)
    with progress("Forgetting"):
        try:
            manifest, plan = graph.forget(full, reason=reason, force=force)
        except errors.ValidationFailedError as error:
            error.hint = (
                "What is left breaks the shapes. Name what must go too as further IRIs, change it "
                "first, or say --force."
            )
            raise
    from clustergraph.tombstones import hashed  # noqa: PLC0415  slow to import

    _show(plan, "went")
    click.echo(f"Release {manifest.number} is the only one left; it holds nothing of it.")
    click.echo("\nTake it out of the project's files, and add to data/erasures.csv:")
    for iri, stone in zip(full, manifest.tombstones[-len(full) :], strict=True):
        click.echo(f"sha256:{hashed(iri, graph.settings.base)},{stone['erased']},{reason}")


def _show(plan: Plan, verb: str) -> None:
    """Show what goes beside the things that were named."""
    for part in plan.parts:
        click.echo(f"{verb} too, as a part of it or for it alone: {part}")
    for quad in plan.named:
        click.echo(f"{verb} too, since it names it: {quad}")


@click.command()
@click.argument("target", type=click.Path(file_okay=False, path_type=Path))
@click.option("--public", is_flag=True, help="Leave out all that is restricted.")
@click.pass_context
def backup(ctx: click.Context, target: Path, *, public: bool) -> None:
    """Copy all releases and their history into the new folder TARGET, while the server runs.

    Releases share files on disk, so they are no backup of each other; this is. Tokens are not
    copied.
    """
    graph = opened(ctx)
    with progress("Copying"):
        numbers = graph.backup(target, public=public)
    click.echo(f"{len(numbers)} releases, up to {numbers[-1]}, are in {target}.")


@click.command()
@click.argument("source", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--replace", is_flag=True, help="Let the releases go that are there now.")
@click.pass_context
def restore(ctx: click.Context, source: Path, *, replace: bool) -> None:
    """Put the backup in SOURCE in the place of the releases; it is verified first."""
    graph = opened(ctx)
    with progress("Restoring"):
        numbers = graph.restore(source, replace=replace)
    click.echo(f"{len(numbers)} releases are back; {numbers[-1]} is the newest.")


@click.command()
@click.pass_context
def verify(ctx: click.Context) -> None:
    """Read every release that is kept, byte by byte, and compare it with its manifest.

    Files by SHA-256, graphs by their sizes, the content by the digest of its canonical form
    (RDFC-1.0), the default graph as the merge of the others, each delta against its parent. Exit
    code 1 if anything is not as it was written.
    """
    graph = opened(ctx)
    broken = False
    with progress("Verifying") as step:
        for number, problems in graph.verify(step):
            broken = broken or bool(problems)
            click.echo(f"{'FAIL' if problems else 'ok  '} release {number}")
            for each in problems:
                click.echo(f"     {each}")
    if broken:
        ctx.exit(errors.EXIT_FINDINGS)


@click.command()
@click.pass_context
def dump(ctx: click.Context) -> None:
    """Write the files to download (/dump/) of the current release, unless they are there already.

    A server does so by itself; this is for those who want them before the first visitor does.
    """
    graph = opened(ctx)
    with progress("Writing") as step:
        found = graph.dumps.write(step)
    for each in found.files:
        click.echo(f"{each.sha256}  {found.folder / each.name}")
