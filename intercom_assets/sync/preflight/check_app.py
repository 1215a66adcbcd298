"""What `check` asks of the app's database: the server, our rights in it, how changes are noticed.

Each probe is a function that yields findings; which of them run, and in which order, is
`preflight.py`'s. The questions themselves are the database room's (`rights`, `inspection`,
`capture`). Nothing is written.
"""

from collections.abc import Iterator, Sequence

from intercom_assets.database.app.app_database import AppDatabase
from intercom_assets.database.app.inspection import tables_read
from intercom_assets.database.app.lookups import unpolled
from intercom_assets.database.app.rights import OLDEST, missing_grants, read_server, row_security
from intercom_assets.database.app.watch_gaps import Gap, gaps, hidden
from intercom_assets.database.capture.guards import SCHEMA
from intercom_assets.database.capture.log import has_log
from intercom_assets.database.capture.state import CaptureState, capture_state
from intercom_assets.database.capture.watches import moved_unseen, present_triggers
from intercom_assets.database.publications import danger, subscribed, unaccepted, ways_out
from intercom_assets.domain.alarms import STUCK_AFTER
from intercom_assets.domain.errors import as_sentence
from intercom_assets.domain.values import count_of
from intercom_assets.domain.vocabulary import QueueKind
from intercom_assets.mapping.load import SYNC_YAML, USERS_SQL
from intercom_assets.sync.preflight.findings import MOST_CLOCK_DIFFERENCE, CheckPart, Finding

APP = CheckPart("App database")
RIGHTS = CheckPart("Rights in the app")
CAPTURE = CheckPart("Changes in the app")
GRANT = "Run as the tables' owner: "
ROLE = "intercom_assets/deploy/role.sql has all rights that the sync needs."


def check_server(url: str, wall: float) -> Iterator[Finding]:
    """Whether it can be reached, and is one that the sync can work with."""
    server = read_server(url)
    yield APP.ok("reachable", f"PostgreSQL {server.version}, as role {server.role}.")
    if server.number < OLDEST:
        yield APP.bad("version", f"PostgreSQL {server.version} is too old.", "Use 13 or newer.")
    ahead = wall - server.clock
    if abs(ahead) > MOST_CLOCK_DIFFERENCE:
        yield APP.warning(
            "clock", f"Its clock and this machine's differ by {abs(ahead):.0f} s.", "Set both."
        )


def check_standby(app: AppDatabase) -> Iterator[Finding]:
    """A replica can be read and polled, and nothing else."""
    settings = app.mapping.settings
    writes = bool(settings.write_back.table or settings.write_back.teams)
    if (writes or settings.capture == "triggers") and read_server(app.url).is_standby:
        yield RIGHTS.bad(
            "replica",
            "It is a replica, which takes no writes, and sync.yaml asks for some.",
            "Set APP_DATABASE_URL to the primary; or capture: polling and write_back: off.",
        )


def check_rights(app: AppDatabase) -> Iterator[Finding]:
    settings = app.mapping.settings
    grants = app.reading(lambda c, _: missing_grants(c, app.mapping))
    for grant in grants:
        yield RIGHTS.bad("rights", f"This role lacks a right: {grant}.", f"{GRANT}{grant}; {ROLE}")
    hidden = app.reading(row_security)
    if hidden:
        yield RIGHTS.warning(
            "row security",
            f"Row security hides rows of {', '.join(hidden)} from this role; a hidden user counts "
            "as gone and is marked as deleted.",
            "Give the role BYPASSRLS or a policy that shows it every row.",
        )
    if not grants:
        has = "read, and write back" if settings.write_back.table else "read"
        yield RIGHTS.ok("rights", f"This role may {has} what the mapping says.")


def check_write_back(app: AppDatabase) -> Iterator[Finding]:
    """Whether what is pulled finds its row: a key of another column would store nothing."""
    for kind, where in ((QueueKind.USER, "write_back"), (QueueKind.TEAM, "write_back.teams")):
        read, missing = app.write_back_misses(kind) or (0, 0)
        if read and missing == read:  # some may be in another table, and are told one by one
            yield RIGHTS.bad(
                "write_back",
                f"{SYNC_YAML}: {where}.key finds no row for any of the first "
                f"{count_of(read, kind)} of {kind}s.sql, so nothing of theirs would be stored.",
                f"Set {where}.key to the column of {where}.table that holds the id of {kind}s.sql.",
            )


