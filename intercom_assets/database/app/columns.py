"""What the mapping's queries return: names, declared kinds, and which of them are attributes.

Asks PostgreSQL to describe each query and holds the answer against what a mapping may select
(`mapping/queries`); what does not fit is a `MappingError` with file and column. Rows are not read
here.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import psycopg

from intercom_assets.database.connections import AppConnection, encoded
from intercom_assets.database.failures import AppUnavailable, failed, line_of, message_of
from intercom_assets.database.identity import IdType, id_type
from intercom_assets.domain.models import Column, Kind
from intercom_assets.mapping.problems import MappingError
from intercom_assets.mapping.queries import Query

_KINDS = {
    **dict.fromkeys((25, 1043, 1042, 18, 19, 2950, 869, 650, 829, 774), Kind.STRING),
    **dict.fromkeys((21, 23, 20, 26), Kind.INTEGER),
    **dict.fromkeys((700, 701, 1700), Kind.FLOAT),
    16: Kind.BOOLEAN,
    **dict.fromkeys((1082, 1184), Kind.DATE),
}
_NUMERIC, _NAIVE, _INTERVAL = 1700, 1114, 1186
_FLOATS, _JSON = (700, 701), (114, 3802)
_TEXT_ARRAYS = (1009, 1015, 1014)
_NOT_SQL = re.compile(r"--[^\n]*|/\*.*?\*/|'(?:[^']|'')*'", re.DOTALL)
_BARE_USER = re.compile(r"\b(?:from|join)\s+user\b(?!\s*\.)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Shape:
    """What a query returns, in its order. `ids`: the columns that hold ids, and how."""

    query: Query
    columns: tuple[Column, ...]
    oids: tuple[int, ...]
    ids: Mapping[str, IdType]

    @property
    def values(self) -> list[tuple[int, str, Kind]]:
        """Place, name and kind of each column that is a value of the row."""
        return [
            (place, column.name, column.kind)
            for place, column in enumerate(self.columns)
            if self.query.is_value(column.name)
        ]

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
    names = [column.name for column in found]
    problems = list(query.ambiguous(names))
    for column in found:
        try:
            if _is_id(query, column.name):
                ids[column.name] = _id(query, column, types[column.type_code])
            kind = _kind(query, column, types[column.type_code])
            columns.append(Column(column.name, kind, query.is_attribute(column.name)))
        except MappingError as error:
            problems.append(str(error))
    problems += query.missing(names)
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
        line = query_line(query, error, text)
        raise MappingError(f"{line}: {_syntax(error, is_inside=line != query.file)}") from None
    except psycopg.errors.ReadOnlySqlTransaction as error:
        raise writes(query, error) from None
    except psycopg.errors.UndefinedColumn as error:
        advice = _forgotten(query.sql)
        raise AppUnavailable(f"{failed(query_line(query, error, text), error)}{advice}") from None
    except psycopg.Error as error:
        raise failed(query_line(query, error, text), error) from None
    return cursor.description or ()


def query_line(query: Query, error: psycopg.Error, sent: str) -> str:
    """`users.sql, line 3` where PostgreSQL names a place in what was sent."""
    place = sent.replace("%%", "%").find(query.sql)
    return f"{query.file}{line_of(error, query.sql, place)}"


def _forgotten(sql: str) -> str:
    """Why columns that are there are not found, where the text shows it."""
    bare = _NOT_SQL.sub(" ", sql)
    if _BARE_USER.search(bare):
        return '; user without quotes is who is logged in, and the table is "user"'
    return "" if re.search(r"\bfrom\b", bare, re.IGNORECASE) else "; the SELECT has no FROM"


def writes(query: Query, error: psycopg.Error) -> MappingError:
    """What a query is told that calls something which writes."""
    return MappingError(f"{query.file}: {message_of(error)}; allowed: a SELECT that only reads")


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
    return name in query.rules and query.rules[name].is_id


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
    rule, name = query.rule(column.name), column.name
    if rule is not None and rule.is_id:
        return Kind.STRING
    if rule is not None and rule.many:
        return _element(query, column, sql_type)
    kind = _declared(query, column, sql_type)
    if rule is not None and rule.is_whole and _has_fractions(column):
        raise MappingError(
            f"{query.file}: {name} is {column.type_display}, and Intercom holds whole units; "
            f"allowed: an integer, as in: round({name})::bigint as {name}"
        )
    return query.kind(name, kind, sql_type.name)


def _element(query: Query, column: psycopg.Column, sql_type: _Type) -> Kind:
    if column.type_code in (*_TEXT_ARRAYS, *_JSON):
        return Kind.STRING
    name = column.name
    way = f"{name}::text[] as {name}" if sql_type.category == "A" else f"{name} as {name}_text"
    raise MappingError(
        f"{query.file}: {name} is {sql_type.name}; allowed: an array of text, or json that is "
        f"one; as in: {way}{'' if sql_type.category == 'A' else ', a custom attribute'}"
    )


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
