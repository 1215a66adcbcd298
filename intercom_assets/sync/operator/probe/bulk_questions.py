"""What the bulk endpoints do that nobody documents: items and the limit, companies, nulls.

Each question uses the two contacts of the probe. A question that gets no answer says why.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from intercom_assets.intercom import endpoints
from intercom_assets.intercom.client import IntercomClient
from intercom_assets.intercom.errors import Invalid, Rejected
from intercom_assets.intercom.windows import Quota
from intercom_assets.sync.context.probed import CLEARS, IGNORED, REFUSED
from intercom_assets.sync.operator.probe.throwaway import NAME, Throwaway, find_company
from intercom_assets.sync.operator.probe.waiting import ProbePatience

ITEMS = 40
"""Far more than calls that others are likely to make in the same second."""
SPARE = 5
"""Calls besides the items, until what they cost is known."""
TRIES = 3
WINDOW_TIMEOUT_S = 25.0
JOB_TIMEOUT_S = 120.0
COMPANY_TIMEOUT_S = 10.0
COMPLETED, WITH_ERRORS = "completed", "completed_with_errors"

Item = Mapping[str, object]


class NoAnswer(Exception):
    """Why this question stays open; one sentence."""


class BulkQuestions:
    """`contacts`: the ids of the two; the second one has a name."""

    def __init__(
        self,
        client: IntercomClient,
        things: Throwaway,
        contacts: Sequence[str],
        patience: ProbePatience,
    ) -> None:
        self._client, self._things = client, things
        self._first, self._second = contacts
        self._patience = patience

    def items_count_as_calls(self) -> bool:
        """Raises `NoAnswer`, and what says that there are no bulk endpoints."""
        items = self._harmless(self._most_items() // 2)
        costs: list[int] = []
        for _ in range(TRIES):
            try:
                cost = self._cost(items)
            except Invalid:
                items = self._harmless(1)  # a contact may stand in a call only once
                cost = self._cost(items)
            if cost is not None:
                costs.append(cost)
            if costs and min(costs) < len(items):
                return False
        if not costs:
            raise NoAnswer("Intercom's answers did not tell what is left of the limit.")
        return True

    def attach_creates_companies(self) -> bool:
        company = self._things.names.company
        edge = {"company_id": company, "name": company}
        state = self._finished([{"id": self._first, "companies": [edge]}])
        if state == WITH_ERRORS:
            return find_company(self._client, company) is not None
        found = self._patience.until(lambda: find_company(self._client, company), COMPANY_TIMEOUT_S)
        return found is not None

    def null_in_bulk(self) -> str:
        try:
            state = self._finished([{"id": self._second, "name": None}])
        except Invalid:
            return REFUSED
        if not self._client.ask_raw(endpoints.GET_CONTACT, self._second).get("name"):
            return CLEARS
        return REFUSED if state == WITH_ERRORS else IGNORED

    # --- calls ---

    def _harmless(self, pairs: int) -> list[Item]:
        """Updates of the two contacts that say what is so already."""
        pair: list[Item] = [{"id": id, "name": NAME} for id in (self._first, self._second)]
        return pair * pairs

    def _cost(self, items: Sequence[Item]) -> int | None:
        """Calls by which one bulk call lowered what is left; None where the window ended."""
        before = self._room_for(len(items))
        so_far = len(self._client.calls)
        job = self._start(items)
        told = self._client.calls[-1].quota
        self._finish(job)
        after = self._quota_after(lambda: self._client.me())
        others = len(self._client.calls) - so_far - 1
        whole = _spent(before, after)
        if whole is not None:
            return whole - others
        return _spent(before, told)

    def _most_items(self) -> int:
        """So many that a window has room for them, and a bit more."""
        limit = self._quota_after(lambda: self._client.me()).limit
        return ITEMS if limit is None else max(2, min(ITEMS, limit // 2))

    def _room_for(self, items: int) -> Quota:
        """What is left, once items that count would not empty the window."""

        def ask() -> Quota | None:
            quota = self._quota_after(lambda: self._client.me())
            left = quota.remaining
            return quota if left is None or left >= items + SPARE else None

        quota = self._patience.until(ask, WINDOW_TIMEOUT_S)
        if quota is None:
            raise NoAnswer("Other calls use up Intercom's limit.")
        return quota

    def _quota_after(self, call: Callable[[], object]) -> Quota:
        call()
        return self._client.calls[-1].quota

    def _start(self, items: Sequence[Item]) -> str:
        body = {"contacts": list(items)}
        self._things.job_under_way = True
        try:
            return str(self._client.ask_raw(endpoints.BULK_UPDATE_CONTACTS, body=body)["id"])
        except Rejected:
            self._things.job_under_way = False
            raise

    def _finished(self, items: Sequence[Item]) -> str:
        return self._finish(self._start(items))

    def _finish(self, job: str) -> str:
        """The state that the job ended in. Raises `NoAnswer` if it does not end."""
        ended = self._patience.until(lambda: _ended(self._job(job)), JOB_TIMEOUT_S)
        if ended is None:
            raise NoAnswer(f"A bulk job did not end within {JOB_TIMEOUT_S:.0f} s.")
        self._things.job_under_way = False
        return ended

    def _job(self, job: str) -> Mapping[str, Any]:
        return self._client.ask_raw(endpoints.CONTACTS_JOB, job)


def _ended(job: Mapping[str, Any]) -> str | None:
    state = job.get("state")
    return state if state in (COMPLETED, WITH_ERRORS) else None


def _spent(before: Quota, after: Quota) -> int | None:
    """None if that was another window, or nothing was told."""
    if before.reset != after.reset or before.remaining is None or after.remaining is None:
        return None
    return before.remaining - after.remaining
