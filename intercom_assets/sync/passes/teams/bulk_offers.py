"""What a chunk of teams has for the bulk endpoint: its items, and the note before they are sent.

An upsert by the app's id, so new companies and changed ones are alike. Nothing is kept of what is
decided here: the pass that follows reads anew, with the companies as they were listed after the
job. Must not: send an item.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from intercom_assets.database.records import Leased
from intercom_assets.domain.bulk import CompanyItem
from intercom_assets.domain.fields import company_patch
from intercom_assets.domain.models import Company
from intercom_assets.sync.context.work import Work
from intercom_assets.sync.passes.teams.chunk import begin_passes, note_intents
from intercom_assets.sync.passes.teams.state import TeamState


@dataclass(frozen=True, slots=True)
class TeamOffer:
    """One team's item, under the lease of `work`."""

    work: Work
    item: CompanyItem

    @property
    def team_id(self) -> str:
        return self.item.company_id

    def is_shown_by(self, company: Company) -> bool:
        """Whether a company, as it is listed, has all of the item."""
        patch, custom = self.item.patch, company.custom_attributes
        return all(getattr(company, name) == value for name, value in patch.standard.items()) and (
            all(custom.get(name) == value for name, value in patch.custom.items())
        )


def find_offers(
    work: Work, leased: Sequence[Leased], *, known_only: bool = False
) -> list[TeamOffer]:
    """The items of these teams, noted; attributes exist by then. Whoever failed before goes the
    single way, which tells why. `known_only`: teams that have a company."""
    by_key = {row.key: row for row in leased}
    failed = {row.key for row in leased if row.error is not None or row.attempts or row.needs_read}
    _, callers, _ = begin_passes(work, by_key)
    teams = [t for t in callers if t.team_id not in failed and not t.state.link.in_flight]
    teams = [team for team in teams if _item_of(team.state) is not None]
    if known_only:
        teams = [t for t in teams if t.state.company is not None]
    work.ready_attributes(teams)
    note_intents(work, teams, bulk=True)
    offered = (_item_of(team.state) for team in teams if team.problem is None)
    return [TeamOffer(work, item) for item in offered if item is not None]


def _item_of(state: TeamState) -> CompanyItem | None:
    """None where something is to be cleared, an edit of somebody's is overruled, or a tag is to be
    moved, which no item can."""
    sent = state.plan.to_intercom
    if not state.tag_plan.settled:
        return None
    if state.company is None:
        sent = {name: value for name, value in sent.items() if value is not None}
    elif None in sent.values() or state.plan.overruled:
        return None
    return CompanyItem(state.team_id, company_patch(state.rules.fields, sent))
