"""`explain` of one person to whom everything happened, and of somebody of whom nothing is known."""

import json
import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import LiteralString

from intercom_assets.mapping.load import SAMPLE
from intercom_assets.sync import environment
from intercom_assets_tests.cli.conftest import Shell
from intercom_assets_tests.database.mappings import run

ADA = "7"
ESCAPE = "\x1b[31mred\x1b[0m"


TAGS = "array['vip', 'beta'] as tags,\n    updated_at,"


def test_tags_of_ours_and_those_that_a_pass_would_move_are_told(
    shell: Shell, tmp_path: Path
) -> None:
    folder = tmp_path / "mapping"
    shutil.copytree(SAMPLE, folder)
    users = folder / "users.sql"
    users.write_text(users.read_text().replace("updated_at,", TAGS, 1))
    with_tags = {environment.INTERCOM_SYNC_CONFIG: str(folder)}
    assert shell.run("sync", "--user", ADA, **with_tags).exit_code == 0
    users.write_text(users.read_text().replace("'beta'", "'New'"))

    told = shell.run("explain", "--user", ADA, **with_tags).output
    document = json.loads(shell.run("explain", "--user", ADA, "--json", **with_tags).stdout)
    planned = shell.run("plan", "--user", ADA, **with_tags).output

    assert "Tags that the sync put on: beta, vip." in told
    assert "A pass would put on, since the app has them: new." in told
    assert "A pass would take off, since the app dropped them: beta." in told
    assert document["tags"] == {
        "ours": ["beta", "vip"],
        "would_put_on": ["new"],
        "would_take_off": ["beta"],
    }
    assert {"tagged"} <= {row["action"] for row in document["timeline"]}
    assert "Tags: 1 to put on, 1 to take off, 1 tag to make first." in planned
    assert "the app dropped it" in planned


def test_tags_of_a_team_are_told_likewise(shell: Shell, tmp_path: Path) -> None:
    folder = tmp_path / "mapping"
    shutil.copytree(SAMPLE, folder)
    teams = folder / "teams.sql"
    teams.write_text(teams.read_text().replace("updated_at,", TAGS, 1))
    with_tags = {environment.INTERCOM_SYNC_CONFIG: str(folder)}
    _app(shell, "insert into teams (id, domain) values (900, 'nine.example')")
    new = shell.run("plan", "--team", "900", **with_tags).output
    assert shell.run("sync", "--team", "900", **with_tags).exit_code == 0
    teams.write_text(teams.read_text().replace("'beta'", "'New'"))

    told = shell.run("explain", "--team", "900", **with_tags).output
    document = json.loads(shell.run("explain", "--team", "900", "--json", **with_tags).stdout)
    planned = shell.run("plan", "--team", "900", **with_tags).output
    plan = json.loads(shell.run("plan", "--team", "900", "--json", **with_tags).stdout)

    assert "Tags of companies: 2 to put on, 0 to take off." in new
    assert "Tags that the sync put on: beta, vip." in told
    assert "A pass would take off, since the app dropped them: beta." in told
    assert document["tags"]["would_put_on"] == ["new"]
    assert {"tagged"} <= {row["action"] for row in document["timeline"]}
    assert "Tags of companies: 1 to put on, 1 to take off." in planned
    assert "the app has it among the team's tags" in planned
    assert (plan["teams"]["tags"], plan["teams"]["untags"], plan["calls"]) == (1, 1, 3)
    assert (plan["details"][0]["tag"], plan["details"][0]["untag"]) == (["New"], ["beta"])


def _app(shell: Shell, statement: LiteralString) -> None:
    run(shell.variables[environment.APP_DATABASE_URL], statement)


def _sync(shell: Shell) -> None:
    done = shell.run("sync", "--user", ADA)
    assert done.exit_code in (0, 1), done.output


def _contact(shell: Shell) -> str:
    return next(str(c["id"]) for c in shell.intercom.contacts() if c["external_id"] == ADA)


def _lived_through_everything(shell: Shell) -> None:
    """Made; edited by hand; a field left out; mended; moved between teams; gone and returned."""
    _app(shell, "update users set name = null, phone_number = null where id = 7")
    _sync(shell)
    by_hand = shell.intercom.by_hand
    by_hand.edit_contact(_contact(shell), name=f"Ada {ESCAPE}", phone="+15550100")
    _look(shell)
    by_hand.edit_contact(_contact(shell), email="typed@by.hand")
    _look(shell)
    _app(shell, "update users set name = repeat('x', 300) where id = 7")
    _sync(shell)
    _app(shell, "update users set name = 'Ada', email = 'ada@new.example' where id = 7")
    _app(shell, "delete from memberships where user_id = 7")
    _sync(shell)
    _app(shell, "insert into memberships (user_id, team_id) values (7, 1)")
    _sync(shell)
    _app(shell, "update users set deleted_at = now() where id = 7")
    _sync(shell)
    _app(shell, "update users set deleted_at = null where id = 7")
    _sync(shell)


def _look(shell: Shell) -> None:
    """As Intercom's own changes are noticed: the user is read before it is decided."""
    _app(
        shell,
        "insert into intercom_sync.queue (kind, key, lane, cause, needs_read)"
        " values ('user', '7', 0, 'intercom', true) on conflict (kind, key)"
        " do update set needs_read = true",
    )
    _sync(shell)


