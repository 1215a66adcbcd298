"""Questions about users and teams whose answer is ids: who changed, and whose e-mail is this.

Run in a caller's read-only transaction. Values are read by `app_reads`, by id.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from intercom_assets.database.app.columns import Shape
from intercom_assets.database.app.computing import translate_errors
from intercom_assets.database.app.shapes import Shapes
from intercom_assets.database.connections import AppConnection, encoded


@dataclass(frozen=True, slots=True)
class SharedEmails:
    """`users` that have one of `addresses` together. `groups`: ids that share one, of the first
    addresses; whom the app has deleted is in none."""

    users: int = 0
    addresses: int = 0
    groups: tuple[tuple[str, ...], ...] = ()

    @property
    def refused_if_strict(self) -> int:
        """Users whose address a workspace refuses that takes each for one contact only."""
        return self.users - self.addresses


def unpolled(shapes: Shapes) -> list[str]:
    """The files without `updated_at`, whose changes polling cannot see."""
    all_three = (shapes.users, shapes.teams, shapes.memberships)
    return [shape.query.file for shape in all_three if not shape.has("updated_at")]


def now(connection: AppConnection) -> int:
    """The database's clock, in whole Unix seconds."""
    found = connection.execute("select floor(extract(epoch from now()))::bigint").fetchone()
    return int(found[0]) if found else 0


def ids_with_email(
    connection: AppConnection, users: Shape, emails: Sequence[str]
) -> dict[str, list[str]]:
    """E-mail, in lower case, -> ids."""
    wanted = sorted({email.strip().lower() for email in emails} - {""})
    where = "where lower(q.email) = any(%(emails)s::text[])"
    text = users.query.select("q.id, lower(q.email)", where)
    with translate_errors(users.query, text):
        rows = connection.execute(encoded(connection, text), {"emails": wanted}).fetchall()
    found: dict[str, list[str]] = {}
    for raw, email in rows:
        key = users.ids["id"].text(raw)
        if key is not None:
            found.setdefault(str(email), []).append(key)
    return found


def shared_emails(
    connection: AppConnection, users: Shape, *, most: int, emails: Sequence[str] | None = None
) -> SharedEmails:
    """Of everybody, or of who has one of `emails`; up to `most` groups of ids."""
    deleted = "and q.deleted_at is null" if users.has("deleted_at") else ""
    asked = "and lower(q.email) = any(%(emails)s::text[])" if emails is not None else ""
    text = users.query.select(
        "(sum(count(*)) over ())::bigint, count(*) over (), array_agg(q.id order by q.id) as ids",
        f"where q.id is not null and trim(q.email) <> '' {deleted} {asked} "
        "group by lower(q.email) having count(*) > 1 order by ids limit %(most)s",
    )
    wanted = sorted({email.strip().lower() for email in emails or ()} - {""})
    with translate_errors(users.query, text):
        parameters = {"most": most, "emails": wanted}
        rows = connection.execute(encoded(connection, text), parameters).fetchall()
    if not rows:
        return SharedEmails()
    text_of = users.ids["id"].text
    groups = tuple(tuple(str(text_of(raw)) for raw in ids) for _, _, ids in rows)
    return SharedEmails(rows[0][0], rows[0][1], groups)


def teams_named(
    connection: AppConnection, teams: Shape, names: Sequence[str]
) -> dict[str, list[str]]:
    """Name -> ids."""
    if not teams.has("name"):
        return {}
    text = teams.query.select("q.id, q.name", "where q.name::text = any(%(names)s::text[]) ")
    with translate_errors(teams.query, text):
        rows = connection.execute(encoded(connection, text), {"names": list(names)}).fetchall()
    found: dict[str, list[str]] = {}
    for raw, name in rows:
        key = teams.ids["id"].text(raw)
        if key is not None:
            found.setdefault(str(name), []).append(key)
    return found
