"""What was measured, as it is kept in docs/benchmarks.json, and what is worked out of it."""

from __future__ import annotations

import json
import math
import re
import statistics
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

OURS = "clustergraph"
_SPACE, _NUMBERS = re.compile(r"\s+"), re.compile(r"\[[\d\s.,e-]*\]")


@dataclass
class Measured:
    """Times of one thing at one server, in seconds; ratios of rates are not kept here."""

    seconds: list[float] = field(default_factory=list)
    first: list[float] = field(default_factory=list)
    """Until the first byte."""
    cold: list[float] = field(default_factory=list)
    """The first of its kind after each start of the server."""
    wrong: int = 0
    """Answers that others did not agree with."""
    failure: str = ""
    limit: float = 0.0
    """Seconds after which it was given up; 0: it was not."""

    @property
    def median(self) -> float:
        """The median; NaN where something went wrong."""
        good = self.seconds and not (self.failure or self.wrong or self.limit)
        return statistics.median(self.seconds) if good else math.nan

    @property
    def quartiles(self) -> tuple[float, float]:
        """The first and the third quartile; NaN as the median is."""
        if math.isnan(self.median):
            return math.nan, math.nan
        if len(self.seconds) == 1:
            return self.seconds[0], self.seconds[0]
        low, _middle, high = statistics.quantiles(self.seconds, n=4, method="inclusive")
        return low, high

    @property
    def least(self) -> float:
        """The median, or the time that it is known to take more than."""
        return self.limit if self.limit and not self.wrong else self.median


@dataclass
class Export:
    """A long answer."""

    first: float = math.nan
    """Seconds to the first byte."""
    seconds: float = math.nan
    size: int = 0
    growth: int = 0
    """Bytes of memory of all processes, at the highest, above what they held before."""


@dataclass
class Crowd:
    """A mix of light queries from several clients."""

    rate: float = math.nan
    """Good answers a second."""
    slow: float = math.nan
    """The 99th percentile, in seconds."""
    failures: int = 0


@dataclass
class Peer:
    """What was measured of one server at one size."""

    version: str = ""
    missing: str = ""
    """Why it is not there; or what of it is not."""
    load: float = math.nan
    starts: list[float] = field(default_factory=list)
    memory: int = 0
    memory_after: int = 0
    queries: dict[str, Measured] = field(default_factory=dict)
    crowds: dict[str, Crowd] = field(default_factory=dict)
    """By number of clients."""
    work: dict[str, Measured] = field(default_factory=dict)
    """Documents, pages, writes, builds, by name."""
    rates: dict[str, float] = field(default_factory=dict)
    """Answers a second by name."""
    exports: dict[str, Export] = field(default_factory=dict)

    def of(self, kind: str) -> Measured:
        """What was measured of a query; empty where nothing was."""
        return self.queries.get(kind, Measured())

    def did(self, name: str) -> Measured:
        """What was measured of other work; empty where nothing was."""
        return self.work.get(name, Measured())

    def doing(self, name: str) -> Measured:
        """What was measured of other work; made where nothing was."""
        return self.work.setdefault(name, Measured())


@dataclass
class Size:
    """What was measured over one graph."""

    quads: int = 0
    peers: dict[str, Peer] = field(default_factory=dict)
    left_out: list[str] = field(default_factory=list)
    """What the time did not suffice for."""


@dataclass
class Run:
    """One run of the bench."""

    measured: str = ""
    machine: str = ""
    rounds: int = 0
    limit: float = 0.0
    sizes: dict[str, Size] = field(default_factory=dict)

    def write(self, path: Path) -> None:
        """Keep it as JSON."""
        kept = _finite(asdict(self), 6)
        text = _NUMBERS.sub(lambda found: _SPACE.sub(" ", found[0]), json.dumps(kept, indent=1))
        path.write_text(text + "\n", encoding="utf-8")


def read(path: Path) -> Run:
    """A run that was kept.

    Raises:
        OSError, ValueError: there is none.
    """
    kept = json.loads(path.read_text(encoding="utf-8"))
    sizes = kept.pop("sizes")
    run = Run(**kept)
    for name, size in sizes.items():
        run.sizes[name] = Size(size["quads"], left_out=size["left_out"])
        for who, peer in size["peers"].items():
            kinds = {"queries": Measured, "work": Measured, "crowds": Crowd, "exports": Export}
            for part, kind in kinds.items():
                peer[part] = {each: kind(**_known(given)) for each, given in peer[part].items()}
            run.sizes[name].peers[who] = Peer(**_known(peer))
    return run


def _known(given: dict[str, Any]) -> dict[str, Any]:
    return {name: math.nan if value is None else value for name, value in given.items()}


def _finite(value: Any, digits: int) -> Any:
    """Without what JSON cannot say, and without digits that mean nothing."""
    if isinstance(value, dict):
        return {key: _finite(each, digits) for key, each in value.items()}
    if isinstance(value, list):
        return [_finite(each, digits) for each in value]
    if isinstance(value, float):
        return round(value, digits) if math.isfinite(value) else None
    return value


def ratio(theirs: Measured, ours: Measured) -> float:
    """How many times our time they take, at least; NaN where that cannot be said."""
    return theirs.least / ours.median


def ratios(peer: Peer, ours: Peer) -> dict[str, float]:
    """How many times our time a peer takes, at least, by query, where that can be said."""
    found = {kind: ratio(each, ours.of(kind)) for kind, each in peer.queries.items()}
    return {kind: each for kind, each in found.items() if not math.isnan(each)}


def geometric_mean(values: Iterable[float]) -> float:
    """The geometric mean; NaN of nothing."""
    logs = [math.log(each) for each in values if not math.isnan(each)]
    return math.exp(sum(logs) / len(logs)) if logs else math.nan
