"""Whether the app's ids were switched for everybody: who is who, and what stops a batch. Pure.

A mapping that selects `'usr_' || id`, or an app that moves from bigint to uuid, looks like all
users leaving and as many strangers registering. What gives it away: the e-mails (of teams: names)
of many ids that the app no longer returns are there under ids that are new to us.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import chain

MANY = 10
"""Ids that changed together: so many are not people who happened to register again."""
FEW = 3
"""In a small app that few are enough, if they are more than half of those looked at."""


@dataclass(frozen=True, slots=True)
class Identity:
    """One id and what it is recognized by: `mark` is the e-mail in lower case, or a team's name.

    `deleted`: of a new one, that the app has it with `deleted_at`. `left_before`: of an old one,
    that it was marked as deleted a while ago: the same mark under a new id is a new beginning.
    """

    id: str
    mark: str
    created_at: int | None = None
    deleted: bool = False
    left_before: bool = False


@dataclass(frozen=True, slots=True)
class SwitchedId:
    old: str
    new: str


@dataclass(frozen=True, slots=True)
class Ambiguous:
    """Several old or several new ids with one mark."""

    old: Sequence[str]
    new: Sequence[str]


@dataclass(frozen=True, slots=True)
class Matched:
    pairs: Sequence[SwitchedId] = ()
    ambiguous: Sequence[Ambiguous] = ()

    @property
    def count(self) -> int:
        """New ids that have a counterpart, whether or not it is clear which."""
        return len(self.pairs) + sum(len(ambiguou.new) for ambiguou in self.ambiguous)

    @property
    def example(self) -> SwitchedId | None:
        unclear = (SwitchedId(ambiguou.old[0], ambiguou.new[0]) for ambiguou in self.ambiguous)
        return next(chain(self.pairs, unclear), None)


@dataclass(frozen=True, slots=True)
class Sample:
    """Linked ids near an old one. `moved`: of them, no longer returned and back under a new id."""

    size: int = 0
    moved: int = 0

    @property
    def shows_a_switch(self) -> bool:
        most = self.moved >= FEW and 2 * self.moved > self.size
        return most or self.moved >= MANY


def shows_a_switch(pairs: int, new: int) -> bool:
    """Of one batch. `new`: all its new ids that have a mark."""
    return pairs >= MANY and 2 * pairs >= new


@dataclass(slots=True)
class _Group:
    old: list[Identity] = field(default_factory=list)
    new: list[Identity] = field(default_factory=list)

    def pairs(self) -> list[SwitchedId]:
        """One of each is a pair; of several, those two that alone began at the same second."""
        if len(self.old) == len(self.new) == 1:
            return [SwitchedId(self.old[0].id, self.new[0].id)]
        old, new = _only_ones(self.old), _only_ones(self.new)
        return [SwitchedId(old[key], new[key]) for key in old if key in new]


def match(old: Iterable[Identity], new: Iterable[Identity]) -> Matched:
    """Which new id is which old one's. One that left before can only be a deleted row's."""
    groups: dict[tuple[str, bool], _Group] = defaultdict(_Group)
    deleted = {item.mark for item in new if item.deleted}
    for entry in new:
        groups[entry.mark, entry.deleted].new.append(entry)
    for element in old:
        if element.left_before:
            groups[element.mark, True].old.append(element)
        else:
            in_life = (element.mark, False) in groups
            groups[element.mark, not in_life and element.mark in deleted].old.append(element)
    return _matched(group for group in groups.values() if group.old and group.new)


@dataclass(frozen=True, slots=True)
class Form:
    """How new ids are made of old ones, or old ones of new: what stands before and after."""

    before: str
    after: str
    longer: str

    def old_of(self, new: str) -> str | None:
        if self.longer == "old":
            return f"{self.before}{new}{self.after}"
        inner = new.removeprefix(self.before).removesuffix(self.after)
        return inner if inner and f"{self.before}{inner}{self.after}" == new else None


def form_of(pairs: Sequence[SwitchedId]) -> Form | None:
    """The one form of all these pairs, if they are more than a few: `usr_7` of `7`."""
    if len(pairs) < FEW:
        return None
    for form in _forms(max(pairs, key=lambda pair: len(pair.old))):
        if all(form.old_of(pair.new) == pair.old for pair in pairs):
            return form
    return None


def _forms(pair: SwitchedId) -> Iterator[Form]:
    for longer, inner, outer in (("new", pair.old, pair.new), ("old", pair.new, pair.old)):
        at = outer.find(inner)
        while at >= 0:
            yield Form(outer[:at], outer[at + len(inner) :], longer)
            at = outer.find(inner, at + 1)


def with_more(matched: Matched, more: Sequence[SwitchedId]) -> Matched:
    """These are clear as well, by something else than their marks."""
    known = {key for pair in more for key in (pair.old, pair.new)}
    ambiguous = (
        Ambiguous(
            [key for key in item.old if key not in known],
            [key for key in item.new if key not in known],
        )
        for item in matched.ambiguous
    )
    return Matched(
        [*matched.pairs, *more],
        [ambiguou for ambiguou in ambiguous if ambiguou.old and ambiguou.new],
    )


def _matched(groups: Iterable[_Group]) -> Matched:
    pairs: list[SwitchedId] = []
    ambiguous: list[Ambiguous] = []
    for group in groups:
        found = group.pairs()
        pairs += found
        old = {item.id for item in group.old} - {pair.old for pair in found}
        new = {entry.id for entry in group.new} - {pair.new for pair in found}
        if old and new:
            ambiguous.append(Ambiguous(sorted(old), sorted(new)))
    return Matched(pairs, ambiguous)


def _only_ones(identities: Sequence[Identity]) -> dict[int, str]:
    by_start: dict[int, list[str]] = defaultdict(list)
    for identity in identities:
        if identity.created_at is not None:
            by_start[identity.created_at].append(identity.id)
    return {start: ids[0] for start, ids in by_start.items() if len(ids) == 1}
