"""Names: how they are folded, found and scored; questions to a worker."""

from __future__ import annotations

import json
import random
import shutil
import signal
import socket
from pathlib import Path

import pyoxigraph as ox
import pytest
from hypothesis import given
from hypothesis import strategies as st

from clustergraph.errors import OverloadedError, StoreError, TimeLimitError, UsageError
from clustergraph.process import frames
from clustergraph.reconciliation import Matcher, answers, matcher, names, queries, scoring, worker
from clustergraph.reconciliation.index import Index
from clustergraph.reconciliation.matching import match
from clustergraph.reconciliation.queries import Query
from clustergraph.reconciliation.things import Things

KNOWN = (
    "Rhône-Alpes", "Auvergne-Rhône-Alpes", "EU-Japan Centre for Industrial Cooperation",
    "BMW Foundation Herbert Quandt", "Bertelsmann Foundation", "Bioindustry Park Silvano Fumero",
    "Japan Bioindustry Association", "Université de Genève", "University of Geneva",
    "Universität München", "Łódź Special Economic Zone", "Ærø Kommune", "Straße der Besten",
    "Ludwig-Maximilians-Universität", "Provence-Alpes-Côte d'Azur", "O\u2019Brien & Sons Ltd.",
    "東京大学", "Московский государственный университет", "İstanbul Teknik Üniversitesi",
    "St. Gallen Health Cluster", "Saint Gallen University", "3M", "A*STAR", "C++ Alliance",
)  # fmt: skip


@pytest.fixture(scope="module")
def index() -> Index:
    """Some names."""
    return Index((number, text, "", 1) for number, text in enumerate(KNOWN))


def best(index: Index, text: str) -> tuple[str, float]:
    """The name that suits best."""
    plain = names.folded(text)
    scored = [
        (scoring.score(plain, index.names[each].folded, 1, index.weight), index.names[each].text)
        for each in index.candidates(plain, None, 100)
    ]
    score, found = max(scored, default=(0.0, ""))
    return found, score


@pytest.mark.parametrize(
    ("text", "meant", "least"),
    [
        ("Rhone Alpes", "Rhône-Alpes", 100),
        ("RHÔNE\u2010ALPES", "Rhône-Alpes", 100),
        ("RhoneAlpes", "Rhône-Alpes", 97),
        ("Rhonealps", "Rhône-Alpes", 70),
        ("EU Japan Centre", "EU-Japan Centre for Industrial Cooperation", 80),
        ("Japan EU centre", "EU-Japan Centre for Industrial Cooperation", 80),
        ("BMW Foundation", "BMW Foundation Herbert Quandt", 80),
        ("BMW Stiftung Herbert Quandt", "BMW Foundation Herbert Quandt", 50),
        ("Herbert-Quandt-Foundation BMW", "BMW Foundation Herbert Quandt", 97),
        ("Bioindustry Park", "Bioindustry Park Silvano Fumero", 80),
        ("JBA", "Japan Bioindustry Association", 85),
        ("J.B.A.", "Japan Bioindustry Association", 85),
        ("Japan Bioind. Assoc.", "Japan Bioindustry Association", 60),
        ("Univ. de Geneve", "Université de Genève", 70),
        ("Univ of Geneva", "University of Geneva", 70),
        ("Universitaet Muenchen", "Universität München", 97),
        ("universitat munchen", "Universität München", 97),
        ("Lodz special economic zone", "Łódź Special Economic Zone", 100),
        ("Aero Kommune", "Ærø Kommune", 97),
        ("Strasse der Besten", "Straße der Besten", 100),
        ("LMU", "Ludwig-Maximilians-Universität", 85),
        ("Provence Alpes Cote d Azur", "Provence-Alpes-Côte d'Azur", 97),
        ("PACA", "Provence-Alpes-Côte d'Azur", 0),
        ("O'Brien and Sons", "O\u2019Brien & Sons Ltd.", 60),
        ("東京大学", "東京大学", 100),
        ("東京大學", "東京大学", 40),
        ("московскии государственныи университет", "Московский государственный университет", 97),
        ("Istanbul Teknik Universitesi", "İstanbul Teknik Üniversitesi", 97),
        ("3m", "3M", 100),
    ],
)
def test_who_is_meant(index: Index, text: str, meant: str, least: float) -> None:
    """Accents, case, order, joined and cut words, initials, transliterations, scripts."""
    found, score = best(index, text)
    if least:
        assert found == meant
        assert score >= least


