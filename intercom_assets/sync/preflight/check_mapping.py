"""What `check` asks of the mapping: its files, its queries as the database sees them, a few rows.

Each probe is a function that yields findings; which of them run, and in which order, is
`preflight.py`'s. The questions themselves are the mapping's and the database's rooms' (`load`,
`validation`, `inspection`). Nothing is written.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path

from intercom_assets.database.app.app_database import AppDatabase
from intercom_assets.database.app.columns import Shape
from intercom_assets.database.app.inspection import (
    clock_words,
    has_rows,
    limiting_word,
    read_whole,
    some_memberships,
    unstable_columns,
)
from intercom_assets.database.app.reads import ids_after
from intercom_assets.database.app.shapes import Shapes
from intercom_assets.database.app.validation import mapping_problems
from intercom_assets.database.connections import AppConnection, Connections
from intercom_assets.domain.attributes import fit_values
from intercom_assets.domain.errors import as_sentence
from intercom_assets.domain.fields import fields_of_teams, fields_of_users
from intercom_assets.domain.models import AppTeam, AppUser, Gone, InvalidRow
from intercom_assets.domain.values import count_of
from intercom_assets.mapping.load import (
    MEMBERSHIPS_SQL,
    TEAMS_SQL,
    USERS_SQL,
    AppMapping,
    former_names,
    load_mapping,
)
from intercom_assets.mapping.load import mapping_problems as file_problems
from intercom_assets.sync.context.tags import selects_tags
from intercom_assets.sync.engine.determinism import differing_columns, leaking_columns
from intercom_assets.sync.preflight.check_app import GRANT, ROLE
from intercom_assets.sync.preflight.findings import EDIT, CheckPart, Finding

MAPPING = CheckPart("Mapping")
SAMPLE, ROWS = 20, 1_000
"""Memberships, and rows of each query, that are read to see what they hold."""


def check_files(folder: Path | None) -> Iterator[Finding]:
    """The folder's four files by themselves."""
    problems = file_problems(folder)
    for problem in problems:
        yield MAPPING.bad("files", as_sentence(problem), EDIT)
    if problems:
        return
    where = load_mapping(folder).folder
    for sentence in former_names(where):
        yield MAPPING.warning("settings", as_sentence(sentence), "Write the new name.")
    if folder is None:
        yield MAPPING.warning(
            "files",
            "INTERCOM_SYNC_CONFIG is not set: nothing is written with the sample app's mapping.",
            "For your own app: intercom-assets init DIR, and set INTERCOM_SYNC_CONFIG to DIR.",
        )
    else:
        yield MAPPING.ok("files", f"The four files in {where} can be read.")


def check_mapping(url: str, mapping: AppMapping) -> Iterator[Finding]:
    """The queries and settings as the database sees them; everything that is wrong, at once."""
    with Connections(url) as connections, connections.reading("the mapping") as connection:
        problems = mapping_problems(connection, mapping)
    for problem in problems:
        denied = "permission denied" in problem
        yield MAPPING.bad(
            "queries",
            as_sentence(problem),
            f"{GRANT}grant select on it. {ROLE}" if denied else EDIT,
        )


def check_selected(app: AppDatabase) -> Iterator[Finding]:
    users, teams = app.users_columns, app.teams_columns
    counts = [sum(column.is_attribute for column in columns) for columns in (users, teams)]
    yield MAPPING.ok(
        "queries",
        f"{USERS_SQL} selects {len(users)} columns and {TEAMS_SQL} {len(teams)}; "
        f"{counts[0]} and {counts[1]} of them are custom attributes.",
    )


def check_secrets(app: AppDatabase) -> Iterator[Finding]:
    for what, advice in leaking_columns(app):
        yield MAPPING.bad("secrets", as_sentence(what), advice[0].upper() + advice[1:])


def check_determinism(app: AppDatabase) -> Iterator[Finding]:
    """The same row read twice is the same: otherwise it is sent for ever."""
    unsteady = unstable_columns(app.reading)
    for file, columns in unsteady.items():
        yield MAPPING.bad(
            "same twice",
            f"{differing_columns(file, columns)}.",
            "Select what the app stores, not now() or random().",
        )
    shapes = (app.shapes.users, app.shapes.teams, app.shapes.memberships)
    clock_columns = {s.query.file: words for s in shapes if (words := clock_words(s))}
    for file, words in clock_columns.items():
        if file not in unsteady:
            yield MAPPING.warning(
                "same twice",
                f"{file}: {', '.join(words)} lets rows differ as time passes, which no trigger and "
                "no updated_at shows: the nightly sweep finds it.",
                "Leave it out if the value has to be right sooner.",
            )
    if not unsteady and not clock_columns:
        yield MAPPING.ok("same twice", "The same rows read again are the same.")


