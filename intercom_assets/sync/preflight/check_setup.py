"""What `check` asks of the set-up: variables, our own tables, Dagster.

Each probe is a function that yields findings; which of them run, and in which order, is
`preflight.py`'s. The pool's row is Dagster's, so its question comes from outside.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence

from intercom_assets.database.publications import danger, ways_out
from intercom_assets.database.store.schema import SCHEMA, published, schema_version, shipped_steps
from intercom_assets.database.store.store import Store
from intercom_assets.domain.errors import as_sentence
from intercom_assets.mapping.problems import nearest
from intercom_assets.sync.environment import (
    APP_DATABASE_URL,
    INTERCOM_ACCESS_TOKEN,
    INTERCOM_ALERT_WEBHOOK,
    INTERCOM_API_VERSION,
    INTERCOM_BASE_URL,
    INTERCOM_CLIENT_SECRET,
    INTERCOM_SYNC_CONFIG,
    INTERCOM_SYNC_ENABLED,
    INTERCOM_WORKSPACE,
    MEANS_ON,
    SYNC_DATABASE_URL,
    Configuration,
    no_dagster,
)
from intercom_assets.sync.preflight.findings import CheckPart, Finding

CONFIGURATION, TABLES, DAGSTER = (
    CheckPart("Configuration"),
    CheckPart("Own tables"),
    CheckPart("Dagster"),
)
IN_EVERY_PROCESS = {
    "DAGSTER_EVENT_BATCH_SIZE": "500",
    "DAGSTER_EMIT_PARTITION_SUBSET_IN_PLANNED_EVENTS": "1",
}
BACKFILLS_WAIT = "DAGSTER_BACKFILL_RETRY_DEFINITION_CHANGED_ERROR"
"""With it a backfill waits for its code server, instead of failing for good."""
LOOKS_LIKE = "which looks like postgresql://user:password@host:5432/name."
UP_SETS_IT = "`intercom-assets up` sets it for its services; under another supervisor,"
INIT_DB = "Run intercom-assets init-db."


INTERCOM_OPENAPI = "INTERCOM_OPENAPI"
"""Tests only."""
KNOWN_VARIABLES = frozenset(
    {
        INTERCOM_ACCESS_TOKEN,
        INTERCOM_ALERT_WEBHOOK,
        INTERCOM_API_VERSION,
        INTERCOM_BASE_URL,
        INTERCOM_CLIENT_SECRET,
        INTERCOM_OPENAPI,
        INTERCOM_SYNC_CONFIG,
        INTERCOM_SYNC_ENABLED,
        INTERCOM_WORKSPACE,
    }
)


def _meant(name: str) -> str:
    """The one that has all its words, or else the nearest; never one that only tests read."""
    ours = sorted(KNOWN_VARIABLES - {INTERCOM_OPENAPI})
    words = set(name.split("_"))
    fuller = [known for known in ours if words < set(known.split("_"))]
    return f'; did you mean "{fuller[0]}"?' if len(fuller) == 1 else nearest(name, ours)


def unknown_variables(env: Mapping[str, str]) -> Iterator[str]:
    """A sentence for each variable that looks like ours and is read by nobody."""
    for name in sorted(env):
        if name.startswith("INTERCOM_") and name not in KNOWN_VARIABLES:
            yield f"{name} is set, and nothing reads it{_meant(name)}"


def check_variables(env: Mapping[str, str]) -> Iterator[Finding]:
    for sentence in unknown_variables(env):
        yield CONFIGURATION.bad("variables", sentence, "Rename or unset it.")


def check_configuration(configuration: Configuration) -> Iterator[Finding]:
    if not configuration.app_url:
        yield CONFIGURATION.bad(
            "app", f"{APP_DATABASE_URL} is not set.", f"Set it to the app's database, {LOOKS_LIKE}"
        )
    elif configuration.sync_url == configuration.app_url:
        yield CONFIGURATION.ok("databases", "The sync's own tables are in the app's database.")
    else:
        yield CONFIGURATION.ok("databases", "The sync's own tables are in a database of their own.")
    if not configuration.token:
        yield CONFIGURATION.bad(
            "token",
            f"{INTERCOM_ACCESS_TOKEN} is not set.",
            "Set it to an access token of the workspace: Developer Hub, your app, Configure, "
            "Authentication.",
        )
    if configuration.switch.lower() in MEANS_ON:
        yield CONFIGURATION.ok("switch", f"{INTERCOM_SYNC_ENABLED} is on.")
    else:
        yield CONFIGURATION.warning(
            "switch",
            f"{INTERCOM_SYNC_ENABLED} is {configuration.switch or 'not set'}: nothing is synced.",
            "Set it to true once `intercom-assets plan` shows what you want.",
        )


def check_schema(url: str) -> Iterator[Finding]:
    if not url:
        yield TABLES.skipped("schema", f"{SYNC_DATABASE_URL} or {APP_DATABASE_URL}")
        return
    found, newest = schema_version(url), len(shipped_steps())
    if found is None:
        yield TABLES.bad("schema", "The schema intercom_sync is not there.", INIT_DB)
    elif found < newest:
        sentence = f"The schema intercom_sync is of version {found}, this program of {newest}."
        yield TABLES.bad("schema", sentence, INIT_DB)
    elif found > newest:
        sentence = f"The schema intercom_sync is of version {found}, newer than this program."
        yield TABLES.bad("schema", sentence, "Upgrade intercom_assets here.")
    else:
        yield from _check_publications(url)
        with Store(url, max_connections=1) as store:
            due = sum(depth.due for depth in store.queue.depth().values())
        yield TABLES.ok(
            "schema", f"The schema intercom_sync is up to date; {due:,} changes wait in the queue."
        )


def _check_publications(url: str) -> Iterator[Finding]:
    """Whether the app's logical replication would stop at our tables."""
    names = published(url)
    if names:
        ways = ways_out(names, SCHEMA, "init-db")
        yield TABLES.bad("replication", as_sentence(danger(names, SCHEMA)), as_sentence(ways))


