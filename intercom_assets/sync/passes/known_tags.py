"""Which tags a contact or company carries, as far as an answer and what was known before tell.

And what a run that died had done to them, as the next one finds it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from intercom_assets.domain.attempts import Attempt
from intercom_assets.domain.models import Contact, JournalEntry
from intercom_assets.domain.tags import TAGGED_WHY, UNTAGGED_WHY, Carried, key_of
from intercom_assets.domain.vocabulary import Action, QueueKind


def with_known_tags(answer: Contact, known: Contact | None) -> Contact:
    """A list cut at ten that shows nothing new, and as many as were known, is what was known."""
    if answer.tags_complete or known is None or not known.tags_complete:
        return answer
    if answer.tag_count != len(known.tag_ids) or not {*answer.tag_ids} <= {*known.tag_ids}:
        return answer
    return replace(answer, tag_ids=known.tag_ids, tags_complete=True)


def tags_done(
    kind: QueueKind,
    key: str,
    attempts: Sequence[Attempt],
    ids: Mapping[str, str],
    carried: Carried,
) -> list[JournalEntry]:
    """Tags of which a look tells that they were put on, or taken off. `ids`: tag's key -> id."""
    put_on = [
        attempt.entry(kind, key, Action.TAGGED, new=name, why=TAGGED_WHY[kind])
        for attempt in attempts
        for name in attempt.about(Action.TAGGED)
        if ids.get(key_of(str(name))) in carried.ids
    ]
    taken_off = [
        attempt.entry(kind, key, Action.UNTAGGED, old=name, why=UNTAGGED_WHY)
        for attempt in attempts
        for name in attempt.about(Action.UNTAGGED)
        if carried.complete and ids.get(key_of(str(name))) not in carried.ids
    ]
    return [*put_on, *taken_off]
