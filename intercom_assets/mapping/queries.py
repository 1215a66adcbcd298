"""A mapping's three queries, and what each may select: columns that we know, and others.

`id`, `email` and the like have rules: kinds that are allowed, and what they become. A column
without a rule is a custom attribute, or a mistake where there can be none. What type a column has,
only PostgreSQL tells (`database/app/columns`).
"""

from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass

from intercom_assets.domain.models import Kind
from intercom_assets.mapping.load import MEMBERSHIPS_SQL, TEAMS_SQL, USERS_SQL, AppMapping
from intercom_assets.mapping.problems import MappingError, nearest

NOT_VALUES = frozenset({"id", "from_oauth", "deleted_at", "updated_at", "tags"})
"""Columns that say something about the row; the others are its values."""
NOT_VALUES_OF_TEAMS = NOT_VALUES | {"owner_id"}
"""A team's owner is a user of the app."""
UNNAMED = "?column?"
"""What PostgreSQL calls a column without a name."""
_NUMBER = (Kind.INTEGER, Kind.FLOAT)
_MEANT = {
    Kind.STRING: "text",
    Kind.INTEGER: "an integer",
    Kind.FLOAT: "a number",
    Kind.BOOLEAN: "true or false",
    Kind.DATE: "timestamptz or date",
}


@dataclass(frozen=True, slots=True)
class Rule:
    """A column that we know: the kinds it may have (None: those of an id), and which it gets.

    `many`: it is an array of them.
    """

    kinds: tuple[Kind, ...] | None
    becomes: Kind | None = None
    required: bool = False
    many: bool = False

    @property
    def is_id(self) -> bool:
        return self.kinds is None

    @property
    def is_whole(self) -> bool:
        """Whether Intercom holds whole units of it only."""
        return self.becomes is Kind.INTEGER


_ID, _DATE = Rule(None), Rule((Kind.DATE,))
_TEXT, _WHOLE = Rule((Kind.STRING,)), Rule(_NUMBER, Kind.INTEGER)
_NAMES = Rule((Kind.STRING,), many=True)
_KEY = Rule(None, required=True)
USER_RULES = {
    "id": _KEY,
    "email": Rule((Kind.STRING,), required=True),
    "name": _TEXT,
    "phone_number": Rule((Kind.STRING, Kind.INTEGER), Kind.STRING),
    "time_zone": _TEXT,
    "created_at": _DATE,
    "last_request_at": _DATE,
    "unsubscribed_from_emails": Rule((Kind.BOOLEAN,)),
    "email_verified": Rule((Kind.BOOLEAN,)),
    "avatar_url": _TEXT,
    "owner_email": _TEXT,
    "owner_id": Rule((Kind.STRING, Kind.INTEGER), Kind.STRING),
    "tags": _NAMES,
    "from_oauth": Rule((Kind.BOOLEAN,)),
    "deleted_at": _DATE,
    "updated_at": _DATE,
}
TEAM_RULES = {
    "id": _KEY,
    "name": _TEXT,
    "created_at": _DATE,
    "monthly_spend": _WHOLE,
    "plan": _TEXT,
    "size": _WHOLE,
    "website": _TEXT,
    "industry": _TEXT,
    "owner_id": _ID,
    "tags": _NAMES,
    "deleted_at": _DATE,
    "updated_at": _DATE,
}
MEMBERSHIP_RULES = {"user_id": _KEY, "team_id": _KEY, "updated_at": _DATE}


@dataclass(frozen=True, slots=True)
class Query:
    """One file of the mapping. `open`: further columns become custom attributes."""

    file: str
    sql: str
    rules: Mapping[str, Rule]
    open: bool = True
    not_values: frozenset[str] = NOT_VALUES

    def select(self, columns: str = "q.*", rest: str = "") -> str:
        """The query as a derived table `q`, its percent signs doubled since it has parameters."""
        doubled = self.sql.replace("%", "%%")
        return f"select {columns} from (\n{doubled}\n) as q {rest}"

    def is_attribute(self, column: str) -> bool:
        return column not in self.rules

    def is_value(self, column: str) -> bool:
        return self.is_attribute(column) or column not in self.not_values

    def rule(self, column: str) -> Rule | None:
        """None: a custom attribute. Raises MappingError where there can be none."""
        rule = self.rules.get(column)
        if rule is None and not self.open:
            raise MappingError(
                f"{self.file}: unknown column {column}; allowed: {', '.join(self.rules)}"
            )
        return rule

    def kind(self, column: str, found: Kind, sql_type: str) -> Kind:
        """Of a column that is `found` by its type. Raises MappingError for a kind it may not be."""
        rule = self.rules.get(column)
        if rule is not None and rule.kinds is not None and found not in rule.kinds:
            raise MappingError(
                f"{self.file}: {column} is {sql_type}; "
                f"allowed: {' or '.join(_MEANT[kind] for kind in rule.kinds)}"
            )
        return (rule.becomes if rule else None) or found

    def ambiguous(self, columns: Collection[str]) -> Iterator[str]:
        """A sentence for each column that is selected twice, or without a name."""
        for name, count in Counter(columns).items():
            if name == UNNAMED:
                yield f"{self.file}: a column has no name; give it one, as in: ... as total"
            elif count > 1:
                yield f"{self.file}: {name} is selected twice; name each column once (as ...)"

    def missing(self, columns: Collection[str]) -> Iterator[str]:
        """A sentence for each column that has to be selected and is not."""
        for name, rule in self.rules.items():
            if rule.required and name not in columns:
                known = nearest(name, columns).removeprefix("; ")
                yield f"{self.file}: the column {name} is missing; {known}"


def queries(mapping: AppMapping) -> tuple[Query, Query, Query]:
    """Of users, teams and memberships."""
    return (
        Query(USERS_SQL, mapping.users_sql, USER_RULES),
        Query(TEAMS_SQL, mapping.teams_sql, TEAM_RULES, not_values=NOT_VALUES_OF_TEAMS),
        Query(MEMBERSHIPS_SQL, mapping.memberships_sql, MEMBERSHIP_RULES, open=False),
    )
