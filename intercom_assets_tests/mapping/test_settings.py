"""What `sync.yaml` may say, what an absent key means, and how a wrong one is told."""

from datetime import timedelta
from pathlib import Path

import pytest

from intercom_assets import mapping
from intercom_assets.domain.fields import Policy
from intercom_assets.intercom.http.messages import Timeouts
from intercom_assets.mapping.durations import parse_duration
from intercom_assets.mapping.load import former_names, load_mapping
from intercom_assets.mapping.problems import MappingError
from intercom_assets.mapping.settings import LONGEST_CALL, MaxGone, SyncSettings, Watch

ALL_POLICIES = f"{', '.join([*Policy][:-1])} or {[*Policy][-1]}"


def settings_of(folder: Path, text: str) -> SyncSettings:
    for name in ("users", "teams", "memberships"):
        (folder / f"{name}.sql").write_text("select 1 as id")
    (folder / "sync.yaml").write_text(text)
    return load_mapping(folder).settings


def problem_of(folder: Path, text: str) -> str:
    with pytest.raises(MappingError) as caught:
        settings_of(folder, text)
    return str(caught.value)


def test_an_empty_file_means_the_documented_defaults(tmp_path: Path) -> None:
    settings = settings_of(tmp_path, "# nothing chosen\n")

    assert settings.merge_leads_for == timedelta(hours=24)
    assert settings.last_seen_every == timedelta(hours=1)
    assert (settings.rate_share, settings.max_attempts) == (0.8, 8)
    assert (settings.batch_size, settings.chunk_size, settings.threads) == (10_000, 250, 32)
    assert (settings.lease, settings.heartbeat) == (timedelta(seconds=30), timedelta(seconds=5))
    assert settings.heartbeat_dead_after == timedelta(seconds=20)
    assert settings.sensor_wait_seconds == 40
    assert settings.poll_overlap == timedelta(minutes=5)
    assert settings.keep_history == timedelta(days=30)
    assert (settings.clear_unusable, settings.truncate, settings.journal_values) == (
        True,
        False,
        True,
    )
    assert settings.guards.above == 1_000


def test_every_key_can_be_set(tmp_path: Path) -> None:
    settings = settings_of(
        tmp_path,
        """
capture: triggers
watch:
  - {table: users, wakes: user, key: id}
  - {table: plans, wakes: team, key: "select id from teams where plan_id = any(:keys)", column: id}
write_back:
  table: public.users
  columns: {name: full_name}
  intercom_id: metadata.intercom_user_id
  teams: {table: teams, intercom_id: intercom_company_id}
fields: {name: last_writer, plan: app}
memberships: mirror
merge_leads_for: 1h30m
on_delete: archive
max_gone: {share: 0.05, at_least: 3}
guards: {creates: 5}
sensor_wait_seconds: 5
admin_url: https://admin.example.com/users/{id}
""",
    )

    assert [watch.select is None for watch in settings.watch] == [True, False]
    assert settings.write_back.columns == {"name": "full_name"}
    assert settings.fields == {"name": Policy.LAST_WRITER, "plan": Policy.APP}
    assert settings.merge_leads_for == timedelta(minutes=90)
    assert settings.guards.creates == 5


@pytest.mark.parametrize("folder", ["sample", "starter"])
def test_a_shipped_mapping_names_every_policy(folder: str) -> None:
    text = (Path(mapping.__file__).parent / folder / "sync.yaml").read_text()

    assert f"# Who wins, where it is not the default: {ALL_POLICIES}.\n" in text


