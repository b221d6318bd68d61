"""Sorted N-Quads lines, one by one: taken apart, merged, put in order of their graphs.

Nothing here holds more than a part of them in memory, whatever the size of the dataset.
"""

from __future__ import annotations

import heapq
from contextlib import ExitStack
from itertools import islice
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

_RUN = 200_000
"""Lines that are sorted in memory at once."""


def split(line: bytes) -> tuple[bytes, bytes]:
    """The triple of a line and its graph, b"" for the default graph; as they are written."""
    rest = line.split(b" ", 2)[2]
    after = rest[rest.rindex(b'"') :] if rest.startswith(b'"') else rest
    parts = after.split(b" ")  # no IRI holds a blank, nor a quotation mark
    graph = parts[1] if len(parts) == 3 else b""
    end = len(line) - len(b" .\n") - (len(graph) + 1 if graph else 0)
    return line[:end], graph


def merged(lines: Iterable[bytes]) -> Iterator[bytes]:
    """The lines of the merge: each triple once. Equal triples follow each other in sorted lines."""
    before = b""
    for line in lines:
        triple, _graph = split(line)
        if triple != before:
            before = triple
            yield triple + b" .\n"


def by_graph(lines: Iterable[bytes], folder: Path) -> Iterator[bytes]:
    """The lines, graph by graph, the default graph first.

    Args:
        lines: sorted.
        folder: where parts that are sorted may lie meanwhile.
    """
    waiting = iter(lines)
    with ExitStack() as stack:
        runs: list[Iterable[bytes]] = []
        while run := sorted(b"%s\t%s" % (split(line)[1], line) for line in islice(waiting, _RUN)):
            if len(run) < _RUN and not runs:
                runs.append(run)
                break
            path = folder / f".run-{len(runs)}"
            stack.callback(path.unlink, missing_ok=True)
            with path.open("wb") as part:
                part.writelines(run)
            runs.append(stack.enter_context(path.open("rb")))
        for line in heapq.merge(*runs):
            yield line.partition(b"\t")[2]
