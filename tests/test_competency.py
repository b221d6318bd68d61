"""The questions that the shipped graph must answer, each with its exact rows."""

from __future__ import annotations

from pathlib import Path

import pytest

from clustergraph import rdf
from clustergraph.service import ClusterGraph

FOLDER = Path(__file__).resolve().parent.parent / "queries" / "competency"
QUESTIONS = sorted(path.stem for path in FOLDER.glob("*.rq"))


@pytest.mark.parametrize("question", QUESTIONS)
def test_the_question_is_answered_exactly(shipped: ClusterGraph, question: str) -> None:
    """IRIs under the base are written without it in the expectations."""
    text = shipped.stored_query(f"competency-{question}", {})
    content = b"".join(shipped.release().answer(shipped.parse(text), rdf.CSV)).decode()
    answer = content.replace(shipped.settings.base, "").replace("\r\n", "\n")
    assert answer == (FOLDER / f"{question}.csv").read_text(encoding="utf-8")


def test_every_question_has_a_title_and_expected_rows() -> None:
    """And there are 24 of them."""
    assert len(QUESTIONS) == 24
    for question in QUESTIONS:
        assert (FOLDER / f"{question}.csv").is_file(), question
        assert "#+ description:" in (FOLDER / f"{question}.rq").read_text(encoding="utf-8")
