"""A run as tables: targets, ratios, times with their spread, growth, what changed."""

from __future__ import annotations

import math

from bench import comparison, growth, machine, targets, writing
from bench.results import OURS, Measured, Peer, Run, Size, geometric_mean, ratio, ratios
from bench.targets import seconds


def document(run: Run, before: Run | None) -> str:
    """The whole part of docs/benchmarks.md."""
    parts = [_how(run), _targets(run)]
    for name, size in run.sizes.items():
        parts += [_queries(name, size), _cold(name, size), _other(name, size)]
    if len(run.sizes) > 1:
        parts.append(_growth(run))
    if before is not None:
        parts.append(changes(before, run))
    return "\n\n".join(parts)


def _how(run: Run) -> str:
    return (
        f"Measured on {run.measured}: {run.machine}. {machine.pinning()} Medians of {run.rounds} "
        "texts of each query, over HTTP, none sent twice, after one that is not counted; in "
        "brackets the first and the third quartile. All servers in one run, in turns, who begins "
        f"changes. Given up after {run.limit:g} s; then it counts as so long. "
        "Trust ratios, not seconds."
    )


def table(head: list[str], lines: list[list[str]]) -> str:
    """A table; its first column holds words, the others figures."""
    rule = ["---", *("--:" for _ in head[1:])]
    return "\n".join(f"| {' | '.join(each)} |" for each in (head, rule, *lines))


def _targets(run: Run) -> str:
    said = {True: "met", False: "**not met**", None: "not measured"}
    lines = [[row.against, row.target, row.measured, said[row.is_met]] for row in targets.rows(run)]
    return "### Targets\n\n" + table(["against", "target", "measured", ""], lines)


def cell(measured: Measured) -> str:
    """A time with its spread, or what went wrong."""
    if measured.failure:
        return measured.failure
    if measured.wrong:
        return f"another answer ({measured.wrong})"
    if measured.limit:
        return f"> {measured.limit:g} s"
    if math.isnan(measured.median):
        return "-"
    low, high = measured.quartiles
    if low == high:
        return seconds(low)
    factor, unit = (1, "s") if measured.median >= 1 else (1000, "ms")
    least, middle, most = (f"{factor * each:.3g}" for each in (low, measured.median, high))
    return f"{middle} ({least} to {most}) {unit}"


def _times(theirs: Measured, ours: Measured) -> str:
    """How many times our time, and the time."""
    times = ratio(theirs, ours)
    if math.isnan(times):
        return cell(theirs)
    more = "> " if theirs.limit else ""
    return f"**{more}{times:.1f}**: {cell(theirs)}"


def _present(size: Size) -> tuple[Peer, dict[str, Peer]]:
    others = {name: peer for name, peer in size.peers.items() if name != OURS and not peer.missing}
    return size.peers[OURS], others


def _head(first: str, ours: Peer, others: dict[str, Peer]) -> list[str]:
    return [first, f"{OURS} {ours.version}", *(f"{n} {p.version}" for n, p in others.items())]


def _queries(name: str, size: Size) -> str:
    ours, others = _present(size)
    lines = [["geometric mean", "1"]]
    for peer in others.values():
        lines[0].append(f"**{geometric_mean(ratios(peer, ours).values()):.1f}**")
    for kind, measured in ours.queries.items():
        cells = [_times(peer.of(kind), measured) for peer in others.values()]
        lines.append([kind, cell(measured), *cells])
    for clients in ours.crowds:
        line = [f"light mix, {clients} clients"]
        for peer in (ours, *others.values()):
            crowd = peer.crowds.get(clients)
            refused = f", {crowd.failures} refused" if crowd and crowd.failures else ""
            line.append(
                f"{crowd.rate:,.0f}/s, p99 {seconds(crowd.slow)}{refused}" if crowd else "-"
            )
        lines.append(line)
    missing = [f"{each} {peer.missing}" for each, peer in size.peers.items() if peer.missing]
    missing += [f"Left out: {each}." for each in size.left_out]
    title = f"### Queries over {size.quads:,} quads ({name})"
    note = "How many times our time each takes, and the time itself."
    return "\n\n".join([title, note, table(_head("query", ours, others), lines), *missing])