def check_capture(app: AppDatabase, wall: float, workspace: str = "") -> Iterator[Finding]:
    if app.mapping.settings.capture == "polling":
        yield from _check_polling(app)
        return
    yield from _check_publications(app)
    state = capture_state(app.url, app.mapping, workspace)
    yield from _check_triggers(state, wall)
    watches = app.mapping.settings.watch
    for table in app.reading(lambda c, s: subscribed(c, tables_read(c, s))):
        yield CAPTURE.warning(
            "triggers",
            f"{table} is filled by a subscription, which fires no trigger of a statement: its "
            "changes wait for the nightly sweep.",
            "Set APP_DATABASE_URL to the database that publishes it.",
        )
    for table in app.reading(lambda c, _: moved_unseen(c, watches)):
        yield CAPTURE.warning(
            "triggers",
            f"{table} is partitioned: PostgreSQL 15 to 18 hand no trigger the rows that a MERGE in "
            "a function or a prepared statement moves between partitions; those wait for the "
            "nightly sweep. Any other statement is seen.",
            "Nothing, if the app has no such MERGE, or a day's delay will do.",
        )
    for gap in app.reading(lambda c, s: gaps(c, s, watches)):
        yield CAPTURE.warning("watched", _gap(gap), _close(gap))
    for found in app.reading(lambda c, s: hidden(c, s, watches)):
        tables = f"reads {', '.join(found.tables)}" if found.tables else "makes its own SQL"
        yield CAPTURE.warning(
            "watched",
            f"{found.file} calls {found.function}, which {tables}: changes of what it reads and is "
            f"not watched for a {found.kind} wait for the nightly sweep.",
            f"Watch what it reads too ({_entry('TABLE', found.kind)}); then run intercom-assets "
            "install-capture.",
        )


def _gap(gap: Gap) -> str:
    if gap.by:
        return (
            f"{gap.table} is read by {gap.file} by {', '.join(gap.by)}, and its watch wakes the "
            f"{gap.kind} in {', '.join(gap.keys)}: others' changes wait for the nightly sweep."
        )
    if gap.relkind == "m":
        return (
            f"{gap.table} is read by {gap.file}, and a materialized view has no triggers: what a "
            "REFRESH changes waits for the nightly sweep."
        )
    if gap.relkind == "f":
        return (
            f"{gap.table} is read by {gap.file}, and a foreign table's changes fire no trigger "
            "here: they wait for the nightly sweep."
        )
    if gap.elsewhere:
        return (
            f"{gap.table} is read by {gap.file}, and no watch of it wakes a {gap.kind}: for "
            f"{gap.kind}s its changes wait for the nightly sweep."
        )
    return f"{gap.table} is read by {gap.file} and not watched: its changes wait for the sweep."


def _close(gap: Gap) -> str:
    if gap.relkind in ("m", "f"):
        after = "each refresh" if gap.relkind == "m" else "each change"
        return (
            f"Read the tables that it is made from, and watch those; or let whoever makes {after} "
            "run afterwards: insert into intercom_capture.change_log (kind, keys) values "
            f"('{gap.kind}', '{{*}}'), which starts a sweep."
        )
    column = gap.by[0] if len(gap.by) == 1 else "COLUMN"
    return (
        f"Add {_entry(gap.table, gap.kind, column)} to watch in {SYNC_YAML} (a column with the "
        f"{gap.kind}s' ids, or a SELECT that finds them); then run intercom-assets install-capture."
    )


def _entry(table: str, kind: str, column: str = "COLUMN") -> str:
    return f"{{table: {table}, wakes: {kind}, key: {column}}}"


