"""``validate --fix``: only what is mechanical is mended, and nothing else changes."""

from __future__ import annotations

import random
import subprocess
import unicodedata
from pathlib import Path

import pyoxigraph as ox
import pytest
from click.testing import CliRunner

from clustergraph import rdf, scaffold, settings
from clustergraph.cli.main import main
from clustergraph.positions import lexer
from clustergraph.workbench import LooseFiles, ProjectFiles
from clustergraph.workbench.edits import rewritten, usual_case
from clustergraph.workbench.files import texts
from clustergraph.workbench.mend import Mended, mend

SHAPES = """@prefix sh: <http://www.w3.org/ns/shacl#> . @prefix ex: <http://e/> .
ex:T a sh:NodeShape ; sh:targetSubjectsOf ex:name ; sh:property ex:Clean .
ex:Clean sh:path ex:name ; sh:not [ sh:pattern "^\\\\s|\\\\s$|\\u0301" ] ; sh:message "unclean" .
ex:N a sh:NodeShape ; sh:targetSubjectsOf ex:note ; sh:property ex:Tagged .
ex:Tagged sh:path ex:note ; sh:datatype <http://www.w3.org/1999/02/22-rdf-syntax-ns#langString> ;
  sh:severity sh:Warning ; sh:message "untagged" .
ex:Back a sh:PropertyShape ; sh:targetSubjectsOf ex:manages ;
  sh:path [ sh:inversePath ex:isManagedBy ] ; sh:equals ex:manages .
"""


def mended(folder: Path, text: str, name: str = "data.ttl", shapes: str = SHAPES) -> Mended:
    """A text mended; its bytes are those of the file."""
    (folder / "shapes.ttl").write_text(shapes, encoding="utf-8")
    path = folder / name
    path.write_bytes(text.encode())
    files = LooseFiles([path], [folder / "shapes.ttl"])
    done = mend(files, texts([path]))
    for each, new in done.texts.items():
        each.write_bytes(new.encode())
    return done


def after(folder: Path, text: str, name: str = "data.ttl") -> str:
    """What becomes of a text; mending it again changes nothing."""
    done = mended(folder, text, name)
    result = (folder / name).read_bytes().decode()
    assert done.edits == 0 or result != text
    assert mended(folder, result, name).texts == {}
    return result


HEAD = "@prefix ex: <http://e/> .\n"


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('ex:a ex:name " A " .', 'ex:a ex:name "A" .'),
        ("ex:a ex:name '\\tA\\n' .", "ex:a ex:name 'A' ."),
        ('ex:a ex:name """\n A "b"\n"""@fr ;# c\r\n .', 'ex:a ex:name """A "b\\""""@fr ;# c\r\n .'),
        ('ex:a ex:name "A\\\\ " .', 'ex:a ex:name "A\\\\" .'),
        ('ex:a ex:name "e\u0301" .', 'ex:a ex:name "\u00e9" .'),
        ('ex:a ex:name "e\\u0301\\t\\"" .', 'ex:a ex:name "\u00e9\t\\"" .'),
        ('ex:a ex:raw " A " .', 'ex:a ex:raw " A " .'),
        ('ex:a ex:raw "A"@EN-us , "B"@ZH-hant .', 'ex:a ex:raw "A"@en-US , "B"@zh-Hant .'),
        (
            'ex:a ex:note "A"@en , "B"@en , "C"@en , "D" .',
            'ex:a ex:note "A"@en , "B"@en , "C"@en , "D"@en .',
        ),
        (
            'ex:a ex:note "A"@en , "B"@en , "C"@fr , "D" .',
            'ex:a ex:note "A"@en , "B"@en , "C"@fr , "D" .',
        ),
        ('ex:a ex:note "A"@en , "D" .', 'ex:a ex:note "A"@en , "D" .'),
        (
            "ex:a ex:manages ex:b .\nex:b ex:x 1 , 2 ;\n\tex:y ( 1 ) .",
            "ex:a ex:manages ex:b .\nex:b ex:x 1 , 2 ;\n\tex:isManagedBy ex:a ;\n\tex:y ( 1 ) .",
        ),
        (
            "ex:a ex:manages ex:b .\nex:b a                 ex:T ;\n     ex:longer-property 1 .",
            (
                "ex:a ex:manages ex:b .\nex:b a                 ex:T ;\n"
                "     ex:isManagedBy    ex:a ;\n     ex:longer-property 1 ."
            ),
        ),
        (
            "ex:a ex:manages ex:b .\r\nex:b ex:y [ ex:z 1 ] .",
            "ex:a ex:manages ex:b .\r\nex:b ex:isManagedBy ex:a ; ex:y [ ex:z 1 ] .",
        ),
        ("ex:a ex:manages ex:nothing .", "ex:a ex:manages ex:nothing ."),
    ],
)
def test_edits_are_the_smallest(tmp_path: Path, old: str, new: str) -> None:
    """Quotes, escapes, spaces, comments, line ends stay."""
    assert after(tmp_path, HEAD + old) == HEAD + new


