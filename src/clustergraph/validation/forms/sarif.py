"""SARIF 2.1.0 (OASIS Static Analysis Results Interchange Format), for code-scanning viewers."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from clustergraph.validation.baseline import fingerprint

if TYPE_CHECKING:
    from clustergraph.positions import Place
    from clustergraph.validation.report import Finding, Report

_SCHEMA = (
    "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
)
_LEVELS = {"error": "error", "warning": "warning", "note": "note"}


def write(report: Report) -> str:
    """One run, with the rules that found something."""
    from importlib.metadata import version  # noqa: PLC0415  slow to import

    rules: dict[str, dict[str, Any]] = {}
    for each in report.findings:
        rules.setdefault(each.rule, _rule(each))
    indices = {rule: number for number, rule in enumerate(rules)}
    driver = {
        "name": "ClusterGraph",
        "version": version("clustergraph"),
        "semanticVersion": version("clustergraph"),
        "rules": list(rules.values()),
    }
    run = {
        "tool": {"driver": driver},
        "columnKind": "unicodeCodePoints",
        "results": [
            _result(each, indices[each.rule], report) for each in dict.fromkeys(report.findings)
        ],
    }
    log = {"$schema": _SCHEMA, "version": "2.1.0", "runs": [run]}
    return json.dumps(log, indent=2, ensure_ascii=False)


def _rule(each: Finding) -> dict[str, Any]:
    rule: dict[str, Any] = {"id": each.rule, "shortDescription": {"text": f"Rule {each.rule}"}}
    if each.shape:
        rule["properties"] = {"sourceShape": each.shape}
    return rule


def _result(each: Finding, index: int, report: Report) -> dict[str, Any]:
    node = report.show(each.focus)
    message = each.message + (f"\nHelp: {each.help}" if each.help else "")
    result: dict[str, Any] = {
        "ruleId": each.rule,
        "ruleIndex": index,
        "level": _LEVELS[each.severity.word],
        "message": {"text": message},
        "partialFingerprints": {"clustergraph/v1": fingerprint(each)},
    }
    location: dict[str, Any] = {
        "logicalLocations": [{"fullyQualifiedName": node, "name": each.label or node}]
    }
    if each.place:
        location["physicalLocation"] = _physical(each.place)
    result["locations"] = [location]
    if each.related:
        result["relatedLocations"] = [
            {
                "id": number,
                "physicalLocation": _physical(other.place),
                "message": {"text": other.message},
            }
            for number, other in enumerate(each.related)
        ]
    if each.suggestion and each.place and each.place.line:
        result["fixes"] = [_fix(each.place, each.suggestion)]
    return result


def _fix(place: Place, text: str) -> dict[str, Any]:
    """What may stand at the place instead (section 3.55)."""
    where = _physical(place)
    region = {name: value for name, value in where["region"].items() if name != "snippet"}
    return {
        "description": {"text": f"Write {text}"},
        "artifactChanges": [
            {
                "artifactLocation": where["artifactLocation"],
                "replacements": [{"deletedRegion": region, "insertedContent": {"text": text}}],
            }
        ],
    }


def _physical(place: Place) -> dict[str, Any]:
    located: dict[str, Any] = {"artifactLocation": {"uri": _uri(place.path)}}
    if place.line:
        located["region"] = {
            "startLine": place.line,
            "startColumn": place.column,
            "endLine": place.end_line,
            "endColumn": place.end_column,
            "snippet": {"text": place.text[place.column - 1 : place.column - 1 + place.length]},
        }
    return located


def _uri(path: str) -> str:
    """A file as a URI; relative to where the program ran, if it is below."""
    return ("file://" if path.startswith("/") else "") + quote(path)
