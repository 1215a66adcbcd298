"""Which column of a table becomes which of ours, as an expression that the mapping accepts.

Each is a `Selected`: SQL, the name that it gets, and why. What is not chosen is either an offer (to
be uncommented), or left out with the reason: a secret is never even an offer.
"""

import re
from collections.abc import Iterator, Sequence, Set
from dataclasses import dataclass

from intercom_assets.domain.secret_names import secret_word, words_of
from intercom_assets.mapping.proposal.catalogue import CatalogueColumn, CatalogueTable, quoted

NAMES = ("name", "full_name", "display_name", "real_name", "fullname", "complete_name")
FIRST = ("first_name", "given_name", "firstname", "forename", "fname")
LAST = ("last_name", "family_name", "lastname", "surname", "lname")
PHONES = (
    "phone_number", "phone", "mobile", "mobile_number", "mobile_phone", "cell_phone", "cellphone",
    "telephone", "telephone_number", "tel", "phone_no", "contact_number",
)  # fmt: skip
ZONES = ("time_zone", "timezone", "tz", "tzid", "time_zone_name", "timezone_name", "iana_timezone")
CREATED = (
    "created_at", "created", "inserted_at", "date_joined", "joined_at", "registered_at",
    "signed_up_at", "signup_at", "sign_up_date", "signup_date", "registration_date", "created_on",
    "creation_date", "date_created", "created_date", "created_time", "creation_time", "create_time",
    "registered_on", "joined_on", "created_utc", "created_ts", "createdat_ms",
)  # fmt: skip
SEEN = (
    "last_request_at", "last_seen_at", "last_active_at", "last_activity_at", "last_seen",
    "last_active", "last_activity", "current_sign_in_at", "last_sign_in_at", "last_login_at",
    "last_login", "last_logged_in_at", "last_signed_in_at", "last_visit_at", "last_access",
    "last_access_at", "last_login_time", "last_login_date",
)  # fmt: skip
DELETED = ("deleted_at", "discarded_at", "removed_at", "destroyed_at", "deleted_on", "date_deleted",
    "deleted_time", "soft_deleted_at", "deletion_date", "deleted_date", "trashed_at")  # fmt: skip
DELETED_FLAGS = ("is_deleted", "deleted", "is_removed", "removed", "soft_deleted", "discarded",
    "is_discarded", "is_trashed")  # fmt: skip
UPDATED = (
    "updated_at", "updated", "modified_at", "modified", "changed_at", "last_modified",
    "last_modified_at", "updated_on", "date_updated", "date_modified", "modified_on",
    "updated_date", "modified_date", "updated_time", "update_time", "last_updated",
    "last_updated_at", "last_update", "updated_utc", "updated_ts",
)  # fmt: skip
TITLES = (*NAMES, "title", "label", "company_name", "team_name", "organization_name", "legal_name",
    "business_name", "slug", "domain")  # fmt: skip
TAGS = ("tags", "labels")
LEFT = ("left_at", "revoked_at", "ended_at", "deactivated_at", "archived_at")
NOT_YET_GONE = ("archived_at", "deactivated_at", "disabled_at", "suspended_at", "banned_at",
    "locked_at", "is_active", "active", "status", "state")  # fmt: skip
OF_CONTACTS = frozenset({
    "id", "role", "name", "email", "phone", "phone_number", "time_zone", "owner_id", "email_domain",
    "external_id", "workspace_id", "created_at", "updated_at", "deleted_at", "signed_up_at",
    "owner_email",
    "last_seen_at", "last_request_at", "last_contacted_at", "last_replied_at", "from_oauth",
    "last_email_opened_at", "last_email_clicked_at", "language_override", "browser", "deleted",
    "browser_version", "browser_language", "os", "unsubscribed_from_emails", "avatar", "tags",
    "marked_email_as_spam", "has_hard_bounced", "location", "type", "companies", "notes",
    "segments",
})  # fmt: skip
OF_COMPANIES = frozenset({
    "id", "name", "company_id", "last_request_at", "remote_created_at", "user_count", "owner_id",
    "session_count", "monthly_spend", "size", "created_at", "updated_at", "deleted_at", "app_id",
    "company_deleted", "type", "tags", "segments", "notes",
})  # fmt: skip
"""Names that mean something else to the mapping or to Intercom: an attribute gets another one."""
OF_COMPANIES_AS_TEXT = ("plan", "website", "industry")
AS_TEXT, FLAGS = (*OF_COMPANIES_AS_TEXT, "avatar_url"), ("email_verified",)
_TEXT_ARRAYS = ("text[]", "character varying[]")
_OTHER_ARRAYS = ("citext[]", "character[]")
_INTEGERS = ("smallint", "integer", "bigint")
_NUMBERS = (*_INTEGERS, "numeric", "real", "double precision", "money")
WITHOUT_ZONE = "without a zone, taken as UTC"
_EPOCH_MS = 100_000_000_000
"""As seconds this is the year 5138, as milliseconds 1973."""


@dataclass(frozen=True, slots=True)
class Selected:
    """`sql as name`. `uses`: the columns that are spoken for by it."""

    sql: str
    name: str
    why: str = ""
    uses: tuple[str, ...] = ()

    @property
    def text(self) -> str:
        bare = self.sql.rpartition(".")[2]
        return self.sql if bare == self.name else f"{self.sql} as {quoted(self.name)}"


@dataclass(frozen=True, slots=True)
class SkippedColumn:
    column: str
    why: str


