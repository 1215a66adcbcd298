"""Tags in an undo: those that the run put on come off, those that it took off are put back.

One that is put back was dropped by the app, so it is nobody's to take off again.
"""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace

from intercom_assets.domain.attempts import Event
from intercom_assets.domain.models import JournalEntry, Side
from intercom_assets.domain.tags import Tagging, key_of
from intercom_assets.domain.vocabulary import Action
from intercom_assets.intercom.client import IntercomClient
from intercom_assets.intercom.errors import NotFound
from intercom_assets.sync.context.tags import by_key
from intercom_assets.sync.operator.undo.steps import Act, SidesNow, StepState, UndoStep
from intercom_assets.sync.passes.teams import state as team_states
from intercom_assets.sync.passes.teams.state import TeamState
from intercom_assets.sync.passes.users import transitions
from intercom_assets.sync.passes.users.state import UserState

ON = "tag"
_ACTS = {Action.TAGGED: Act.TAGGED, Action.UNTAGGED: Act.UNTAGGED}


def tag_steps(
    entries: Sequence[JournalEntry], present: SidesNow, tagging: Tagging
) -> list[UndoStep]:
    """The last that the run did with each tag; none for what it put on and took off again."""
    last = {_name(e): _ACTS[e.action] for e in entries if e.action in _ACTS}
    return [_step(name, act, present, tagging) for name, act in last.items()]


def tag_events(steps: Sequence[UndoStep]) -> list[Event]:
    """What is about to be done to the tags, to be noted before it."""
    due = [step for step in steps if step.state is StepState.DUE]
    return [
        *((Action.UNTAGGED, step.what) for step in due if step.act is Act.TAGGED),
        *((Action.TAGGED, step.what) for step in due if step.act is Act.UNTAGGED),
    ]


def _name(entry: JournalEntry) -> str:
    return str((entry.new if entry.action is Action.TAGGED else entry.old) or "")


def _step(name: str, act: Act, present: SidesNow, tagging: Tagging) -> UndoStep:
    was, wrote = (None, ON) if act is Act.TAGGED else (ON, None)
    now = ON if tagging.id_of(name) in tagging.carried.ids else None
    step = UndoStep(
        present.kind,
        present.key,
        act,
        what=name or "a tag",
        side=Side.INTERCOM,
        state=StepState.DUE if now == wrote else StepState.BEFORE,
        was=was,
        wrote=wrote,
        now=now,
    )
    if not name:
        why = "the journal did not keep its values"
        return replace(step, state=StepState.FINAL, why=why, now=None)
    return replace(step, state=StepState.MOVED) if present.intercom is None else step


def listed(state: UserState, client: IntercomClient) -> UserState:
    """With all tags of the contact; by one call where its answer cut them off."""
    if state.contact is None or state.contact.tags_complete:
        return state
    return transitions.with_listed_tags(state, by_key(client.contact_tags(state.contact.id)))


def taken_off(state: UserState, client: IntercomClient, name: str) -> UserState:
    """Off, and not put on again until the app has dropped it."""
    key, tag_id = key_of(name), state.tagging.id_of(name)
    assert state.contact is not None, "a step that is due was read from a contact"
    assert tag_id is not None, "a tag that is on has an id"
    with suppress(NotFound):
        client.untag_contact(state.contact.id, tag_id)
    state = transitions.disowned(state, [key])
    state = transitions.carrying(state, state.carried_tags.ids - {tag_id})
    return replace(state, undone_tags=state.undone_tags | {key})


def put_back(state: UserState, client: IntercomClient, name: str) -> UserState:
    assert state.contact is not None, "a step that is due was read from a contact"
    tag_id = client.create_tag(name)  # finds the one that there is
    client.tag_contact(state.contact.id, tag_id)
    known = {**(state.rules.tags or {}), key_of(name): tag_id}
    state = transitions.with_workspace_tags(state, known)
    return transitions.carrying(
        transitions.disowned(state, [key_of(name)]), state.carried_tags.ids | {tag_id}
    )


def taken_off_company(state: TeamState, client: IntercomClient, name: str) -> TeamState:
    """As `taken_off`."""
    tag_id = state.tagging.id_of(name)
    assert state.company is not None, "a step that is due was read from a company"
    assert tag_id is not None, "a tag that is on has an id"
    client.untag_company(state.name_of_tag(tag_id), state.company.id)
    state = team_states.untagged(state, tag_id)
    return replace(state, undone_tags=state.undone_tags | {key_of(name)})


def put_back_on_company(state: TeamState, client: IntercomClient, name: str) -> TeamState:
    assert state.company is not None, "a step that is due was read from a company"
    tag_id = client.tag_company(name, state.company.id)
    return team_states.disowned(team_states.tagged(state, name, tag_id), {key_of(name)})