def _check_publications(app: AppDatabase) -> Iterator[Finding]:
    """Whether the app's logical replication would stop at the log."""
    names = app.reading(lambda c, _: unaccepted(c, SCHEMA, growing=not has_log(c)))
    if names:
        sentence = as_sentence(danger(names, SCHEMA))
        yield CAPTURE.bad(
            "replication", sentence, as_sentence(ways_out(names, SCHEMA, "install-capture"))
        )


def _check_triggers(state: CaptureState, wall: float) -> Iterator[Finding]:
    install = "Run intercom-assets install-capture (--dry-run shows the SQL)."
    if not state.has_log:
        yield CAPTURE.bad("triggers", "The change log is not installed.", install)
        return
    for names, what in ((state.missing, "is missing"), (state.disabled, "is disabled")):
        if names:
            yield CAPTURE.bad("triggers", f"{_listed(names)} {what}.", install)
    yield from _check_log_is_written(state)
    if state.owner:
        yield CAPTURE.bad(
            "triggers",
            f"The change log is that of {state.owner}, which misses what is taken from it here.",
            "Set capture: polling; or, if the other one no longer syncs this database, run "
            "intercom-assets install-capture --take-over.",
        )
    elif state.foreign:
        yield CAPTURE.warning(
            "triggers",
            f"{_listed(state.foreign)} has triggers and is not in watch: a watch that was taken "
            "out, or another mapping's.",
            "If nobody needs them, run intercom-assets install-capture --take-over.",
        )
    elif state.stale:
        sentence = f"{_listed(state.stale)} is of an older mapping or version."
        yield CAPTURE.warning("triggers", sentence, install)
    if state.blind:
        yield CAPTURE.warning(
            "triggers",
            f"{_listed(state.blind)} cannot have triggers: changes wait for the nightly sweep.",
            "Nothing, if a day's delay will do.",
        )
    if state.complete:
        yield CAPTURE.ok("triggers", "Every watched table has its triggers.")
    if state.oldest_at and wall - state.oldest_at.timestamp() > STUCK_AFTER:
        yield CAPTURE.warning(
            "log",
            f"{state.waiting:,} log rows wait, since {state.oldest_at:%Y-%m-%d %H:%M} UTC.",
            "Start Dagster's daemon: its sensors take them, also while the sync is switched off.",
        )


def _check_log_is_written(state: CaptureState) -> Iterator[Finding]:
    """The app's statements go on without the log, so nobody else would notice."""
    for reason in state.unwritable:
        yield CAPTURE.bad(
            "log",
            f"The triggers cannot write to the change log: {reason}. The app goes on; its changes "
            "wait for the nightly sweep.",
            "Put that right; or run intercom-assets remove-capture, then install-capture, as one "
            "role. Then run intercom-assets install-capture once more.",
        )
    if state.not_logged:
        yield CAPTURE.bad(
            "log",
            f"{count_of(state.not_logged, 'statement')} of the app could not be logged: the "
            "nightly sweep finds what they changed.",
            "If nothing else is red here, that is over: run intercom-assets install-capture, which "
            "counts anew.",
        )


def _listed(names: Sequence[str]) -> str:
    more = f" (and {len(names) - 3} more)" if len(names) > 3 else ""
    return f"{', '.join(names[:3])}{more}"


def _check_polling(app: AppDatabase) -> Iterator[Finding]:
    overlap = app.mapping.settings.poll_overlap.total_seconds() / 60
    unseen = [
        f"changes in {file}, which has no updated_at"
        for file in app.reading(lambda _, shapes: unpolled(shapes))
    ]
    if not app.shapes.users.has("deleted_at"):
        unseen.append(f"deleted users ({USERS_SQL} has no deleted_at)")
    unseen += ["memberships that are removed", f"transactions longer than {overlap:g} min"]
    yield CAPTURE.warning(
        "polling",
        f"Polling does not see: {'; '.join(unseen)}. The nightly sweep finds them.",
        "Select updated_at and deleted_at where the app has them; or use capture: triggers.",
    )
    if app.reading(lambda c, _: len(present_triggers(c))):
        yield CAPTURE.bad(
            "triggers",
            "The app's database still has the triggers of capture: triggers, and nobody empties "
            "the log that they write.",
            "Run intercom-assets remove-capture, or set capture: triggers again.",
        )
