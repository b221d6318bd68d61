"""``clustergraph doctor --store`` and ``clustergraph carry``: engines that hold the release."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import TYPE_CHECKING

import click

from clustergraph import errors
from clustergraph.cli.terminal import opened, progress

if TYPE_CHECKING:
    from collections.abc import Iterable

    from clustergraph.store.probing import Finding


def examine(ctx: click.Context, address: str, *, write: bool, as_json: bool) -> None:
    """Look at an engine and tell what was found; exit code 1 if something that is needed lacks."""
    from clustergraph.releases.carrying import examined  # noqa: PLC0415  slow to import

    settings = opened(ctx, store=address).settings
    with progress("Looking"):
        probed = examined(settings, write=write)
    if as_json:
        content = {
            "capabilities": probed.capabilities.to_fields(),
            "findings": [asdict(each) for each in probed.findings],
        }
        click.echo(json.dumps(content, indent=2))
    else:
        tell(probed.findings, write=write)
    if probed.lacking(write=write):
        ctx.exit(errors.EXIT_FINDINGS)


def tell(findings: Iterable[Finding], *, write: bool) -> None:
    """What was found, a line each; below each that is not fine, what that means."""
    for each in findings:
        mark = {True: "ok  ", None: "?   "}.get(each.fine, "FAIL" if each.needed else "less")
        click.echo(f"{mark} {each.title}: {each.message}")
        if each.fine is False:
            click.echo(f"       {each.missing}")
    if not write:
        click.echo(
            "\nNothing was written. With --write, updates and loading are tried too, in graphs of "
            "a moment."
        )


@click.command()
@click.option(
    "--all", "whole", is_flag=True, help="Load all of it anew, whatever the engine says it holds."
)
@click.pass_context
def carry(ctx: click.Context, *, whole: bool) -> None:
    """Bring the engine to the current release, from whatever it holds.

    A build, a write and `serve` do so by themselves; this is for an engine that was restored, or
    was away.
    """
    graph = opened(ctx)
    with progress("Carrying") as step:
        done = graph.carry(whole=whole, progress=step)
    number = graph.archive.current_number()
    word = "now holds" if done else "holds"
    click.echo(f"The engine {word} release {number}.")