def check_rows(app: AppDatabase) -> Iterator[Finding]:
    """A few rows of each query, as the sync reads them."""
    users = app.read_users(app.reading(lambda c, s: ids_after(c, s.users, None, ROWS)))
    teams = app.read_teams(app.reading(lambda c, s: ids_after(c, s.teams, None, ROWS)))
    rows = [*users.values(), *teams.values()]
    for unfit in [row for row in rows if isinstance(row, InvalidRow)][:1]:
        count = sum(isinstance(row, InvalidRow) for row in rows)
        yield MAPPING.warning(
            "rows",
            f"{count} of {len(rows)} sampled rows cannot be synced; of {unfit.id}: {unfit.reason}.",
            "Those are parked until their rows change; correct the SELECT if it is all of them.",
        )
    yield from _check_values(app, rows)
    if not users and app.reading(lambda c, s: has_rows(c, s.users)):
        yield MAPPING.bad(
            "rows",
            f"{USERS_SQL} returns rows without an id, and nobody else.",
            "Select a column as id that is never null.",
        )
    elif not users:
        yield MAPPING.warning("rows", f"{USERS_SQL} returns nobody.", "Check its conditions.")
    yield from _check_left_out(app)
    yield from _check_memberships(app)
    yield MAPPING.ok("rows", f"{len(users)} users and {len(teams)} teams were read as a sample.")


def _check_values(
    app: AppDatabase, rows: Sequence[AppUser | AppTeam | InvalidRow | Gone]
) -> Iterator[Finding]:
    """Values beyond what Intercom is known to hold, column by column."""
    fields = {
        AppUser: {
            fields_of_user.name: fields_of_user
            for fields_of_user in fields_of_users(app.users_columns)
        },
        AppTeam: {
            fields_of_team.name: fields_of_team
            for fields_of_team in fields_of_teams(app.teams_columns)
        },
    }
    counts: Counter[str] = Counter()
    first: dict[str, str] = {}
    for row in rows:
        if isinstance(row, AppUser | AppTeam):
            fitted = fit_values(fields[type(row)], row, truncate=app.mapping.settings.truncate)
            for name, item in fitted.left_out.items():
                counts[name] += 1
                first.setdefault(name, f"of {row.id}: {item.why}")
    for name, count in counts.items():
        yield MAPPING.warning(
            "values",
            f"{name} cannot be sent of {count:,} of the rows that were read; {first[name]}.",
            "It is left out of those until it changes, and everything else of them is synced.",
        )


def _check_left_out(app: AppDatabase) -> Iterator[Finding]:
    """Whom a query leaves out although the app has them."""
    shapes = app.shapes
    for shape in (shapes.users, shapes.teams, shapes.memberships):
        if word := limiting_word(shape):
            yield MAPPING.bad(
                "rows",
                f"{shape.query.file} ends in {word}: whoever it cuts off counts as gone, and is "
                "marked as deleted.",
                f"Take {word} out; plan --user and sync --user are for a few.",
            )
    for shape in (shapes.users, shapes.teams):
        if app.reading(partial(_has_null_ids, shape)):
            yield MAPPING.warning(
                "rows",
                f"{shape.query.file} returns rows whose id is null; they are left out.",
                "Select another column as id, or add a condition: where id is not null.",
            )


def _has_null_ids(shape: Shape, connection: AppConnection, _: Shapes) -> bool:
    return has_rows(connection, shape, "where q.id is null")


def _check_memberships(app: AppDatabase) -> Iterator[Finding]:
    """Whether both sides of a few memberships are there at all."""
    pairs = app.reading(lambda c, s: some_memberships(c, s.memberships, SAMPLE))
    users, teams = sorted({user for user, _ in pairs}), sorted({team for _, team in pairs})
    looked = (
        (USERS_SQL, "user", app.read_users(users)),
        (TEAMS_SQL, "team", app.read_teams(teams)),
    )
    for file, what, known in looked:
        if known and all(isinstance(row, Gone) for row in known.values()):
            yield MAPPING.warning(
                "memberships",
                f"{MEMBERSHIPS_SQL} names {what}s that {file} does not return, so nobody is "
                "attached to a company.",
                f"{what}_id of {MEMBERSHIPS_SQL} has to be id of {file}.",
            )


def check_shared_emails(app: AppDatabase) -> Iterator[Finding]:
    """Whoever shares an address gets each mail as often as it has contacts."""
    shared = app.shared_emails(most=1)
    if shared.users:
        yield MAPPING.warning(
            "e-mails",
            f"{count_of(shared.users, 'user')} share {_addresses(shared.addresses)}: each has a "
            "contact, so Intercom mails such an address once for each; a workspace that takes an "
            f"address only once refuses it to {shared.refused_if_strict:,} of them.",
            "For their ids: intercom-assets status --shared-emails.",
        )


def _addresses(count: int) -> str:
    return "1 e-mail address" if count == 1 else f"{count:,} e-mail addresses"


def check_cost(app: AppDatabase) -> Iterator[Finding]:
    """EXPLAIN of what a chunk reads."""
    whole = {
        USERS_SQL: app.reading(lambda c, s: read_whole(c, s.users)),
        TEAMS_SQL: app.reading(lambda c, s: read_whole(c, s.teams)),
        MEMBERSHIPS_SQL: app.reading(lambda c, s: read_whole(c, s.memberships, "user_id")),
    }
    for file, tables in whole.items():
        if tables:
            yield MAPPING.warning(
                "cost",
                f"{file}: reading a few rows goes through all of {', '.join(tables)}.",
                "Select the id as the table has it (id, not id::text), use no window functions, "
                "and let what is joined or counted have an index.",
            )
    if not any(whole.values()):
        yield MAPPING.ok("cost", "A few rows are read by index, not by going through everybody.")


def files_with_tags(app: AppDatabase) -> list[str]:
    """The files that select tags."""
    selected = {USERS_SQL: app.users_columns, TEAMS_SQL: app.teams_columns}
    return [file for file, columns in selected.items() if selects_tags(columns)]