def test_scores_order_what_is_meant(index: Index) -> None:
    """The same name before a longer one, before one that only shares a word."""
    known = ("Rhône-Alpes", "Auvergne-Rhône-Alpes", "Alpes-Maritimes", "Paris")
    scored = [scoring.score("rhone alpes", names.folded(each), 1, index.weight) for each in known]
    assert scored == sorted(scored, reverse=True)
    assert len(set(scored)) == 4
    one, other = "matchmaking event 2015", "matchmaking event 2016"
    assert scoring.score(one, other, 1, index.weight) < scoring.score(
        "matchmaking event", other, 1, index.weight
    )
    assert scoring.score("a b", "a b", 6, index.weight) < scoring.score(
        "a b", "a b", 1, index.weight
    )


@given(st.text(max_size=400), st.text(max_size=60))
def test_any_text_can_be_folded_and_scored(index: Index, text: str, other: str) -> None:
    """Folding again changes nothing; scores stay between 0 and 100; nothing is raised."""
    plain = names.folded(text)
    assert (
        names.folded(plain) == plain or len(plain) > names.LONGEST or names._UNSPACED.search(plain)
    )
    assert len(index.candidates(plain, None, 20)) <= 20
    assert 0 <= scoring.score(plain, names.folded(other), 1, index.weight) <= scoring.EXACT
    assert 0 <= scoring.text_likeness(text, other) <= 1


def test_of_many_names_the_right_one_is_found() -> None:
    """Each of many alike, with a letter wrong or words in another order."""
    chance = random.Random(7)  # noqa: S311  no secret
    parts = [a + b + c for a in ("bio", "med", "nano", "agri") for b in "aeiou" for c in
             ("tech", "pharma", "cluster", "valley", "park")]  # fmt: skip
    known = sorted({" ".join(chance.sample(parts, 3)).title() for _ in range(5000)})
    index = Index((number, text, "", 1) for number, text in enumerate(known))
    for text in chance.sample(known, 60):
        assert best(index, text)[0] == text
        words = text.split()
        words.reverse()
        assert sorted(best(index, " ".join(words))[0].split()) == sorted(words)
        place = chance.randrange(3, len(text) - 3)
        wrong = text[:place] + "x" + text[place + 1 :]
        assert best(index, wrong)[1] >= 70, wrong


def test_work_is_bounded() -> None:
    """A text of common words looks at no more names than it may."""
    many = Index((n, f"the cluster of health number{n}", "", 1) for n in range(30_000))
    assert len(many.candidates("the cluster of health", None, 50)) == 50
    assert many.candidates("number777", None, 50)[0] == 777
    assert many.candidates("the cluster of health number29999", None, 5)[0] == 29_999
    assert not many.candidates("", None, 5)


def things(turtle: str) -> Things:
    """What a small graph describes."""
    store = ox.Store()
    store.load(turtle.encode(), ox.RdfFormat.TURTLE, base_iri="http://x/")
    return Things(store, {"x": "http://x/"})


def test_names_of_every_kind_are_read() -> None:
    """Alternative, former, misspelt ones, labels that are things; none of terms and shapes."""
    found = things(
        """
        @prefix skos: <http://www.w3.org/2004/02/skos/core#> .
        @prefix xl: <http://www.w3.org/2008/05/skos-xl#> .
        @prefix owl: <http://www.w3.org/2002/07/owl#> .
        <a> a <T> ; skos:prefLabel "Present"@en , "Présent"@fr ; skos:altLabel "Other" ;
          skos:hiddenLabel "Mistake" ; xl:altLabel <label> ; <founded> 1990 .
        <label> a xl:Label ; xl:literalForm "Former" .
        <T> a owl:Class ; skos:prefLabel "Thing of some kind" ;
          <http://www.w3.org/2000/01/rdf-schema#subClassOf> <Above> .
        <b> skos:prefLabel "Namesake" . <c> skos:prefLabel "Namesake" .
        """
    )
    for text in ("Present", "présent", "Other", "Mistake", "Former"):
        (first, *_rest) = match(found, Query(names=(text,)), ["fr"])
        assert (first["id"], first["name"], first["match"]) == ("http://x/a", "Présent", True)
        assert [each["id"] for each in first["type"]] == ["http://x/T", "http://x/Above"]
    assert match(found, Query(names=("Thing of some kind",)), []) == []
    twins = match(found, Query(names=("Namesake",)), [])
    assert [each["match"] for each in twins] == [False, False]
    assert match(found, Query(names=("Present",), types=("http://x/Above",)), [])[0]["match"]
    assert match(found, Query(names=("http://x/b",)), [])[0]["match"]
    assert match(found, Query(names=("x:b",)), [])[0]["match"]


