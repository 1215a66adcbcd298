"""Questions about users and teams whose answer is ids: who changed, and whose e-mail is this.

Run in a caller's read-only transaction. Values are read by `app_reads`, by id.
"""

from collections.abc import Sequence

from intercom_assets.database.app.columns import Shape
from intercom_assets.database.app.computing import translate_errors
from intercom_assets.database.app.shapes import Shapes
from intercom_assets.database.connections import AppConnection, encoded


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
