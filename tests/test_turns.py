"""Requests take turns for the interpreter, and give them up while they wait for other processes."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator

import pytest

from clustergraph.process import turns
from clustergraph.web.in_flight import InFlight


@pytest.fixture
def all_turns() -> turns.Turns:
    """Turns that nobody has."""
    return turns.Turns()


def started(run: Callable[[], None]) -> threading.Thread:
    """A thread at work."""
    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    return thread


def test_who_waits_for_another_process_lets_others_work(all_turns: turns.Turns) -> None:
    """The second request works while the first waits; then the first goes on."""
    order: list[str] = []
    waits, worked = threading.Event(), threading.Event()

    def first() -> None:
        turn = turns.Turn(all_turns, "pages")
        turns.take(turn)
        turns.begin()
        with turns.waiting():
            waits.set()
            assert worked.wait(5)
        order.append("first" if turn.begun.is_set() else "first without its turn")
        turns.end()

    thread = started(first)
    assert waits.wait(5)
    turns.take(turns.Turn(all_turns, "pages"))
    turns.begin()
    order.append("second")
    worked.set()
    turns.end()
    thread.join(5)
    assert order == ["second", "first"]


def test_who_has_no_turn_gets_none_by_waiting(all_turns: turns.Turns) -> None:
    """An answer that is streamed after its request's turn does not take another."""
    turn = turns.Turn(all_turns, "queries")
    turns.take(turn)
    with turns.waiting():
        pass
    assert not turn.begun.is_set()


def test_a_refused_request_gives_its_place_back_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Even if the server cannot take the refusal any more."""
    monkeypatch.setattr(turns.Turn, "begin", lambda _turn: False)

    def gone(*_args: object) -> Callable[[bytes], object]:
        raise ConnectionError

    def never(*_args: object) -> Iterator[bytes]:
        raise AssertionError

    app = InFlight(never, {"pages": 1}, lambda _path: "pages")
    for _ in range(3):
        with pytest.raises(ConnectionError):
            app({"REQUEST_METHOD": "GET", "PATH_INFO": "/x"}, gone)
