"""What queries may take."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Limits:
    """What queries may take; times in seconds, sizes in bytes."""

    time: float = 30.0
    """From the start of a query to its end, without the time that its reader takes."""
    memory: int = 1 << 30
    """Address space of a worker beyond the graph itself."""
    answer: int = 1 << 30
    """Longest answer, in bytes."""
    in_memory: int = 12_000_000
    """Largest store that is held in memory, in quads."""
    fast: int = 4
    """Queries that run in the fast lane at once; half as many in the middle lane."""
    slow: int = 4
    """Queries that run in the slow lane at once."""
    quick: float = 0.04
    """Processor time after which a query makes room in the fast lane."""
    light: float = 0.25
    """Processor time after which a query is not light."""
    queue: int = 16
    """Queries that wait for a place in the fast lane; half as many in each other lane."""
    wait: float = 1.0
    """Longest wait for a place."""
    waiting_readers: int = 96
    """Workers that wait outside the lanes for slow readers."""
    per_client: int = 8
    """Queries of one client that run at once; more of them wait."""
    budget: float = 120.0
    """Processor time that one client may use at once ..."""
    refill: float = 1.0
    """... and how much of it comes back in a second."""
    demotion: float = 30.0
    """How long a client whose query was given up starts in the slow lane."""
    recycle: int = 2000
    """Queries after which a worker is replaced."""
    remembered: float = 300.0
    """How long a query that took too much is refused at once."""