def wanted(table: CatalogueTable, alias: str, name: str, among: Sequence[str]) -> Selected | None:
    """A text that goes by one of the names in `among`."""
    column = table.named(among)
    if column is None or not column.is_text or secret_word(column.name):
        return None
    return Selected(f"{alias}{column.sql}", name, _called(column, name), uses=(column.name,))


def whole_name(table: CatalogueTable, alias: str) -> Selected | None:
    """One column, or a first and a last name."""
    if found := wanted(table, alias, "name", NAMES):
        return found
    first, last = table.named(FIRST), table.named(LAST)
    if first and last and first.is_text and last.is_text:
        sql = f"nullif(trim(concat({alias}{first.sql}, ' ', {alias}{last.sql})), '')"
        why = f"put together from {first.name} and {last.name}"
        return Selected(sql, "name", why, uses=(first.name, last.name))
    return None


def moment(table: CatalogueTable, alias: str, name: str, among: Sequence[str]) -> Selected | None:
    """A time that goes by one of the names in `among`."""
    column = table.named(among)
    if column is None:
        return None
    made = as_moment(column, alias)
    if made is None:
        return None
    sql, why = made
    reasons = "; ".join(filter(None, [_called(column, name), why]))
    return Selected(sql, name, reasons, uses=(column.name,))


def as_moment(column: CatalogueColumn, alias: str) -> tuple[str, str] | None:
    """SQL that names a moment, and why it is not the plain column; None if it is no time at all."""
    plain = f"{alias}{column.sql}"
    kind = re.sub(r"\(\d+\)", "", column.type)
    if kind in ("timestamp with time zone", "date"):
        return plain, ""
    if kind == "timestamp without time zone":
        return (
            f"{plain} at time zone 'UTC'",
            WITHOUT_ZONE,
        )
    if kind in ("bigint", "integer", "numeric", "double precision") and not column.is_text:
        sql = (
            f"to_timestamp(case when {plain} > {_EPOCH_MS} then {plain} / 1000.0 else {plain} end)"
        )
        if kind == "integer":
            sql = f"to_timestamp({plain})"
        return sql, f"{kind}, so seconds or milliseconds since 1970"
    return None


def gone_at(table: CatalogueTable, alias: str) -> Selected | None:
    """When it was deleted, or that it was."""
    column = table.named(DELETED)
    if column and (made := as_moment(column, alias)):
        sql, why = made
        if column.type in _INTEGERS:
            plain = f"{alias}{column.sql}"
            sql = sql.replace(plain, f"nullif({plain}, 0)")
            why += ", and 0 is not deleted"
        reasons = "; ".join(filter(None, [_called(column, "deleted_at"), why]))
        return Selected(sql, "deleted_at", reasons, uses=(column.name,))
    flag = table.named(DELETED_FLAGS)
    if flag and flag.type == "boolean":
        sql = f"case when {alias}{flag.sql} then to_timestamp(0) end"
        why = f"{flag.name} says only that it is deleted; when is of no matter here"
        return Selected(sql, "deleted_at", why, uses=(flag.name,))
    return None


def as_tags(table: CatalogueTable, alias: str) -> Selected | None:
    """An array of text that goes by a name of tags; JSON may be one."""
    column = table.named(TAGS)
    if column is None or secret_word(column.name):
        return None
    kind = re.sub(r"\([\d,]+\)", "", column.type)
    sql = f"{alias}{column.sql}"
    if kind in _OTHER_ARRAYS:
        sql = f"{sql}::text[]"
    elif kind not in (*_TEXT_ARRAYS, "json", "jsonb"):
        return None
    return Selected(sql, "tags", _called(column, "tags"), uses=(column.name,))


def offers(
    table: CatalogueTable, alias: str, used: set[str], taken: Set[str]
) -> Iterator[Selected]:
    """What else it could send, each as the mapping would accept it.

    `used`: columns that are spoken for. `taken`: names that stand for something else already.
    """
    for column in table.columns:
        if column.name in used or not column.readable or secret_word(column.name):
            continue
        if (sql := _single(column, alias)) is not None:
            name = "_".join(words_of(column.name)) or column.name
            if name in taken or _is_of_another_type(name, column):
                name = f"{'_'.join(table.words)}_{name}"
            yield Selected(sql, name)


def _is_of_another_type(name: str, column: CatalogueColumn) -> bool:
    """Than the mapping wants under that name."""
    if name in FLAGS:
        return column.type != "boolean"
    return name in AS_TEXT and not column.is_text


def left_out(table: CatalogueTable, used: set[str]) -> Iterator[SkippedColumn]:
    """What is not even an offer, and why."""
    for column in table.columns:
        if column.name in used:
            continue
        if word := secret_word(column.name):
            yield SkippedColumn(column.name, f"looks like a secret ({word})")
        elif not column.readable:
            yield SkippedColumn(column.name, "this role may not read it")
        elif _single(column, "") is None:
            yield SkippedColumn(
                column.name, f"is {column.type}, and Intercom holds single values only"
            )


def _single(column: CatalogueColumn, alias: str) -> str | None:
    plain = f"{alias}{column.sql}"
    kind = re.sub(r"\([\d,]+\)", "", column.type)
    if not column.name.isprintable():
        # It stands in a comment, which would end in the middle of the name.
        return None
    if kind == "timestamp without time zone":
        return f"{plain} at time zone 'UTC'"
    if column.is_text or kind in ("boolean", "date", "uuid", "timestamp with time zone"):
        return plain
    return plain if kind in _NUMBERS and kind != "money" else None


def _called(column: CatalogueColumn, name: str) -> str:
    return "" if column.name == name else f"{column.name} here"