def _cold(name: str, size: Size) -> str:
    """First texts after a start: medians over the starts."""
    ours, others = _present(size)
    lines = []
    for kind, measured in ours.queries.items():
        mine = Measured(measured.cold)
        cells = [_times(Measured(peer.of(kind).cold), mine) for peer in others.values()]
        lines.append([kind, cell(mine), *cells])
    title = f"### Cold: the first of each kind after a start ({name})"
    note = "The files may be in the memory of the system; what is cold is the server."
    return "\n\n".join([title, note, table(_head("query", ours, others), lines)])


def _other(name: str, size: Size) -> str:
    ours, others = _present(size)
    everyone = [ours, *others.values()]
    lines = []
    for label in ours.work:
        told = (peer.work.get(label, Measured()) for peer in everyone)
        if label.startswith("reads"):
            cells = [each.failure or f"p99 {seconds(writing.slowest(each))}" for each in told]
        else:
            cells = [cell(each) for each in told]
        lines.append([label, *cells])
    for label in ours.rates:
        line = [f"{label}, 8 connections"]
        line += [f"{each.rates[label]:,.0f}/s" if label in each.rates else "-" for each in everyone]
        lines.append(line)
    for label in ("a tenth", "everything"):
        line = [f"export of {label}: first byte, all, memory"]
        for peer in everyone:
            export = peer.exports.get(label)
            line.append(
                f"{seconds(export.first)}, {seconds(export.seconds)} for {export.size >> 20} MiB, "
                f"+{export.growth >> 20} MiB" if export else "-"
            )  # fmt: skip
        lines.append(line)
    lines += [
        ["bulk load", *(_load(each, size) for each in everyone)],
        ["start to the first answer", *(cell(Measured(each.starts)) for each in everyone)],
        ["memory of all processes, at first", *(f"{each.memory >> 20} MiB" for each in everyone)],
        ["the same, after all queries", *(f"{each.memory_after >> 20} MiB" for each in everyone)],
    ]  # fmt: skip
    title = f"### Other work over {size.quads:,} quads ({name})"
    return title + "\n\n" + table(_head("work", ours, others), lines)


def _load(peer: Peer, size: Size) -> str:
    if math.isnan(peer.load):
        return "at each start"
    return f"{seconds(peer.load)}, {size.quads / peer.load:,.0f} quads/s"


def _growth(run: Run) -> str:
    """Our time by size and query, with the exponent of each server; what is steep is marked."""
    names = [name for name in next(iter(run.sizes.values())).peers
             if any(not size.peers[name].missing for size in run.sizes.values())]  # fmt: skip
    lines = []
    for kind in growth.kinds(run):
        times = [seconds(time) for _size, time in growth.series(run, OURS, kind)]
        exponents = []
        for name in names:
            value = growth.grows(run, name, kind)
            steep = value > growth.STEEP
            said = "-" if math.isnan(value) else f"{value:.2f}"
            exponents.append(f"**{said}**" if steep else said)
        lines.append([kind, *times, *exponents])
    head = ["query", *(f"{OURS}, {size}" for size in run.sizes), *(f"e: {n}" for n in names)]
    note = (
        "Time grows as the size to the power of e; 0: not at all, 1: in proportion. What is above "
        f"{growth.STEEP} is not near linear, and marked."
    )
    return f"### Growth\n\n{note}\n\n{table(head, lines)}"


def changes(before: Run, after: Run) -> str:
    """What of ours is slower or faster than in another run, by more than its spread."""
    lines = []
    for label, found in (
        ("slower", comparison.slower(before, after)),
        ("faster", comparison.faster(before, after)),
    ):
        for each in sorted(found, key=lambda change: -change.factor):
            times = [seconds(each.before), seconds(each.after), f"{each.factor:.2f}"]
            lines.append([f"{each.name}, {each.size}", label, *times])
    paces = ", ".join(
        f"{comparison.drift(before, after, size):.2f} at {size}"
        for size in after.sizes if size in before.sizes
    )  # fmt: skip
    note = (
        f"Beside the run of {before.measured}: what of ours took another time, its middle half "
        "apart from that of before. Times the peers took of then, which is taken off: "
        f"{paces or 'nothing to compare'}."
    )
    head = ["what", "", "before", "now", "times"]
    return f"### Since the run before\n\n{note}\n\n" + (table(head, lines) if lines else "Nothing.")
