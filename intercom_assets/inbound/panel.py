"""What the panel in the inbox says of a contact: from one row of facts to a few lines. Pure.

Which state a contact is in is decided here, once; the sentences are `agents_words`', and how
Intercom draws them is `canvas`'s business. Must not: our own tables, a clock.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum

from intercom_assets.database.reports import OverruledField, Standing
from intercom_assets.inbound.agents_words import (
    LEAD,
    NOBODY,
    YOU_ASKED,
    ago,
    cut,
    short,
    tried_again,
    what_waits,
    whose_it_is,
    why_and_what_mends,
)
from intercom_assets.inbound.links import PanelLinks

MOST_EDITS, MOST_FIELDS = 3, 3
"""The others are counted: a panel is at most 400 px high."""


class Tone(StrEnum):
    """How much of an agent's attention a state wants."""

    FINE = "fine"
    WORKING = "working"
    WRONG = "wrong"


@dataclass(frozen=True, slots=True)
class Line:
    """An entry of a list. `url`: where a click leads."""

    title: str
    subtitle: str = ""
    aside: str = ""
    url: str = ""


@dataclass(frozen=True, slots=True)
class Panel:
    """`sentences`: of the state. `edits`: fields that were typed here and lost, of
    `edits_in_all`. `can_sync`: whether there is a user to be synced."""

    headline: str
    tone: Tone
    sentences: Sequence[str] = ()
    remarks: Sequence[str] = ()
    user: Line | None = None
    edits: Sequence[Line] = ()
    edits_in_all: int = 0
    can_sync: bool = False
    dagster_url: str = ""

    def smaller(self) -> "Panel | None":
        """With an edit less, then with a remark less; None if there is nothing to spare."""
        if self.edits:
            return replace(self, edits=self.edits[:-1])
        return replace(self, remarks=self.remarks[:-1]) if self.remarks else None


@dataclass(frozen=True, slots=True)
class PanelNames:
    """`fields`: what Intercom calls a field of ours, by its name here."""

    fields: Mapping[str, str] = field(default_factory=dict)

    def of(self, name: str | None) -> str | None:
        return None if name is None else cut(self.fields.get(name, name))


def panel_of_nobody(role: str | None) -> Panel:
    """Of a contact that is none of ours: one sentence, and nothing else."""
    return Panel(LEAD if role == "lead" else NOBODY, Tone.FINE)


def panel_of_user(
    standing: Standing, links: PanelLinks, names: PanelNames, *, asked: bool = False
) -> Panel:
    """`asked`: the agent has pressed *Sync now* a moment ago."""
    headline, tone, sentences = _state(standing, names)
    if asked and tone is Tone.WORKING:
        sentences = [YOU_ASKED]
    return Panel(
        headline,
        tone,
        list(sentences),
        _remarks(standing, names),
        Line(f"User {cut(standing.user_id)} of the app", url=links.admin(standing.user_id)),
        [_edit(edit, names) for edit in standing.overruled[:MOST_EDITS]],
        len(standing.overruled),
        can_sync=True,
        dagster_url=links.partition(standing.user_id),
    )


State = tuple[str, Tone, Sequence[str]]


def _state(standing: Standing, names: PanelNames) -> State:
    """Given up on, before waiting, before in step."""
    if standing.parked_for is not None:
        return _given_up(standing, names)
    if standing.waits:
        return _waiting(standing)
    return f"In step, {ago(standing.settled_ago)}", Tone.FINE, ()


def _given_up(standing: Standing, names: PanelNames) -> State:
    failure = standing.error
    why, mends = why_and_what_mends(failure, names.of(failure.field if failure else None))
    if standing.parked_for_another is not None:
        mends = tried_again(standing.parked_for_another)
    return f"Not in step for {short(standing.parked_for or 0)}", Tone.WRONG, [why, mends]


def _waiting(standing: Standing) -> State:
    if standing.error is not None and not standing.in_work and (standing.due_in or 0) > 1:
        return (
            f"Not in step yet, for {short(standing.waits_for or 0)}",
            Tone.WORKING,
            [f"The last try did not work. {tried_again(standing.due_in)}"],
        )
    doing = "Being synced now" if standing.in_work else "Waiting to be synced"
    return (
        f"{doing}, for {short(standing.waits_for or 0)}",
        Tone.WORKING,
        [what_waits(standing.cause)],
    )


def _remarks(standing: Standing, names: PanelNames) -> list[str]:
    remarks = []
    if standing.gone:
        remarks.append("The app has deleted this user.")
    if standing.left_out:
        fields = [names.of(name) or name for name in standing.left_out[:MOST_FIELDS]]
        more = len(standing.left_out) - len(fields)
        and_more = f" and {more} more" if more else ""
        remarks.append(f"Not kept in step: {', '.join(fields)}{and_more}.")
    return remarks


def _edit(edit: OverruledField, names: PanelNames) -> Line:
    times = f", {edit.times} times" if edit.times > 1 else ""
    return Line(
        names.of(edit.field) or edit.field,
        f"{whose_it_is(edit.policy)}{times}",
        ago(edit.ago),
    )
