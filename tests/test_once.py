"""What is found out once for each release: by one at a time, in the background where it is long."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import cast

import pytest

from clustergraph.errors import QueryError
from clustergraph.pages import once, soon
from clustergraph.store import Backend


class Release:
    """Anything that can be told from others."""


def release() -> Backend:
    """A release of which nothing is known."""
    return cast("Backend", Release())


def test_it_is_found_out_once_however_many_ask() -> None:
    """Those who come while it is found out wait for it."""
    here, calls = release(), []

    def find() -> int:
        calls.append(1)
        time.sleep(0.1)
        return 7

    with ThreadPoolExecutor(8) as asking:
        found = list(asking.map(lambda _: once(here, "key", find), range(8)))
    assert found == [7] * 8
    assert len(calls) == 1


def test_what_fails_is_tried_again() -> None:
    """By the next who asks; and other keys are not held up."""
    here = release()

    def fail() -> int:
        raise QueryError("no")

    for _ in range(2):
        with pytest.raises(QueryError):
            once(here, "key", fail)
    assert once(here, "key", lambda: 3) == 3
    assert once(here, "other", lambda: once(here, "key", fail)) == 3


def test_what_is_not_there_in_time_is_there_later() -> None:
    """Nobody waits longer than they would, and it is not begun a second time."""
    here, calls, free = release(), [], threading.Event()

    def find() -> int:
        calls.append(1)
        free.wait(10)
        return 5

    assert soon(here, "key", find, 0.01) is None
    assert soon(here, "key", find, 0.01) is None
    free.set()
    assert soon(here, "key", find, 10) == (5,)
    assert soon(here, "key", find, 0) == (5,)
    assert len(calls) == 1


def test_what_cannot_be_found_out_is_none() -> None:
    """And is tried again."""
    here = release()

    def fail() -> int:
        raise QueryError("no")

    assert soon(here, "key", fail, 10) is None
    assert soon(here, "key", lambda: 1, 10) == (1,)
