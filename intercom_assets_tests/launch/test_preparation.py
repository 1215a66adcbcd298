"""What `up` finds, what it would do, and what it makes: nothing of an operator's is overwritten."""

import socket
from pathlib import Path

import psycopg
import pytest

from intercom_assets.database.capture.installation import remove_capture
from intercom_assets.database.capture.state import capture_state
from intercom_assets.demo.databases import Databases
from intercom_assets.launch.dagster_database import (
    DatabaseState,
    address_of,
    create,
    default_name,
    held,
    name_of,
)
from intercom_assets.launch.preparation import (
    prepare,
    read_ground,
    refuse,
    require_free,
    steps,
    variables,
)
from intercom_assets.launch.services import DAGSTER_VARIABLES, DAGSTER_YAML
from intercom_assets.mapping.load import SAMPLE, load_mapping
from intercom_assets.mapping.problems import MappingError
from intercom_assets.sync.environment import ConfigurationError, read_environment
from intercom_assets_tests.mapping_folders import a_folder
from intercom_assets_tests.roles import a_role


def environment_of(database: str, home: Path, dagster: str) -> dict[str, str]:
    return {
        "APP_DATABASE_URL": database,
        "INTERCOM_ACCESS_TOKEN": "demo-token",
        "INTERCOM_SYNC_CONFIG": str(SAMPLE),
        "DAGSTER_HOME": str(home),
        "DAGSTER_DATABASE_URL": dagster,
    }


@pytest.mark.parametrize(
    ("given", "made"),
    [
        ("postgres://u:p%40w@h:5433/app?sslmode=require", "postgresql://u:p%40w@h:5433/d?sslmode=require"),
        ("postgresql:///app?host=/run/pg&port=5", "postgresql:///d?host=%2Frun%2Fpg&port=5"),
        ("host=h dbname=app user=u password='a b'", "postgresql://u:a%20b@h/d"),
        ("postgresql://u@[::1]:5/app", "postgresql://u@[::1]:5/d"),
    ],
)  # fmt: skip
def test_an_address_in_any_form_names_another_database_of_its_server(given: str, made: str) -> None:
    assert address_of(given, "d") == made
    assert name_of(address_of(given)) == "app"


def test_what_is_missing_is_foretold_then_made_and_then_found(
    databases: Databases, database: str, tmp_path: Path
) -> None:
    name = f"{databases.prefix}up_dagster"
    env = environment_of(database, tmp_path / "home", databases.url(name))
    ground = read_ground(read_environment(env), env)

    foretold = "\n".join(steps(ground, 3000))
    assert f"make Dagster's home {tmp_path / 'home'}" in foretold
    assert "write its dagster.yaml" in foretold
    assert f"make Dagster's database {name}" in foretold
    assert "own tables up to date" in foretold
    assert not (tmp_path / "home").exists()
    assert name not in databases.names()

    prepare(ground, database)

    assert (tmp_path / "home" / "dagster.yaml").read_text() == DAGSTER_YAML.read_text()
    assert name in databases.names()
    again = read_ground(read_environment(env), env)
    assert again.database is DatabaseState.THERE
    assert not any(step.startswith(("make", "write")) for step in steps(again, 3000))


def test_triggers_that_are_not_there_are_told_and_nothing_is_made_in_the_app(
    databases: Databases, database: str, tmp_path: Path
) -> None:
    env = environment_of(database, tmp_path, databases.url(f"{databases.prefix}up_dagster"))
    assert "install-capture" not in "".join(steps(read_ground(read_environment(env), env), 3000))
    remove_capture(database)

    ground = read_ground(read_environment(env), env)
    [answer] = [step for step in steps(ground, 3000) if "install-capture" in step]

    assert answer.startswith("leave the app's database as it is")
    mapping = load_mapping(SAMPLE)
    assert not capture_state(database, mapping).has_log


def test_a_mapping_that_polls_is_not_told_of_triggers(
    databases: Databases, database: str, tmp_path: Path
) -> None:
    remove_capture(database)
    folder = a_folder(tmp_path, sync="capture: polling\nwrite_back: off")
    env = {
        **environment_of(database, tmp_path, databases.url(f"{databases.prefix}up_dagster")),
        "INTERCOM_SYNC_CONFIG": str(folder),
    }

    answer = "".join(steps(read_ground(read_environment(env), env), 3000))

    assert "install-capture" not in answer


def test_an_operators_own_dagster_yaml_is_left_and_its_storage_is_nobodys_business(
    database: str, tmp_path: Path
) -> None:
    (tmp_path / "dagster.yaml").write_text("telemetry: {enabled: false}\n")
    env = environment_of(database, tmp_path, "postgresql://nobody@127.0.0.1:9/nowhere")
    ground = read_ground(read_environment(env), env)

    prepare(ground, database)

    assert ground.database is None
    assert (tmp_path / "dagster.yaml").read_text() == "telemetry: {enabled: false}\n"
    assert "DAGSTER_DATABASE_URL" not in variables(ground, env)


