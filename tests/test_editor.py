"""The language server, asked by a client over standard input and output as editors do."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from clustergraph import scaffold
from clustergraph.editor import desk
from clustergraph.editor.checking import Spec
from lsp_client import Client

if TYPE_CHECKING:
    from collections.abc import Iterator

SHAPES = """@prefix ex:   <https://example.org/shapes#> .
@prefix foaf: <http://xmlns.com/foaf/0.1/> .
@prefix org:  <http://www.w3.org/ns/org#> .
@prefix sh:   <http://www.w3.org/ns/shacl#> .

ex:member a sh:PropertyShape ; sh:targetSubjectsOf org:memberOf ; sh:path org:memberOf ;
    sh:class org:Organization ; sh:message "Who can be a member of this?"@en .
"""
PEOPLE = """@prefix ex:   <https://example.org/id/> .
@prefix foaf: <http://xmlns.com/foaf/0.1/> .
@prefix org:  <http://www.w3.org/ns/org#> .
@prefix rdfs: <http://www.w3.org/2000/01/rdf-schema#> .
# a comment: ex:mill
org:Organization a rdfs:Class ; rdfs:label "Organisation"@en , "Organisation bleue"@fr .

ex:mill a org:Organization ;
    foaf:name "The *Mill*"@en ; rdfs:comment "It turns."@en .

ex:anna a foaf:Person ; foaf:name "𐤖nna"@en ; org:memberOf ex:mil .
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A shapes file, and a file of no project with a mistake."""
    (tmp_path / "shapes.ttl").write_text(SHAPES, encoding="utf-8")
    (tmp_path / "people.ttl").write_text(PEOPLE, encoding="utf-8")
    return tmp_path


@pytest.fixture
def loose(folder: Path) -> Iterator[Client]:
    """An editor in that folder."""
    client = Client(folder, "--shapes", "shapes.ttl")
    yield client
    assert client.end() == 0


def column(text: str, line: int, word: str) -> int:
    """Where a word stands in a line, in UTF-16 units."""
    return len(text.split("\n")[line].partition(word)[0].encode("utf-16-le")) // 2


def test_findings_while_typing(loose: Client, folder: Path) -> None:
    """Shapes first, then syntax errors, then nothing, all in texts that nobody saved."""
    path = folder / "people.ttl"
    loose.open(path)
    (found,) = loose.wait(path, "member")
    start = column(PEOPLE, 10, "ex:mil .")
    assert found["range"]["start"] == {"line": 10, "character": start}
    assert found["range"]["end"] == {"line": 10, "character": start + 6}
    assert found["severity"] == 1
    assert "Who can be a member of this?" in found["message"]
    (related,) = found["relatedInformation"]
    assert related["location"]["uri"] == (folder / "shapes.ttl").as_uri()

    loose.change(path, PEOPLE.replace("ex:anna a", "ex:anna"))
    (found,) = loose.wait(path, "syntax")
    assert found["range"]["start"]["line"] == 10

    loose.change(path, PEOPLE.replace("ex:mil .", "ex:mill ."))
    loose.wait(path)
    assert path.read_text(encoding="utf-8") == PEOPLE


def test_a_suggestion_is_a_code_action(loose: Client, folder: Path) -> None:
    """It puts the nearest thing in the place of the one that is not there."""
    path = folder / "people.ttl"
    loose.open(path)
    found = loose.wait(path, "member")
    (action,) = loose.ask(
        "textDocument/codeAction",
        {
            "textDocument": {"uri": path.as_uri()},
            "range": found[0]["range"],
            "context": {"diagnostics": found},
        },
    )
    assert action["title"] == "Write ex:mill"
    assert action["edit"]["changes"] == {
        path.as_uri(): [{"range": found[0]["range"], "newText": "ex:mill"}]
    }


def test_all_that_is_mechanical_is_mended_on_demand(loose: Client, folder: Path) -> None:
    """As editors ask when they save (source.fixAll), in the text that is not saved."""
    path = folder / "people.ttl"
    text = PEOPLE.replace("ex:mil .", "ex:mill .")
    loose.open(path, text.replace('nna"@en', 'nna"@EN'))
    loose.wait(path)
    question = {
        "textDocument": {"uri": path.as_uri()},
        "range": {"start": {"line": 0, "character": 0}, "end": {"line": 0, "character": 0}},
        "context": {"diagnostics": [], "only": ["source.fixAll"]},
    }
    (action,) = loose.ask("textDocument/codeAction", question)
    (edit,) = action["edit"]["changes"][path.as_uri()]
    assert edit["newText"] == "en"
    assert edit["range"]["start"] == {"line": 10, "character": column(text, 10, "en ; org")}
    loose.change(path, text)
    assert loose.ask("textDocument/codeAction", question) == []


def test_hover_tells_label_class_and_definition(loose: Client, folder: Path) -> None:
    """Of things of the file, in Markdown that a label cannot break."""
    path = folder / "people.ttl"
    loose.open(path, PEOPLE.replace("ex:mil .", "ex:mill ."))
    at = column(PEOPLE, 10, "ex:mil .")
    told = loose.at("hover", path, 10, at + 4)
    text = told["contents"]["value"]
    assert r"**The \*Mill\*** · Organisation" in text
    assert "It turns." in text
    assert "<https://example.org/id/mill>" in text
    assert told["range"] == {
        "start": {"line": 10, "character": at},
        "end": {"line": 10, "character": at + 7},
    }
    assert loose.at("hover", path, 4, 14) is None  # a comment
    assert loose.at("hover", path, 7, 8)["contents"]["value"].startswith("`")  # a


def test_definition_and_completion(loose: Client, folder: Path) -> None:
    """Of things of the file, by their names and labels; of prefixes; not in texts and comments."""
    path = folder / "people.ttl"
    text = PEOPLE + '\nex:bob org:memberOf ex:mi\nex:b foaf:name "ex:mi\nfo\n'
    loose.open(path, text)
    (place,) = loose.at("definition", path, 7, 12)
    assert place["uri"] == path.as_uri()
    assert place["range"]["start"] == {"line": 5, "character": 0}
    assert place["range"]["end"] == {"line": 5, "character": 16}

    offered = loose.at("completion", path, 12, 25)["items"]
    assert [each["label"] for each in offered] == ["ex:mill"]
    assert offered[0]["labelDetails"]["description"] == "The *Mill*"
    assert offered[0]["textEdit"] == {
        "range": {"start": {"line": 12, "character": 20}, "end": {"line": 12, "character": 25}},
        "newText": "ex:mill",
    }
    assert loose.at("completion", path, 13, 21)["items"] == []
    assert loose.at("completion", path, 4, 15)["items"] == []
    names = {each["label"] for each in loose.at("completion", path, 14, 2)["items"]}
    assert {"ex:", "foaf:", "org:", "rdfs:"} <= names


def test_a_file_that_is_not_saved_yet(loose: Client, folder: Path) -> None:
    """It is validated as if it were there; when it is closed nothing is left of it."""
    path = folder / "new folder" / "people.ttl"
    loose.open(path, PEOPLE)
    loose.wait(path, "member")
    loose.tell("textDocument/didClose", {"textDocument": {"uri": path.as_uri()}})
    loose.wait(path)
    loose.open(path, PEOPLE.replace("ex:mil .", "ex:mill ."))
    loose.wait(path)


def test_large_files_are_left_out_until_they_are_open(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What they describe would take long to read at each change."""
    monkeypatch.setattr(desk, "LARGEST", len(SHAPES))
    people, shapes = folder / "people.ttl", folder / "shapes.ttl"
    mill = "https://example.org/id/mill"
    one = desk.Desk(Spec(paths=(people,), shapes=(shapes,)))
    assert not one.refresh({}, shapes).places(mill)
    assert one.refresh({}, shapes).places("https://example.org/shapes#member")
    assert one.refresh({people: PEOPLE}, people).label(mill) == "The *Mill*"


