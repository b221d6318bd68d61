"""JUnit XML, as test reporters read it: a suite a rule, a failed case a finding."""

from __future__ import annotations

import re
from itertools import groupby
from typing import TYPE_CHECKING
from xml.etree import ElementTree as Xml  # only writes

from clustergraph.validation.forms import text

if TYPE_CHECKING:
    from clustergraph.validation.report import Finding, Report

_NOT_IN_XML = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")


def write(report: Report) -> str:
    """A violation fails its case; warnings and notes are skipped ones, with their text."""
    root = Xml.Element("testsuites", name="clustergraph validate")
    by_rule = sorted(dict.fromkeys(report.findings), key=lambda each: each.rule)
    for rule, group in groupby(by_rule, key=lambda each: each.rule):
        _suite(root, rule, list(group), report)
    if not by_rule:
        _suite(root, "shapes", [], report)
    for name in ("tests", "failures", "skipped"):
        root.set(name, str(sum(int(suite.get(name, "0")) for suite in root)))
    Xml.indent(root)
    declared = '<?xml version="1.0" encoding="UTF-8"?>\n'
    return declared + Xml.tostring(root, encoding="unicode") + "\n"


def _suite(root: Xml.Element, rule: str, findings: list[Finding], report: Report) -> None:
    suite = Xml.SubElement(root, "testsuite", name=_clean(rule), errors="0")
    for each in findings:
        name = each.label or report.show(each.focus)
        case = Xml.SubElement(
            suite, "testcase", classname=_clean(rule), name=_clean(f"{name}: {each.message}")
        )
        if each.place:
            case.set("file", _clean(each.place.path))
            if each.place.line:
                case.set("line", str(each.place.line))
        is_failure = each.severity.word == "error"
        outcome = Xml.SubElement(
            case, "failure" if is_failure else "skipped", message=_clean(each.message)
        )
        if is_failure:
            outcome.set("type", each.severity.value)
        single = type(report)((each,), report.prefixes)
        outcome.text = _clean(text.write(single).rsplit("\n\n", 1)[0])
    if not findings:
        Xml.SubElement(suite, "testcase", classname=_clean(rule), name="conforms")
    failures = sum(each.severity.word == "error" for each in findings)
    suite.set("tests", str(max(1, len(findings))))
    suite.set("failures", str(failures))
    suite.set("skipped", str(len(findings) - failures))


def _clean(content: str) -> str:
    """Text without the characters that XML 1.0 cannot hold."""
    return _NOT_IN_XML.sub("\ufffd", content)
