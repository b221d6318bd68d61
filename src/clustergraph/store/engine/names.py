"""Names of what a project keeps on an engine beside its graphs; nobody's queries see these."""

from __future__ import annotations

from dataclasses import dataclass

GENID = ".well-known/genid/blank/"


@dataclass(frozen=True)
class Names:
    """The names under one base IRI."""

    base: str

    @property
    def reserved(self) -> str:
        """What they all begin with."""
        return f"{self.base}store/"

    @property
    def default(self) -> str:
        """The graph that stands for the default graph of the release."""
        return f"{self.reserved}default"

    @property
    def marker(self) -> str:
        """The graph that says which release is there."""
        return f"{self.reserved}marker"

    @property
    def nothing(self) -> str:
        """A graph that never is: for a dataset without graphs."""
        return f"{self.reserved}nothing"

    @property
    def waiting(self) -> str:
        """The graph that says what else there may be: graphs in which something waits."""
        return f"{self.reserved}waiting"

    def stages(self, run: str) -> str:
        """What begins the names of the graphs in which one change waits; a number ends them."""
        return f"{self.reserved}staging/{run}/"

    @property
    def blank(self) -> str:
        """What begins the IRIs that stand for blank nodes."""
        return f"{self.base}{GENID}"
