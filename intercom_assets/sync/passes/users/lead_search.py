"""Leads of many addresses in few searches; one address that is refused keeps no other from it.

A search is about fifteen users at once, so its refusal blames none of them: it is halved until the
refused address is alone, as long as some search is answered at all.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from intercom_assets.domain.models import Contact
from intercom_assets.intercom.client import IntercomClient
from intercom_assets.intercom.errors import IntercomError, Rejected
from intercom_assets.intercom.query import leads_with_emails
from intercom_assets.sync.context.failures import Problem, Verdict, problem_of

LEADS_A_CALL = 15
"""E-mails in one search: the most filters of a group (docs/dev/intercom-facts.md#search)."""
REFUSALS_IN_A_ROW = 5
"""So many without an answer between are about none of the addresses."""
LEADS_REFUSED = "lead_search_refused"


def by_call(emails: Iterable[str]) -> Iterator[Sequence[str]]:
    """As many addresses at a time as one search takes, each of them once."""
    ordered = sorted(set(emails))
    for start in range(0, len(ordered), LEADS_A_CALL):
        yield ordered[start : start + LEADS_A_CALL]


def leads_of(client: IntercomClient, emails: Sequence[str]) -> Mapping[str, dict[str, Contact]]:
    """One search. Address -> the leads that have it, by id."""
    found: dict[str, dict[str, Contact]] = {}
    for page in client.search_contacts(leads_with_emails(emails)):
        for lead in page.items:
            found.setdefault((lead.email or "").lower(), {})[lead.id] = lead
    return found


@dataclass(slots=True)
class LeadSearch:
    """`found`: address -> its leads, by id. `refused`: what it did not take."""

    client: Callable[[], IntercomClient]
    found: dict[str, dict[str, Contact]] = field(default_factory=dict)
    refused: dict[str, IntercomError] = field(default_factory=dict)
    _failed: dict[str, Problem] = field(default_factory=dict)
    _answered: bool = False
    _refusals: int = 0

    def search(self, emails: Iterable[str]) -> None:
        for addresses in by_call(emails):
            self._search(addresses)

    def _search(self, emails: Sequence[str]) -> None:
        try:
            for email, leads in leads_of(self.client(), emails).items():
                self.found.setdefault(email, {}).update(leads)
            self._answered = True
        except Rejected as refusal:
            if refusal.fatal:
                raise
            self._refusals += 1
            self._halve(emails, refusal)
        except IntercomError as error:
            self._failed.update(dict.fromkeys(emails, problem_of(error)))

    def problem_of(self, email: str) -> Problem | None:
        """Why this address was not searched; it is no attempt of its user."""
        if email in self._failed or (email in self.refused and self._answered):
            return self._failed.get(email)
        return _nobodys(self.refused[email]) if email in self.refused else None

    def _halve(self, emails: Sequence[str], refusal: Rejected) -> None:
        if len(emails) == 1:
            self.refused[emails[0]] = refusal
        elif self._refusals >= REFUSALS_IN_A_ROW and not self._answered:
            self._failed.update(dict.fromkeys(emails, _nobodys(refusal)))
        else:
            half = len(emails) // 2
            self._search(emails[:half])
            self._search(emails[half:])


def _nobodys(refusal: IntercomError) -> Problem:
    message = f"all else is synced; leads cannot be searched: {refusal}"
    return Problem(
        Verdict.BUSY,
        message,
        code=LEADS_REFUSED,
        request_id=refusal.request_id,
        wait=30.0,
        grows=True,
    )
