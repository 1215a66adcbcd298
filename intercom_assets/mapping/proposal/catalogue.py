"""What a database's catalogue says about an app's tables, and what is asked of it."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property

from intercom_assets.domain.secret_names import words_of

_PLAIN = re.compile(r"[a-z_][a-z0-9_]*")
_RESERVED = frozenset({
    "all", "analyse", "analyze", "and", "any", "array", "as", "asc", "asymmetric",
    "authorization", "binary", "both", "case", "cast", "check", "collate", "collation", "column",
    "concurrently", "constraint", "create", "cross", "current_catalog", "current_date",
    "current_role", "current_schema", "current_time", "current_timestamp", "current_user",
    "default", "deferrable", "desc", "distinct", "do", "else", "end", "except", "false", "fetch",
    "for", "foreign", "freeze", "from", "full", "grant", "group", "having", "ilike", "in",
    "initially", "inner", "intersect", "into", "is", "isnull", "join", "lateral", "leading",
    "left", "like", "limit", "localtime", "localtimestamp", "natural", "not", "notnull", "null",
    "offset", "on", "only", "or", "order", "outer", "overlaps", "placing", "primary",
    "references", "returning", "right", "select", "session_user", "similar", "some", "symmetric",
    "system_user", "table", "tablesample", "then", "to", "trailing", "true", "union", "unique",
    "user", "using", "variadic", "verbose", "when", "where", "window", "with",
})  # fmt: skip
ID_TYPES = re.compile(r"(smallint|integer|bigint|uuid|text|character varying|character|citext)\b")


@dataclass(frozen=True, slots=True)
class CatalogueColumn:
    """`category`: PostgreSQL's, as `S` of texts. `readable`: whether our role may SELECT it."""

    name: str
    type: str
    category: str = ""
    nullable: bool = True
    is_enum: bool = False
    readable: bool = True

    @property
    def sql(self) -> str:
        return quoted(self.name)

    @property
    def is_text(self) -> bool:
        return self.category == "S" or self.is_enum


@dataclass(frozen=True, slots=True)
class ForeignKey:
    column: str
    table: tuple[str, str]
    target: str


@dataclass(frozen=True)
class CatalogueTable:
    """`visible`: found without naming its schema. `unique`: keys without the primary one.

    `watchable`: a table that our role may put triggers on.
    """

    schema: str
    name: str
    columns: tuple[CatalogueColumn, ...]
    primary_key: tuple[str, ...] = ()
    unique: tuple[tuple[str, ...], ...] = ()
    foreign_keys: tuple[ForeignKey, ...] = ()
    visible: bool = True
    is_view: bool = False
    watchable: bool = True

    @property
    def key(self) -> tuple[str, str]:
        return self.schema, self.name

    @property
    def sql(self) -> str:
        return quoted(self.name) if self.visible else f"{quoted(self.schema)}.{quoted(self.name)}"

    @property
    def plain(self) -> str:
        """As sync.yaml names it."""
        return self.name if self.visible else f"{self.schema}.{self.name}"

    @cached_property
    def words(self) -> tuple[str, ...]:
        """Of its name, each in the singular."""
        return tuple(singular(word) for word in words_of(self.name))

    @cached_property
    def by_name(self) -> dict[str, CatalogueColumn]:
        return {column.name: column for column in self.columns}

    @cached_property
    def id(self) -> CatalogueColumn | None:
        """The column by which a row is known: the key, else a unique one, else a view's `id`."""
        if len(self.primary_key) == 1:
            return self._as_id(self.primary_key[0])
        names = [key[0] for key in self.unique if len(key) == 1]
        names += ["id"] if self.is_view else []
        return next((found for name in names if (found := self._as_id(name))), None)

    def _as_id(self, name: str) -> CatalogueColumn | None:
        column = self.by_name.get(name)
        fits = column and column.readable and (column.is_enum or ID_TYPES.match(column.type))
        return column if fits else None

    def is_unique(self, *names: str) -> bool:
        return set(names) in [set(key) for key in (self.primary_key, *self.unique) if key]

    def named(self, names: Iterable[str]) -> CatalogueColumn | None:
        """The first of `names` that it has and that we may read, in whatever case and style."""
        found = {
            "".join(words_of(column.name)): column for column in self.columns if column.readable
        }
        return next((found[key] for name in names if (key := name.replace("_", "")) in found), None)


@dataclass(frozen=True)
class Catalogue:
    tables: tuple[CatalogueTable, ...]

    def reference(
        self, table: CatalogueTable, to: CatalogueTable
    ) -> Iterator[tuple[CatalogueColumn, bool]]:
        """Columns of `table` that name a row of `to`; whether a foreign key says so, or a name."""
        if to.id is None:
            return
        declared = [key for key in table.foreign_keys if key.table == to.key]
        for key in declared:
            if key.target == to.id.name and table.by_name[key.column].readable:
                yield table.by_name[key.column], True
        taken = {key.column for key in table.foreign_keys}
        for column in table.columns:
            if column.readable and column.name not in taken and _names(column, to):
                yield column, False

    def references_to(self, to: CatalogueTable) -> int:
        return sum(key.table == to.key for table in self.tables for key in table.foreign_keys)


def _names(column: CatalogueColumn, to: CatalogueTable) -> bool:
    """`user_id`, `userId`: by convention, where no foreign key says so."""
    words = tuple(singular(word) for word in words_of(column.name))
    return (
        to.id is not None
        and len(words) > 1
        and words[-1] in ("id", "uuid")
        and words[:-1] in (to.words, to.words[-1:])
        and same_family(column, to.id)
    )


def same_family(column: CatalogueColumn, other: CatalogueColumn) -> bool:
    """Whether their values can be compared, as ids."""
    return _family(column.type) == _family(other.type)


def _family(sql_type: str) -> str:
    if sql_type in ("smallint", "integer", "bigint"):
        return "integer"
    return "uuid" if sql_type == "uuid" else "text"


def quoted(name: str) -> str:
    """As SQL names it: in quotes only where it has to be."""
    if _PLAIN.fullmatch(name) and name not in _RESERVED:
        return name
    return '"' + name.replace('"', '""') + '"'


def singular(word: str) -> str:
    """`companies` -> company, `people` -> person: as far as names of tables go."""
    if word in ("people", "persons"):
        return "person"
    if word.endswith("ies") and len(word) > 4:
        return word[:-3] + "y"
    if word.endswith(("sses", "xes", "ches", "shes")):
        return word[:-2]
    if word.endswith("s") and not word.endswith(("ss", "us", "is")) and len(word) > 3:
        return word[:-1]
    return word
