"""What PostgreSQL refuses is one sentence of every command; what still works then."""

import re
import secrets
import shutil
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import psycopg
import pytest

from intercom_assets.database.failures import address_problem
from intercom_assets.demo.sample_app import seed
from intercom_assets.supervision.postgres import EmbeddedPostgres
from intercom_assets_tests.cli.conftest import Shell
from intercom_assets_tests.conftest import HOME_PREFIX
from intercom_assets_tests.database.mappings import run
from intercom_assets_tests.places import roomy_place
from intercom_assets_tests.template import fill_template

DAGSTER_YAML = "telemetry: {enabled: false}\nstorage: {postgres: {postgres_url: {env: %s}}}\n"


@pytest.fixture
def home(tmp_path: Path) -> str:
    (tmp_path / "dagster.yaml").write_text(DAGSTER_YAML % "DAGSTER_DATABASE_URL")
    return str(tmp_path)


@pytest.fixture(scope="module")
def replica() -> Iterator[str]:
    """The address of a hot standby of a server with the sample app and 20 people in it."""
    place = roomy_place()
    name = f"{HOME_PREFIX}{secrets.token_hex(4)}"
    primary = EmbeddedPostgres(place / f"{name}-primary")
    home = place / f"{name}-replica"
    standby = EmbeddedPostgres(home)
    with primary:
        fill_template(primary.url())
        seed(primary.url(), users=20, teams=5)
        account, binaries = primary._account, primary._binaries
        assert binaries is not None
        home.mkdir(mode=0o700)
        account.own(home)
        copied = account.run(
            [
                binaries / "pg_basebackup", "--pgdata", str(home / "data"), "--write-recovery-conf",
                "--checkpoint", "fast", "--dbname", primary.url(),
            ],
            cwd=home,
        )  # fmt: skip
        assert copied.returncode == 0, copied.stderr
        shutil.copy(primary.home / "password", home / "password")
        (home / "server.log").touch()
        for name in ("password", "server.log"):
            account.own(home / name)
        with standby:
            yield standby.url()
        standby.remove()
    primary.remove()


@pytest.mark.parametrize(
    "command",
    [("status",), ("explain", "--user", "7"), ("plan",), ("plan", "--user", "7")],
    ids=str,
)
def test_what_only_shows_works_on_a_replica(
    shell: Shell, replica: str, command: tuple[str, ...]
) -> None:
    done = shell.run(*command, APP_DATABASE_URL=replica)

    assert (done.exit_code, done.stderr) == (0, "")


@pytest.mark.parametrize(
    "command",
    [
        ("sync", "--user", "7"), ("sync", "--all"), ("retry", "--all"), ("remove-capture",),
        ("erase", "--user", "7", "--yes"),
    ],
    ids=" ".join,
)  # fmt: skip
def test_what_writes_says_in_one_sentence_that_a_replica_takes_no_writes(
    shell: Shell, replica: str, command: tuple[str, ...]
) -> None:
    done = shell.run(*command, APP_DATABASE_URL=replica)

    assert (done.exit_code, done.stderr.count("\n")) == (1, 1)
    assert "read-only transaction" in done.stderr or "during recovery" in done.stderr


@pytest.mark.parametrize("code", ["53100", "53200", "57P01", "57P03", "42883", "0A000", "XX000"])
def test_whatever_our_database_refuses_is_one_sentence(shell: Shell, code: str) -> None:
    """Out of disk or memory, shutting down, starting up, a lacking function, a fault of its own."""
    run(
        shell.variables["APP_DATABASE_URL"],
        "create function refuse() returns trigger language plpgsql as "
        "$$ begin raise exception 'could not extend file' using errcode = tg_argv[0]; end $$",
    )
    run(
        shell.variables["APP_DATABASE_URL"],
        f"create trigger refuse before insert or update on intercom_sync.queue "
        f"for each statement execute function refuse('{code}')",
    )

    done = shell.run("sync", "--user", "7")

    assert (done.exit_code, done.stderr.count("\n")) == (1, 1)
    assert "could not extend file" in done.stderr


def test_a_role_that_reads_by_default_can_show(shell: Shell) -> None:
    url = shell.variables["APP_DATABASE_URL"]
    with psycopg.connect(url, autocommit=True) as connection:
        name = connection.info.dbname
        connection.execute(
            f'alter database "{name}" set default_transaction_read_only = on'.encode()
        )

    assert shell.run("status").exit_code == 0
    assert shell.run("plan", "--user", "7").exit_code == 0


def test_a_dagster_database_that_is_not_named_is_told_by_its_variable(
    shell: Shell, home: str
) -> None:
    done = shell.run("init-db", DAGSTER_HOME=home, DAGSTER_DATABASE_URL="")

    assert (done.exit_code, done.stderr.count("\n")) == (1, 1)
    assert done.stderr.startswith("Error: DAGSTER_DATABASE_URL is not set, and ")


