"""What the mapping's queries return: names, declared kinds, and which of them are attributes.

Asks PostgreSQL to describe each query and holds the answer against what a mapping may select;
what does not fit is a `MappingError` with file and column. Rows are not read here.
"""

import re
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import psycopg

from intercom_assets.database.connections import AppConnection, encoded
from intercom_assets.database.failures import AppUnavailable, failed, line_of, told
from intercom_assets.database.identity import IdType, id_type
from intercom_assets.domain.models import Column, Kind
from intercom_assets.mapping.problems import MappingError, nearest

_KINDS = {
    **dict.fromkeys((25, 1043, 1042, 18, 19, 2950, 869, 650, 829, 774), Kind.STRING),
    **dict.fromkeys((21, 23, 20, 26), Kind.INTEGER),
    **dict.fromkeys((700, 701, 1700), Kind.FLOAT),
    16: Kind.BOOLEAN,
    **dict.fromkeys((1082, 1184), Kind.DATE),
}
_NUMERIC, _NAIVE, _INTERVAL = 1700, 1114, 1186
_FLOATS, _JSON = (700, 701), (114, 3802)
_NOT_SQL = re.compile(r"--[^\n]*|/\*.*?\*/|'(?:[^']|'')*'", re.DOTALL)
_BARE_USER = re.compile(r"\b(?:from|join)\s+user\b(?!\s*\.)", re.IGNORECASE)
UNNAMED = "?column?"
"""What PostgreSQL calls a column without a name."""
_NUMBER = (Kind.INTEGER, Kind.FLOAT)


@dataclass(frozen=True, slots=True)
class Rule:
    """A column that we know: the kinds it may have (None: those of an id), and which it gets."""

    kinds: tuple[Kind, ...] | None
    becomes: Kind | None = None
    required: bool = False


_ID, _DATE = Rule(None), Rule((Kind.DATE,))
_TEXT, _WHOLE = Rule((Kind.STRING,)), Rule(_NUMBER, Kind.INTEGER)
_KEY = Rule(None, required=True)


@dataclass(frozen=True, slots=True)
class Query:
    """One file of the mapping. `open`: further columns become custom attributes."""

    file: str
    sql: str
    rules: Mapping[str, Rule]
    open: bool = True

    def select(self, columns: str = "q.*", rest: str = "") -> str:
        """The query as a derived table `q`, its percent signs doubled since it has parameters."""
        doubled = self.sql.replace("%", "%%")
        return f"select {columns} from (\n{doubled}\n) as q {rest}"

    def line(self, error: psycopg.Error, sent: str) -> str:
        """`users.sql, line 3` where PostgreSQL names a place in what was sent."""
        return f"{self.file}{line_of(error, self.sql, sent.replace('%%', '%').find(self.sql))}"


USER_RULES = {
    "id": _KEY,
    "email": Rule((Kind.STRING,), required=True),
    "name": _TEXT,
    "phone_number": Rule((Kind.STRING, Kind.INTEGER), Kind.STRING),
    "time_zone": _TEXT,
    "created_at": _DATE,
    "last_request_at": _DATE,
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
    "deleted_at": _DATE,
    "updated_at": _DATE,
}
MEMBERSHIP_RULES = {"user_id": _KEY, "team_id": _KEY, "updated_at": _DATE}


@dataclass(frozen=True, slots=True)
class Shape:
    """What a query returns, in its order. `ids`: the columns that hold ids, and how."""

    query: Query
    columns: tuple[Column, ...]
    oids: tuple[int, ...]
    ids: Mapping[str, IdType]

    def has(self, name: str) -> bool:
        return any(column.name == name for column in self.columns)

    def fits(self, description: Sequence[psycopg.Column] | None) -> bool:
        """Whether a result still has the described columns (an app's table may change)."""
        found = [(column.name, column.type_code) for column in description or ()]
        return found == [(c.name, oid) for c, oid in zip(self.columns, self.oids, strict=True)]


