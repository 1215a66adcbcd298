"""`plan`: the whole of what a sync would do, and nothing of it done."""

import json
import re
import shutil
from datetime import UTC, datetime
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from intercom_assets.cli.output.progress import Bars, progress_on
from intercom_assets.database.store.store import Store
from intercom_assets.mapping.load import SAMPLE
from intercom_assets.sync.context.probed import Probed, write_probed
from intercom_assets.sync.engine import bulk, bulk_users
from intercom_assets_tests.builders import insert_user
from intercom_assets_tests.cli.conftest import Shell, forget_everything
from intercom_assets_tests.database.mappings import rows, run
from intercom_assets_tests.mapping_folders import a_folder
from intercom_assets_tests.roles import a_role

ONLY_READS = (
    "select on all tables in schema public",
    "usage on schema intercom_sync",
    "select on all tables in schema intercom_sync",
)


def url(shell: Shell) -> str:
    return shell.variables["APP_DATABASE_URL"]


def planned(shell: Shell, *options: str, **variables: str) -> dict[str, Any]:
    done = shell.run("plan", "--json", *options, **variables)
    assert done.exit_code == 0, done.output
    document: dict[str, Any] = json.loads(done.stdout)
    return document


def test_it_foretells_the_first_sync_and_a_role_that_can_only_read_is_enough(
    shell: Shell,
) -> None:
    with a_role(url(shell), *ONLY_READS) as reader:
        plan = planned(shell, APP_DATABASE_URL=reader)
    assert shell.intercom.stats()["writes"] == 0
    before = shell.intercom.stats()["calls"]

    done = json.loads(shell.run("sync", "--all", "--json").stdout)

    contacts, companies = shell.intercom.contacts(), shell.intercom.companies()
    assert plan["users"]["creates"] == len(contacts) == done["users"]["statuses"]["changed"]
    assert plan["teams"]["actions"] == {"create": len(companies)}
    assert plan["users"]["attaches"] == sum(len(c["companies"]["data"]) for c in contacts)
    assert len(plan["attributes_to_make"]) == len(shell.intercom.attributes())
    assert plan["calls"] == pytest.approx(shell.intercom.stats()["calls"] - before, rel=0.15)
    settled = planned(shell)
    assert settled["users"]["actions"] == {"none": 20}
    assert settled["teams"]["actions"] == {"none": 5}


def test_of_a_named_user_it_shows_every_value_old_and_new(shell: Shell) -> None:
    shell.run("sync", "--all")
    run(url(shell), "update users set name = 'Ada Before', plan = 'team' where id = 14")
    shell.run("sync", "--user", "14")
    run(url(shell), "update users set name = 'Ada After' where id = 14")
    run(url(shell), "insert into teams (domain) values ('new.example')")
    run(url(shell), "insert into memberships (user_id, team_id) select 14, max(id) from teams")
    before = shell.intercom.stats()["writes"]

    plan = planned(shell, "--user", "14")
    printed = shell.run("plan", "--user", "14").stdout

    user, team = plan["details"]
    assert [(c["field"], c["old"], c["new"]) for c in user["changes"]] == [
        ("name", "Ada Before", "Ada After")
    ]
    assert user["attach"] == [team["team"]]
    assert team["action"] == "create"
    assert plan["calls"] == 3
    assert "Ada Before" in printed
    assert "Ada After" in printed
    assert shell.intercom.stats()["writes"] == before


def test_of_everybody_it_shows_no_value_of_a_person(shell: Shell) -> None:
    printed = shell.run("plan").output + json.dumps(planned(shell))

    emails = [email for (email,) in rows(url(shell), "select email from users") if email]
    assert emails
    assert not [email for email in emails if email in printed]


def test_contacts_that_are_there_already_do_not_look_new(shell: Shell) -> None:
    shell.run("sync", "--all")
    forget_everything(shell)
    run(url(shell), "update users set plan = 'business' where id = 3")

    plan = planned(shell)

    assert plan["users"]["actions"] == {"update": 1, "none": 18, "find": 1}
    # No listing of Intercom's shows a company that has no users.
    assert plan["teams"]["actions"] == {"none": 4, "create": 1}
    assert plan["calls"] == 3
    assert rows(url(shell), "select count(*) from intercom_sync.user_link") == [(0,)]