def test_a_dagster_database_that_does_not_exist_is_offered_to_be_made(
    shell: Shell, home: str
) -> None:
    url = shell.variables["APP_DATABASE_URL"].rpartition("/")[0] + "/nowhere_at_all"

    done = shell.run("init-db", DAGSTER_HOME=home, DAGSTER_DATABASE_URL=url)

    assert (done.exit_code, done.stderr.count("\n")) == (1, 1)
    assert "DAGSTER_DATABASE_URL names the database nowhere_at_all, which does not" in done.stderr
    assert "`createdb nowhere_at_all`" in done.stderr
    found = shell.run("check", DAGSTER_HOME=home, DAGSTER_DATABASE_URL=url)
    assert "createdb nowhere_at_all" in found.stdout


def test_a_dagster_database_that_is_down_is_one_sentence(shell: Shell, home: str) -> None:
    url = "postgresql://me:hush-hush@127.0.0.1:9/dagster"

    done = shell.run("init-db", DAGSTER_HOME=home, DAGSTER_DATABASE_URL=url)

    assert (done.exit_code, done.stderr.count("\n")) == (1, 1)
    assert done.stderr.startswith("Error: DAGSTER_DATABASE_URL: Dagster's database dagster cannot")
    assert "hush" not in done.output


@pytest.mark.parametrize(
    "password", ["s@cret", "s/cret", "s@c/r#e?t", "s cret", "100%", "%zz", "@@"]
)
def test_a_password_that_is_not_percent_encoded_is_told_once_and_not_shown(
    shell: Shell, home: str, password: str
) -> None:
    url = f"postgresql://ann:{password}@db.example.com:5432/app"

    for command in (("status",), ("sync", "--all"), ("install-capture",), ("init-db",), ("plan",)):
        done = shell.run(*command, APP_DATABASE_URL=url)
        assert (done.exit_code, done.stderr.count("\n")) == (1, 1)
        assert "percent-encode it" in done.stderr
        assert not {part for part in ("cret", "100", "zz") if part in done.output}
    checked = shell.run("check", APP_DATABASE_URL=url)
    assert checked.stdout.count("percent-encode") == 1
    dagster = shell.run("init-db", DAGSTER_HOME=home, DAGSTER_DATABASE_URL=url)
    assert "DAGSTER_DATABASE_URL: the user name or password holds" in dagster.stderr


@pytest.mark.parametrize(
    "url",
    [
        f"postgresql://u:{quote('@#/?: %', safe='')}@h:5432/x",
        "postgresql://u:p#w?@h/x", "postgres://u:pa:ss@[::1]:5432/x", "postgresql://h:5432/x",
        "postgresql://u@h/x?application_name=a@b", "host=h password=a@b/c", "postgresql:///x",
    ],
)  # fmt: skip
def test_addresses_that_can_be_read_are_left_alone(url: str) -> None:
    assert address_problem(url) is None


@pytest.mark.parametrize(
    ("url", "sentence"),
    [
        ("postgresql+psycopg://ann:hush@h/x", "names a driver"),
        ("postgresql://ann:hush@h/x?schema=public", "schema, after .* leave it out .*search_path"),
        (
            "postgresql://ann:hush@h/x?pgbouncer=true&connection_limit=1",
            "pgbouncer and connection_",
        ),
        ("postgres://ann:hush@h/x?sslmode=require&ssl=true", "ssl, after .*sslmode=require asks"),
        ("postgresql://ann:hush@h/x?serverVersion=16&charset=utf8", "serverVersion and charset"),
        ("jdbc:postgresql://h/x", "Java's: write it as postgresql://user"),
        ("Host=h;Database=x;Username=ann;Password=hush", r"\.NET's: write"),
        ("'postgresql://ann:hush@h/x'", "quotation mark"),
        ("mysql://ann:hush@h/x", "no address of PostgreSQL's"),
    ],
)
def test_an_address_in_another_programs_form_is_told_what_to_change(
    shell: Shell, home: str, url: str, sentence: str
) -> None:
    for command in (("plan",), ("status",), ("init-db",), ("install-capture",)):
        done = shell.run(*command, APP_DATABASE_URL=url)
        assert (done.exit_code, done.stderr.count("\n")) == (1, 1)
        assert re.search(f"APP_DATABASE_URL.*: .*{sentence}", done.stderr), done.stderr
        assert "hush" not in done.output
    dagster = shell.run("init-db", DAGSTER_HOME=home, DAGSTER_DATABASE_URL=url)
    assert re.search(f"DAGSTER_DATABASE_URL: .*{sentence}", dagster.stderr), dagster.stderr
