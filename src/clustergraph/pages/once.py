"""What is found out once for each open release, since a release never changes."""

from __future__ import annotations

import contextlib
import threading
from collections import OrderedDict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeVar, cast
from weakref import WeakKeyDictionary

from clustergraph.errors import ClusterGraphError
from clustergraph.process import turns

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable

    from clustergraph.store import Backend

T = TypeVar("T")

_MOST = 64
"""Findings that are kept for a release; the least recently used go first."""


@dataclass
class _Findings:
    """Those of one release, and who is finding out what."""

    values: OrderedDict[Hashable, object] = field(default_factory=OrderedDict)
    finders: dict[Hashable, threading.Lock] = field(default_factory=dict)
    begun: dict[Hashable, threading.Thread] = field(default_factory=dict)


_found: WeakKeyDictionary[Backend, _Findings] = WeakKeyDictionary()
_lock = threading.Lock()


def once(backend: Backend, key: Hashable, find: Callable[[], T]) -> T:
    """What ``find`` gives, called again only when it is not at hand any more.

    Who asks while another finds it out waits for that.

    Args:
        backend: the store of the release.
        key: what tells this finding from others.
        find: asks the release.
    """
    with _lock:
        findings = _found.setdefault(backend, _Findings())
        if key in findings.values:
            findings.values.move_to_end(key)
            return cast("T", findings.values[key])
        finder = findings.finders.setdefault(key, threading.Lock())
    if not finder.acquire(blocking=False):
        with turns.waiting():
            finder.acquire()
    try:
        with _lock:
            if key in findings.values:
                return cast("T", findings.values[key])
        value = find()
        with _lock:
            findings.values[key] = value
            while len(findings.values) > _MOST:
                findings.values.popitem(last=False)
        return value
    finally:
        finder.release()
        with _lock:
            findings.finders.pop(key, None)


def soon(
    backend: Backend, key: Hashable, find: Callable[[], T], patience: float
) -> tuple[T] | None:
    """As ``once``, but None if it is not found out in time; it is found out meanwhile.

    Args:
        backend: the store of the release.
        key: what tells this finding from others.
        find: asks the release, in a thread of its own.
        patience: seconds to wait.

    Returns:
        The finding alone in a tuple; None too where it cannot be found out.
    """

    def work() -> None:
        with contextlib.suppress(ClusterGraphError):
            once(backend, key, find)
        with _lock:
            findings.begun.pop(key, None)

    with _lock:
        findings = _found.setdefault(backend, _Findings())
        if key in findings.values:
            findings.values.move_to_end(key)
            return (cast("T", findings.values[key]),)
        thread = findings.begun.get(key)
        if thread is None:
            thread = threading.Thread(target=work, name="find", daemon=True)
            findings.begun[key] = thread
            thread.start()
    with turns.waiting():
        thread.join(max(patience, 0))
    with _lock:
        return (cast("T", findings.values[key]),) if key in findings.values else None
