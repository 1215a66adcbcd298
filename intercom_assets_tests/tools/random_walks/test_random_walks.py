"""Anything happens on both sides, in any order and under any settings; both are judged afterwards.

A few walks of `intercom_assets_tests.tools.random_walks`, whose command takes as many as one has
time for.
"""

from pathlib import Path

import pytest

from intercom_assets_tests.tools.random_walks.script import Round, Step, Walk, a_walk
from intercom_assets_tests.tools.random_walks.walking import Broken, take


@pytest.mark.parametrize("seed", [5, 49, 54])
def test_after_a_walk_both_sides_are_as_the_policies_say(
    database: str, tmp_path: Path, seed: int
) -> None:
    """Which walk a seed is changes whenever a move is added."""
    take(a_walk(seed), database, tmp_path / "mapping")


def test_the_judge_finds_what_the_engine_was_kept_from_doing(
    database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("intercom_assets.sync.passes.users.chunk.second_calls", lambda *_: None)

    steps = (Step("insert", 1), Step("team_insert", other=1), Step("join", 1, other=1))
    with pytest.raises(Broken):
        take(Walk(0, rounds=(Round(steps),)), database, tmp_path / "mapping")


@pytest.mark.parametrize(
    ("broken", "found"),
    [
        ("domain.opt_outs.OptOut.written_to", "is opted out: .*, by nobody"),
        (
            "sync.passes.users.contact_writes.patched",
            "its e-mail is verified: False in the app, True in Intercom",
        ),
        ("domain.owners.Admins.owner", "owner_email is left out for no good reason"),
    ],
)
def test_the_judge_finds_what_a_contact_does_not_carry(
    database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, broken: str, found: str
) -> None:
    instead = {
        "domain.opt_outs.OptOut.written_to": lambda self, *_: self,
        "sync.passes.users.contact_writes.patched": lambda standard, *_: {
            name: value for name, value in standard.items() if value is not False
        },
        "domain.owners.Admins.owner": lambda *_: None,
    }
    monkeypatch.setattr(f"intercom_assets.{broken}", instead[broken])
    rounds = (
        Round((Step("insert", 1), Step("app_verified", 1, value=True))),
        Round((Step("app_opt_out", 1, value=True), Step("app_verified", 1, value=False))),
        Round((Step("app_opt_out", 1, value=False),)),
        Round((Step("app_owner", 1, value="pat@example.com"),)),
    )
    with pytest.raises(Broken, match=found):
        take(Walk(0, rounds=rounds), database, tmp_path / "mapping")


@pytest.mark.parametrize(
    ("move", "found"),
    [("app_tags", "user 1: carries the tags"), ("app_team_tags", "team 1: carries the tags")],
)
def test_the_judge_finds_tags_that_the_app_dropped_and_that_are_still_on(
    database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, move: str, found: str
) -> None:
    monkeypatch.setattr("intercom_assets.domain.tags._may_be_there", lambda *_: False)
    rounds = (
        Round((Step("insert", 1), Step("team_insert", other=1), Step(move, value=("vip",)))),
        Round((Step(move, value=()),)),
    )

    with pytest.raises(Broken, match=rf"{found} \['vip .*'\] and not \[\]"):
        take(Walk(0, rounds=rounds), database, tmp_path / "mapping")


HAND = Walk(
    seed=0,
    rounds=(
        Round((Step("insert", 1), Step("team_insert", other=1))),
        Round((Step("tag", value="vip"), Step("team_tag", value="vip"))),
        Round((Step("app_tags", value=("VIP ",)), Step("app_team_tags", value=("VIP ",)))),
        Round((Step("rename_tag", value=("vip", "gold")),)),
        Round((Step("app_tags", value=("gold",)), Step("app_team_tags", value=("gold",)))),
        Round((Step("delete_tag", value="gold"),)),
        Round((Step("app_tags", value=()), Step("app_team_tags", value=()))),
    ),
)


def test_tags_by_hand_and_of_the_app_go_their_own_ways(database: str, tmp_path: Path) -> None:
    take(HAND, database, tmp_path / "mapping")


LEFT_OUT = Walk(
    seed=0,
    rounds=(
        Round((Step("insert", 1), Step("team_insert", other=1), Step("app_name", 1, value="Ada"))),
        Round((Step("contest", 1, value="subscription_plan"), Step("join", 1, other=1))),
        Round((Step("app_long_name", 1, value="L"), Step("app_email", 1, value="new@example.com"))),
        Round((Step("app_name", 1, value="Ada L."), Step("app_plan", 1, value="business"))),
        Round((Step("contest", 1, value="email"), Step("app_long_name", 1, value="M"))),
        Round((Step("soft_delete", 1), Step("leave", 1, other=1))),
    ),
)


def test_a_field_that_is_left_out_for_a_reason_may_differ(database: str, tmp_path: Path) -> None:
    take(LEFT_OUT, database, tmp_path / "mapping")


def test_leads_of_an_address_that_another_contact_holds_may_be_left(
    database: str, tmp_path: Path
) -> None:
    rounds = (
        Round((Step("named_lead", 4, value="Lead One"),)),
        Round((Step("insert", 4, value=True),)),
    )

    take(Walk(0, simulated={"equal_email": "always"}, rounds=rounds), database, tmp_path / "m")


@pytest.mark.parametrize(
    ("rule", "field"), [("CONTESTED_TIMES", "subscription_plan"), ("LONGEST", "name")]
)
def test_the_judge_finds_a_field_that_is_left_out_for_no_good_reason(
    database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, rule: str, field: str
) -> None:
    monkeypatch.setattr(f"intercom_assets_tests.tools.random_walks.verdict_on_users.{rule}", 1_000)

    with pytest.raises(Broken, match=f"{field} is left out for no good reason"):
        take(LEFT_OUT, database, tmp_path / "mapping")