def test_a_long_awkward_history_is_told_in_order_and_whole(shell: Shell) -> None:
    _lived_through_everything(shell)

    answer = shell.run("explain", "--user", ADA)
    story = json.loads(shell.run("explain", "--user", ADA, "--json").output)

    assert answer.exit_code == 0
    entries = story["timeline"][::-1]
    fields = [(entry["action"], entry["field"]) for entry in entries]
    milestones = [
        ("created", None),
        ("pulled", "name"),
        ("overruled", "email"),
        ("left out", "name"),
        ("pushed", "email"),
        ("attached", None),
        ("pushed", "deleted"),
    ]
    places = [max(at for at, each in enumerate(fields) if each == one) for one in milestones]
    assert places == sorted(places), fields
    assert fields.count(("pushed", "deleted")) == 3  # made, gone, returned
    assert fields.count(("detached", None)) >= 1
    overruled = next(entry for entry in entries if entry["action"] == "overruled")
    assert (overruled["old"], overruled["new"]) == ("typed@by.hand", overruled["base"])
    assert overruled["request_id"]
    assert [entry["at"] for entry in entries] == sorted(entry["at"] for entry in entries)
    assert answer.output.count("OVERRULED") == 1
    assert ESCAPE not in answer.output
    assert max(map(len, answer.output.splitlines())) <= 120


def test_the_timeline_can_be_cut_and_says_so(shell: Shell) -> None:
    _lived_through_everything(shell)

    answer = shell.run("explain", "--user", ADA, "--last", "2")

    assert answer.output.count("when, UTC") <= 2
    assert "--last" in answer.output


def test_of_somebody_unknown_it_says_so(shell: Shell) -> None:
    answer = shell.run("explain", "--user", "nobody")

    assert answer.exit_code == 1
    assert answer.output == (
        "Error: Nothing is known of user nobody: not in the app, nor in the journal.\n"
    )


def test_a_known_wait_is_told_by_explain_and_by_status(shell: Shell) -> None:
    _sync(shell)
    shell.intercom.by_hand.delete_contact(_contact(shell))
    _look(shell)

    [answer] = json.loads(shell.run("status", "--json").output)["parked"]
    story = json.loads(shell.run("explain", "--user", ADA, "--json").output)
    days = datetime.fromisoformat(answer["tried_again_at"]) - datetime.now(UTC)

    assert timedelta(days=7.9) < days < timedelta(days=8)
    assert story["queue"]["tried_again_at"] == answer["tried_again_at"]
    moment = answer["tried_again_at"].replace("T", " ")[:19]
    assert f"It is retried at {moment} UTC" in shell.run("explain", "--user", ADA).output
    assert moment[:10] in shell.run("status").output


def test_a_team_is_explained_as_a_user_is(shell: Shell) -> None:
    shell.run("sync", "--team", "3")
    _app(shell, "update teams set domain = 'meadow.example' where id = 3")
    shell.run("sync", "--team", "3")
    [company] = [c for c in shell.intercom.companies() if c["company_id"] == "3"]

    answer = shell.run("explain", "--team", "3")
    story = json.loads(shell.run("explain", "--team", "3", "--json").output)

    assert answer.exit_code == 0
    assert answer.output.startswith(f"Team 3 is company {company['id']}, read at ")
    assert "What was done, newest first" in answer.output
    assert (story["team"], story["company"]) == ("3", company["id"])
    assert story["timeline"][-1]["action"] == "created"
    renamed = story["timeline"][0]
    assert (renamed["action"], renamed["field"], renamed["new"]) == (
        "pushed",
        "name",
        "meadow.example",
    )
    assert all(each["would_write_to"] is None for each in story["fields"])


def test_a_users_field_that_nobody_can_write_is_told_as_a_teams_is(shell: Shell) -> None:
    _app(shell, "update users set plan = 'team' where id = 7")
    shell.intercom.by_hand.create_attribute("subscription_plan", data_type="boolean")
    _sync(shell)

    story = json.loads(shell.run("explain", "--user", ADA, "--json").output)

    assert story["left_out"]["subscription_plan"]["reason"] == "barred"
    decided = {each["field"]: each["would_write_to"] for each in story["fields"]}
    assert decided.get("subscription_plan") is None


def test_a_team_that_waits_or_is_gone_says_so(shell: Shell) -> None:
    shell.run("sync", "--team", "3")
    _app(shell, "delete from memberships where team_id = 3")
    _app(shell, "delete from teams where id = 3")
    _app(
        shell,
        "insert into intercom_sync.queue (kind, key, lane, cause) values ('team', '3', 0, 'test')"
        " on conflict do nothing",
    )

    answer = shell.run("explain", "--team", "3").output

    assert "The app has no such team." in answer
    assert "It has been waiting in the queue since" in answer


def test_one_user_or_one_team_is_named(shell: Shell) -> None:
    for named in ((), ("--user", "7", "--team", "3")):
        answer = shell.run("explain", *named)

        assert answer.exit_code == 2
        assert "Name one user (--user ID) or one team (--team ID)." in answer.output
    assert "Nothing is known of team nobody" in shell.run("explain", "--team", "nobody").output
