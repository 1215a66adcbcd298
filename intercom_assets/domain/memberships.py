"""Wanted and actual edges -> which companies to attach and detach. Pure.

The app's set of teams is the truth for the companies that are teams of the app. Edges made by hand
to other companies stay, unless the mapping says `memberships: mirror`. What an answer of Intercom
shows may be the first ten companies only: such a list proves presence, never absence. But it tells
how many there are: where that is what we know of, nothing is read to see that nothing changed.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from intercom_assets.domain.models import EdgeState, Membership


@dataclass(frozen=True, slots=True)
class Attached:
    """The companies that a contact has, as Intercom's ids; `complete` if they were read in full.

    `count`: how many there are, where Intercom tells.
    """

    company_ids: frozenset[str]
    complete: bool
    count: int | None = None


@dataclass(frozen=True, slots=True)
class MembershipPlan:
    """`attach`: team ids. `detach`, `dropped`: company ids, the latter already gone there.

    `must_list`: the contact's companies have to be read in full before anything is detached.
    """

    attach: tuple[str, ...] = ()
    detach: tuple[str, ...] = ()
    dropped: tuple[str, ...] = ()
    must_list: bool = False

    @property
    def settled(self) -> bool:
        return not (self.attach or self.detach or self.dropped or self.must_list)


def plan_memberships(
    wanted: frozenset[str],
    edges: Mapping[str, Membership],
    companies: Mapping[str, str],
    attached: Attached,
    *,
    mirror: bool = False,
    kept: frozenset[str] = frozenset(),
) -> MembershipPlan:
    """`companies`: team id -> company id, for every team that has a company of ours.

    `kept`: companies that are not to be detached, whatever else is said of them.
    """
    present = {companies[team] for team in wanted if team in companies}
    attach = tuple(sorted(t for t in wanted if not _is_there(t, edges, companies, attached)))
    ours = {edge.company_id for team, edge in edges.items() if team not in wanted}
    teams = frozenset(companies.values())
    strange = attached.company_ids if mirror else attached.company_ids & teams
    leaving = (ours | strange) - present - kept
    if not attached.complete and (leaving or _some_unknown(attached, mirror=mirror)):
        return MembershipPlan(attach=attach, must_list=True)
    there = {c for c in leaving if c in attached.company_ids}
    return MembershipPlan(attach, tuple(sorted(there)), tuple(sorted(leaving - there)))


def _some_unknown(attached: Attached, *, mirror: bool) -> bool:
    """Whether the contact has, or lacks, a company that we would have to know of."""
    if attached.count is None:
        return mirror
    return attached.count != len(attached.company_ids)


def _is_there(
    team: str, edges: Mapping[str, Membership], companies: Mapping[str, str], attached: Attached
) -> bool:
    company = companies.get(team)
    if company in attached.company_ids:
        return True
    edge = edges.get(team)
    if edge is None or edge.company_id != company:
        return False
    return edge.state is EdgeState.ATTACHED and not attached.complete
