"""What the program wants to reach, and whether a run did, row by row."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from bench import writing
from bench.results import OURS, Peer, Run, geometric_mean, ratios

_SIZE, _SMALL = "1M", "100k"
_EXPORTS = ("15-export-select", "16-export-construct")
_FLAT = 32 << 20
"""Bytes by which ten times the answer may take more memory."""


@dataclass(frozen=True)
class Row:
    """A target and what came of it."""

    against: str
    target: str
    measured: str
    is_met: bool | None
    """None: it was not measured."""


def rows(run: Run) -> list[Row]:
    """All targets: at 1 M quads, or at the largest size at which both sides were measured."""
    return [
        *_oxigraph(run), *_virtuoso(run), *_rdflib(run), *_comunica(run), *_exports(run),
        *_pages(run), *_builds(run), *_writes(run), *_starts(run),
    ]  # fmt: skip


def _at(run: Run, *peers: str) -> tuple[str, list[Peer]]:
    """The size that targets are judged at, and peers there; of those not measured an empty one."""
    for size in sorted(run.sizes, key=lambda each: (each != _SIZE, -run.sizes[each].quads)):
        there = run.sizes[size].peers
        if all(name in there and there[name].queries for name in peers):
            return size, [there[name] for name in peers]
    return "", [Peer() for _ in peers]


def _least(against: str, target: str, value: float, least: float, *, note: str = "") -> Row:
    """A row whose value must not be less."""
    if math.isnan(value):
        return Row(against, target, "not measured", None)
    return Row(against, target, f"{value:.2f}{note}", value >= least)


def _most(
    against: str, target: str, value: float, most: float, said: Callable[[float], str]
) -> Row:
    """A row whose value must not be more."""
    if math.isnan(value):
        return Row(against, target, "not measured", None)
    return Row(against, target, said(value), value <= most)


def seconds(value: float) -> str:
    """A time in the unit that suits it."""
    if math.isnan(value):
        return "-"
    if value < 0.01:
        return f"{value * 1000:.2f} ms"
    return f"{value * 1000:.1f} ms" if value < 1 else f"{value:.2f} s"


def _mean(against: str, size: str, found: dict[str, float], least: float) -> Row:
    target = f"geometric mean at least {least:g} times"
    return _least(against, target, geometric_mean(found.values()), least, note=f" at {size}")


def _every(against: str, target: str, size: str, found: dict[str, float], least: float) -> Row:
    """The worst of all queries, and how many miss the target."""
    if not found:
        return Row(against, target, "not measured", None)
    worst = min(found, key=lambda kind: found[kind])
    missed = sum(each < least for each in found.values())
    note = f" ({worst}) at {size}; {missed} of {len(found)} miss it"
    return _least(against, target, found[worst], least, note=note)


def _oxigraph(run: Run) -> Iterator[Row]:
    name = "Oxigraph server"
    size, (ours, theirs) = _at(run, OURS, "oxigraph")
    found = ratios(theirs, ours)
    yield _mean(name, size, found, 2.5)
    yield _every(name, "no query slower", size, found, 1)
    rates = theirs.rates.get("ask", math.nan), ours.rates.get("ask", math.nan)
    yield _least(name, "bare uncached ASK: at least 0.8 of its rate", rates[1] / rates[0], 0.8)
    yield _least(name, "NOT EXISTS at least 30 times", found.get("12-not-exists", math.nan), 30)
    cached = ours.rates.get("cached query", math.nan) / rates[0]
    yield _least(name, "cached answers at least 1.5 times its ASK rate", cached, 1.5)


def _virtuoso(run: Run) -> Iterator[Row]:
    size, (ours, theirs) = _at(run, OURS, "virtuoso")
    found = ratios(theirs, ours)
    yield _mean("Virtuoso", size, found, 1.5)
    yield _every("Virtuoso", "no query slower than 1.2 times its time", size, found, 1 / 1.2)


def _rdflib(run: Run) -> Iterator[Row]:
    size, (ours, theirs) = _at(run, OURS, "rdflib-endpoint")
    found = ratios(theirs, ours)
    yield _every("rdflib-endpoint", "every query at least 10 times", size, found, 10)
    yield _mean("rdflib-endpoint", size, found, 50)


def _comunica(run: Run) -> Iterator[Row]:
    size, (ours, theirs) = _at(run, OURS, "comunica")
    found = ratios(theirs, ours)
    yield _every("Comunica over a file", "every query at least 20 times", size, found, 20)


def _exports(run: Run) -> Iterator[Row]:
    size, (ours, theirs) = _at(run, OURS, "oxigraph")
    found = {kind: each for kind, each in ratios(theirs, ours).items() if kind in _EXPORTS}
    yield _every("exports", "at least 2.5 times Oxigraph server", size, found, 2.5)
    part, whole = (ours.exports.get(each) for each in ("a tenth", "everything"))
    if part is None or whole is None:
        yield Row("exports", "flat memory", "not measured", None)
    else:
        told = (f"{part.growth >> 20} MiB more for {part.size >> 20} MiB, "
                f"{whole.growth >> 20} MiB more for {whole.size >> 20} MiB")  # fmt: skip
        yield Row("exports", "flat memory", told, whole.growth - part.growth <= _FLAT)


def _pages(run: Run) -> Iterator[Row]:
    _size, (ours,) = _at(run, OURS)
    page = ours.did("document html").median
    yield _most("entity page", "uncached at most 20 ms", page, 0.02, seconds)
    for label in ("cached page", "304 page"):
        time = ours.did(label).median
        yield _most("entity page", f"{label.split()[0]} at most 0.5 ms", time, 0.0005, seconds)


def _builds(run: Run) -> Iterator[Row]:
    for size, measured in run.sizes.items():
        ours = measured.peers.get(OURS, Peer())
        rate = measured.quads / ours.did("build").median
        target = "load + infer + index at least 100,000 quads a second on one core"
        if math.isnan(rate) and (limit := ours.did("build").limit):
            most = measured.quads / limit
            yield Row("build", target, f"less than {most:,.0f} a second at {size}", False)
        elif not math.isnan(rate):
            yield Row("build", target, f"{rate:,.0f} a second at {size}", rate >= 100_000)


def _writes(run: Run) -> Iterator[Row]:
    for size, measured in run.sizes.items():
        ours = measured.peers.get(OURS, Peer())
        if "write 1" not in ours.work:
            continue
        for name, most in (("write 1", 0.3), ("write 1,000", 1.0)):
            number = name.removeprefix("write ")
            target = f"{number} triple{'s' * (number != '1')} in at most {most:g} s, at {size}"
            yield _most("guarded write", target, ours.did(name).median, most, seconds)
        reads, beside = (ours.did(f"reads beside {each}") for each in ("no write", "writes"))
        slow, other = writing.slowest(reads), writing.slowest(beside)
        told = beside.failure or f"99th percentile {seconds(other)}, {seconds(slow)} without writes"
        target = f"readers undisturbed (none refused, 99th percentile at most twice), at {size}"
        yield Row("guarded write", target, told, not beside.failure and other <= 2 * slow)


def _starts(run: Run) -> Iterator[Row]:
    for size, most in ((_SMALL, 1.0), (_SIZE, 6.0)):
        there = run.sizes[size].peers if size in run.sizes else {}
        starts = sorted(there.get(OURS, Peer()).starts)
        start = starts[len(starts) // 2] if starts else math.nan
        yield _most("start", f"first answer in at most {most:g} s at {size}", start, most, seconds)
