"""What was found of an engine, and what it means: the table of ``capabilities.toml``."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from clustergraph.store.capabilities import Capabilities


@cache
def table() -> dict[str, Any]:
    """What is looked for, and what it means."""
    return tomllib.loads(Path(__file__).with_name("capabilities.toml").read_text(encoding="utf-8"))


def told(name: str) -> str:
    """What it means that something is missing, for people."""
    return str(table()["checks"][name]["missing"])


@dataclass(frozen=True)
class Finding:
    """One line of what was found."""

    name: str
    """The table of ``capabilities.toml``."""
    fine: bool | None
    """None where it could not be tried."""
    message: str

    @property
    def title(self) -> str:
        """What it is about, for people."""
        return str(table()["checks"][self.name]["title"])

    @property
    def needed(self) -> str:
        """What cannot be done without it: "read", "write", or ""."""
        return str(table()["checks"][self.name]["needed"])

    @property
    def missing(self) -> str:
        """What it means that it is missing."""
        return str(table()["checks"][self.name]["missing"])


@dataclass(frozen=True)
class Probed:
    """What was found of an engine."""

    capabilities: Capabilities
    findings: tuple[Finding, ...]

    def lacking(self, *, write: bool) -> list[Finding]:
        """What is needed and not there."""
        wanted = {"read", "write"} if write else {"read"}
        return [each for each in self.findings if each.fine is False and each.needed in wanted]
