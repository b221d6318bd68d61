"""Run one of our modules in a process of its own: bounded in time, its errors brought home.

The module calls ``confine`` when it has loaded what it needs, and ``tell`` when it fails.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from typing import TYPE_CHECKING, Any

from clustergraph.errors import from_fields, to_fields
from clustergraph.process import sandbox

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from clustergraph.errors import ClusterGraphError

_ERROR_MARK = "clustergraph-error "
"""Stands before the error that the process tells."""


def run(
    module: str,
    arguments: Sequence[str],
    content: bytes,
    *,
    seconds: float,
    environment: Mapping[str, str] | None = None,
) -> bytes:
    """Give a module something to read, and take what it writes.

    Args:
        module: its name.
        arguments: of its command line.
        content: its standard input.
        seconds: after which it is killed.
        environment: its environment variables; ours if they are not given.

    Raises:
        ClusterGraphError: the one that it told.
        TimeoutError: it took longer.
        MemoryError: it ended without a word: it needed more memory than it may have, or wrote
            more than it may.
    """
    command = [sys.executable, "-m", module, *arguments]
    with tempfile.TemporaryFile() as out:  # a file's size can be limited, a pipe's content not
        try:
            done = subprocess.run(  # noqa: S603  our own module, no shell
                command, input=content, stdout=out, stderr=subprocess.PIPE, timeout=seconds,
                check=False, env=environment,
            )  # fmt: skip
        except subprocess.TimeoutExpired as error:
            raise TimeoutError from error
        if done.returncode == 0:
            out.seek(0)
            return out.read()
    told = _told(done.stderr)
    if told is not None:
        raise from_fields(told)
    raise MemoryError


def confine(*, memory: int, largest: int) -> None:
    """From here on this process, run by ``run``, cannot reach out, nor take more than it may.

    Args:
        memory: bytes of address space that it may take more than it has now.
        largest: bytes that it may write.
    """
    sandbox.die_with_parent()
    if sandbox.is_supported():
        sandbox.forbid_network_and_programs()
    sandbox.limit_memory(memory)
    sandbox.limit_files(largest)


def tell(error: ClusterGraphError) -> None:
    """Tell the one who ran this process why it ends."""
    sys.stderr.write(_ERROR_MARK + json.dumps(to_fields(error)) + "\n")


def _told(stderr: bytes) -> dict[str, Any] | None:
    """The error that the process told, if it lived to tell one."""
    for line in stderr.decode("utf-8", "replace").splitlines():
        if line.startswith(_ERROR_MARK):
            found: dict[str, Any] = json.loads(line.removeprefix(_ERROR_MARK))
            return found
    return None
