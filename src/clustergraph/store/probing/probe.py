"""The probes, one after the other, and what they found.

Without leave to write, only questions are asked, of whatever is there. With it, a few graphs are
made under names of the project's own, and dropped at the end.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from clustergraph.errors import StoreError
from clustergraph.store.probing import reading, writing
from clustergraph.store.probing.findings import Probed, table
from clustergraph.store.probing.run import Run

if TYPE_CHECKING:
    from collections.abc import Callable

    from clustergraph.store.capabilities import Capabilities
    from clustergraph.store.connection import Access
    from clustergraph.store.engine.names import Names


def _quiet(_step: str) -> None:
    """Progress that nobody watches."""


def found(
    access: Access, names: Names, *, write: bool, step: Callable[[str], None] = _quiet
) -> Capabilities:
    """What an engine can do.

    Args:
        access: how it is reached.
        names: under which graphs of a moment may be made.
        write: whether they may.
        step: called before the engine is tried.

    Raises:
        StoreError: it does not answer, or lacks what is needed.
    """
    step("probe")
    done = probe(access, names, write=write)
    lacking = done.lacking(write=write)
    if lacking:
        told = " ".join(f"{each.title}: {each.message}. {each.missing}" for each in lacking)
        raise StoreError(
            f"{access.shown()} cannot be used. {told}",
            hint="All that was found: clustergraph doctor --write",
        )
    return done.capabilities


def probe(access: Access, names: Names, *, write: bool) -> Probed:
    """Try everything; see ``found``."""
    run = Run(access, names)
    try:
        reading.answers(run)
        if run.findings[0].fine:
            reading.formats(run)
            run.use(access)
            if write:
                writing.everything(run)
            reading.datasets(run)
            reading.lengths(run)
            reading.row_limit(run)
            reading.timeouts(run)
            run.learn(was_written=write)
    finally:
        run.clean()
        run.store.close()
    order = list(table()["checks"])
    ordered = sorted(run.findings, key=lambda each: order.index(each.name))
    return Probed(run.can, tuple(ordered))