def test_queries_are_carried_whole() -> None:
    """What a worker gets is what was read."""
    read = queries.old(
        {"query": "a", "type": ["t"], "properties": [{"pid": "p", "v": [1, True, {"id": "x"}]}]}
    )
    assert Query.from_fields(read.to_fields()) == read
    assert queries.old("a") == queries.old({"query": "a"})
    with pytest.raises(UsageError):
        queries.loaded("[" * 100_000, "queries")


def test_a_worker_that_cannot_answer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is missing, too slow or too much is told; the next question gets a new worker."""
    question = {"do": "types", "base": "", "languages": []}
    asked = Matcher({})
    with pytest.raises(StoreError):
        asked.ask(1, tmp_path / "none", question)
    store = ox.Store(str(tmp_path / "store"))
    store.flush()
    del store
    assert asked.ask(1, tmp_path / "store", question) == (1, [])
    with pytest.raises(UsageError):
        asked.ask(1, tmp_path / "store", {"do": "dance", "languages": []})
    process = asked._worker
    assert process is not None
    process._process.send_signal(signal.SIGSTOP)
    monkeypatch.setattr(matcher, "_ANSWER", 0.2)
    with pytest.raises(TimeLimitError):
        asked.ask(1, tmp_path / "store", question)
    monkeypatch.setattr(matcher, "_ANSWER", 5.0)
    assert asked.ask(1, tmp_path / "store", question) == (1, [])
    monkeypatch.setattr(matcher, "_MOMENT", 0.1)
    asked._waiting["somebody"] = matcher._SHARE
    with pytest.raises(OverloadedError):
        asked.ask(1, tmp_path / "store", question, client="somebody")
    assert asked.ask(1, tmp_path / "store", question, client="else") == (1, [])
    asked._waiting["somebody"] = matcher._WAITING
    with pytest.raises(OverloadedError):
        asked.ask(1, tmp_path / "store", question)
    asked.close()


def test_a_question_that_takes_too_long_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """The worker says so, and answers the next one."""
    ours, theirs = socket.socketpair()
    former = signal.signal(signal.SIGALRM, worker._late)
    monkeypatch.setattr(worker, "SECONDS", 0.05)
    known = things('<a> <http://www.w3.org/2004/02/skos/core#prefLabel> "A" .')

    def slow(*_: object) -> None:
        while True:
            pass

    with ours, theirs, monkeypatch.context() as patched:
        patched.setattr("clustergraph.reconciliation.worker.answers.answer", slow)
        worker._answer(theirs, known, b"{}")
        assert frames.receive(ours) == (frames.ERROR, answers.LATE)
        patched.undo()
        asked = {"do": "preview", "id": "http://x/a", "languages": []}
        worker._answer(theirs, known, json.dumps(asked).encode())
        assert json.loads(frames.receive(ours)[1])["name"] == "A"
    signal.signal(signal.SIGALRM, former)


def test_the_worker_of_the_release_before_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Until the names of the new one are read; not if the release before is not kept any more."""
    question = {"do": "types", "base": "", "languages": []}
    for name in ("1", "2", "3"):
        store = ox.Store(str(tmp_path / name))
        store.flush()
        del store
    asked = Matcher({})
    assert asked.ask(1, tmp_path / "1", question)[0] == 1
    monkeypatch.setattr(matcher, "_MOMENT", 0.0)
    assert asked.ask(2, tmp_path / "2", question)[0] == 1
    monkeypatch.setattr(matcher, "_MOMENT", 20.0)
    assert asked.ask(2, tmp_path / "2", question)[0] == 2
    assert asked.ask(1, tmp_path / "1", question)[0] == 2
    monkeypatch.setattr(matcher, "_MOMENT", 0.0)
    shutil.rmtree(tmp_path / "2")
    assert asked.ask(3, tmp_path / "3", question)[0] == 3
    asked.close()
