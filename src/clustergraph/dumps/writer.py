"""The process that writes the dumps of the current release: after all others, without network."""

from __future__ import annotations

import contextlib
import os
import sys

from clustergraph import settings as settings_module
from clustergraph.dumps.kept import Dumps
from clustergraph.errors import BusyError, ClusterGraphError, GoneError
from clustergraph.process import sandbox
from clustergraph.releases import Archive


def main() -> int:
    """Write them; what went wrong is told on standard error."""
    sandbox.die_with_parent()
    if sandbox.is_supported():
        sandbox.forbid_network_and_programs()
    os.nice(15)
    try:
        settings = settings_module.load()
        with contextlib.suppress(BusyError, GoneError):  # another one writes it; nothing to write
            Dumps(Archive(settings.variable), settings).write()
    except ClusterGraphError as error:
        sys.stderr.write(f"The dumps cannot be written: {error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