def test_write_back_can_be_switched_off_in_words(tmp_path: Path) -> None:
    assert settings_of(tmp_path, "write_back: off").write_back.table == ""
    assert settings_of(tmp_path, 'write_back: "off"').write_back.table == ""


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("chunk_sise: 5", 'unknown key "chunk_sise"; did you mean "chunk_size"?'),
        (
            "write_back: {table: users, colums: {}}",
            'unknown key "write_back.colums"; did you mean "columns"?',
        ),
        ("guards: {create: 5}", 'unknown key "guards.create"; did you mean "creates"?'),
        (
            "watch: [{table: users, wakes: user, key: id}, {table: t, wake: user, key: id}]",
            'unknown key "watch[2].wake"; did you mean "wakes"? (and 1 more)',
        ),
        ("threads: many", 'threads is "many"; allowed: a number from 1 to 256'),
        ("threads: true", "threads is true; allowed: a number from 1 to 256"),
        ("threads: 257", "threads is 257; allowed: a number from 1 to 256"),
        ("lease: 5", "lease is 5; allowed: a number with a unit, as in 30s, 5m, 24h or 30d"),
        (
            "lease: 10s",
            'lease is "10s"; allowed: at least 19s, since a call to Intercom may take 18s and none '
            "is begun that could outlast its lease",
        ),
        (
            "fields: {name: apps}",
            f'fields.name is "apps"; allowed: {ALL_POLICIES} for each column',
        ),
        ("max_gone: 0.02", "max_gone is 0.02; allowed: share and at_least"),
        ("watch: users", 'watch is "users"; allowed: a list of entries with table, wakes and key'),
        (
            "watch: [{table: users, wakes: users, key: id}]",
            'watch[1].wakes is "users"; allowed: user or team',
        ),
        (
            "watch: [{table: users, wakes: user}]",
            "watch[1].key is missing; allowed: a column, or a SELECT of ids with :keys in it",
        ),
        (
            "watch: [{table: plans, wakes: user, key: select id from users}]",
            "watch[1] does not fit together; "
            "allowed: a SELECT with :keys in it, as in: where plan_id = any(:keys)",
        ),
        (
            "write_back: {columns: {name: name}}",
            "write_back does not fit together; allowed: a table beside columns and intercom_id",
        ),
        (
            "lease: 25s",
            "the file does not fit together; allowed: a lease of at least two heartbeats and the "
            "18s that a call to Intercom may take",
        ),
        (
            "admin_url: https://admin.example.com/users",
            'admin_url is "https://admin.example.com/users"; '
            "allowed: an http or https address with {id} in it",
        ),
        (
            "admin_url: 'javascript:{id}'",
            'admin_url is "javascript:{id}"; allowed: an http or https address with {id} in it',
        ),
        (
            "heartbeat: 10ms",
            "the file does not fit together; allowed: heartbeat of at least 100ms",
        ),
    ],
)
def test_what_is_wrong_is_said_in_one_sentence(tmp_path: Path, text: str, sentence: str) -> None:
    assert problem_of(tmp_path, text) == f"sync.yaml: {sentence}"


def test_a_key_given_twice_is_refused_with_its_line(tmp_path: Path) -> None:
    text = "threads: 1\nlease: 30s\nthreads: 2\n"

    assert problem_of(tmp_path, text) == 'sync.yaml, line 3: the key "threads" is given twice'


def test_what_is_no_yaml_is_refused_with_its_line(tmp_path: Path) -> None:
    assert problem_of(tmp_path, "threads: 1\nlease: [\n").startswith("sync.yaml, line 3: ")


def test_a_file_of_another_shape_is_refused(tmp_path: Path) -> None:
    assert "key: value" in problem_of(tmp_path, "- threads\n- lease\n")


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("250ms", 0.25),
        ("30s", 30),
        ("5m", 300),
        ("24h", 86_400),
        ("30d", 2_592_000),
        ("1.5h", 5400),
    ],
)
def test_durations_are_read_with_their_unit(text: str, seconds: float) -> None:
    assert parse_duration(text) == timedelta(seconds=seconds)


@pytest.mark.parametrize(
    "raw", ["", "5", 5, None, "five minutes", "5m later", "-5m", "9" * 400 + "d"]
)
def test_a_duration_without_a_unit_is_refused(raw: object) -> None:
    with pytest.raises(ValueError, match=r"unit|at most"):
        parse_duration(raw)


@pytest.mark.parametrize(
    ("linked", "allowed"), [(0, 20), (1_000, 20), (1_001, 20), (100_000, 2_000)]
)
def test_the_gone_are_allowed_by_share_but_never_fewer_than_the_least(
    linked: int, allowed: int
) -> None:
    assert MaxGone().allowed(linked) == allowed


def test_a_cast_to_a_type_called_keys_is_not_a_placeholder() -> None:
    with pytest.raises(ValueError, match=":keys"):
        Watch(table="plans", wakes="user", key="select id::keys from users")


def test_a_lease_has_room_for_the_longest_call_that_the_client_makes() -> None:
    assert Timeouts().total == LONGEST_CALL.total_seconds()


def test_a_short_lease_goes_with_a_quick_heart(tmp_path: Path) -> None:
    settings = settings_of(tmp_path, "lease: 19s\nheartbeat: 500ms\n")

    assert settings.lease == timedelta(seconds=19)


@pytest.mark.parametrize(
    ("former", "now"), [("latest", Policy.LATER_VALUE), ("newest", Policy.LAST_WRITER)]
)
def test_a_policy_by_its_former_name_is_read_and_named_as_it_is_called_now(
    tmp_path: Path, former: str, now: Policy
) -> None:
    settings = settings_of(tmp_path, f"fields: {{last_request_at: {former}, name: fill}}")

    assert settings.fields == {"last_request_at": now, "name": Policy.FILL}
    assert former_names(tmp_path) == [
        f'sync.yaml: fields.last_request_at is "{former}", which is called {now} now; the old name '
        "is still read"
    ]


def test_present_names_have_nothing_to_say(tmp_path: Path) -> None:
    settings = settings_of(tmp_path, "fields: {last_request_at: later_value, name: last_writer}")

    assert [*settings.fields.values()] == [Policy.LATER_VALUE, Policy.LAST_WRITER]
    assert former_names(tmp_path) == []