def test_a_named_user_is_looked_up(shell: Shell) -> None:
    shell.run("sync", "--user", "3")
    forget_everything(shell)

    assert planned(shell, "--user", "3")["users"]["creates"] == 0


@pytest.mark.parametrize("token", ["", "wrong"])
def test_without_intercom_it_says_what_it_could_not_know(shell: Shell, token: str) -> None:
    done = shell.run("plan", INTERCOM_ACCESS_TOKEN=token)

    assert done.exit_code == (1 if token else 0)
    assert re.search(r"Intercom (was not|could not be) asked", done.stdout)
    assert "look new in this plan" in done.stdout
    assert "19 to create" in done.stdout


def test_leads_that_would_be_merged_are_found_and_left_as_they_are(shell: Shell) -> None:
    lead = shell.intercom.by_hand.create_contact(role="lead", email="new@example.com")
    user = insert_user(url(shell), email="new@example.com", created_at=datetime.now(UTC))

    plan = planned(shell, "--user", str(user))

    assert plan["users"]["merges"] == 1
    assert plan["details"][0]["merge"] == [lead]
    assert lead in {contact["id"] for contact in shell.intercom.contacts()}
    assert "1 found to merge" in shell.run("plan", "--user", str(user)).stdout


def test_columns_that_left_the_mapping_are_listed_with_how_many_keep_a_value(
    shell: Shell, tmp_path: Path
) -> None:
    shell.run("sync", "--all")
    folder = tmp_path / "mapping"
    shutil.copytree(SAMPLE, folder)
    users = (folder / "users.sql").read_text()
    (folder / "users.sql").write_text(users.replace("    plan as subscription_plan,\n", ""))

    plan = planned(shell, INTERCOM_SYNC_CONFIG=str(folder))
    printed = shell.run("plan", INTERCOM_SYNC_CONFIG=str(folder)).stdout

    assert plan["left_the_mapping"] == {"subscription_plan": 19}
    assert "subscription_plan is no longer in the mapping: its value stays in Intercom" in printed


def test_minutes_are_those_of_the_limit_that_intercom_tells(shell: Shell) -> None:
    usual = planned(shell)["minutes"]
    shell.intercom.set(rate_limit_per_window=166)

    assert planned(shell)["minutes"] > 5 * usual


def test_its_id_lets_a_sync_go_past_a_guard(shell: Shell, tmp_path: Path) -> None:
    folder = tmp_path / "mapping"
    shutil.copytree(SAMPLE, folder)
    with (folder / "sync.yaml").open("a") as settings:
        settings.write("\nchunk_size: 5\nguards: {above: 10, creates: 10}\n")
    mapping = {"INTERCOM_SYNC_CONFIG": str(folder)}

    stopped = shell.run("sync", "--all", **mapping)
    assert stopped.exit_code == 1
    assert "creates 19 contacts (the guard is 10)" in stopped.stderr
    assert shell.intercom.contacts() == []
    assert shell.intercom.companies() == []

    plan = planned(shell, **mapping)
    accepted = plan["plan"]
    assert accepted in stopped.stderr
    assert plan["past_guards"] == ["creates 19 contacts (the guard is 10)"]
    assert f"sync --all --accept {accepted}" in shell.run("plan", **mapping).stdout
    smaller = accepted.replace("creates19", "creates5")
    again = shell.run("sync", "--all", "--accept", smaller, **mapping)
    assert again.exit_code == 1
    assert f"is more, or of another mapping, than plan {smaller}" in again.stderr
    assert shell.intercom.stats()["writes"] == 0
    assert shell.run("sync", "--all", "--accept", accepted, **mapping).exit_code == 0
    assert len(shell.intercom.contacts()) == 19


def test_a_batch_of_one_chunk_is_guarded_too(shell: Shell, tmp_path: Path) -> None:
    guards = a_folder(tmp_path, sync="...guards: {above: 10, creates: 10}")

    stopped = shell.run("sync", "--all", INTERCOM_SYNC_CONFIG=str(guards))

    assert stopped.exit_code == 1
    assert "creates 19 contacts (the guard is 10)" in stopped.stderr
    assert shell.intercom.stats()["writes"] == 0