def test_it_ends_with_the_editor(folder: Path) -> None:
    """Also if that says no good-bye."""
    client = Client(folder, "--shapes", "shapes.ttl")
    client.open(folder / "people.ttl")
    client.wait(folder / "people.ttl", "member")
    client.hang_up()


def test_encodings_are_agreed_upon(folder: Path) -> None:
    """An editor that counts in characters gets columns in characters."""
    client = Client(folder, "--shapes", "shapes.ttl", encodings=["utf-32", "utf-16"])
    path = folder / "people.ttl"
    client.open(path)
    (found,) = client.wait(path, "member")
    assert client.offers["positionEncoding"] == "utf-32"
    start = PEOPLE.split("\n")[10].index("ex:mil .")
    assert found["range"]["start"]["character"] == start
    assert client.end() == 0


def test_a_project_is_one(tmp_path: Path) -> None:
    """Terms of the ontology are known in the data, and what is not saved counts."""
    root = tmp_path / "example"
    scaffold.init(root, title="Example")
    client = Client(tmp_path)
    data = next((root / "data").glob("*.tr*"), None) or next((root / "data").glob("*.ttl"))
    ontology = next((root / "ontology").glob("*.ttl"))
    text = data.read_text(encoding="utf-8")
    client.open(data)
    client.wait(data)
    found = _term(client, data, text, ontology)
    assert found is not None
    client.change(data, text.replace(" ;", " ", 1))
    client.wait(data, "syntax")
    client.change(data, text)
    client.wait(data)
    assert client.end() == 0


def _term(client: Client, data: Path, text: str, ontology: Path) -> Any:
    """A place in the ontology to which a name in the data leads."""
    for number, line in enumerate(text.split("\n")):
        if line.lstrip().startswith(("@", "PREFIX", "#")):
            continue
        for word in line.split():
            if ":" in word:
                places = client.at("definition", data, number, line.index(word) + 1)
                if any(each["uri"] == ontology.as_uri() for each in places):
                    return places
    return None
