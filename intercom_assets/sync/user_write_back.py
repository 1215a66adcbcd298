"""Intercom -> app, for one chunk: what Intercom knows better, and the ids of new contacts.

One transaction for all of them, by compare-and-set, with each row read again as the mapping sees
it. What the app would not store is remembered, and not offered again until Intercom's value
changes; it keeps neither the other values nor the contact's id from being stored.
"""

from collections.abc import Collection, Sequence

from intercom_assets.database.app import AppUnavailable
from intercom_assets.database.write_back import WriteBack, WrittenBack
from intercom_assets.domain.models import AppUser
from intercom_assets.sync.failures import Problem, Verdict
from intercom_assets.sync.services import Services
from intercom_assets.sync.user_pass import UserPass
from intercom_assets.sync.work import Work


def write_back(work: Work, users: Sequence[UserPass], failed: Collection[str]) -> None:
    """`failed`: whose last pass ended with a problem, so that their id may not be stored yet."""
    pulling = {u.user_id: u for u in users if not u.problem and isinstance(u.row, AppUser)}
    requests = [
        request
        for key, user in pulling.items()
        if (request := _request(work.services, user, again=key in failed))
    ]
    try:
        written = _written(work.services, requests)
    except AppUnavailable as error:
        for request in requests:
            pulling[request.id].problem = Problem(Verdict.UNAVAILABLE, str(error))
        return
    for key, answer in written.items():
        _see_written(pulling[key], answer)


def _request(services: Services, user: UserPass, *, again: bool) -> WriteBack | None:
    new = user.plan().to_app
    stores_id = services.settings.write_back.intercom_id is not None
    is_new = user.contact is not None and (again or user.link.contact_id != user.contact.id)
    intercom_id = user.contact.id if is_new and stores_id and user.contact else None
    if not new and intercom_id is None:
        return None
    expected = {name: user.values.get(name) for name in new}
    return WriteBack(user.user_id, expected, new, intercom_id)


def _written(services: Services, requests: Sequence[WriteBack]) -> dict[str, WrittenBack]:
    """Where values and id together are not taken, each is tried without the other."""
    if not requests:
        return {}
    written = services.app.write_back_users(requests)
    apart = [r for r in requests if r.new and r.intercom_id and _is_not_taken(written[r.id])]
    if apart:
        ids = services.app.write_back_users([WriteBack(r.id, {}, {}, r.intercom_id) for r in apart])
        spoilt = [r for r in apart if ids[r.id].status == "refused"]
        if spoilt:
            values = [WriteBack(r.id, r.expected, r.new) for r in spoilt]
            written |= services.app.write_back_users(values)
    return written


def _is_not_taken(written: WrittenBack) -> bool:
    return written.status in ("changed", "refused")


def _see_written(user: UserPass, written: WrittenBack) -> None:
    if written.status == "busy":
        user.problem = Problem(Verdict.BUSY, "the app held the row; it is tried again")
        return
    decided = user.plan()
    user.see_row(written.row)
    if written.status != "changed":
        user.wrote_back(decided, refused_for=written.reason)
