"""Which companies to attach and detach: the app's set is the truth for the app's own teams."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st

from intercom_assets.domain.memberships import Attached, MembershipPlan, plan_memberships
from intercom_assets.domain.models import EdgeState, Membership
from intercom_assets_tests.domain.strategies import quick

COMPANIES = {"1": "co1", "2": "co2", "3": "co3"}


def edge(
    team: str, state: EdgeState = EdgeState.ATTACHED, company: str | None = None
) -> Membership:
    return Membership(team, company or f"co{team}", state)


def edges(*ours: Membership) -> dict[str, Membership]:
    return {each.team_id: each for each in ours}


def plan(
    wanted: Iterable[str] = (),
    attached: Iterable[str] = (),
    ours: Mapping[str, Membership] | None = None,
    *,
    companies: Mapping[str, str] = COMPANIES,
    complete: bool = True,
    mirror: bool = False,
    count: int | None = None,
) -> MembershipPlan:
    there = Attached(frozenset(attached), complete, count)
    return plan_memberships(frozenset(wanted), ours or {}, companies, there, mirror=mirror)


class TestAttaching:
    def test_a_team_of_the_user_is_attached(self) -> None:
        assert plan(wanted="12", attached=["co2"]) == MembershipPlan(attach=("1",))

    def test_a_team_that_is_there_is_left_alone_whoever_made_it(self) -> None:
        assert plan(wanted="1", attached=["co1"]).settled
        assert plan(wanted="1", attached=["co1"], ours=edges(edge("1"))).settled

    def test_a_team_that_was_detached_by_hand_is_attached_again(self) -> None:
        assert plan(wanted="1", ours=edges(edge("1"))).attach == ("1",)

    def test_a_team_whose_company_is_yet_to_be_made_is_to_be_attached(self) -> None:
        assert plan(wanted="9", attached=["co1"], companies={}).attach == ("9",)

    def test_a_call_that_may_not_have_landed_is_made_again(self) -> None:
        attaching = edges(edge("1", EdgeState.ATTACHING))

        assert plan(wanted="1", ours=attaching).attach == ("1",)
        assert plan(wanted="1", ours=attaching, complete=False).attach == ("1",)
        assert plan(wanted="1", ours=attaching, attached=["co1"]).settled

    def test_teams_are_attached_in_the_order_of_their_ids(self) -> None:
        assert plan(wanted="321").attach == ("1", "2", "3")


class TestDetaching:
    def test_an_edge_that_we_made_is_removed(self) -> None:
        """Also one to a company that is no team of the app any more."""
        ours = edges(edge("9", company="gone"))

        assert plan(attached=["gone"], ours=ours) == MembershipPlan(detach=("gone",))

    def test_an_edge_made_by_hand_to_a_team_of_the_app_is_removed(self) -> None:
        assert plan(wanted="1", attached=["co1", "co2"]) == MembershipPlan(detach=("co2",))

    def test_an_edge_made_by_hand_to_another_company_stays(self) -> None:
        assert plan(wanted="1", attached=["co1", "agency"]).settled

    def test_which_is_the_rule_unless_told_otherwise(self) -> None:
        by_hand = Attached(frozenset({"agency"}), complete=True)

        assert plan_memberships(frozenset(), {}, COMPANIES, by_hand).settled

    def test_unless_the_memberships_are_to_mirror_the_app(self) -> None:
        assert plan(wanted="1", attached=["co1", "agency"], mirror=True) == MembershipPlan(
            detach=("agency",)
        )
        assert plan(wanted="1", attached=["co1"], mirror=True).settled

    def test_a_crash_between_note_and_call_leaves_the_edge_ours(self) -> None:
        for state in EdgeState:
            ours = edges(edge("9", state, "gone"))

            assert plan(attached=["gone"], ours=ours).detach == ("gone",)

    def test_an_edge_that_is_gone_already_is_only_forgotten(self) -> None:
        assert plan(ours=edges(edge("1"))) == MembershipPlan(dropped=("co1",))

    def test_a_user_without_teams_leaves_all_of_them(self) -> None:
        """What becomes of a gone user: its own edges and the app's companies, nobody else's."""
        left = plan(attached=["co2", "co1", "agency"], ours=edges(edge("1")))

        assert left == MembershipPlan(detach=("co1", "co2"))

    def test_a_company_that_a_wanted_team_has_stays_whoever_else_had_it(self) -> None:
        ours = edges(edge("8", company="co1"))

        assert plan(wanted="1", attached=["co1"], ours=ours).settled

    def test_an_edge_to_a_company_that_was_made_anew_is_left_to_the_one_that_replaces_it(
        self,
    ) -> None:
        old = edges(edge("1", company="deleted"))

        assert plan(wanted="1", attached=["co1"], ours=old).settled
        assert plan(wanted="1", ours=old) == MembershipPlan(attach=("1",))

    def test_what_is_forgotten_and_what_is_detached_are_sorted(self) -> None:
        ours = edges(edge("3"), edge("1"), edge("2"))

        assert plan(ours=ours).dropped == ("co1", "co2", "co3")
        assert plan(ours=ours, attached=["co3", "co1", "co2"]).detach == ("co1", "co2", "co3")


class TestAListThatIsNotAll:
    """An answer shows ten companies at most: it proves presence, never absence."""

    def test_an_edge_of_ours_that_is_not_shown_is_believed_to_be_there(self) -> None:
        assert plan(wanted="1", ours=edges(edge("1")), complete=False).settled

    def test_an_edge_to_a_company_that_was_made_anew_is_not(self) -> None:
        """The company was deleted by hand and made again: its users are not in the new one."""
        old = edges(edge("1", company="deleted"))

        assert plan(wanted="1", ours=old, complete=False).attach == ("1",)

    def test_a_team_of_which_nothing_is_known_is_attached(self) -> None:
        assert plan(wanted="1", complete=False) == MembershipPlan(attach=("1",))
        assert plan(
            wanted="1", ours=edges(edge("1", EdgeState.DETACHING)), complete=False
        ).attach == ("1",)

    @pytest.mark.parametrize(
        ("attached", "ours"),
        [((), edges(edge("2"))), (("co2",), {}), (("gone",), edges(edge("9", company="gone")))],
    )
    def test_before_anything_is_detached_all_are_read(
        self, attached: tuple[str, ...], ours: dict[str, Membership]
    ) -> None:
        known = plan(wanted="1", attached=attached, ours=ours, complete=False)

        assert known == MembershipPlan(attach=("1",), must_list=True)
        assert not known.settled

    def test_a_mirror_needs_all_of_them(self) -> None:
        assert plan(complete=False, mirror=True).must_list
        assert not plan(complete=True, mirror=True).must_list

    @pytest.mark.parametrize("mirror", [True, False])
    def test_a_number_that_is_not_what_we_know_of_is_looked_into(self, mirror: bool) -> None:
        """Something that is not shown came or went."""
        for count in (1, 3):
            assert plan(
                wanted="12", attached=["co1", "co2"], complete=False, mirror=mirror, count=count
            ).must_list

    @pytest.mark.parametrize("mirror", [True, False])
    def test_a_number_that_is_what_we_know_of_needs_no_list(self, mirror: bool) -> None:
        assert plan(
            wanted="12", attached=["co1", "co2"], complete=False, mirror=mirror, count=2
        ).settled

    def test_where_nothing_is_to_leave_nothing_is_read(self) -> None:
        assert plan(wanted="1", attached=["co1", "agency"], complete=False).settled


@pytest.mark.parametrize(
    "todo",
    [
        MembershipPlan(attach=("1",)),
        MembershipPlan(detach=("co1",)),
        MembershipPlan(dropped=("co1",)),
        MembershipPlan(must_list=True),
    ],
)
def test_only_a_plan_with_nothing_to_do_is_settled(todo: MembershipPlan) -> None:
    assert not todo.settled
    assert MembershipPlan().settled


# --- applied --------------------------------------------------------------------------------------

TEAMS = st.frozensets(st.sampled_from("1234"))
STATES = st.sampled_from(EdgeState)


@dataclass
class Account:
    """A contact's companies, of which an answer shows ten (here: two), and our edges."""

    companies: set[str]
    edges: dict[str, Membership] = field(default_factory=dict)
    listed: int = 0

    def sync(self, wanted: frozenset[str], *, mirror: bool) -> MembershipPlan:
        """One pass, as the engine applies a plan; returns what is left to do."""
        shown = self._shown()
        left = self._plan(wanted, shown, mirror)
        if left.must_list:
            self.listed += 1
            shown = Attached(frozenset(self.companies), complete=True)
            left = self._plan(wanted, shown, mirror)
        for team in left.attach:
            self.companies.add(f"co{team}")
            self.edges[team] = edge(team)
        self.companies -= {*left.detach}
        dropped = {*left.detach, *left.dropped}
        self.edges = {t: e for t, e in self.edges.items() if e.company_id not in dropped}
        known = frozenset(self.companies) if shown.complete else shown.company_ids
        attached = {f"co{team}" for team in left.attach}
        return self._plan(wanted, Attached(known | attached, shown.complete), mirror)

    def _shown(self) -> Attached:
        shown = sorted(self.companies)[:2]
        return Attached(frozenset(shown), len(shown) == len(self.companies))

    def _plan(self, wanted: frozenset[str], shown: Attached, mirror: bool) -> MembershipPlan:
        known = {team: f"co{team}" for team in "1234"}
        return plan_memberships(wanted, self.edges, known, shown, mirror=mirror)


@quick
@given(
    st.sets(st.sampled_from(["co1", "co2", "co3", "co4", "agency", "bank"])),
    st.dictionaries(st.sampled_from("1234"), STATES),
    st.lists(TEAMS, min_size=1, max_size=3),
    st.booleans(),
)
def test_any_memberships_settle_in_one_pass(
    companies: set[str], states: dict[str, EdgeState], lives: list[frozenset[str]], mirror: bool
) -> None:
    """Whatever was there, however a crash left our edges, however short the list is."""
    ours = edges(*(edge(t, s) for t, s in states.items() if s is not EdgeState.ATTACHED))
    account, strange = Account(companies, ours), companies - {f"co{team}" for team in "1234"}
    for wanted in lives:
        left = account.sync(wanted, mirror=mirror)

        assert left.settled
        assert {f"co{team}" for team in wanted} <= account.companies
        assert strange & account.companies == (set() if mirror else strange)
        assert account.sync(wanted, mirror=mirror).settled
    all_there = Attached(frozenset(account.companies), complete=True)
    known = {team: f"co{team}" for team in "1234"}
    seen = plan_memberships(lives[-1], account.edges, known, all_there, mirror=mirror)
    assert seen.attach == ()
    assert {*account.edges} <= {*lives[-1]}
