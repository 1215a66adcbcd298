"""What Intercom's bulk endpoints take: items, the fields that they may carry, and jobs. Pure.

One call holds many items, and a job works them off later. A job tells neither ids nor errors of its
items, so that what came of an item is found out by reading. Nothing is cleared by an item: whether
a null is refused, ignored or obeyed is unknown (docs/dev/intercom-facts.md#bulk-calls-preview).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from intercom_assets.domain.models import CompanyPatch, ContactPatch

ITEMS = 100
"""Items a call, as documented; Intercom's own refusal of more names the number that counts."""
PROVEN_AT_ONCE = 125
"""Users that one search proves: a chunk of 250 is two."""
WAVE, OF_A_WAVE, WAITING = 1_000, 3, 10
"""Users that are waited for together, the calls that this takes each time, and the first time."""
MOST_COMPANIES = 10
"""Companies of an item: a contact's document shows no more, so that more could not be proven."""
CREATE_MAY_SET = frozenset(
    {
        *("role", "external_id", "email", "name", "phone", "avatar", "language_override"),
        *("signed_up_at", "last_seen_at", "owner_id", "unsubscribed_from_emails"),
    }
)
"""Standard fields; custom attributes beside them. Others are ignored without a word."""
UPDATE_MAY_SET = CREATE_MAY_SET - {"role", "signed_up_at", "last_seen_at"}


class JobState(StrEnum):
    PENDING = "pending"
    RUNNING = "running"
    COMPLETED = "completed"
    COMPLETED_WITH_ERRORS = "completed_with_errors"

    @property
    def is_at_work(self) -> bool:
        return self in (JobState.PENDING, JobState.RUNNING)


@dataclass(frozen=True, slots=True)
class BulkJob:
    id: str
    state: JobState


@dataclass(frozen=True, slots=True)
class ContactItem:
    """A contact to make, or, with Intercom's `id`, one to change. `companies`: the app's team ids,
    all of which have a company: an unknown one would be made by the attach. `leaving`: of companies
    that it is to be taken out of, likewise."""

    patch: ContactPatch
    id: str | None = None
    companies: Sequence[str] = ()
    leaving: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class CompanyItem:
    """A company to make or to change, by the app's team id."""

    company_id: str
    patch: CompanyPatch


def may_carry(item: ContactItem) -> bool:
    """Whether the endpoint takes all of it, and would clear nothing."""
    allowed = CREATE_MAY_SET if item.id is None else UPDATE_MAY_SET
    values = (*item.patch.standard.values(), *item.patch.custom.values())
    return (
        item.patch.standard.keys() <= allowed
        and None not in values
        and len(item.companies) <= MOST_COMPANIES
    )


def calls_by_bulk(users: int, companies: int) -> int:
    """About how many calls so many items take, with all that proves them: for each call of items a
    look at its job, a search for each page of users, a step of the scroll for each page of
    companies, and what waits for the index."""
    items = 2 * -(-users // ITEMS) + 3 * -(-companies // ITEMS)
    return items + -(-users // PROVEN_AT_ONCE) + OF_A_WAVE * -(-users // WAVE) + WAITING
