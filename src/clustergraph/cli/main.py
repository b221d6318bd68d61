"""``clustergraph``: the commands, their options and their help."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from clustergraph import errors, rdf, scaffold, settings
from clustergraph.cli.engines import carry
from clustergraph.cli.evidence import evidence
from clustergraph.cli.keeping import backup, dump, forget, restore, verify
from clustergraph.cli.lsp import lsp
from clustergraph.cli.mirror import keep as mirror
from clustergraph.cli.terminal import Group, opened, progress, write
from clustergraph.cli.validate import validate
from clustergraph.cli.writes import diff, rollback, token, update

if TYPE_CHECKING:
    from clustergraph.explain import Explanation

_FORMATS = {each.suffix: each for each in rdf.RDF_FORMATS}
_RESULTS = {"json": rdf.JSON, "xml": rdf.XML, "csv": rdf.CSV, "tsv": rdf.TSV}


@click.group(
    cls=Group,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@click.version_option(package_name="clustergraph", prog_name="clustergraph")
@click.option(
    "--project",
    type=click.Path(file_okay=False, path_type=Path),
    help="The project's folder. Without it: the nearest folder upwards that holds a "
    "clustergraph.toml, else the bioXclusters project that comes with the program.",
)
@click.option("--base", help="Publish under this base IRI instead of the project's own.")
@click.option(
    "--var",
    "variable",
    type=click.Path(file_okay=False, path_type=Path),
    help="Where releases are kept. Without it: var/ in the project.",
)
def main(project: Path | None, base: str | None, variable: Path | None) -> None:
    """Publish a validated RDF knowledge graph as linked data with a SPARQL endpoint.

    A project is a folder with an ontology, data and shapes. `build` makes a release of it,
    `serve` publishes the current release.

    \b
    Exit codes: 0 fine, 1 findings (a shape is violated), 2 could not run.

    \b
    Settings come from options, then from CG_... variables of the environment, then from the
    project's clustergraph.toml; `clustergraph doctor` shows those in force.
    """


@main.command()
@click.argument("folder", type=click.Path(file_okay=False, path_type=Path))
@click.option("--title", help="Title of the new dataset.")
@click.option("--bare", is_flag=True, help="No example, no shapes: a plain SPARQL server.")
def init(folder: Path, title: str | None, *, bare: bool) -> None:
    """Start a new project in FOLDER: ontology, data, shapes and queries with a first example.

    \b
    Example:
      clustergraph init my-alliance
      cd my-alliance && clustergraph serve
    """
    base = click.get_current_context().find_root().params.get("base")
    for path in scaffold.init(folder, title=title, base=base, bare=bare):
        click.echo(path)
    click.echo(f"Next: cd {folder} && clustergraph serve", err=True)


@main.command()
@click.option("-m", "--message", default="", help="Why; kept with the release.")
@click.option("--force", is_flag=True, help="Make a release even if nothing has changed.")
@click.option(
    "--discard-written",
    is_flag=True,
    help="Let the files alone count: what was written over HTTP since is not carried over.",
)
@click.pass_context
def build(ctx: click.Context, *, message: str, force: bool, discard_written: bool) -> None:
    """Build a release from the project's files: infer, validate, write, switch to it.

    A violation of a shape refuses the release: the report says what and where, the exit code
    is 1, and the release served until now stays. If no file has changed since the current
    release, nothing is done.
    """
    graph = opened(ctx)
    with progress("Building") as step:
        built = graph.build(
            message=message, force=force, keep_written=not discard_written, progress=step
        )
    if any(built.report.counts().values()):
        click.echo(built.report.to_text(), nl=False)
    for line in graph.engine_lacks():
        click.echo(f"The engine: {line}", err=True)
    manifest = built.manifest
    word = "Published" if built.fresh else "Nothing has changed since"
    click.echo(
        f"{word} release {manifest.number}: {manifest.triples} triples in "
        f"{len(manifest.graphs)} graphs (+{manifest.added} -{manifest.removed})."
    )


@main.command()
@click.option("--host", help="Address to listen on.")
@click.option("--port", type=click.IntRange(0, 65535), help="Port to listen on.")
@click.pass_context
def serve(ctx: click.Context, host: str | None, port: int | None) -> None:
    """Serve the current release: pages, linked data, SPARQL. Builds it first if files changed.

    If the files cannot be built, the reason is told and the release built last is served.
    """
    from clustergraph.web.server import serve as run  # noqa: PLC0415  Flask only where it serves

    graph = opened(ctx, host=host, port=port)
    try:
        with progress("Building") as step:
            graph.build(progress=step)
    except errors.ClusterGraphError as error:
        if graph.archive.current_number() is None:
            raise
        text = getattr(error, "text", "")
        click.echo(f"{text}{error}\nServing the release built last.", err=True)
    if graph.archive.mended:
        left = ", ".join(graph.archive.mended)
        click.echo(
            f"A writer was interrupted; what it left unfinished is removed: {left}.", err=True
        )
    for line in graph.engine_lacks():
        click.echo(f"The engine: {line}", err=True)
    run(graph.settings, lambda address: click.echo(f"Serving on {address}"))


@main.command()
@click.argument("query", required=False)
@click.option(
    "--file",
    "path",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Read the query from a file.",
)
@click.option("--name", help="Run a stored query by its name; see: clustergraph query --list")
@click.option("--list", "listing", is_flag=True, help="List the stored queries.")
@click.option(
    "-p",
    "--param",
    "params",
    multiple=True,
    metavar="NAME=VALUE",
    help="Set a parameter of a stored query.",
)
@click.option(
    "--format",
    "form",
    type=click.Choice([*_RESULTS, *_FORMATS]),
    help="How the answer is written. Default: tsv for tables, ttl for graphs.",
)
@click.option("--explain", is_flag=True, help="Say why the query answers nothing.")
@click.option("--at", "endpoint", help="Ask another SPARQL endpoint instead of this graph.")
@click.pass_context
def query(
    ctx: click.Context,
    *,
    query: str | None,
    path: Path | None,
    name: str | None,
    listing: bool,
    params: tuple[str, ...],
    form: str | None,
    explain: bool,
    endpoint: str | None,
) -> None:
    """Answer a SPARQL QUERY ('-' reads it from standard input) or a stored one.

    \b
    Examples:
      clustergraph query 'SELECT ?c { ?c a <http://xmlns.com/foaf/0.1/Person> }'
      clustergraph query --name competency-q06 --format csv
      clustergraph query --at https://example.org/sparql 'ASK { ?s ?p ?o }'
    """
    graph = opened(ctx)
    if listing:
        for stored in graph.release().queries.values():
            click.echo(f"{stored.name}\t{stored.title}")
        return
    if sum(each is not None for each in (query, path, name)) != 1:
        raise errors.UsageError("Give one of: a QUERY, --file, --name (or --list).")
    if name is not None:
        text = graph.stored_query(name, _pairs(params))
    elif path is not None:
        text = path.read_text(encoding="utf-8")
    else:
        text = sys.stdin.read() if query == "-" else str(query)
    parsed = graph.parse(text)
    if explain:
        if endpoint:
            raise errors.UsageError("--explain asks this graph; it cannot be used with --at.")
        _tell(graph.release().explain(parsed))
        return
    fmt = _answer_format(parsed.form.is_graph, form)
    if parsed.declared:
        names = ", ".join(f"{each}:" for each in parsed.declared)
        click.echo(f"Declared for you: {names}", err=True)
    if endpoint:
        from clustergraph.store.remote import RemoteStore  # noqa: PLC0415  slow to import

        write(RemoteStore(endpoint).answer(parsed, fmt))
    else:
        write(graph.release().answer(parsed, fmt))


def _tell(found: Explanation) -> None:
    """Why a query answers nothing, in lines."""
    click.echo(found.summary)
    for each in found.blamed:
        click.echo("".join(f"\n  {line}" for line in each.pattern.splitlines()))
        for finding in each.findings:
            instead = f" Try {' or '.join(finding.instead)}" if finding.instead else ""
            click.echo(f"    {finding.message}{instead}")


def _pairs(params: tuple[str, ...]) -> dict[str, str]:
    pairs = dict(each.partition("=")[::2] for each in params)
    if any("=" not in each for each in params):
        raise errors.UsageError("A parameter is given as NAME=VALUE.")
    return pairs


def _answer_format(is_graph: bool, suffix: str | None) -> rdf.Format:
    formats: dict[str, rdf.Format] = {**_FORMATS} if is_graph else {**_RESULTS}
    if suffix is None:
        return rdf.TURTLE if is_graph else rdf.TSV
    if suffix not in formats:
        kind = "a graph" if is_graph else "a table or a yes/no"
        raise errors.UsageError(
            f"The query answers with {kind}, which {suffix} cannot hold.",
            hint="Formats: " + ", ".join(formats),
        )
    return formats[suffix]


@main.command()
@click.argument("iri")
@click.option(
    "--format",
    "form",
    type=click.Choice(list(_FORMATS)),
    default="ttl",
    show_default=True,
    help="How the description is written.",
)
@click.pass_context
def describe(ctx: click.Context, iri: str, form: str) -> None:
    """Say all that the graph says of a thing. IRI may be relative to the base.

    \b
    Example:
      clustergraph describe id/organisation/biocat
    """
    graph = opened(ctx)
    quads = graph.describe(iri if ":" in iri.split("/", 1)[0] else graph.settings.iri(iri))
    if not quads:
        raise errors.NotFoundError(f"The graph says nothing of {iri}.")
    write([rdf.serialise(quads, _FORMATS[form], graph.prefixes)])


@main.command()
@click.option(
    "--format",
    "form",
    type=click.Choice(list(_FORMATS)),
    default="trig",
    show_default=True,
    help="trig, nq and jsonld keep the named graphs; the others hold their merge.",
)
@click.option("--graph", "name", help="Only this named graph; may be relative to the base.")
@click.option(
    "-o",
    "--output",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Write to a file instead of standard output.",
)
@click.pass_context
def export(ctx: click.Context, form: str, name: str | None, output: Path | None) -> None:
    """Write the whole public graph of the current release."""
    graph = opened(ctx)
    full = name if name is None or "://" in name else graph.settings.iri(name)
    chunks = graph.export(_FORMATS[form], full)
    if output is None:
        write(chunks)
    else:
        with progress(f"Writing {output}"), output.open("wb") as out:
            out.writelines(chunks)


@main.command()
@click.option("--json", "as_json", is_flag=True, help="Whole manifests, one a line.")
@click.pass_context
def releases(ctx: click.Context, as_json: bool) -> None:
    """List the releases, the newest first; the one that is served is marked."""
    graph = opened(ctx)
    current = graph.archive.current_number()
    for manifest in graph.releases():
        if as_json:
            click.echo(json.dumps(asdict(manifest)))
            continue
        mark = "*" if manifest.number == current else " "
        why = "; ".join(filter(None, (manifest.why, manifest.restricted_why))) or "-"
        click.echo(
            f"{mark} {manifest.number:>6}  {manifest.created}  {manifest.triples:>9} triples  "
            f"+{manifest.added} -{manifest.removed}  {manifest.who}: {why}"
        )


@main.command()
@click.option("--store", "address", metavar="URL", help="Look at this SPARQL engine alone.")
@click.option(
    "--write",
    "may_write",
    is_flag=True,
    help="Try the engine with graphs of a moment, which are dropped again.",
)
@click.option("--json", "as_json", is_flag=True, help="What was found of the engine, as JSON.")
@click.pass_context
def doctor(ctx: click.Context, *, address: str | None, may_write: bool, as_json: bool) -> None:
    """Check the project, its files, the releases, and the engine that holds the current one.

    \b
    With --store, any SPARQL engine is looked at: what it can do, and what would not work.
      clustergraph doctor --store https://engine/sparql --write
    """
    if address is not None:
        from clustergraph.cli.engines import examine  # noqa: PLC0415  slow to import

        examine(ctx, address, write=may_write, as_json=as_json)
        return
    graph = opened(ctx)
    with progress("Looking"):
        checks = graph.doctor(write=may_write)
    for check in checks:
        click.echo(f"{'ok  ' if check.fine else 'FAIL'} {check.name}: {check.message}")
    click.echo("\nSettings in force:")
    for name, key, _default, help_text in settings.declared():
        value = getattr(graph.settings, name)
        shown = "(set)" if value and name in settings.secrets() else repr(value)
        click.echo(f"  {key} = {shown}\n      {help_text}")
    if not all(check.fine for check in checks):
        ctx.exit(errors.EXIT_FINDINGS)


for command in (
    evidence, update, rollback, diff, token, forget, backup, restore, validate, verify, dump, lsp,
    mirror, carry,
):  # fmt: skip
    main.add_command(command)
