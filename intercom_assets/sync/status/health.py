"""Is the sync healthy: questions about the whole, each answered with one sentence.

Read by Dagster's checks and by people. Nothing here writes; only `nothing_diverged` calls Intercom,
a few times. A question that cannot be asked (a database is down) raises, and is not an answer.
"""

from collections.abc import Callable
from dataclasses import dataclass, field

from intercom_assets.database.capture.state import capture_state
from intercom_assets.domain.alarms import STUCK_AFTER
from intercom_assets.domain.attributes import plan_attributes
from intercom_assets.domain.vocabulary import AttributeModel, QueueKind, StateKey
from intercom_assets.intercom.errors import Merged, NotFound
from intercom_assets.sync.context.services import Services
from intercom_assets.sync.passes.rules import user_rules
from intercom_assets.sync.passes.users.calls_due import must_read_first
from intercom_assets.sync.passes.users.reading import read_users
from intercom_assets.sync.passes.users.transitions import after_read

SAMPLE = 20


@dataclass(frozen=True, slots=True)
class HealthFinding:
    """`facts`: counts and ids, no personal data."""

    healthy: bool
    sentence: str
    facts: dict[str, int | str] = field(default_factory=dict)


def nothing_stuck(services: Services) -> HealthFinding:
    """Nobody waits too long, and nobody is parked or held as gone."""
    depths = services.store.queue.depth()
    oldest = max(depth.oldest_seconds for depth in depths.values())
    due = sum(depth.due for depth in depths.values())
    parked = sum(depth.parked for depth in depths.values())
    held = sum(len(services.store.gone.held(kind).keys) for kind in QueueKind)
    facts: dict[str, int | str] = {"due": due, "parked": parked, "held_as_gone": held}
    if due and oldest > STUCK_AFTER:
        return HealthFinding(
            False, f"{due} are due, the oldest for {oldest / 60:.0f} minutes.", facts
        )
    if parked or held:
        sentence = f"{parked} are parked and {held} held as gone; see intercom-assets status."
        return HealthFinding(False, sentence, facts)
    return HealthFinding(True, f"Nobody is stuck; {due} are due.", facts)


def nothing_diverged(services: Services) -> HealthFinding:
    """A sample of the settled users, read by id, is on both sides what was agreed on."""
    ids = _sample(services)
    diverged = [user_id for user_id in ids if _has_diverged(services, user_id)]
    facts: dict[str, int | str] = {"looked_at": len(ids), "diverged": len(diverged)}
    if diverged:
        facts["users"] = ", ".join(diverged)
        return HealthFinding(
            False, f"{len(diverged)} of {len(ids)} users differ: see the ids.", facts
        )
    return HealthFinding(True, f"{len(ids)} users checked; both sides agree.", facts)


def no_duplicates(services: Services) -> HealthFinding:
    """No two contacts with one external id, as the last audit saw it."""
    last = services.store.state.get(StateKey.LAST_AUDIT)
    found = last.get("duplicates", 0) if isinstance(last, dict) else None
    if not isinstance(found, int):
        return HealthFinding(True, "No audit has listed the contacts yet.")
    facts: dict[str, int | str] = {"duplicates": found}
    if found:
        return HealthFinding(False, f"{found} external ids have more than one contact.", facts)
    return HealthFinding(True, "Each external id has one contact.", facts)


def attributes_in_place(services: Services) -> HealthFinding:
    """Every custom attribute that the mapping sends exists and can be written."""
    missing, unwritable = [], []
    for model, fields in (
        (AttributeModel.CONTACT, services.user_fields),
        (AttributeModel.COMPANY, services.team_fields),
    ):
        cached = services.store.state.attributes(model)
        if cached is None:
            return HealthFinding(True, "Intercom's attributes were not listed yet.")
        others = services.store.state.attributes(_OTHER[model])
        plan = plan_attributes(fields.values(), model, cached[1] + (others[1] if others else []))
        missing += [field.intercom for field in plan.missing]
        unwritable += sorted(plan.unwritable)
    if unwritable or missing:
        names = ", ".join(unwritable + missing)
        return HealthFinding(False, f"Not in place: {names}; see intercom-assets check.")
    return HealthFinding(True, "All custom attributes are in place.")


def triggers_in_place(services: Services) -> HealthFinding:
    """The app's changes are logged: no trigger is missing, disabled or of an older mapping."""
    if services.settings.capture == "polling":
        return HealthFinding(True, "This mapping polls; it has no triggers.")
    state = capture_state(services.app.url, services.app.mapping)
    if state.complete:
        return HealthFinding(True, "All triggers are in place.", {"waiting": state.waiting or 0})
    if state.writing_fails:
        return HealthFinding(False, "The log is not written to: see intercom-assets check.")
    wrong = [*state.missing, *state.disabled, *state.stale]
    sentence = (
        f"{len(wrong)} triggers are not as they should be: run intercom-assets install-capture."
    )
    return HealthFinding(False, sentence, {"triggers": ", ".join(map(str, wrong))})


QUESTIONS: dict[str, Callable[[Services], HealthFinding]] = {
    "nothing_stuck": nothing_stuck,
    "nothing_diverged": nothing_diverged,
    "no_duplicates": no_duplicates,
    "attributes_in_place": attributes_in_place,
    "triggers_in_place": triggers_in_place,
}
_OTHER = {
    AttributeModel.CONTACT: AttributeModel.COMPANY,
    AttributeModel.COMPANY: AttributeModel.CONTACT,
}


def _sample(services: Services) -> list[str]:
    """Another part of the linked users at each quarter of an hour, so that in time all are seen."""
    linked = [key for ids in services.store.linked.ids(QueueKind.USER) for key in ids]
    if not linked:
        return []
    start = (services.now() // 900) * SAMPLE % len(linked)
    chosen = (linked + linked)[start : start + min(SAMPLE, len(linked))]
    waiting = services.store.queue.due_keys(QueueKind.USER, 10_000)
    return [key for key in chosen if key not in waiting]


def _has_diverged(services: Services, user_id: str) -> bool:
    [state] = read_users(services, [user_id], user_rules(services, {}))
    if state.contact is None or state.archived or state.problem or must_read_first(state):
        return False
    try:
        answer = services.intercom.with_deadline(None).get_contact(state.contact.id)
    except (NotFound, Merged):
        return True
    plan = after_read(state, answer).plan
    return bool(plan.to_app or plan.to_intercom)
