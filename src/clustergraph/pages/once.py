"""What is found out once for each open release, since a release never changes."""

from __future__ import annotations

import threading
from collections import OrderedDict
from typing import TYPE_CHECKING, TypeVar, cast
from weakref import WeakKeyDictionary

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable

    from clustergraph.store import Backend

T = TypeVar("T")

_MOST = 64
"""Findings that are kept for a release; the least recently used go first."""
_found: WeakKeyDictionary[Backend, OrderedDict[Hashable, object]] = WeakKeyDictionary()
_lock = threading.Lock()


def once(backend: Backend, key: Hashable, find: Callable[[], T]) -> T:
    """What ``find`` gives, called again only when it is not at hand any more.

    Args:
        backend: the store of the release.
        key: what tells this finding from others.
        find: asks the release.
    """
    with _lock:
        kept = _found.setdefault(backend, OrderedDict())
        if key in kept:
            kept.move_to_end(key)
            return cast("T", kept[key])
    value = find()
    with _lock:
        kept[key] = value
        while len(kept) > _MOST:
            kept.popitem(last=False)
    return value
