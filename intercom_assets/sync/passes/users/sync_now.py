"""The tag by which somebody in Intercom asks for a sync: taken off again once the pass went well.

It stays on a contact whose pass has a problem, and is taken off by the pass that ends without.
"""

from collections.abc import Callable, Sequence
from contextlib import suppress

from intercom_assets.database.store.inbound import SyncNow
from intercom_assets.intercom.client import IntercomClient
from intercom_assets.intercom.errors import IntercomError, NotFound
from intercom_assets.sync.context.failures import problem_of
from intercom_assets.sync.context.work import Work
from intercom_assets.sync.passes.users.user_pass import UserPass


def take_off_tags(work: Work, users: Sequence[UserPass]) -> None:
    """One call for each tag. A mapping without `sync_now_tag` asks for nothing."""
    if work.services.settings.sync_now_tag is None:
        return
    inbound = work.services.store.inbound
    asked: dict[str, list[SyncNow]] = {}
    for tag in inbound.sync_now_of([user.user_id for user in users]):
        asked.setdefault(tag.user_id, []).append(tag)
    off: list[SyncNow] = []
    work.call_for(
        [user for user in users if user.user_id in asked],
        lambda user: _take_off(user, work.client(), asked[user.user_id], off.append),
    )
    if off:
        inbound.drop_sync_now(off)


def _take_off(
    user: UserPass,
    client: IntercomClient,
    tags: Sequence[SyncNow],
    note: Callable[[SyncNow], None],
) -> None:
    try:
        for tag in tags:
            with suppress(NotFound):  # taken off by hand, or its contact is no more
                client.untag_contact(tag.contact_id, tag.tag_id)
            note(tag)
    except IntercomError as error:
        user.put_off(problem_of(error))
    finally:
        user.count_calls(client.calls)