def check_dagster(
    env: Mapping[str, str],
    pool: Callable[[], str | None],
    settings: Callable[[], Sequence[str]] = tuple,
) -> Iterator[Finding]:
    """`settings`: what is missing of dagster.yaml; a note each, since other values may be meant."""
    if hindrance := no_dagster(env):
        yield DAGSTER.warning(
            "home",
            f"{hindrance}: nothing of Dagster was checked.",
            "Set it for the sensors; plan and sync need no Dagster.",
        )
        return
    for name, value in IN_EVERY_PROCESS.items():
        if not env.get(name):
            yield DAGSTER.warning(
                "events",
                f"{name} is not set here: a backfill of 20,000 spends half an hour on events.",
                f"{UP_SETS_IT} set {name}={value} for every Dagster process.",
            )
    if all(env.get(name) for name in IN_EVERY_PROCESS):
        yield DAGSTER.ok("events", "Events are written in batches.")
    if env.get(BACKFILLS_WAIT):
        yield DAGSTER.ok("backfills", "A backfill waits for a code server that restarts.")
    else:
        yield DAGSTER.warning(
            "backfills",
            f"{BACKFILLS_WAIT} is not set here: a backfill fails if its code server restarts.",
            f"{UP_SETS_IT} set {BACKFILLS_WAIT}=1 for every Dagster process, the daemon above all.",
        )
    if hindrance := pool():
        yield DAGSTER.bad("pool", hindrance, INIT_DB)
    else:
        yield DAGSTER.ok("pool", "The pool of all runs that call Intercom has its size.")
    for sentence in settings():
        found, _, to_do = sentence.rpartition(". ")
        yield DAGSTER.warning("settings", f"{found}.", to_do)