def test_one_user_tried_before_is_no_breach_when_everybody_follows(
    shell: Shell, tmp_path: Path
) -> None:
    """The documented way: `sync --user ID`, then `sync --all`."""
    above = {"INTERCOM_SYNC_CONFIG": str(a_folder(tmp_path, sync="...guards: {above: 10}"))}
    shell.run("sync", "--user", "14", **above)
    run(url(shell), "update users set plan = 'business' where id = 14")

    assert shell.run("sync", "--all", **above).exit_code == 0
    assert len(shell.intercom.contacts()) == 19


def test_a_moment_is_shown_as_one_and_a_flag_as_yaml_has_it(shell: Shell) -> None:
    run(url(shell), "update users set created_at = '2026-03-05 10:00:00.5+00' where id = 14")

    printed = shell.run("plan", "--user", "14").stdout

    assert re.search(r"created_at .* 2026-03-05 10:00:00 UTC", printed)
    assert re.search(r"deleted .* false ", printed)


def test_a_value_that_is_unfit_is_left_out_and_its_user_is_planned(
    shell: Shell, tmp_path: Path
) -> None:
    users = "select id, email, case when id = 3 then 'NaN'::float8 end as ratio from users"
    folder = a_folder(tmp_path, users=users, sync="capture: polling\nwrite_back: off")

    printed = shell.run("plan", INTERCOM_SYNC_CONFIG=str(folder)).stdout

    assert "20 users: 20 to create\n" in printed
    assert not re.search(r"^User 3:", printed, re.MULTILINE)
    assert "│ ratio" not in printed


def test_what_is_left_out_of_whom_is_told_with_the_reason(shell: Shell, tmp_path: Path) -> None:
    users = "select id, email, case when id in (3, 8) then 'NaN'::float8 end as ratio from users"
    folder = str(a_folder(tmp_path, users=users, sync="capture: polling\nwrite_back: off"))

    user = planned(shell, "--user", "3", INTERCOM_SYNC_CONFIG=folder)["details"][0]
    printed = shell.run("plan", "--user", "3", INTERCOM_SYNC_CONFIG=folder).stdout
    of_all = shell.run("plan", INTERCOM_SYNC_CONFIG=folder).stdout

    assert user["left_out"].keys() == {"ratio"}
    assert "ratio" in user["left_out"]["ratio"]
    assert re.search(r"ratio .*LEFT OUT", printed)
    assert "Left out; everything else is synced: ratio of 2." in of_all
    assert planned(shell, INTERCOM_SYNC_CONFIG=folder)["left_out"] == {"ratio": 2}


def test_a_field_that_intercom_refused_is_told_of_user_and_team(shell: Shell) -> None:
    run(url(shell), "update users set plan = 'team' where id = 14")
    run(url(shell), "update teams set plan = 'business' where id = 1")
    for model, name in (("contact", "subscription_plan"), ("company", "other")):
        shell.intercom.by_hand.create_attribute(name, model, "boolean")
    shell.run("sync", "--user", "14")

    [user] = planned(shell, "--user", "14")["details"]

    assert "is of type boolean in Intercom" in user["left_out"]["subscription_plan"]
    assert planned(shell, "--team", "1")["details"][0]["left_out"] == {}


def test_what_takes_long_has_a_bar() -> None:
    screen = StringIO()
    with progress_on(Console(file=screen, force_terminal=True, width=100), True) as progress:
        bars = Bars(progress)
        bars.advance("contacts", 150)
        bars.expect("users", 2)
        bars.advance("users")

    assert "contacts" in screen.getvalue()
    assert "1/2" in screen.getvalue()


def _edited_by_an_agent(shell: Shell, **changes: Any) -> str:
    shell.run("sync", "--all")
    [contact] = [c["id"] for c in shell.intercom.contacts() if c["external_id"] == "14"]
    shell.intercom.by_hand.edit_contact(contact, **changes)
    return str(contact)


def test_a_named_user_is_looked_at_and_what_an_agent_changed_is_told(shell: Shell) -> None:
    _edited_by_an_agent(shell, email="typed@by.hand", name="By Hand")
    before = shell.intercom.stats()

    plan = planned(shell, "--user", "14")
    printed = shell.run("plan", "--user", "14").stdout

    [user] = plan["details"]
    edits = {edit["field"]: edit["now"] for edit in user["edited_in_intercom"]}
    assert edits == {"email": "typed@by.hand", "name": "By Hand"}
    assert {c["field"] for c in user["changes"]} == {"email", "name"}
    assert "somebody changed it there" in printed
    assert shell.intercom.stats()["writes"] == before["writes"]
    assert plan["intercom_looked_at"] is True


