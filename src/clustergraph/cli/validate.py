"""``clustergraph validate``: the project's files, or any others, against their shapes."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from clustergraph import errors, jsonld, project, settings
from clustergraph.cli.terminal import opened, progress, tell
from clustergraph.validation import anywhere, baseline, forms, syntax

if TYPE_CHECKING:
    from collections.abc import Sequence

    from clustergraph.validation import Report


@click.command()
@click.argument(
    "paths", nargs=-1, metavar="[PATH]...", type=click.Path(exists=True, path_type=Path)
)
@click.option(
    "--shapes",
    multiple=True,
    type=click.Path(exists=True, path_type=Path),
    help="A file or folder with shapes, for files of any project; may be given several times.",
)
@click.option(
    "--format",
    "form",
    type=click.Choice(forms.FORMS),
    default="text",
    show_default=True,
    help="How the report is written.",
)
@click.option("--strict", is_flag=True, help="Exit with 1 on warnings too.")
@click.option(
    "--places", is_flag=True, help="In Turtle, also say where each finding is (earl:pointer)."
)
@click.option(
    "--baseline",
    "baseline_file",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Report only findings that are not in this file.",
)
@click.option(
    "--write-baseline", is_flag=True, help="Write the findings of now into the baseline file."
)
@click.pass_context
def validate(
    ctx: click.Context,
    *,
    paths: tuple[Path, ...],
    shapes: tuple[Path, ...],
    form: str,
    strict: bool,
    places: bool,
    baseline_file: Path | None,
    write_baseline: bool,
) -> None:
    """Check files against shapes and rules; nothing is written.

    Without PATH: the files of the project. With files of the project: the findings in these files.
    With other files, or with --shapes: these files against those shapes, without any project;
    without --shapes, against the shapes that stand in them.

    Each finding names the place, the rule, the thing, what is wrong and what to do. Exit code 0:
    no violation; 1: violations (with --strict, warnings too); 2: a file could not be read.

    \b
    Examples:
      clustergraph validate
      clustergraph validate people.ttl --shapes shapes.ttl --format sarif
    """
    if write_baseline and baseline_file is None:
        raise errors.UsageError("--write-baseline needs the file's name.", hint="--baseline FILE")
    known = None if baseline_file is None or write_baseline else baseline.read(baseline_file)
    is_ours = not shapes and (not paths or _is_of_project(ctx, paths))
    try:
        report = _of_project(ctx, paths) if is_ours else _of_any(paths, shapes)
    except errors.SourceError as error:
        faults = _syntax(ctx, paths, shapes, is_ours=is_ours)
        if not faults.findings:
            raise
        _show(faults, form, places=places)
        number = len(faults.findings)
        tell(
            errors.UsageError(
                f"{number} error{'s' if number > 1 else ''} in files that cannot be read: "
                "nothing was validated.",
                hint=error.hint,
            )
        )
        ctx.exit(errors.EXIT_COULD_NOT_RUN)
    if write_baseline and baseline_file is not None:
        baseline.write(baseline_file, report)
        click.echo(f"{len(report.findings)} findings are known in {baseline_file}.", err=True)
        return
    if known is not None:
        report = baseline.new(report, known)
    _show(report, form, places=places)
    if report.fails(strict=strict):
        ctx.exit(errors.EXIT_FINDINGS)


def _is_of_project(ctx: click.Context, paths: Sequence[Path]) -> bool:
    """Whether all paths lie in a project; that which is named, or else the one above them."""
    named: Path | None = ctx.find_root().params.get("project")
    root = named.resolve() if named else _project_above(paths[0])
    return root is not None and all(path.resolve().is_relative_to(root) for path in paths)


def _project_above(path: Path) -> Path | None:
    full = path.resolve()
    return next(
        (each for each in (full, *full.parents) if (each / settings.PROJECT_FILE).is_file()), None
    )


def _of_project(ctx: click.Context, paths: Sequence[Path]) -> Report:
    _name_project(ctx, paths)
    graph = opened(ctx)
    with progress("Validating") as step:
        report = graph.validate(step)
    if not paths:
        return report
    chosen = {path.resolve() for path in paths}
    return report.within(
        {
            project.shown(graph.settings, path)
            for path in project.files(graph.settings)
            if not chosen.isdisjoint(
                {graph.settings.project / path, *(graph.settings.project / path).parents}
            )
        }
    )


def _name_project(ctx: click.Context, paths: Sequence[Path]) -> None:
    options = ctx.find_root().params
    if paths and options.get("project") is None:
        options["project"] = _project_above(paths[0])


def _of_any(paths: Sequence[Path], shapes: Sequence[Path]) -> Report:
    if not paths:
        raise errors.UsageError(
            "--shapes needs the files that are to be checked.",
            hint="clustergraph validate DATA.ttl --shapes SHAPES.ttl",
        )
    with progress("Validating") as step:
        return anywhere.validate(list(paths), list(shapes) or None, progress=step)


def _syntax(
    ctx: click.Context, paths: Sequence[Path], shapes: Sequence[Path], *, is_ours: bool
) -> Report:
    if not is_ours:
        return syntax.check(
            anywhere.files([*paths, *shapes]), base="file:///", named=lambda path: path.as_posix()
        )
    ours = opened(ctx).settings
    return syntax.check(
        [ours.project / path for path in project.files(ours)],
        base=ours.written_base,
        contexts=jsonld.pinned(ours.project, ours.written_base, ours.base),
        named=lambda path: project.shown(ours, path.relative_to(ours.project)),
    )


def _show(report: Report, form: str, *, places: bool) -> None:
    if form == "text":
        click.echo(report.to_text(colour=True), nl=False)  # echo takes colours off a pipe
    elif form == "turtle" and places:
        click.echo(report.to_turtle(places=True).decode(), nl=False)
    else:
        click.echo(forms.write(report, form), nl=False)