def describe(connection: AppConnection, query: Query) -> Shape:
    """Raises MappingError for columns that a mapping cannot have, AppUnavailable if it fails."""
    shape, problems = examine(connection, query)
    for problem in problems:
        raise MappingError(problem)
    return shape


def examine(connection: AppConnection, query: Query) -> tuple[Shape, list[str]]:
    """The shape, and a sentence for each column that a mapping cannot have; with one there is no
    use for the shape. Raises MappingError or AppUnavailable for the query itself.
    """
    found = _described(connection, query)
    types = _types(connection, [column.type_code for column in found])
    columns: list[Column] = []
    ids: dict[str, IdType] = {}
    problems = list(_duplicates(query, [column.name for column in found]))
    for column in found:
        try:
            if _is_id(query, column.name):
                ids[column.name] = _id(query, column, types[column.type_code])
            kind = _kind(query, column, types[column.type_code])
            columns.append(Column(column.name, kind, column.name not in query.rules))
        except MappingError as error:
            problems.append(str(error))
    problems += _missing(query, [column.name for column in found])
    return Shape(query, tuple(columns), tuple(c.type_code for c in found), ids), problems


@dataclass(frozen=True, slots=True)
class _Type:
    name: str
    category: str
    is_enum: bool
    is_exact: bool


def _described(connection: AppConnection, query: Query) -> Sequence[psycopg.Column]:
    text = query.select(rest="limit %s")
    try:
        # The parameter makes it a prepared statement, which can only be one statement.
        cursor = connection.execute(encoded(connection, text), (0,))
    except UnicodeEncodeError:
        raise MappingError(
            f"{query.file}: a character that the app's database cannot hold in its encoding"
        ) from None
    except (psycopg.errors.SyntaxError, psycopg.errors.FeatureNotSupported) as error:
        line = query.line(error, text)
        raise MappingError(f"{line}: {_syntax(error, is_inside=line != query.file)}") from None
    except psycopg.errors.ReadOnlySqlTransaction as error:
        raise writes(query, error) from None
    except psycopg.errors.UndefinedColumn as error:
        advice = _forgotten(query.sql)
        raise AppUnavailable(f"{failed(query.line(error, text), error)}{advice}") from None
    except psycopg.Error as error:
        raise failed(query.line(error, text), error) from None
    return cursor.description or ()


def _forgotten(sql: str) -> str:
    """Why columns that are there are not found, where the text shows it."""
    bare = _NOT_SQL.sub(" ", sql)
    if _BARE_USER.search(bare):
        return '; user without quotes is who is logged in, and the table is "user"'
    return "" if re.search(r"\bfrom\b", bare, re.IGNORECASE) else "; the SELECT has no FROM"


def writes(query: Query, error: psycopg.Error) -> MappingError:
    """What a query is told that calls something which writes."""
    return MappingError(f"{query.file}: {told(error)}; allowed: a SELECT that only reads")


def _syntax(error: psycopg.Error, *, is_inside: bool) -> str:
    """`is_inside`: PostgreSQL names a place in the query, not in what we put around it."""
    message = error.diag.message_primary or "a syntax error"
    if "data-modifying" in message:
        return f"{message}; allowed: a SELECT that only reads"
    if error.diag.statement_position is None or message.endswith('";"'):
        return "more than one statement; allowed: one SELECT, with a ; at most at its end"
    if not is_inside:
        return "the SELECT is not complete, or ends too early"
    # What follows a line break is ours.
    return message if "\n" not in message else message.partition(" at or near ")[0]


def _types(connection: AppConnection, oids: list[int]) -> dict[int, _Type]:
    rows: list[tuple[Any, ...]] = connection.execute(
        "select oid::int8, format_type(oid, -1), typcategory::text, typtype = 'e', "
        "(select bool_and(collisdeterministic) from pg_catalog.pg_collation) "
        "from pg_catalog.pg_type where oid = any(%s::oid[])",
        (oids,),
    ).fetchall()
    return {oid: _Type(*rest) for oid, *rest in rows}


