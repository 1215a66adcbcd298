"""What `explain` prints of a user or team: how things stand, who wins now, what was done."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from rich.console import Console
from rich.text import Text

from intercom_assets.cli.output.tables import Listing, cell, plain
from intercom_assets.cli.output.times import utc
from intercom_assets.database.reports import JournalRow, Tombstone, Waiting
from intercom_assets.domain.decisions import Decision
from intercom_assets.domain.fields import Field
from intercom_assets.domain.models import JournalEntry, LeftOut, Side, Value, Values
from intercom_assets.domain.tags import NOTHING, TagPlan
from intercom_assets.domain.vocabulary import Action, QueueKind

WORDS = {
    Action.PUSHED: "{} sent to Intercom",
    Action.PULLED: "{} stored in the app",
    Action.OVERRULED: "OVERRULED: {} in Intercom",
    Action.REFUSED_BY_APP: "{} refused by the app",
    Action.IGNORED: "{} of Intercom ignored",
    Action.UNDONE: "{} reverted",
    Action.LEFT_OUT: "{} LEFT OUT of Intercom",
}
"""Of entries about a field; others are shown as they are."""


@dataclass(frozen=True, slots=True)
class Story:
    """`rows`: the timeline, newest first, of which there may be more than are shown.

    `intercom_id`: of the contact or company; `archived`: a contact, by us. `decisions`: what a
    pass would decide now; `tag_plan`: with the tags, of which `tags` are ours. `held`: gone, and
    held for an operator's word.
    """

    kind: QueueKind
    key: str
    intercom_id: str | None
    read_at: int | None
    in_app: bool
    problem: str | None
    decisions: Sequence[Decision]
    base: Values
    left_out: Mapping[str, LeftOut]
    waiting: Waiting | None
    held: bool
    rows: Sequence[JournalRow]
    has_more: bool
    archived: bool = False
    tags: Sequence[str] = ()
    tag_plan: TagPlan = NOTHING
    erased: Tombstone | None = None

    @property
    def is_known(self) -> bool:
        return bool(self.in_app or self.problem or self.rows or self.erased or self.intercom_id)


def print_summary(console: Console, story: Story) -> None:
    for line in _standing(story):
        console.print(Text(plain(line)))
    if story.decisions:
        console.print(_policy_fields(story))
    if story.rows:
        console.print(_timeline(story))
    if story.has_more:
        console.print(f"Older entries: --last {10 * len(story.rows)}", highlight=False)


def _standing(story: Story) -> list[str]:
    lines = [_counterpart(story)]
    if not story.in_app and not story.problem:
        lines.append(f"The app has no such {story.kind}.")
    if story.problem:
        lines.append(f"It cannot be synced as it is: {story.problem}")
    if story.held:
        lines.append(
            "It is gone together with more others than `max_gone` allows, and held for "
            "confirmation: intercom-assets retry --gone if they really are gone."
        )
    lines += [
        f"{name} is LEFT OUT of Intercom: {item.why}. It is sent when its value changes, or after "
        f"intercom-assets retry --{story.kind} {story.key}"
        for name, item in sorted(story.left_out.items())
    ]
    return [*lines, *_tags(story), *_queue(story)]


def _tags(story: Story) -> list[str]:
    plan = story.tag_plan
    if plan.must_list:
        put_on = f"if it does not carry them already: {', '.join(plan.put_on)}"
    else:
        put_on = ", ".join(plan.put_on)
    known = [f"Tags that the sync put on: {', '.join(sorted(story.tags))}."] if story.tags else []
    due = [f"A pass would put on, since the app has them: {put_on}."] if plan.put_on else []
    off = [f"A pass would take off, since the app dropped them: {', '.join(plan.take_off)}."]
    return [*known, *due, *(off if plan.take_off else [])]


def _counterpart(story: Story) -> str:
    """What stands for it in Intercom."""
    who = f"{story.kind.capitalize()} {story.key}"
    what = "contact" if story.kind is QueueKind.USER else "company"
    if story.erased:
        found = f"{who} was erased on request at {utc(story.erased.at)}"
        return f"{found} and is never created again; for the receipt: erase --user {story.key}"
    if story.intercom_id is None:
        return f"{who} has no {what} in Intercom that the sync knows of."
    archived = ", archived by us" if story.archived else ""
    last_read = f"read at {utc(story.read_at)}" if story.read_at else "seen in a listing"
    return f"{who} is {what} {story.intercom_id}, {last_read}{archived}."


def _queue(story: Story) -> list[str]:
    row = story.waiting
    if row is None:
        return []
    why = f": {row.error.message}" if row.error else ""
    if row.parked_at:
        when = f"at {utc(row.parked_until)}, " if row.parked_until else ""
        again = f"intercom-assets retry --{story.kind}"
        return [
            f"It has been PARKED since {utc(row.parked_at)}, after {row.attempts} tries{why}",
            f"It is retried {when}when its row changes, or by {again} {story.key}",
        ]
    if row.in_work_by:
        return [f"Run {row.in_work_by} is working on it."]
    due = f", due at {utc(row.due_at)}" if row.due_at else ""
    return [f"It has been waiting in the queue since {utc(row.first_at)}{due}{why}"]


def _policy_fields(story: Story) -> Listing:
    columns = ("field", "who wins", "app", "Intercom", "agreed before", "what a pass would do")
    listing = Listing("Who wins now", *columns)
    for decision in story.decisions:
        field = decision.field
        values = (decision.app, decision.intercom, story.base.get(field.name))
        shown = (_shown(field, value) for value in values)
        listing.add(plain(field.name), field.policy, *shown, _would_do(decision))
    return listing


def _would_do(decision: Decision) -> str:
    if decision.write_to is None:
        return "nothing" if decision.why in ("", "equal") else f"nothing: {decision.why}"
    look = "look first; " if decision.deferred else ""
    return f"{look}write to {_side(decision.write_to)}: {decision.why}"


def _timeline(story: Story) -> Listing:
    columns = ("when, UTC", "what", "app", "Intercom", "agreed before", "why", "request, run")
    listing = Listing("What was done, newest first", *columns)
    fields = {decision.field.name: decision.field for decision in story.decisions}
    for row in story.rows:
        entry = row.entry
        field = fields.get(entry.field or "")
        app, intercom = _sides_shown(entry, field)
        base = _moment(field, entry.base) if entry.policy else ""
        listing.add(
            f"{row.at:%Y-%m-%d %H:%M:%S}",
            _what(entry),
            app,
            intercom,
            base,
            plain(f"{entry.why} (policy {entry.policy})" if entry.policy else entry.why),
            "\n".join(plain(part) for part in (entry.request_id, row.run_id) if part),
            style="bold red" if entry.action is Action.OVERRULED else "",
        )
    return listing


def _sides_shown(entry: JournalEntry, field: Field | None) -> tuple[str, str]:
    if entry.action is Action.UNDONE:
        moved = f"{_moment(field, entry.old)} -> {_moment(field, entry.new)}"
        return (moved, "") if entry.side is Side.APP else ("", moved)
    app, intercom = both_sides(entry)
    if entry.field is None:
        return _known(app), _known(intercom)
    return _moment(field, app), _moment(field, intercom)


def both_sides(entry: JournalEntry) -> tuple[Value, Value]:
    """The app's value and Intercom's when it was decided: one was written over by the other."""
    if entry.side is Side.APP:
        return entry.old, entry.new
    return entry.new, entry.old


def _what(entry: JournalEntry) -> str:
    if entry.field is None:
        return plain(entry.action)
    words = WORDS.get(entry.action, f"{entry.action} {{}}")
    return plain(words.format(entry.field))


def _side(side: Side) -> str:
    return "Intercom" if side is Side.INTERCOM else "the app"


def _moment(field: Field | None, value: Value) -> str:
    return _shown(field, value) if field else cell(value)


def _known(value: Value) -> str:
    """Of an event there is mostly nothing to compare: no dash where nothing is meant."""
    return "" if value is None else cell(value)


def _shown(field: Field, value: Value) -> str:
    return cell(value, field.kind)