def test_graphs_and_lines_of_n_quads(tmp_path: Path) -> None:
    """A missing inverse comes into the graph in which its subject is described."""
    lines = "<http://e/a> <http://e/manages> <http://e/b> <http://e/g> .\r\n"
    lines += '<http://e/b> <http://e/x> "1" <http://e/h> . # here\r\n'
    assert after(tmp_path, lines, "data.nq") == lines.replace(
        "here\r\n",
        "here\r\n<http://e/b> <http://e/isManagedBy> <http://e/a> <http://e/h> .\r\n",
    )


def test_what_would_break_something_else_is_left(tmp_path: Path) -> None:
    """Two names that are one when trimmed break another rule: only the others are mended."""
    shapes = SHAPES + "ex:T sh:property [ sh:path ex:name ; sh:minCount 2 ] .\n"
    text = HEAD + 'ex:a ex:name "A" , " A" .\nex:b ex:name "B" , " C" .\n'
    done = mended(tmp_path, text, shapes=shapes)
    assert (tmp_path / "data.ttl").read_text() == text.replace('" C"', '"C"')
    rules = {each.rule for each in done.report.findings if each.is_result}
    assert rules - {"no-target"} == {"Clean"}


def _literal(chance: random.Random) -> str:
    mark = chance.choice(['"', "'", '"""', "'''"])
    parts = ["A", "é", "e\u0301", "\\n", "\\\\", " ", "\\u00a0", "\U0001f600", "\\t", "x#y", "@EN"]
    if len(mark) == 3:
        parts += ["\n", "\r\n", "'" if mark[0] == '"' else '"']
    text = "".join(chance.choice(parts) for _ in range(chance.randrange(6)))
    return mark + text + mark + chance.choice(["", "@EN", "@de-at", "@fr"])


def _document(chance: random.Random, *, inverses: bool) -> str:
    end = chance.choice(["\n", "\r\n"])
    lines = ["@prefix ex: <http://e/> . # \u00e9", "PREFIX e:<http://e/>"]
    for number in range(4):
        name = chance.choice([f"ex:n{number}", f"<http://e/n{number}>", f"e:n{number}"])
        facts = [
            f"{chance.choice(['ex:name', 'ex:raw', 'ex:note'])} "
            + chance.choice([" , ", ","]).join(_literal(chance) for _ in range(2))
            for _ in range(chance.randrange(1, 3))
        ]
        facts.append(f"ex:x [ ex:raw {_literal(chance)} ] , ( {_literal(chance)} 1 )")
        if inverses and chance.random() < 0.7:
            facts.append(f"ex:manages ex:n{chance.randrange(4)}")
        chance.shuffle(facts)
        gap = chance.choice([" ;\t# ; .", ";", f" ;{end}    "])
        gap = gap + end if "#" in gap else gap
        lines.append(f"{name} {gap.join(facts)} .")
    return end.join(lines) + chance.choice(["", end])


def _without_texts(text: str) -> str:
    kinds, starts, ends = lexer.tokens(text)
    result, at = [], 0
    for number, kind in enumerate(kinds):
        if kind == "text" or (kind == "at" and number and kinds[number - 1] == "text"):
            result.append(text[at : starts[number]])
            at = ends[number]
    return "".join((*result, text[at:]))


def _facts(text: str, *, clean: bool) -> set[tuple[str, str, str]]:
    """The statements between named things; with the names as they should be."""
    found = set()
    for quad in rdf.parse(text.encode(), rdf.TURTLE, base="http://e/", name="data"):
        value = quad.object
        key = str(value)
        if isinstance(value, ox.Literal):
            words = value.value
            if clean and quad.predicate.value == "http://e/name":
                words = unicodedata.normalize("NFC", words).strip() or words
            key = f"{words!r}@{value.language}"
        subject = "_" if isinstance(quad.subject, ox.BlankNode) else str(quad.subject)
        found.add((subject, str(quad.predicate), "_" if "_:" in key else key))
    return found


@pytest.mark.parametrize("seed", range(25))
def test_nothing_else_ever_changes(tmp_path: Path, seed: int) -> None:
    """Random documents: what is said stays but for the names, what is between the texts stays."""
    chance = random.Random(seed)  # noqa: S311  # no secret
    inverses = bool(seed % 2)
    old = _document(chance, inverses=inverses)
    done = mended(tmp_path, old)
    new = (tmp_path / "data.ttl").read_bytes().decode()
    said, says = _facts(old, clean=True), _facts(new, clean=True)
    assert says >= {each for each in said if "note" not in each[1]}
    more = {each[1] for each in says - said}
    assert more <= {"<http://e/isManagedBy>", "<http://e/note>"}
    if not inverses:
        assert _without_texts(new) == _without_texts(old)
    left = {(each.rule, getattr(each.value, "value", "").strip()) for each in done.report.findings}
    assert {each for each in left if each[0] == "Clean"} <= {("Clean", "")}  # nothing would be left
    assert "Back" not in {rule for rule, _value in left}
    assert mended(tmp_path, new).texts == {}