def _is_id(query: Query, name: str) -> bool:
    return name in query.rules and query.rules[name].kinds is None


def _id(query: Query, column: psycopg.Column, sql_type: _Type) -> IdType:
    found = id_type(
        column.type_code,
        sql_type.name,
        sql_type.category,
        column.scale,
        is_exact=sql_type.is_exact,
    )
    if found is None:
        raise MappingError(
            f"{query.file}: {column.name} is {sql_type.name}; "
            "allowed: an integer, text or uuid, since it is an id"
        )
    return found


def _kind(query: Query, column: psycopg.Column, sql_type: _Type) -> Kind:
    rule = query.rules.get(column.name)
    if rule is None and not query.open:
        raise MappingError(
            f"{query.file}: unknown column {column.name}; allowed: {', '.join(query.rules)}"
        )
    if rule is not None and rule.kinds is None:
        return Kind.STRING
    kind = _declared(query, column, sql_type)
    if rule is not None and rule.becomes is Kind.INTEGER and _has_fractions(column):
        name = column.name
        raise MappingError(
            f"{query.file}: {name} is {column.type_display}, and Intercom holds whole units; "
            f"allowed: an integer, as in: round({name})::bigint as {name}"
        )
    if rule is not None and rule.kinds is not None and kind not in rule.kinds:
        raise MappingError(
            f"{query.file}: {column.name} is {sql_type.name}; "
            f"allowed: {' or '.join(_MEANT[each] for each in rule.kinds)}"
        )
    return (rule.becomes if rule else None) or kind


_MEANT = {
    Kind.STRING: "text",
    Kind.INTEGER: "an integer",
    Kind.FLOAT: "a number",
    Kind.BOOLEAN: "true or false",
    Kind.DATE: "timestamptz or date",
}


def _declared(query: Query, column: psycopg.Column, sql_type: _Type) -> Kind:
    oid = column.type_code
    if oid == _NAIVE:
        raise MappingError(
            f"{query.file}: {column.name} is a timestamp without time zone, which names no moment; "
            f"allowed: timestamptz, as in: {column.name} at time zone 'UTC' as {column.name}"
        )
    if oid == _NUMERIC and column.scale == 0:
        return Kind.INTEGER
    if oid in _KINDS:
        return _KINDS[oid]
    if sql_type.category == "S" or sql_type.is_enum:
        return Kind.STRING
    raise MappingError(
        f"{query.file}: {column.name} is {sql_type.name}, and Intercom holds single values only; "
        "allowed: text, numbers, booleans, dates and what becomes one of these, as in: "
        f"{_made_single(column, sql_type)} as {column.name}"
    )


def _made_single(column: psycopg.Column, sql_type: _Type) -> str:
    """How a column of a type that Intercom does not hold is made one that it does."""
    name = column.name
    if sql_type.category == "A":
        return f"array_to_string({name}, ', ')"
    if column.type_code in _JSON:
        return f"{name} ->> 'key'"
    if column.type_code == _INTERVAL:
        return f"extract(epoch from {name})::bigint"
    return f"{name}::text"


def _has_fractions(column: psycopg.Column) -> bool:
    """Whether its type says so; numeric alone, as of sum(), need not have any."""
    return column.type_code in _FLOATS or (column.type_code == _NUMERIC and bool(column.scale))


def _duplicates(query: Query, names: Collection[str]) -> Iterator[str]:
    for name, count in Counter(names).items():
        if name == UNNAMED:
            yield f"{query.file}: a column has no name; give it one, as in: ... as total"
        elif count > 1:
            yield f"{query.file}: {name} is selected twice; name each column once (as ...)"


def _missing(query: Query, names: Collection[str]) -> Iterator[str]:
    for name, rule in query.rules.items():
        if rule.required and name not in names:
            found = nearest(name, names).removeprefix("; ")
            yield f"{query.file}: the column {name} is missing; {found}"
