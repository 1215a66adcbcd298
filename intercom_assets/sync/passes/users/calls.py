"""The calls of one user's pass: first one (POST, PUT or GET), later the combined rest.

Every function works on a `UserPass` and a client bound to the user's lease. What an answer means is
`UserPass.apply_read` and `apply_write`; what has to be sent is the domain's decision. An error
becomes the user's problem; only a fatal one goes on up.
"""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from functools import partial
from typing import TypeAlias

from intercom_assets.domain.leads import EMAIL
from intercom_assets.domain.models import Reason
from intercom_assets.domain.vocabulary import Action
from intercom_assets.intercom.client import IntercomClient
from intercom_assets.intercom.errors import (
    Conflict,
    IntercomError,
    Merged,
    NotFound,
    NotRestorable,
)
from intercom_assets.sync.context.failures import PassFailed, problem_of
from intercom_assets.sync.passes.users import calls_due, identity, transitions
from intercom_assets.sync.passes.users.contact_writes import count_overwritten, write_contact
from intercom_assets.sync.passes.users.found_done import archived_done, merges_done
from intercom_assets.sync.passes.users.held_emails import Address
from intercom_assets.sync.passes.users.lead_merges import merge_leads
from intercom_assets.sync.passes.users.membership_calls import TeamsOf, move_edges
from intercom_assets.sync.passes.users.tag_calls import MakeAgain, move_tags
from intercom_assets.sync.passes.users.user_pass import UserPass

Calls: TypeAlias = Callable[[UserPass, IntercomClient], None]
Refusal: TypeAlias = Conflict | identity.HeldByAnother
FreeEmail: TypeAlias = Callable[[UserPass, IntercomClient, Refusal], Address]
"""Whether the contact that a refusal names has given up the user's address."""


def first_call(user: UserPass, client: IntercomClient, free_email: FreeEmail) -> None:
    """POST, PUT or GET, then merges. Intercom's values are fresh after it, or it has a problem."""
    _guarded(user, client, partial(_with_email, _make_first_call, free_email))


def second_calls(
    user: UserPass,
    client: IntercomClient,
    free_email: FreeEmail,
    teams_of: TeamsOf,
    make_again: MakeAgain,
) -> None:
    """One combined PUT, memberships, tags, archive: what the fresh answer called for."""
    calls = partial(_make_second_calls, teams_of=teams_of, make_again=make_again)
    _guarded(user, client, partial(_with_email, calls, free_email))


def _with_email(
    calls: Calls, free_email: FreeEmail, user: UserPass, client: IntercomClient
) -> None:
    """Once more where another contact holds the address: it gave it up, or it is left out."""
    try:
        calls(user, client)
    except (Conflict, identity.HeldByAnother) as refusal:
        address = free_email(user, client, refusal)
        if address is not Address.FREE:
            _leave_email_out(user, refusal, may_be_free=address is Address.KEPT)
        calls(user, client)


def _leave_email_out(user: UserPass, refusal: Refusal, *, may_be_free: bool) -> None:
    """Raises the refusal where no address was sent that it could be about."""
    email = user.state.plan.to_intercom.get(EMAIL)
    if email is None:
        raise refusal
    why = f"Intercom refused it: contact {refusal.contact_id} of another user has this address"
    user.leave_out(EMAIL, email, Reason.REFUSED, why)
    holder = refusal.contact_id if may_be_free else None
    user.become(replace(user.state, email_held_by=holder))


def _guarded(user: UserPass, client: IntercomClient, calls: Calls) -> None:
    try:
        calls(user, client)
    except identity.SomebodyElses as found:
        user.leave_contact(found)
        user.fail(found.problem)
    except PassFailed as failed:
        user.fail(failed.problem)
    except IntercomError as error:
        user.fail(problem_of(error))
    finally:
        user.count_calls(client.calls)


def _make_first_call(user: UserPass, client: IntercomClient) -> None:
    try:
        _reach_contact(user, client)
    except identity.SomebodyElses as found:
        _leave_to_its_owner(user, client, found)
    except PassFailed:
        if not user.state.is_leaving:
            raise
        _look_again(user, client)
    user.add_entries(merges_done(user.state, client))
    if not calls_due.is_to_be_saved_before_leads(user.state):
        merge_leads(user, client)