@pytest.mark.parametrize(
    ("tag", "usual"),
    [
        ("EN", "en"),
        ("en-gb", "en-GB"),
        ("ZH-hant-tw", "zh-Hant-TW"),
        ("en-ca-X-CA", "en-CA-x-ca"),
        ("ar--RTL", "ar--RTL"),
    ],
)
def test_usual_case(tag: str, usual: str) -> None:
    """RFC 5646, section 2.1.1; a base direction is no part of the tag."""
    assert usual_case(tag) == usual


def test_numbers_stay_numbers() -> None:
    """A count is written as the old one was."""
    assert rewritten("12", "13") == "13"
    assert rewritten('"12"^^xsd:integer', "13") == '"13"^^xsd:integer'
    assert rewritten("12", "many") is None


def test_stale_counts_of_a_project(tmp_path: Path) -> None:
    """A rule over quads that knows what should stand there has it written."""
    root = tmp_path / "example"
    scaffold.init(root, title="Example")
    rules = root / "shapes" / "rules"
    rules.mkdir(exist_ok=True)
    (rules / "count.rq").write_text(
        "#+ title: Count\n#+ description: The count is right.\n#+ rule: count\n"
        "#+ severity: Violation\n#+ phase: asserted\n"
        '#+ message: "says {?value}, there are {?instead}"\n'
        "SELECT ?focusNode ?path ?value ?instead WHERE {\n"
        "  BIND (<http://e/count> AS ?path) GRAPH ?g { ?focusNode ?path ?value }\n"
        "  { SELECT (COUNT(*) AS ?instead) WHERE { GRAPH ?h { ?x <http://e/of> ?y } } }\n"
        "  FILTER (?value != ?instead)\n}\n",
        encoding="utf-8",
    )
    path = root / "data" / "counted.ttl"
    path.write_text("<http://e/d>  <http://e/count>\t7 ; # so\n <http://e/of> 1 , 2 .\n")
    files = ProjectFiles(settings.load(root, environment={}))
    done = mend(files, texts(files.paths()))
    assert {each.name: text for each, text in done.texts.items()} == {
        "counted.ttl": "<http://e/d>  <http://e/count>\t2 ; # so\n <http://e/of> 1 , 2 .\n"
    }
    assert "count" not in {each.rule for each in done.report.findings}


def test_a_project_under_another_base(tmp_path: Path) -> None:
    """What is written stands under the base of the files."""
    root = tmp_path / "example"
    scaffold.init(root, title="Example")
    own = settings.load(root, environment={}, base="https://elsewhere.example/")
    base = own.written_base
    shapes = SHAPES.replace("http://e/", base)
    (root / "shapes" / "more.ttl").write_text(shapes)
    path = root / "data" / "more.ttl"
    text = (
        f'@prefix ex: <{base}> .\nex:a ex:manages ex:b ; ex:note "1"@en , "2"@en , "3"@en , "4" .\n'
        'ex:b ex:name " B" .\n'
    )
    path.write_text(text)
    files = ProjectFiles(own)
    done = mend(files, texts(files.paths()))
    assert done.texts == {
        path: text.replace('" B" .', '"B" ; ex:isManagedBy ex:a .').replace('"4"', '"4"@en')
    }


def test_the_diff_first_then_for_good(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """--fix shows what git apply would take; --write does it."""
    monkeypatch.chdir(tmp_path)
    text = HEAD + 'ex:a ex:name " A "'.replace("\n", "\r\n") + " ;\r\n ex:raw 1 ."
    Path("shapes.ttl").write_text(SHAPES)
    Path("data.ttl").write_bytes(text.encode())
    options = ["validate", "data.ttl", "--shapes", "shapes.ttl", "--fix"]
    shown = CliRunner().invoke(main, options)
    assert shown.exit_code == 1
    assert '-ex:a ex:name " A " ;' in shown.stdout
    assert Path("data.ttl").read_bytes() == text.encode()
    subprocess.run(["git", "apply", "-"], input=shown.stdout_bytes, check=True)
    applied = Path("data.ttl").read_bytes()
    Path("data.ttl").write_bytes(text.encode())
    written = CliRunner().invoke(main, [*options, "--write"])
    assert written.exit_code == 0, written.output
    assert Path("data.ttl").read_bytes() == applied
    assert CliRunner().invoke(main, options).exit_code == 0
    assert CliRunner().invoke(main, [*options[:-1], "--write"]).exit_code == 2
