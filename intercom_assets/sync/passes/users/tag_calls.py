"""The calls that put an app's tags on a contact, and take off those of ours that it dropped.

Before anything is noted each tag has its id, and each contact that may carry one unseen is listed:
so what is noted is what is done, and a tag that was there before is never taken for ours.
"""

from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import TypeAlias

from intercom_assets.domain.tags import TAGGED_WHY, UNTAGGED_WHY, Carried, key_of
from intercom_assets.domain.vocabulary import Action
from intercom_assets.intercom.client import IntercomClient
from intercom_assets.intercom.errors import Forbidden, IntercomError, Invalid, NotFound
from intercom_assets.sync.context.failures import problem_of
from intercom_assets.sync.context.tags import by_key
from intercom_assets.sync.context.work import Work
from intercom_assets.sync.passes.journal import KIND
from intercom_assets.sync.passes.users import transitions
from intercom_assets.sync.passes.users.calls_due import needs_second_calls, tag_name
from intercom_assets.sync.passes.users.found_done import contact_tags_done
from intercom_assets.sync.passes.users.user_pass import UserPass

MakeAgain: TypeAlias = Callable[[IntercomClient, str, str], str]
"""Of a tag that was deleted in Intercom, name and old id -> the id of the one made in its place."""


def make_again(work: Work, client: IntercomClient, name: str, lost: str) -> str:
    return work.attributes.tags.make(client, name, instead_of=lost)


def know_tags(work: Work, users: Sequence[UserPass]) -> None:
    """One call for each tag that is to be made, and for each contact that has to be listed."""
    due = [user for user in users if user.problem is None and _is_due(user)]
    work.call_for(due, lambda user: _know(work, user, work.client()))


def _is_due(user: UserPass) -> bool:
    if not needs_second_calls(user.state):
        return False
    plan = user.state.tag_plan
    return bool(plan.to_make) or plan.must_list


def _know(work: Work, user: UserPass, client: IntercomClient) -> None:
    try:
        if user.state.tag_plan.must_list:
            _list(work, user, client)
        for key in user.state.tag_plan.to_make:
            tag_id = work.attributes.tags.make(client, tag_name(user.state, key))
            known = {**(user.state.rules.tags or {}), key: tag_id}
            user.become(transitions.with_workspace_tags(user.state, known))
    except IntercomError as error:
        user.put_off(problem_of(error))
        if error.fatal:
            raise
    finally:
        user.count_calls(client.calls)


def _list(work: Work, user: UserPass, client: IntercomClient) -> None:
    listed = by_key(client.contact_tags(user.contact_id))
    work.attributes.tags.learn(listed)
    before = user.state
    user.become(transitions.with_listed_tags(before, listed))
    found = contact_tags_done(before, Carried(frozenset(listed.values())))
    user.add_entries(entry for entry in found if entry not in user.journal)


def move_tags(user: UserPass, client: IntercomClient, remake: MakeAgain) -> None:
    plan, known = user.state.tag_plan, user.state.rules.tags or {}
    for key in plan.take_off:
        name, tag_id = key, user.state.tags[key]
        with suppress(NotFound):  # taken off by hand, or deleted: as wanted
            client.untag_contact(user.contact_id, tag_id)
        user.become(transitions.untagged(user.state, [key]))
        user.journal_event(Action.UNTAGGED, client, old=name, why=UNTAGGED_WHY)
    if plan.dropped:
        user.become(transitions.disowned(user.state, plan.dropped))
    if plan.must_list:
        return  # the list could not be read: nobody knows whose a tag would be
    for key in plan.put_on:
        if key not in known:
            continue
        try:
            _put_on(user, client, key, known[key], remake)
        except (Forbidden, Invalid) as refusal:  # one tag has to wait; all else of the user goes on
            user.put_off(problem_of(refusal))


def _put_on(
    user: UserPass, client: IntercomClient, key: str, tag_id: str, remake: MakeAgain
) -> None:
    name = tag_name(user.state, key)
    try:
        put = client.tag_contact(user.contact_id, tag_id)
    except NotFound:
        made = remake(client, name, tag_id)
        if made == tag_id:  # there is such a tag: it is the contact that is gone
            raise
        tag_id = made
        client.tag_contact(user.contact_id, tag_id)
    else:
        if put.name and key_of(put.name) != key:  # renamed since the list was read
            with suppress(NotFound):
                client.untag_contact(user.contact_id, tag_id)
            tag_id = remake(client, name, tag_id)
            client.tag_contact(user.contact_id, tag_id)
    user.become(transitions.tagged(user.state, key, tag_id))
    user.journal_event(Action.TAGGED, client, new=name, why=TAGGED_WHY[KIND])
