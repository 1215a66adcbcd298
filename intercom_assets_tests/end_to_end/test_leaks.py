"""No token, password or personal data is in what a demo leaves behind; a search that can find it.

Each kind of place is first given something that must not be there, and it must be found.
"""

import subprocess
import sys
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import unquote, urlsplit

import psycopg
import pytest

from intercom_assets.demo.world import TOKEN
from intercom_assets_tests.end_to_end.conftest import Demo
from intercom_assets_tests.end_to_end.leaks import found_in, leaks, spellings
from intercom_assets_tests.readme import README, block

SHORTEST = 6
"""Characters: shorter names are parts of other words."""


def people_of(demo: Demo) -> set[str]:
    """Names, addresses and telephone numbers, on either side, of everybody who was ever there."""
    columns = "select unnest(array[name, email, phone_number]) as told from users"
    rows = [str(row["told"]) for row in demo.sides.app.rows(columns) if row["told"]]
    contacts = demo.sides.intercom.contacts()
    values = [each[name] for each in contacts for name in ("name", "email", "phone") if each[name]]
    return {each for each in (*rows, *values) if len(each) >= SHORTEST}


def secrets_of(demo: Demo) -> set[str]:
    urls = demo.addresses.app_database, demo.addresses.dagster_database
    passwords = {unquote(urlsplit(url).password or "") for url in urls}
    return {TOKEN, *urls, *passwords} - {""}


@contextmanager
def planted(demo: Demo, where: str, secret: str) -> Iterator[None]:
    """Puts a secret where a careless line of code would have put it."""
    if where == "table":
        with psycopg.connect(demo.addresses.dagster_database, autocommit=True) as dagster:
            dagster.execute("insert into kvs (key, value) values ('planted', %s)", [secret])
            yield
            dagster.execute("delete from kvs where key = 'planted'")
    elif where == "command":
        sleep = [sys.executable, "-c", "import sys; sys.stdin.read()", secret]
        env = {"CONSIDERED_ZONE": str(demo.place)}
        with subprocess.Popen(sleep, env=env, stdin=subprocess.PIPE) as process:
            yield
            process.communicate()
    else:
        file = demo.place.parent / where
        kept = file.read_bytes() if file.exists() else None
        file.write_bytes((kept or b"") + f'\n{{"said": "{secret}"}}\n'.encode())
        yield
        file.unlink() if kept is None else file.write_bytes(kept)


def a_compute_log(demo: Demo) -> str:
    logs = sorted((demo.place / "dagster").rglob("*.err"))
    assert logs, "the demo's runs have logs"
    return str(logs[0].relative_to(demo.place.parent))


@pytest.mark.parametrize(
    "where", ["table", "command", "demo/processes/webserver.log", "tmp/left-over", "compute log"]
)
def test_what_is_planted_is_found(demo: Demo, where: str) -> None:
    place = a_compute_log(demo) if where == "compute log" else where
    shown_as = {"table": "table kvs", "command": "command line"}.get(where, f"file {place}")
    secret = f"planted-{uuid.uuid4()}"
    with planted(demo, place, secret):
        found = leaks(demo.place.parent, demo.addresses.dagster_database, [secret])

    assert found == {(shown_as, secret)}


@pytest.mark.parametrize("spelled", [r"Zo\u00eb \u00c5berg", "Zoë Åberg", "Zo%C3%AB%20%C3%85berg"])
def test_a_name_is_found_in_any_spelling(spelled: str) -> None:
    text = f'{{"error": "{spelled} is too long"}}'.encode()

    assert list(found_in(text, {"Zoë Åberg": spellings("Zoë Åberg")})) == ["Zoë Åberg"]


def test_no_secret_and_nobody_is_in_what_the_demo_leaves_behind(demo: Demo) -> None:
    people, secrets = people_of(demo), secrets_of(demo)
    assert len(people) > 400

    assert leaks(demo.place.parent, demo.addresses.dagster_database, people | secrets) == set()


def test_the_demo_prints_nobody_but_the_people_of_its_story(demo: Demo) -> None:
    """It also prints the address of its own database, which is removed with it."""
    of_the_story = block(README.read_text(), "story")
    others = {each: spellings(each) for each in people_of(demo) if each not in of_the_story}
    others[TOKEN] = spellings(TOKEN)

    assert set(found_in(demo.story.encode(), others)) == set()
