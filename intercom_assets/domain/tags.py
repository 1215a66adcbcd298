"""Wanted and actual tags of a contact or company -> which to put on, which to take off. Pure.

The app's array is the truth for the tags that we put on. One that was there before us is nobody's
to take off, also where the app wants it meanwhile. Names are told apart without case, by their key;
what an answer shows may be some of the tags only: such a list proves presence, never absence.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from intercom_assets.domain.models import LeftOut, Reason, Values
from intercom_assets.domain.values import MAX_TEXT
from intercom_assets.domain.vocabulary import QueueKind

TAGS = "tags"
"""The column of users.sql, and of teams.sql."""
NOTE = "tag: "
TAGGED_WHY = {kind: f"the app has it among the {kind}'s tags" for kind in QueueKind}
UNTAGGED_WHY = "the app dropped it"
NO_ARRAY = "is no array of texts"
UNFIT = f"a tag is blank, no text or longer than {MAX_TEXT} characters; the others are put on"

ASKS = "a tag is that of sync_now_tag, which asks for a sync; the others are put on"


def key_of(name: str) -> str:
    return name.strip().lower()


@dataclass(frozen=True, slots=True)
class WantedTags:
    """Key -> the name as the app first has it. `left_out`: why not all of the array is wanted."""

    names: Mapping[str, str]
    left_out: LeftOut | None = None


def wanted_tags(names: Sequence[object], sync_now_tag: str | None = None) -> WantedTags:
    """`sync_now_tag`: the name by which agents ask for a sync; the pass takes it off again."""
    wanted: dict[str, str] = {}
    left_out: LeftOut | None = None
    for name in names:
        text = name.strip() if isinstance(name, str) else ""
        if not text or len(text) > MAX_TEXT:
            left_out = LeftOut(Reason.UNFIT, UNFIT)
        elif sync_now_tag is not None and key_of(text) == key_of(sync_now_tag):
            left_out = left_out or LeftOut(Reason.UNFIT, ASKS)
        else:
            wanted.setdefault(key_of(text), text)
    return WantedTags(wanted, left_out)


@dataclass(frozen=True, slots=True)
class Carried:
    """The tags that it has, as Intercom's ids; `complete` if they were read in full."""

    ids: frozenset[str] = frozenset()
    complete: bool = True


@dataclass(frozen=True, slots=True)
class TagPlan:
    """Keys. `put_on`: of which nobody knows the ids of `to_make`. `take_off`: there, and ours.
    `dropped`: ours, and gone already, or of another id by now.

    `must_list`: its tags have to be read in full before anything is put on.
    """

    put_on: tuple[str, ...] = ()
    take_off: tuple[str, ...] = ()
    dropped: tuple[str, ...] = ()
    to_make: tuple[str, ...] = ()
    must_list: bool = False

    @property
    def settled(self) -> bool:
        return not (self.put_on or self.take_off or self.dropped or self.must_list)


NOTHING = TagPlan()


def plan_tags(
    wanted: Mapping[str, str],
    ours: Mapping[str, str],
    known: Mapping[str, str],
    carried: Carried,
    doubted: frozenset[str] = frozenset(),
) -> TagPlan:
    """`ours`: what we put on, key -> id. `known`: the workspace's tags, key -> id.

    `doubted`: keys of ours of which a pass that died may not have put on the tag after all.
    """
    there = {k for k in wanted if known.get(k) in carried.ids or ours.get(k) in carried.ids}
    unseen = ours.keys() - doubted if not carried.complete else frozenset[str]()
    put_on = tuple(sorted(wanted.keys() - there - unseen))
    needed = {*(ours.get(key) for key in wanted), *(known.get(key) for key in wanted)}
    leaving = sorted(ours.keys() - wanted.keys())
    off = [k for k in leaving if ours[k] not in needed and _may_be_there(ours[k], carried)]
    gone = [key for key in leaving if key not in off]
    not_ours = [key for key in sorted(there & ours.keys()) if ours[key] not in carried.ids]
    return TagPlan(
        put_on=put_on,
        take_off=tuple(off),
        dropped=(*gone, *not_ours),
        to_make=tuple(key for key in put_on if key not in known),
        must_list=bool(put_on) and not carried.complete,
    )


def _may_be_there(tag_id: str, carried: Carried) -> bool:
    return tag_id in carried.ids or not carried.complete


@dataclass(frozen=True, slots=True)
class Tagging:
    """The tags of one contact or company on both sides.

    `wanted`: key -> name, None where the app says nothing of tags. `ours`, `known`, `doubted`: as
    `plan_tags` takes them; `known` is None where none are synced. `undone`: keys of those that an
    operator took off again.
    """

    wanted: Mapping[str, str] | None
    ours: Mapping[str, str]
    known: Mapping[str, str] | None
    carried: Carried
    doubted: frozenset[str] = frozenset()
    undone: frozenset[str] = frozenset()

    @property
    def plan(self) -> TagPlan:
        if self.wanted is None or self.known is None:
            return NOTHING
        kept_off = self.kept_off
        wanted = {key: name for key, name in self.wanted.items() if key not in kept_off}
        return plan_tags(wanted, self.ours, self.known, self.carried, self.doubted)

    @property
    def kept_off(self) -> frozenset[str]:
        """Keys of those that stay off until the app drops them, or somebody puts them on."""
        wanted, known = self.wanted or {}, self.known or {}
        keys = self.undone & wanted.keys()
        return frozenset(key for key in keys if known.get(key) not in self.carried.ids)

    @property
    def others(self) -> frozenset[str]:
        """Ids of those that the app wants, that are on, and that are not ours."""
        known = self.known or {}
        wanted = {known[key] for key in self.wanted or () if key in known and key not in self.ours}
        return self.carried.ids & wanted

    def id_of(self, name: str) -> str | None:
        key = key_of(name)
        return self.ours.get(key) or (self.known or {}).get(key)


def noted(keys: Iterable[str], known: Mapping[str, str]) -> dict[str, str]:
    """What is about to be put on, as it stands among the values in flight."""
    return {NOTE + key: known[key] for key in keys if key in known}


def noted_tags(in_flight: Values) -> dict[str, str]:
    """What a pass that died was about to put on: it is done again, and counts as ours."""
    return {
        name.removeprefix(NOTE): str(tag)
        for name, tag in in_flight.items()
        if name.startswith(NOTE)
    }
