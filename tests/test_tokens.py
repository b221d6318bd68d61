"""Tokens: made, verified, listed, revoked; what is stored tells nobody the secret."""

from __future__ import annotations

import json
import stat
from pathlib import Path

import pytest

from clustergraph.errors import CorruptedError, NotFoundError, UnauthorisedError
from clustergraph.tokens import Grant, Tokens


def test_a_token_is_known_by_its_text_alone(tmp_path: Path) -> None:
    """The file holds a salted hash, and only its owner may read it."""
    tokens = Tokens(tmp_path / "tokens.json")
    assert not tokens.configured()
    made, text = tokens.create("Jo", write=("http://x/g",), read=True, days=3)
    other, second = tokens.create("Jo", write=("http://x/g",))
    assert tokens.configured()
    assert tokens.verify(text).id == made.id
    assert Tokens(tmp_path / "tokens.json").verify(second).id == other.id
    stored = (tmp_path / "tokens.json").read_text()
    assert text.rsplit("_", 1)[1] not in stored
    assert made.hash != other.hash
    assert made.salt != other.salt
    assert stat.S_IMODE((tmp_path / "tokens.json").stat().st_mode) == 0o600


@pytest.mark.parametrize("text", ["", "cg", "cg_", "cg_00000000_x", "nonsense", "cg_a_b_c", "é"])
def test_other_texts_are_refused(tmp_path: Path, text: str) -> None:
    """With one message, whatever is wrong."""
    tokens = Tokens(tmp_path / "tokens.json")
    tokens.create("Jo", admin=True)
    with pytest.raises(UnauthorisedError, match="not known"):
        tokens.verify(text)


def test_the_secret_of_one_does_not_fit_another(tmp_path: Path) -> None:
    """Nor does a part of it."""
    tokens = Tokens(tmp_path / "tokens.json")
    one, first = tokens.create("one", admin=True)
    _two, second = tokens.create("two", admin=True)
    for text in (first[:-1], f"cg_{one.id}_{second.split('_', 2)[2]}", first.upper()):
        with pytest.raises(UnauthorisedError):
            tokens.verify(text)


def test_revoked_and_expired_tokens_are_worthless(tmp_path: Path) -> None:
    """At once, also to those who read the file before."""
    path = tmp_path / "tokens.json"
    tokens, reader = Tokens(path), Tokens(path)
    made, text = tokens.create("Jo", admin=True)
    assert reader.verify(text).grant == Grant(("*",), sees_restricted=True, administers=True)
    tokens.revoke(made.id)
    with pytest.raises(UnauthorisedError, match="revoked"):
        reader.verify(text)
    assert not reader.configured()
    late, text = tokens.create("Jo", admin=True, days=1)
    entries = json.loads(path.read_text())
    entries[-1]["expires"] = "2020-01-01T00:00:00+00:00"
    path.write_text(json.dumps(entries))
    with pytest.raises(UnauthorisedError, match="expired"):
        reader.verify(text)
    assert [each.id for each in tokens.all()] == [made.id, late.id] or made.created == late.created
    with pytest.raises(NotFoundError):
        tokens.revoke("nobody")


def test_a_damaged_file_is_told(tmp_path: Path) -> None:
    """It is not taken for an empty one."""
    (tmp_path / "tokens.json").write_text("[{]")
    with pytest.raises(CorruptedError, match=r"tokens\.json"):
        Tokens(tmp_path / "tokens.json").configured()


def test_scopes() -> None:
    """Exact graphs, beginnings, everything; the default graph by its empty name."""
    grant = Grant(("http://x/g", "http://x/a/*", ""))
    assert [grant.may_write(each) for each in ("http://x/g", "http://x/a/b", "")] == [True] * 3
    assert [grant.may_write(each) for each in ("http://x/g2", "http://x/a")] == [False] * 2
    assert Grant(("*",)).may_write("http://any/")
