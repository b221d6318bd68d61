"""A baseline: the findings that were there when a project began to validate; only new ones fail.

A finding is known again by its rule, node, path and value, so that lines may move.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING

import pyoxigraph as ox

from clustergraph.errors import UsageError

if TYPE_CHECKING:
    from pathlib import Path

    from clustergraph.rdf import Term
    from clustergraph.validation.report import Finding, Report

_VERSION = 1


def key(each: Finding) -> tuple[str, str, str, str]:
    """What a finding is known by; blank nodes have no names that last."""
    return each.rule, _name(each.focus), each.path, "" if each.value is None else _name(each.value)


def _name(term: Term) -> str:
    return "[]" if isinstance(term, ox.BlankNode) else str(term)


def fingerprint(each: Finding) -> str:
    """The same in 32 hexadecimal digits."""
    return hashlib.sha256("\0".join(key(each)).encode()).hexdigest()[:32]


def write(path: Path, report: Report) -> None:
    """Write a report's findings down as known."""
    counted = Counter(map(key, report.findings))
    findings = [
        {"rule": rule, "focusNode": focus, "path": place, "value": value, "count": count}
        for (rule, focus, place, value), count in sorted(counted.items())
    ]
    text = json.dumps({"version": _VERSION, "findings": findings}, indent=1, ensure_ascii=False)
    path.write_text(text + "\n", encoding="utf-8")


def read(path: Path) -> Counter[tuple[str, str, str, str]]:
    """The known findings, and how many of each.

    Raises:
        UsageError: the file cannot be read, or is no baseline.
    """
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        if content["version"] != _VERSION:
            raise UsageError(f"{path} is a baseline of an unknown version.")
        return Counter(
            {
                (each["rule"], each["focusNode"], each["path"], each["value"]): int(each["count"])
                for each in content["findings"]
            }
        )
    except OSError as error:
        raise UsageError(
            f"{path} cannot be read: {error.strerror}.", hint="Write it with --write-baseline."
        ) from error
    except (ValueError, KeyError, TypeError) as error:
        raise UsageError(
            f"{path} is no baseline.", hint="Write it anew with --write-baseline."
        ) from error


def new(report: Report, known: Counter[tuple[str, str, str, str]]) -> Report:
    """The report without the findings that are known."""
    left = Counter(known)
    kept: list[Finding] = []
    for each in report.findings:
        if left[key(each)] > 0:
            left[key(each)] -= 1
        else:
            kept.append(each)
    return replace(report, findings=tuple(kept))
