"""The forms of a report, as the tools that read them want them."""

from __future__ import annotations

import csv
import io
import json
import os
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from xml.etree import ElementTree as Xml

import pyoxigraph as ox
import pytest
import rdflib
from jsonschema import validators
from rdflib.namespace import RDF, SH

from clustergraph import validate
from clustergraph.errors import UsageError
from clustergraph.validation import Report, Severity, baseline, forms

SHAPES = """
@prefix sh: <http://www.w3.org/ns/shacl#> .
@prefix e: <http://e/> .
e:S a sh:NodeShape ; sh:targetClass e:Person ;
    sh:property e:name , [ sh:path ( e:knows e:name ) ; sh:maxCount 1 ; sh:severity sh:Warning ] .
e:name sh:path e:name ; sh:minCount 1 ; sh:maxLength 5 ;
    sh:message "Name,\\n<b>100%</b>: | *too* long"@en , "Zu lang"@de .
"""
DATA = """@prefix e: <http://e/> .\r
e:anna a e:Person ; e:name "=Anna-Maria"@en .
\te:漢 a e:Person ; e:name "𐌰𐌰𐌰𐌰𐌰𐌰" ; e:knows e:anna , [ e:name "B" ] .
e:bob a e:Person .
"""


@pytest.fixture
def report(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Report:
    """Three violations and a warning, in a file whose name needs escapes."""
    monkeypatch.chdir(tmp_path)
    Path("a b,c.ttl").write_bytes(DATA.encode())
    Path("shapes.ttl").write_text(SHAPES)
    return validate("a b,c.ttl", "shapes.ttl")


def test_every_form_is_written_and_ends_its_last_line(report: Report) -> None:
    """Also of a report without findings."""
    empty = type(report)()
    for form in forms.FORMS:
        assert forms.write(report, form).endswith("\n")
        written = forms.write(empty, form)
        assert written.endswith("\n") or form == "jsonl"


def test_text_marks_the_term_in_its_line(report: Report) -> None:
    """As compilers do; wide characters and tabs keep the mark under the term."""
    text = report.to_text()
    assert (
        "a b,c.ttl:2:28: error[name] Name,\n<b>100%</b>: | *too* long\n"
        '  |\n2 | e:anna a e:Person ; e:name "=Anna-Maria"@en .\n'
        f"  | {' ' * 27}{'^' * 16}\n"
    ) in text
    assert '    e:漢 a e:Person ; e:name "𐌰𐌰𐌰𐌰𐌰𐌰" ; e:knows' in text
    assert f"  | {' ' * 29}{'^' * 8}\n" in text
    assert "  ::: shapes.ttl:6:1: the rule" in text
    assert text.endswith("does not conform: 3 errors, 1 warning, 0 notes\n")


def test_places_count_characters(report: Report) -> None:
    """From one, with a tab for one."""
    places = [each.place for each in report.findings if each.place]
    assert len(places) == 4
    assert {(each.line, each.column, each.end_column) for each in places} >= {
        (2, 28, 44),
        (3, 26, 34),
        (4, 1, 6),
    }


def test_json_and_its_lines_hold_the_places(report: Report) -> None:
    """One object, or one a line."""
    whole = json.loads(forms.write(report, "json"))
    lines = [json.loads(line) for line in forms.write(report, "jsonl").splitlines()]
    assert whole["findings"] == lines
    assert lines[0]["place"]["file"] == "a b,c.ttl"
    assert {each["message"] for each in lines[0]["related"]} == {"the rule"}


def test_turtle_is_the_standard_report(report: Report) -> None:
    """With paths as RDF and messages in all languages; places only if they are wanted."""
    graph = rdflib.Graph().parse(data=report.to_turtle(), format="turtle")
    (node,) = graph.subjects(RDF.type, SH.ValidationReport)
    results = list(graph.objects(node, SH.result))
    assert len(results) == 4
    assert len(set(graph.objects(None, SH.resultMessage))) == 3
    (warning,) = graph.subjects(SH.resultSeverity, SH.Warning)
    path = graph.value(warning, SH.resultPath)
    assert path is not None
    assert [str(each) for each in graph.items(path)] == ["http://e/knows", "http://e/name"]
    assert isinstance(graph.value(warning, SH.sourceShape), rdflib.BNode)
    earl, ptr = (
        rdflib.Namespace(each)
        for each in ("http://www.w3.org/ns/earl#", "http://www.w3.org/2009/pointers#")
    )
    assert not list(graph.subject_objects(earl.pointer))
    placed = rdflib.Graph().parse(data=report.to_turtle(places=True), format="turtle")
    lines = {int(str(each)) for each in placed.objects(None, ptr.lineNumber)}
    assert lines == {2, 3, 4}


def test_sarif_has_what_viewers_need(report: Report) -> None:
    """Sections 3.13, 3.14, 3.27 and 3.30 of the standard."""
    log = json.loads(forms.write(report, "sarif"))
    assert log["version"] == "2.1.0"
    (run,) = log["runs"]
    assert run["columnKind"] == "unicodeCodePoints"
    rules = run["tool"]["driver"]["rules"]
    assert len({each["id"] for each in rules}) == len(rules)
    for result in run["results"]:
        assert rules[result["ruleIndex"]]["id"] == result["ruleId"]
        assert result["level"] in {"error", "warning", "note"}
        (location,) = result["locations"]
        physical = location["physicalLocation"]
        assert physical["artifactLocation"]["uri"] == "a%20b%2Cc.ttl"
        region = physical["region"]
        assert min(region["startLine"], region["startColumn"]) >= 1
        assert (region["startLine"], region["startColumn"]) < (
            region["endLine"],
            region["endColumn"],
        )
        assert len(result["partialFingerprints"]["clustergraph/v1"]) == 32


@pytest.mark.skipif("SARIF_SCHEMA" not in os.environ, reason="names no copy of OASIS's schema")
def test_sarif_fits_the_schema(report: Report) -> None:
    """Of OASIS, which is not ours to hand on: SARIF_SCHEMA=sarif-schema-2.1.0.json."""
    schema = json.loads(Path(os.environ["SARIF_SCHEMA"]).read_text(encoding="utf-8"))
    checker = validators.validator_for(schema)
    checker.check_schema(schema)
    for each in (report, Report()):
        checker(schema).validate(json.loads(forms.write(each, "sarif")))


def test_sarif_has_the_suggestion_as_a_fix(report: Report) -> None:
    """Section 3.55: what stands at the place now, and what may stand there instead."""
    finding = replace(report.findings[0], suggestion="ex:mill")
    log = json.loads(forms.write(Report((finding,)), "sarif"))
    (fix,) = log["runs"][0]["results"][0]["fixes"]
    (replacement,) = fix["artifactChanges"][0]["replacements"]
    assert replacement["insertedContent"] == {"text": "ex:mill"}
    assert finding.place is not None
    assert replacement["deletedRegion"]["startColumn"] == finding.place.column


def test_github_commands_are_escaped(report: Report) -> None:
    """One a line, whatever the message holds."""
    *commands, summary = forms.write(report, "github").splitlines()
    assert len(commands) == 4
    assert summary.startswith("does not conform")
    first = commands[0]
    assert first.startswith("::error file=a b%2Cc.ttl,title=")
    assert ",line=2,endLine=2,col=28,endColumn=44::" in first
    assert first.endswith("::Name,%0A<b>100%25</b>: | *too* long")
    assert sum(each.startswith("::warning ") for each in commands) == 1


def test_junit_is_well_formed(report: Report) -> None:
    """And counts; characters that XML cannot hold are replaced."""
    root = Xml.fromstring(forms.write(report, "junit"))  # noqa: S314  # ours
    assert (root.get("tests"), root.get("failures"), root.get("skipped")) == ("4", "3", "1")
    assert {case.get("line") for case in root.iter("testcase")} == {"2", "3", "4"}
    data = ox.Quad(ox.NamedNode("x:s"), ox.NamedNode("http://e/name"), ox.Literal("a\x01bcdefg"))
    kind = ox.Quad(
        ox.NamedNode("x:s"), ox.NamedNode(str(RDF.type)), ox.NamedNode("http://e/Person")
    )
    shapes = list(ox.parse(SHAPES.encode(), ox.RdfFormat.TURTLE))
    Xml.fromstring(forms.write(validate([data, kind], shapes), "junit"))  # noqa: S314  # ours


def test_markdown_and_csv_keep_their_cells(report: Report) -> None:
    """What the data say does not become markup, nor a formula."""
    rows = [line for line in forms.write(report, "markdown").splitlines() if line.startswith("| ")]
    assert len(rows) == 2 + 4
    assert r"\<b\>100%\</b\>: \| \*too\* long" in rows[2]
    cells = list(csv.DictReader(io.StringIO(forms.write(report, "csv"))))
    assert [each["line"] for each in cells if each["severity"] == "Violation"]
    assert not [cell for each in cells for cell in each.values() if cell.startswith("=")]


def test_html_needs_nothing_beside_it_and_is_escaped(report: Report) -> None:
    """No address is loaded, no markup comes from the data."""
    page = forms.write(report, "html")
    tags: list[str] = []

    class Tags(HTMLParser):
        def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
            tags.append(tag)
            assert not {name for name, _value in attrs} & {"src", "href", "onclick"}

    Tags().feed(page)
    assert tags.count("article") == 4
    assert not {"b", "script", "link"} & set(tags)
    assert "<mark>&#34;=Anna-Maria&#34;@en</mark>" in page


def test_a_baseline_knows_findings_again_when_lines_move(report: Report, tmp_path: Path) -> None:
    """Only what is new is left, and one more of the same is new."""
    path = tmp_path / "known.json"
    baseline.write(path, report)
    known = baseline.read(path)
    assert baseline.new(report, known).findings == ()
    Path("a b,c.ttl").write_text("\n\n" + DATA + "e:new a e:Person .\n")
    (fresh,) = baseline.new(validate("a b,c.ttl", "shapes.ttl"), known).findings
    assert fresh.focus == ox.NamedNode("http://e/new")
    assert fresh.severity is Severity.VIOLATION
    again = type(report)((*report.findings, report.findings[0]), report.prefixes)
    assert len(baseline.new(again, known).findings) == 1


@pytest.mark.parametrize("content", ["", "[]", '{"version": 9}', '{"version": 1}'])
def test_what_is_no_baseline_is_told(tmp_path: Path, content: str) -> None:
    """By name."""
    path = tmp_path / "known.json"
    path.write_text(content)
    with pytest.raises(UsageError, match=r"known\.json"):
        baseline.read(path)
    with pytest.raises(UsageError, match="cannot be read"):
        baseline.read(tmp_path / "none.json")
