"""Which tags a contact carries, as far as an answer tells and what was known before goes on."""

from dataclasses import replace

from intercom_assets.domain.models import Contact


def with_known_tags(answer: Contact, known: Contact | None) -> Contact:
    """A list cut at ten that shows nothing new, and as many as were known, is what was known."""
    if answer.tags_complete or known is None or not known.tags_complete:
        return answer
    if answer.tag_count != len(known.tag_ids) or not {*answer.tag_ids} <= {*known.tag_ids}:
        return answer
    return replace(answer, tag_ids=known.tag_ids, tags_complete=True)
