"""Which companies a contact is in, as far as an answer tells and what was known before goes on."""

from dataclasses import replace

from intercom_assets.domain.models import Contact, EdgeState, Membership


def with_known_companies(
    answer: Contact, known: Contact | None, doubted: frozenset[str]
) -> Contact:
    """A list cut at ten proves presence only: what was known beside it stays known.

    Unless it is `doubted`: a pass that died was about to move these.
    """
    if answer.companies_complete or known is None:
        return answer
    ids = {*answer.company_ids, *(set(known.company_ids) - doubted)}
    return replace(answer, company_ids=tuple(sorted(ids)))


def merge_known_companies(edge: Membership, answer: Contact) -> Membership:
    """An edge that an answer shows is there, whatever a pass that died meant to do with it."""
    is_there = edge.company_id in answer.company_ids
    return replace(edge, state=EdgeState.ATTACHED) if is_there else edge
