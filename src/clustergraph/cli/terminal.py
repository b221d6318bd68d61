"""How commands speak: progress on a terminal only, errors as one message, exit codes."""

from __future__ import annotations

import contextlib
import os
import sys
from typing import TYPE_CHECKING, Any

import click

from clustergraph import errors, settings

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from pathlib import Path

    from clustergraph.service import ClusterGraph


@contextlib.contextmanager
def progress(title: str) -> Iterator[Callable[[str], None]]:
    """A line that says what is being done and for how long; silent where nobody watches."""
    if not sys.stderr.isatty() and not os.environ.get("FORCE_COLOR"):
        yield lambda _: None
        return
    from rich.console import Console  # noqa: PLC0415  slow to import
    from rich.progress import (  # noqa: PLC0415
        Progress,
        SpinnerColumn,
        TextColumn,
        TimeElapsedColumn,
    )

    console = Console(stderr=True)
    if not console.is_terminal:
        yield lambda _: None
        return
    columns = (SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn())
    with Progress(*columns, console=console, transient=True) as bar:
        task = bar.add_task(title)
        yield lambda step: bar.update(task, description=f"{title}: {step}")


class Group(click.Group):
    """A group that turns our errors into a message and an exit code, never a traceback."""

    def invoke(self, ctx: click.Context) -> Any:
        """Run a command."""
        try:
            return super().invoke(ctx)
        except errors.ValidationFailedError as error:
            click.echo(error.text, nl=False)
            tell(error)
            ctx.exit(errors.exit_code(error))
        except errors.ClusterGraphError as error:
            tell(error)
            ctx.exit(errors.exit_code(error))
        except BrokenPipeError:  # whoever read us has seen enough
            sys.stderr.close()
            ctx.exit(errors.EXIT_FINE)
        except OSError as error:
            where = f" ({error.filename})" if error.filename else ""
            tell(errors.StoreError(f"The system refused something: {error.strerror}{where}."))
            ctx.exit(errors.EXIT_COULD_NOT_RUN)


def tell(error: errors.ClusterGraphError) -> None:
    """Say an error on standard error."""
    click.echo(f"{click.style('error', fg='red', bold=True, reset=True)}: {error}", err=True)


def opened(ctx: click.Context, **overrides: Any) -> ClusterGraph:
    """The graph of the project that the command line names."""
    from clustergraph.service import ClusterGraph  # noqa: PLC0415  slow to import

    options = ctx.find_root().params
    project: Path | None = options.get("project")
    return ClusterGraph(
        settings.load(
            project, base=options.get("base"), variable=options.get("variable"), **overrides
        )
    )


def write(chunks: Iterable[bytes]) -> None:
    """Write bytes to standard output as they come."""
    for chunk in chunks:
        sys.stdout.buffer.write(chunk)
    sys.stdout.buffer.flush()