def test_without_an_address_dagster_gets_a_database_beside_our_tables(
    database: str, tmp_path: Path
) -> None:
    env = environment_of(database, tmp_path, "")
    ground = read_ground(read_environment(env), env)

    assert ground.dagster_url == address_of(database, f"{name_of(database)}_dagster")
    assert any("DAGSTER_DATABASE_URL is not set" in step for step in steps(ground, 3000))


def test_two_apps_on_one_server_share_no_database_of_dagster() -> None:
    longest = "ü" * 31 + "x"
    names = [default_name(f"postgresql://h/{name}") for name in ("shop", "crm", longest)]

    assert names[:2] == ["shop_dagster", "crm_dagster"]
    assert len(names[2].encode()) <= 63
    assert default_name("postgresql://h") == "intercom_assets_dagster"


def test_the_apps_own_database_is_none_for_dagster(database: str, tmp_path: Path) -> None:
    env = environment_of(database, tmp_path, database)
    ground = read_ground(read_environment(env), env)

    with pytest.raises(ConfigurationError, match="DAGSTER_DATABASE_URL names the app's own"):
        refuse(ground)


def test_a_second_up_on_the_same_database_is_refused_and_a_later_one_is_not(database: str) -> None:
    another = pytest.raises(ConfigurationError, match="another `intercom-assets up`")
    with held(database), another, held(database):
        pytest.fail("a second one began")
    with held(database):
        pass


def test_a_database_that_went_away_meanwhile_is_one_sentence() -> None:
    one = pytest.raises(ConfigurationError, match=r"DAGSTER_DATABASE_URL: .* cannot be reached")
    with one, held("postgresql://me:secret@127.0.0.1:9/dagster"):
        pytest.fail("it was reached")


def test_a_role_that_may_not_make_it_is_told_who_can(
    databases: Databases, database: str, tmp_path: Path
) -> None:
    with a_role(database) as role:
        env = environment_of(database, tmp_path, address_of(role, f"{databases.prefix}none"))
        ground = read_ground(read_environment(env), env)
        with pytest.raises(ConfigurationError, match=r"may not make it: .*createdb \w+_none"):
            refuse(ground)


def test_a_server_that_does_not_answer_is_one_sentence_with_the_variable(
    database: str, tmp_path: Path
) -> None:
    env = environment_of(database, tmp_path, "postgresql://me:secret@127.0.0.1:9/dagster")

    with pytest.raises(
        ConfigurationError, match=r"DAGSTER_DATABASE_URL: .* dagster cannot"
    ) as raised:
        read_ground(read_environment(env), env)
    assert "secret" not in str(raised.value)


@pytest.mark.parametrize(
    "name", ["APP_DATABASE_URL", "INTERCOM_ACCESS_TOKEN", "INTERCOM_SYNC_CONFIG"]
)
def test_what_nobody_can_make_is_asked_for(database: str, tmp_path: Path, name: str) -> None:
    env = environment_of(database, tmp_path, "") | {name: ""}

    with pytest.raises(ConfigurationError, match=name):
        read_ground(read_environment(env), env)


def test_a_mapping_that_cannot_be_read_ends_it_before_anything_is_made(
    database: str, tmp_path: Path
) -> None:
    env = environment_of(database, tmp_path / "home", "")
    env["INTERCOM_SYNC_CONFIG"] = str(tmp_path / "nowhere")

    with pytest.raises(MappingError):
        read_ground(read_environment(env), env)
    assert not (tmp_path / "home").exists()


def test_a_home_that_cannot_be_made_is_one_sentence(database: str, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    env = environment_of(database, tmp_path / "file" / "home", "")

    with pytest.raises(ConfigurationError, match="DAGSTER_HOME"):
        prepare(read_ground(read_environment(env), env), database)


def test_a_port_that_is_taken_is_named_and_one_that_was_just_left_is_not() -> None:
    with socket.socket() as server:
        server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        server.bind(("127.0.0.1", 0))
        server.listen()
        port = server.getsockname()[1]
        with pytest.raises(ConfigurationError, match=f"Port {port} .* --port NUMBER"):
            require_free(port)
        client = socket.create_connection(("127.0.0.1", port))
        server.accept()[0].close()
        client.close()

    require_free(port)


def test_an_operators_own_variables_are_left_and_paths_hold_in_any_directory(
    database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "mapping").symlink_to(SAMPLE)
    monkeypatch.chdir(tmp_path)
    env = environment_of(database, Path("home"), "") | {
        "INTERCOM_SYNC_CONFIG": "mapping",
        "DAGSTER_EVENT_BATCH_SIZE": "7",
    }
    ours = variables(read_ground(read_environment(env), env), env)

    assert ours["INTERCOM_SYNC_CONFIG"] == str(tmp_path / "mapping")
    assert ours["DAGSTER_HOME"] == str(tmp_path / "home")
    assert "DAGSTER_EVENT_BATCH_SIZE" not in ours
    assert ours.keys() >= DAGSTER_VARIABLES.keys() - {"DAGSTER_EVENT_BATCH_SIZE"}


def test_making_it_twice_is_harmless(databases: Databases, database: str) -> None:
    url = databases.url(f"{databases.prefix}twice")
    create(url, database)

    create(url, database)

    psycopg.connect(url).close()
