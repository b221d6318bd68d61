"""What rules derive from a graph that changes: followed from change to change, not worked out anew.

What comes is followed from the changed statements on (semi-naive evaluation); what goes takes along
all that was derived with it, and what of that still follows is derived again (delete and rederive:
Gupta, Mumick, Subrahmanian, SIGMOD 1993). That gives what ``inference`` gives where what a rule
denies is stated and not derived, and no rule that denies or counts sees what such a rule gave.
Where it may be otherwise, or a rule that counts is concerned, everything is worked out anew.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pyoxigraph as ox

from clustergraph import inference
from clustergraph.narrowing import Change, Narrowable, UnfitError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from clustergraph.queries import StoredQuery

_MOST = 2_000
"""Triples of a change from which on all is worked out anew."""


class _AnewError(Exception):
    """This change is not followed."""


class Closure:
    """Stated triples, and what is derived from them."""

    def __init__(self, stated: Iterable[ox.Triple], rules: Mapping[str, StoredQuery]) -> None:
        """Take up a closure; everything is derived once.

        Args:
            stated: triples; public ones.
            rules: CONSTRUCT queries by name.

        Raises:
            SourceError: a rule cannot be used, or they never come to an end.
        """
        self._rules = rules
        self._store = ox.Store()
        self._store.bulk_extend(map(_quad, stated))
        self._predicates: frozenset[str] | None = None
        """Those of what is derived; None where they must be found anew."""
        self._narrowable: dict[str, Narrowable | None] = {}
        for name, rule in sorted(rules.items()):
            try:
                self._narrowable[name] = Narrowable(rule.text)
            except UnfitError:
                self._narrowable[name] = None
        self.derived: set[ox.Triple] = set()
        self._is_followed = False
        self._anew((), ())

    def change(
        self, added: Iterable[ox.Triple], removed: Iterable[ox.Triple]
    ) -> tuple[set[ox.Triple], set[ox.Triple]]:
        """Follow a change.

        Args:
            added: triples that are stated now and were not.
            removed: triples that were stated and are not any more.

        Returns:
            The triples that are derived now and were not; and the other way round.

        Raises:
            SourceError: the rules never come to an end.
        """
        added, removed = list(added), list(removed)
        before = set(self.derived)
        self.derived.difference_update(added)
        new = [each for each in added if each not in before]
        try:
            if len(added) + len(removed) > _MOST or not self._is_followed:
                raise _AnewError
            lost, gained = self._effects(new, removed)
        except _AnewError:
            self._anew(new, removed)
        else:
            self._store_change(new, {*removed, *lost})
            self.derived -= lost
            try:
                self._derive(gained, {*removed, *lost})
            except _AnewError:
                self._anew((), ())
        come, gone = self.derived - before, before - self.derived
        if come or gone:
            self._predicates = None
        return come, gone

    def _store_change(self, new: Iterable[ox.Triple], gone: Iterable[ox.Triple]) -> None:
        for each in gone:
            self._store.remove(_quad(each))
        self._store.extend(map(_quad, new))

    def _anew(self, new: Iterable[ox.Triple], removed: Iterable[ox.Triple]) -> None:
        """Forget what was derived, and derive all."""
        self._store_change(new, {*removed, *self.derived})
        derived, late = inference.staged(self._store, self._rules)
        self.derived = set(derived)
        self._predicates = None
        change = Change(list(map(_quad, late)))
        self._is_followed = all(
            rule is not None
            and (
                inference.is_plain(self._rules[name].text)
                or rule.texts(change, self._store, gained=False)
                == []
                == rule.texts(change, self._store, gained=True)
            )
            for name, rule in self._narrowable.items()
        )
        """Whether no rule that denies or counts sees what such rules gave."""

    def _effects(
        self, new: list[ox.Triple], removed: list[ox.Triple]
    ) -> tuple[set[ox.Triple], dict[str, list[str] | None]]:
        """What can no longer be derived as it was, and queries for what can be derived now.

        Raises:
            _AnewError: this cannot be told.
        """
        change = Change(list(map(_quad, new)), list(map(_quad, removed)))
        gained: dict[str, list[str] | None] = {}
        waiting: dict[str, list[str]] = {}
        self._store.extend(change.added)  # for a moment: what there was and what there is
        try:
            for name in self._rules:
                gained[name], waiting[name] = self._texts(name, change)
        finally:
            for quad in change.added:
                self._store.remove(quad)
        lost: set[ox.Triple] = set()
        while any(waiting.values()):
            fresh = {
                triple
                for name, texts in waiting.items()
                for text in texts
                for triple in inference.run(self._store, name, text)
                if triple in self.derived and triple not in lost
            }
            lost |= fresh
            if len(lost) > _MOST:
                raise _AnewError
            change = Change(removed=list(map(_quad, fresh)))
            waiting = {name: self._texts(name, change)[1] for name in self._rules} if fresh else {}
        return lost, gained

    def _texts(self, name: str, change: Change) -> tuple[list[str] | None, list[str]]:
        """Queries for what a rule derives by a change, and for what it derived and may not now.

        Raises:
            _AnewError: it cannot be told, or more than it tells depends on the change.
        """
        rule = self._narrowable[name]
        if rule is None:
            raise _AnewError
        gained, lost = (rule.texts(change, self._store, gained=each) for each in (True, False))
        if lost is None or ((gained is None or gained or lost) and self._is_unsafe(rule)):
            raise _AnewError
        return gained, lost

    def _is_unsafe(self, rule: Narrowable) -> bool:
        """Whether what it denies may be derived, or it counts: then the order of rules matters."""
        if rule.is_grouped:
            return True
        if self._predicates is None:
            self._predicates = frozenset(f"{each.predicate}" for each in self.derived)
        derived = self._predicates
        return any(
            not atom.steps or any(s.predicate is None or s.predicate in derived for s in atom.steps)
            for atom in rule.negated
        )

    def _derive(self, gained: Mapping[str, list[str] | None], gone: set[ox.Triple]) -> None:
        """Derive what follows now: of what went, and from what came.

        Raises:
            _AnewError: what a rule denies was derived.
        """
        fresh: set[ox.Triple] = set()
        for name, rule in self._narrowable.items():
            again = rule.for_heads(gone) if rule is not None and gone else []
            whole = self._rules[name].text
            for text in [whole] if again is None else again:
                fresh |= {each for each in inference.run(self._store, name, text) if each in gone}
            texts = gained[name]
            for text in [whole] if texts is None else texts:
                fresh |= set(inference.run(self._store, name, text))
        for _ in range(inference.ROUNDS):
            fresh = {each for each in fresh if _quad(each) not in self._store}
            fresh = {each for each in fresh if not isinstance(each.subject, ox.Literal)}
            if not fresh:
                return
            if len(fresh) > _MOST:
                raise _AnewError
            quads = list(map(_quad, fresh))
            self._store.extend(quads)
            self.derived |= fresh
            self._predicates = None
            change, fresh = Change(quads), set()
            for name in self._rules:
                more, lost = self._texts(name, change)
                if lost:
                    raise _AnewError
                for text in [self._rules[name].text] if more is None else more:
                    fresh |= set(inference.run(self._store, name, text))
        raise _AnewError  # which tells the rules that do not come to an end


def _quad(triple: ox.Triple) -> ox.Quad:
    return ox.Quad(triple.subject, triple.predicate, triple.object)