def _reach_contact(user: UserPass, client: IntercomClient) -> None:
    try:
        try:
            _call_once(user, client)
        except NotFound:
            _identify_again(user, client)
    except Merged as merged:
        try:
            into = identity.follow(client, user.user_id, merged)
        except identity.MergedIntoAnothers as anothers:
            _separate(user, client, anothers)
            return
        if into is None:
            _identify_again(user, client)
        else:
            user.apply_read(into)
            user.journal_event(Action.RELINKED, client, why="its contact was merged into this one")


def _separate(
    user: UserPass, client: IntercomClient, anothers: identity.MergedIntoAnothers
) -> None:
    """A contact of their own, where `merged_users` says so; the other's is not written to."""
    if not user.state.rules.separate_merged or user.state.is_leaving:
        raise anothers
    gone = user.intercom_id
    user.journal_event(
        Action.CONTACT_LET_GO,
        client,
        old=gone,
        why=f"{anothers.problem.message}; it gets one of its own",
    )
    _look_again(user, client)


def _call_once(user: UserPass, client: IntercomClient) -> None:
    if user.contact is None:
        _identify(user, client)
    elif user.state.archived:
        _bring_back(user, client)
    elif calls_due.must_read_first(user.state) or not calls_due.has_to_send(user.state):
        user.apply_read(client.get_contact(user.contact.id))
    else:
        write_contact(user, client)


def _identify(user: UserPass, client: IntercomClient) -> None:
    if user.state.is_leaving:
        found = identity.find(client, user.user_id)
        if found is not None:
            user.apply_read(found)
            if not user.was_created_before:
                user.journal_event(Action.ADOPTED, client, why="found by its external id")
        return
    write_contact(user, client)


def _bring_back(user: UserPass, client: IntercomClient) -> None:
    contact_id = user.contact_id
    if any(attempt.about(Action.UNARCHIVED) for attempt in user.state.attempts):
        with suppress(NotFound):
            user.apply_read(client.get_contact(contact_id))
            user.become(replace(user.state, archived=False))
            return
    try:
        client.unarchive_contact(contact_id)
    except (Conflict, NotRestorable):  # replaced, merged or deleted for good meanwhile
        user.become(replace(user.state, archived=False))
        _identify_again(user, client)
        return
    user.become(replace(user.state, archived=False))
    user.journal_event(Action.UNARCHIVED, client, why="the user is back")
    user.apply_read(client.get_contact(contact_id))


def _identify_again(user: UserPass, client: IntercomClient) -> None:
    """The stored id leads nowhere: archived or deleted by hand. Forget it and look again.

    A write to a merged contact may answer 404 as well (unconfirmed); only the GET tells it apart.
    """
    was_read = client.calls[-1].method == "GET"
    if user.contact is not None and not was_read:
        with suppress(NotFound):
            user.apply_read(client.get_contact(user.contact.id))
            return
    if user.contact is not None and (done := archived_done(user.state)):
        sent = {entry.field: entry.new for entry in done if entry.field}
        user.add_entries(done)
        user.become(transitions.archived_before(user.state, sent))
        return
    user.forget_contact()
    if not user.state.is_leaving:
        _identify(user, client)


def _leave_to_its_owner(
    user: UserPass, client: IntercomClient, found: identity.SomebodyElses
) -> None:
    """Its external id was moved by hand: the contact is the other's, and this user looks again."""
    user.leave_contact(found)
    user.become(transitions.left_by_contact(user.state, found.contact))
    user.journal_event(
        Action.CONTACT_LET_GO,
        client,
        old=found.contact.id,
        why="its external id is another user's now",
    )
    _look_again(user, client)


def _look_again(user: UserPass, client: IntercomClient) -> None:
    """Who leaves has nothing to do with a contact that is somebody else's by now."""
    user.forget_contact()
    _identify(user, client)


def _make_second_calls(
    user: UserPass, client: IntercomClient, teams_of: TeamsOf, make_again: MakeAgain
) -> None:
    if calls_due.sends_a_later_time(user.state) and user.read_is_old:
        user.apply_read(client.get_contact(user.contact_id))
    overwritten = count_overwritten(user)
    if calls_due.has_to_send(user.state):
        write_contact(user, client)
        # Only now: a write that failed overwrote nothing.
        known = {**user.state.overwritten, **overwritten}
        user.become(replace(user.state, overwritten=known))
    merge_leads(user, client)
    move_edges(user, client, teams_of)
    move_tags(user, client, make_again)
    if calls_due.is_to_archive(user.state):
        client.archive_contact(user.contact_id)
        user.become(replace(user.state, archived=True))
        why = "the user is gone and on_delete is archive"
        user.journal_event(Action.ARCHIVED, client, why=why)
