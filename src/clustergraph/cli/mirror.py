"""The command that keeps a mirror of another instance."""

from __future__ import annotations

from pathlib import Path
from time import sleep

import click

from clustergraph import errors, mirror, rdf, scaffold, settings
from clustergraph.cli.terminal import progress, tell
from clustergraph.mirror.sync import read_stream
from clustergraph.releases import Archive


@click.command("mirror")
@click.argument("url")
@click.argument("folder", metavar="DIR", type=click.Path(file_okay=False, path_type=Path))
@click.option("--follow", is_flag=True, help="Go on until stopped.")
@click.option(
    "--every",
    type=click.IntRange(min=1),
    default=60,
    show_default=True,
    help="With --follow: seconds between two looks.",
)
@click.option("--title", help="Title of the mirror; that of the stream if not given.")
def keep(url: str, folder: Path, *, follow: bool, every: int, title: str | None) -> None:
    """Copy the graph behind the change feed URL into the project folder DIR, and keep it in step.

    URL is the feed of another instance (https://example.org/feed/ldes), or any other Linked Data
    Event Stream. DIR is made if it is not there. Each run publishes a release in it, after its
    digest was compared with the origin's; `clustergraph --project DIR serve` serves it, and shows
    a new one as soon as it is there. A run that was interrupted is simply started again.

    \b
    Example:
      clustergraph mirror https://example.org/feed/ldes example-mirror --follow
    """
    client = mirror.Client(url)
    while True:
        try:
            _once(url, folder, client, title)
        except errors.ClusterGraphError as error:
            if not follow or isinstance(error, errors.UsageError):
                raise
            tell(error)  # the next look may find it mended
        if not follow:
            return
        sleep(every)


def _once(url: str, folder: Path, client: mirror.Client, title: str | None) -> None:
    if not (folder / settings.PROJECT_FILE).is_file():
        _begin(url, folder, client, title)
    chosen = settings.load(folder, environment={})
    with progress("Mirroring") as step:
        done = mirror.Mirror(url, client, Archive(chosen.variable), chosen, step).run()
    if done.manifest is None:
        click.echo("The stream has no members yet.")
        return
    origin = f", as release {done.origin} of the origin" if done.origin else ""
    word = "Published" if done.fresh else "Nothing has changed since"
    click.echo(
        f"{word} release {done.manifest.number}{origin}: {done.manifest.quads} statements in "
        f"{len(done.manifest.graphs)} graphs (+{done.manifest.added} -{done.manifest.removed})."
    )


def _begin(url: str, folder: Path, client: mirror.Client, title: str | None) -> None:
    """Make the project folder, after the stream was looked at."""
    plain = settings.Settings(project=folder, variable=folder / "var", written_base="")
    stream, _root = read_stream(client, client.get(url), plain)
    try:  # what the origin says of itself goes into a file: no quotes, no line ends
        base = rdf.checked_iri(stream.base).value if stream.base else None
    except ValueError as error:
        raise errors.SourceError(url, f"tells no base: {error}.") from error
    said = "".join(each if each.isprintable() else " " for each in title or stream.title)
    try:
        scaffold.init(
            folder,
            title=said.replace("\\", "/")[:200].strip() or None,
            base=base,
            mirrored={
                "origin": url,
                "default_graph": "merge" if stream.merged else "separate",
            },
        )
    except errors.UsageError as error:
        error.hint = "Name a new folder, or that of a mirror."
        raise
