"""What a pass writes down of itself: an entry for each write, event and lost edit."""

from collections.abc import Iterable, Mapping

from intercom_assets.database.records import Ending, Leased, Parked
from intercom_assets.domain.decisions import Decision
from intercom_assets.domain.fields import TIME_ZONE, Field
from intercom_assets.domain.models import JournalEntry, LeftOut, Side, Value
from intercom_assets.domain.vocabulary import Action, QueueKind
from intercom_assets.intercom.client import IntercomClient
from intercom_assets.intercom.errors import IntercomError

KIND = QueueKind.USER


def entry_of_event(
    kind: QueueKind,
    key: str,
    action: Action,
    client: IntercomClient,
    *,
    old: Value = None,
    new: Value = None,
    why: str,
) -> JournalEntry:
    """Of what is not a field: created, adopted, attached, merged ..."""
    return JournalEntry(
        kind,
        key,
        action,
        side=Side.INTERCOM,
        old=old,
        new=new,
        why=why,
        request_id=_last(client),
    )


def entry_of_decision(
    kind: QueueKind,
    key: str,
    action: Action,
    decision: Decision,
    *,
    base: Value,
    client: IntercomClient | None = None,
) -> JournalEntry:
    """`base`: agreed on before. `client`: who wrote it to Intercom; None: it went to the app."""
    return JournalEntry(
        kind,
        key,
        action,
        field=decision.field.name,
        side=decision.write_to,
        old=decision.app if decision.write_to is Side.APP else decision.intercom,
        new=decision.value,
        why=decision.why,
        request_id=_last(client) if client else None,
        policy=decision.field.policy,
        base=base,
    )


def entry_of_unknown_zone(user_id: str, name: Value) -> JournalEntry:
    why = "Intercom states a place that is no time zone"
    return JournalEntry(
        KIND, user_id, Action.IGNORED, field=TIME_ZONE, side=Side.APP, new=name, why=why
    )


def entry_of_inheritance(user_id: str) -> JournalEntry:
    why = "what the contact held was another person's: none of it is taken over"
    return JournalEntry(KIND, user_id, Action.NOT_INHERITED, side=Side.APP, why=why)


def entry_of_leads_opt_out(
    user_id: str, flag: Field, old: Value, lead: str, client: IntercomClient
) -> JournalEntry:
    return JournalEntry(
        KIND,
        user_id,
        Action.PUSHED,
        field=flag.name,
        side=Side.INTERCOM,
        old=old,
        new=True,
        why=f"opted out as lead {lead}, which is about to become part of the contact",
        request_id=_last(client),
        policy=flag.policy,
    )


def entry_of_refused_search(user_id: str, refusal: IntercomError) -> JournalEntry:
    why = f"leads with its e-mail are not searched, which Intercom refused: {refusal}"
    return JournalEntry(
        KIND,
        user_id,
        Action.LEAD_SEARCH_REFUSED,
        side=Side.INTERCOM,
        why=why,
        request_id=refusal.request_id,
    )


def parked_now(kind: QueueKind, key: str, ending: Ending, leased: Leased) -> list[JournalEntry]:
    """An entry for who is given up on by this pass; none for who was before."""
    if not isinstance(ending, Parked) or (leased.parked and leased.failed_hash == ending.hash):
        return []
    why = ending.error.message
    return [JournalEntry(kind, key, Action.PARKED, why=why, request_id=ending.error.request_id)]


def left_out_now(
    kind: QueueKind, key: str, now: Mapping[str, LeftOut], before: Mapping[str, LeftOut]
) -> list[JournalEntry]:
    """An entry for each field that this pass leaves out, and the last one did not for this."""
    return [
        JournalEntry(
            kind,
            key,
            Action.LEFT_OUT,
            field=name,
            side=Side.INTERCOM,
            new=left_out.value,
            why=left_out.why,
        )
        for name, left_out in now.items()
        if name not in before
        or (left_out.reason, left_out.value) != (before[name].reason, before[name].value)
    ]


def changed_in(journal: Iterable[JournalEntry]) -> tuple[str, ...]:
    """Names of fields that were written, and of events."""
    named = {e.field or e.action.value for e in journal if e.action is not Action.LEFT_OUT}
    return tuple(sorted(named))


def _last(client: IntercomClient) -> str | None:
    return client.calls[-1].request_id if client.calls else None
