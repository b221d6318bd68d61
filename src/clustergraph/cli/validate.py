"""``clustergraph validate``: the project's files, or any others, against their shapes."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from clustergraph import errors, jsonld, project
from clustergraph.cli.terminal import opened, progress, tell
from clustergraph.validation import anywhere, baseline, forms, syntax
from clustergraph.workbench import project_above

if TYPE_CHECKING:
    from collections.abc import Sequence

    from clustergraph.validation import Report
    from clustergraph.workbench import Files
    from clustergraph.workbench.mend import Mended


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
@click.option(
    "--fix", is_flag=True, help="Show as a diff what can be mended without asking; see --write."
)
@click.option("--write", is_flag=True, help="With --fix: change the files.")
@click.option(
    "--changed-since",
    metavar="RELEASE|FILE",
    help="Hold only what changed since then against the shapes: since a release of the project, "
    "or since the graph was as in this file.",
)
@click.option("--watch", is_flag=True, help="Validate again whenever a file is saved.")
@click.pass_context
def validate(ctx: click.Context, /, **options: Any) -> None:
    """Check files against shapes and rules; nothing is written but by --fix --write.

    Without PATH: the files of the project. With files of the project: the findings in these files.
    With other files, or with --shapes: these files against those shapes, without any project;
    without --shapes, against the shapes that stand in them.

    Each finding names the place, the rule, the thing, what is wrong and what to do. Exit code 0:
    no violation; 1: violations (with --strict, warnings too), or --fix has something to mend; 2: a
    file could not be read.

    \b
    Examples:
      clustergraph validate
      clustergraph validate people.ttl --shapes shapes.ttl --format sarif
      clustergraph validate --fix            # the diff
      clustergraph validate --fix --write    # and now for good
    """
    asked = Asked(**options)
    asked.check()
    code = _watched(ctx, asked) if asked.watch else _once(ctx, asked)
    if code:
        ctx.exit(code)


@dataclass(frozen=True, kw_only=True)
class Asked:
    """What the command line asks for."""

    paths: tuple[Path, ...]
    shapes: tuple[Path, ...]
    form: str
    strict: bool
    places: bool
    baseline_file: Path | None
    write_baseline: bool
    fix: bool
    write: bool
    watch: bool
    changed_since: str | None

    def check(self) -> None:
        """Refuse what does not go together.

        Raises:
            UsageError: options contradict each other.
        """
        if self.write_baseline and self.baseline_file is None:
            raise errors.UsageError(
                "--write-baseline needs the file's name.", hint="--baseline FILE"
            )
        if self.write and not self.fix:
            raise errors.UsageError("--write belongs to --fix.", hint="--fix --write")
        if self.watch and (self.fix or self.write_baseline):
            raise errors.UsageError("--watch only looks: it neither mends nor writes.")
        if self.changed_since is not None and (self.fix or self.write_baseline):
            raise errors.UsageError("--fix and --write-baseline need all findings.")
        if self.since is None and self.changed_since is not None:
            raise errors.UsageError(
                f"{self.changed_since!r} is neither the number of a release nor a file.",
                hint="clustergraph releases",
            )

    @property
    def since(self) -> int | Path | None:
        """The release or file since which things changed."""
        then = self.changed_since
        if then is None:
            return None
        if Path(then).is_file():
            return Path(then)
        return int(then) if then.isascii() and then.isdigit() else None


def _once(ctx: click.Context, asked: Asked) -> int:
    """Validate; the exit code."""
    is_ours = not asked.shapes and (not asked.paths or _is_of_project(ctx, asked.paths))
    known = None
    if asked.baseline_file is not None and not asked.write_baseline:
        known = baseline.read(asked.baseline_file)
    mends = False
    try:
        if asked.fix:
            done = _mended(ctx, asked, is_ours=is_ours)
            report, mends = done.report, bool(done.texts) and not asked.write
        elif is_ours:
            report = _of_project(ctx, asked.paths, asked.since)
        else:
            report = _of_any(asked.paths, asked.shapes, asked.since)
    except errors.SourceError as error:
        return _unreadable(ctx, asked, error, is_ours=is_ours)
    if asked.write_baseline and asked.baseline_file is not None:
        baseline.write(asked.baseline_file, report)
        click.echo(f"{len(report.findings)} findings are known in {asked.baseline_file}.", err=True)
        return errors.EXIT_FINE
    if known is not None:
        report = baseline.new(report, known)
    if not asked.fix or asked.write:
        _show(report, asked.form, places=asked.places)
    return errors.EXIT_FINDINGS if mends or report.fails(strict=asked.strict) else errors.EXIT_FINE


def _unreadable(
    ctx: click.Context, asked: Asked, error: errors.SourceError, *, is_ours: bool
) -> int:
    """Show what stops files from being read."""
    faults = _syntax(ctx, asked.paths, asked.shapes, is_ours=is_ours)
    if not faults.findings:
        raise error
    _show(faults, asked.form, places=asked.places)
    number = len(faults.findings)
    tell(
        errors.UsageError(
            f"{number} error{'s' if number > 1 else ''} in files that cannot be read: "
            "nothing was validated.",
            hint=error.hint,
        )
    )
    return errors.EXIT_COULD_NOT_RUN


def _mended(ctx: click.Context, asked: Asked, *, is_ours: bool) -> Mended:
    from clustergraph.cli import mending  # noqa: PLC0415  seldom needed

    files = _files(ctx, asked, is_ours=is_ours)
    chosen = None
    if is_ours and asked.paths:
        wanted = {path.resolve() for path in asked.paths}
        chosen = [path for path in files.paths() if not wanted.isdisjoint({path, *path.parents})]
    elif not is_ours:
        chosen = [path.resolve() for path in anywhere.files(asked.paths)]
    return mending.mended(files, chosen, write=asked.write)


def _files(ctx: click.Context, asked: Asked, *, is_ours: bool) -> Files:
    from clustergraph.workbench import LooseFiles, ProjectFiles  # noqa: PLC0415  seldom needed

    if not is_ours:
        _need_paths(asked.paths)
        return LooseFiles(asked.paths, asked.shapes)
    _name_project(ctx, asked.paths)
    graph = opened(ctx)
    return ProjectFiles(graph.settings, erased=graph.erased())


def _watched(ctx: click.Context, asked: Asked) -> int:
    """Validate at each save until Ctrl-C; the exit code of the last time."""
    from clustergraph.workbench import watch  # noqa: PLC0415  seldom needed

    is_ours = not asked.shapes and (not asked.paths or _is_of_project(ctx, asked.paths))

    def paths() -> list[Path]:
        files = _files(ctx, asked, is_ours=is_ours)
        own = getattr(files, "settings", None)
        return [*files.paths(), *(project.other_files(own) if own else ())]

    code = errors.EXIT_FINE
    try:
        for changed in watch.changes(paths):
            click.clear()  # does nothing on a pipe
            if changed:
                names = ", ".join(path.name for path in changed[:3])
                click.echo(f"{names}{', ...' if len(changed) > 3 else ''} changed", err=True)
            try:
                code = _once(ctx, asked)
            except errors.ClusterGraphError as error:
                tell(error)
                code = errors.exit_code(error)
            click.echo(f"{time.strftime('%H:%M:%S')}: waiting for changes, Ctrl-C ends", err=True)
    except KeyboardInterrupt:
        return code
    return code


def _is_of_project(ctx: click.Context, paths: Sequence[Path]) -> bool:
    """Whether all paths lie in a project; that which is named, or else the one above them."""
    named: Path | None = ctx.find_root().params.get("project")
    root = named.resolve() if named else project_above(paths[0])
    return root is not None and all(path.resolve().is_relative_to(root) for path in paths)


def _of_project(ctx: click.Context, paths: Sequence[Path], since: int | Path | None) -> Report:
    _name_project(ctx, paths)
    graph = opened(ctx)
    with progress("Validating") as step:
        report = graph.validate(step, since=since)
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
        options["project"] = project_above(paths[0])


def _of_any(paths: Sequence[Path], shapes: Sequence[Path], since: int | Path | None) -> Report:
    _need_paths(paths)
    if isinstance(since, int):
        raise errors.UsageError(
            "Files of no project have no releases.", hint="--changed-since FILE, as it was"
        )
    with progress("Validating") as step:
        return anywhere.validate(list(paths), list(shapes) or None, progress=step, before=since)


def _need_paths(paths: Sequence[Path]) -> None:
    if not paths:
        raise errors.UsageError(
            "--shapes needs the files that are to be checked.",
            hint="clustergraph validate DATA.ttl --shapes SHAPES.ttl",
        )


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
