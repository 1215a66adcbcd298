"""Leads with a user's e-mail become part of the user's contact, and with them who opted out.

Whether Intercom's merge keeps the opt-out of a lead is unknown, and to mail somebody who opted out
is against the law: so the user is opted out first, and a run that dies in between has cost nobody's
word. Must not: search leads (`lead_search.py`).
"""

from dataclasses import replace

from intercom_assets.domain.fields import contact_patch
from intercom_assets.domain.opt_outs import opted_out_of
from intercom_assets.domain.vocabulary import Action
from intercom_assets.intercom.client import IntercomClient
from intercom_assets.intercom.errors import IntercomError, Invalid, Merged, NotFound
from intercom_assets.sync.context.failures import Verdict, problem_of
from intercom_assets.sync.passes.journal import entry_of_leads_opt_out
from intercom_assets.sync.passes.users import transitions
from intercom_assets.sync.passes.users.user_pass import UserPass


def merge_leads(user: UserPass, client: IntercomClient) -> None:
    leads = user.state.leads
    if leads and user.contact is not None:
        user.become(replace(user.state, leads=()))
        for lead in leads:
            _merge(user, client, lead)


def _merge(user: UserPass, client: IntercomClient, lead_id: str) -> None:
    try:
        _keep_opt_outs(user, client, lead_id)
    except Invalid as refusal:
        _leave_lead(user, client, lead_id, refusal)
        return
    try:
        merged = client.merge_contacts(lead_id, user.contact_id)
    except (NotFound, Merged):
        return  # gone meanwhile: merged by a pass that crashed, or by hand
    except IntercomError as error:
        _leave_lead(user, client, lead_id, error)
        return
    user.apply_read(merged)
    user.journal_event(Action.MERGED, client, why=f"lead {lead_id} has the user's e-mail")


def _leave_lead(user: UserPass, client: IntercomClient, lead_id: str, error: IntercomError) -> None:
    """Raises what is no refusal."""
    refusal = problem_of(error)
    if refusal.verdict is not Verdict.REJECTED:
        raise error
    user.journal_event(Action.MERGE_REFUSED, client, why=refusal.message)
    user.become(transitions.with_refused_lead(user.state, lead_id))


def _keep_opt_outs(user: UserPass, client: IntercomClient, lead_id: str) -> None:
    """It stays Intercom's word, also where the user's opt-out is the app's by now."""
    fields = user.state.rules.fields.values()
    flags = opted_out_of(fields, user.state.leads_found[lead_id])
    held = user.state.intercom_values({flag.name: flag for flag in flags})
    lacking = {flag.name: flag for flag in flags if held[flag.name] is not True}
    if lacking:
        patch = contact_patch(lacking, dict.fromkeys(lacking, True))
        user.apply_read(client.update_contact(user.contact_id, patch))
        for flag in lacking.values():
            old = held[flag.name]
            user.add_entries([entry_of_leads_opt_out(user.user_id, flag, old, lead_id, client)])
    user.become(transitions.with_opt_outs(user.state, flags))