def test_a_named_user_whose_contact_is_gone_is_planned_anew(shell: Shell) -> None:
    shell.run("sync", "--all")
    contact = next(c["id"] for c in shell.intercom.contacts() if c["external_id"] == "14")
    shell.intercom.by_hand.archive_contact(contact)

    [user] = planned(shell, "--user", "14")["details"]

    assert (user["action"], user["contact_lost"]) == ("create", True)


def test_of_everybody_it_says_that_intercom_was_not_looked_at_and_looks_if_told_to(
    shell: Shell,
) -> None:
    _edited_by_an_agent(shell, email="typed@by.hand")

    assert "Intercom was not read" in shell.run("plan").stdout
    assert planned(shell)["edited_in_intercom"] == {}
    looked = planned(shell, "--look")
    assert looked["edited_in_intercom"] == {"email": 1}
    assert looked["users"]["changes"] == 1
    assert "Intercom was not read" not in shell.run("plan", "--look").stdout


@pytest.mark.parametrize(
    "variables",
    [{"INTERCOM_ACCESS_TOKEN": "not-the-token"}, {"INTERCOM_BASE_URL": "http://127.0.0.1:9"}],
    ids=["a token that is refused", "an address that nobody answers"],
)
def test_where_intercom_cannot_be_asked_the_rest_is_printed_and_the_exit_code_is_1(
    shell: Shell, variables: dict[str, str]
) -> None:
    done = shell.run("plan", **variables)

    assert done.exit_code == 1
    assert "Intercom could not be asked" in done.stdout
    assert "20 users" in done.stdout


def test_without_a_token_nothing_failed(shell: Shell) -> None:
    done = shell.run("plan", INTERCOM_ACCESS_TOKEN="")

    assert done.exit_code == 0
    assert "Intercom was not asked" in done.stdout


# --- by bulk --------------------------------------------------------------------------------------


@pytest.fixture
def few_are_many(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bulk, "LEAST_USERS", 3)
    monkeypatch.setattr(bulk_users, "LEAST_ITEMS", 3)


@pytest.mark.usefixtures("few_are_many")
def test_both_ways_are_told_with_their_calls_and_minutes(shell: Shell, tmp_path: Path) -> None:
    on = {"INTERCOM_SYNC_CONFIG": str(a_folder(tmp_path, sync="...bulk: preview"))}

    off, preview = shell.run("plan").stdout, shell.run("plan", **on).stdout
    document = planned(shell, **on)

    assert "bulk: preview in sync.yaml would make it about" in off
    assert "By bulk, as sync.yaml says: about" in preview
    assert "users a hundred to a call" in preview
    assert document["by_bulk"]["on"] is True
    assert document["by_bulk"]["calls"] < document["calls"]
    assert document["by_bulk"]["minutes"] < document["minutes"]


@pytest.mark.usefixtures("few_are_many")
def test_it_foretells_what_goes_by_bulk(shell: Shell, tmp_path: Path) -> None:
    on = {"INTERCOM_SYNC_CONFIG": str(a_folder(tmp_path, sync="...bulk: preview"))}
    foretold = planned(shell, **on)["by_bulk"]

    shell.run("sync", "--all", **on)

    stats = shell.intercom.stats()
    assert stats["calls_by_endpoint"]["POST /contacts/bulk"] == 1
    assert foretold["users"] == stats["bulk"]["items"]
    assert len(shell.intercom.contacts()) == 19


@pytest.mark.usefixtures("few_are_many")
def test_where_bulk_saves_nothing_the_plan_says_so(shell: Shell, tmp_path: Path) -> None:
    with Store(url(shell)) as store:
        write_probed(store, Probed(items_count_as_calls=True))

    printed = shell.run("plan").stdout

    assert "Not by bulk: each item counts as a call here" in printed


def test_of_few_users_nothing_is_said_of_bulk(shell: Shell) -> None:
    assert planned(shell)["by_bulk"] is None
    assert "bulk" not in shell.run("plan").stdout
