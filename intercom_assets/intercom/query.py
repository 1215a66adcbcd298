"""What can be asked of `POST /contacts/search`: filters in groups, two levels deep.

The limits are Intercom's: 15 filters a group, one group inside another
(docs/dev/intercom-facts.md#search). They are checked when a query is built, so a wrong one fails
where it is written. What an answer means, and how stale it may be, belongs to the callers.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

from intercom_assets.domain.models import Value

MAX_FILTERS = 15
"""Filters in a group, and values of an IN (its own limit is unconfirmed; 15 is known to work)."""
OPERATORS = frozenset({"=", "!=", "IN", "NIN", "<", ">", "<=", ">=", "~", "!~", "^", "$"})


@dataclass(frozen=True, slots=True)
class Filter:
    """`field operator value`; None matches what is unset. IN and NIN take 1 to 15 values."""

    field: str
    operator: str
    value: Value | tuple[Value, ...]

    def __post_init__(self) -> None:
        if self.operator not in OPERATORS:
            raise ValueError(f"{self.operator!r} is not an operator of Intercom's search")
        if (self.operator in ("IN", "NIN")) != isinstance(self.value, tuple):
            raise ValueError("IN and NIN take a tuple of values; the other operators take one")
        if isinstance(self.value, tuple) and not 1 <= len(self.value) <= MAX_FILTERS:
            raise ValueError(f"IN takes 1 to {MAX_FILTERS} values, not {len(self.value)}")


@dataclass(frozen=True, slots=True)
class AllOf:
    parts: tuple["Query", ...]

    def __post_init__(self) -> None:
        _check(self.parts)


@dataclass(frozen=True, slots=True)
class AnyOf:
    parts: tuple["Query", ...]

    def __post_init__(self) -> None:
        _check(self.parts)


Query: TypeAlias = Filter | AllOf | AnyOf


@dataclass(frozen=True, slots=True)
class Sort:
    """Results sort on full seconds, also where the filter sees calendar days only."""

    field: str = "updated_at"
    descending: bool = True


NEWEST_FIRST = Sort("updated_at", descending=True)


def leads_with_emails(emails: Sequence[str]) -> Query:
    """Leads that hold one of up to 15 e-mails. Compare again: the case rule is unconfirmed."""
    return AllOf((Filter("role", "=", "lead"), Filter("email", "IN", tuple(emails))))


MAX_IDS = 10 * MAX_FILTERS
"""External ids that one search is asked for: as many contacts as a page holds."""


def with_external_ids(ids: Sequence[str]) -> Query:
    """Contacts with one of up to 150 external ids, which is a page of them."""
    groups = (ids[start : start + MAX_FILTERS] for start in range(0, len(ids), MAX_FILTERS))
    return AnyOf(tuple(Filter("external_id", "IN", tuple(group)) for group in groups))


def touched_since(seconds: int, *, role: str | None = None) -> Query:
    """Contacts updated at or after `seconds` (Unix), and others of that calendar day.

    Up to 2.16 `>` begins at the *next* midnight of the workspace, so the day itself is asked for
    too. Sort `NEWEST_FIRST` and stop at the first contact older than what you wanted.
    """
    since = AnyOf((Filter("updated_at", ">", seconds), Filter("updated_at", "=", seconds)))
    return since if role is None else AllOf((Filter("role", "=", role), since))


def as_json(query: Query) -> dict[str, object]:
    """The query as the body of a search holds it."""
    if isinstance(query, Filter):
        value = list(query.value) if isinstance(query.value, tuple) else query.value
        return {"field": query.field, "operator": query.operator, "value": value}
    operator = "AND" if isinstance(query, AllOf) else "OR"
    return {"operator": operator, "value": [as_json(part) for part in query.parts]}


def _check(parts: tuple[Query, ...]) -> None:
    if not 1 <= len(parts) <= MAX_FILTERS:
        raise ValueError(f"a group holds 1 to {MAX_FILTERS} parts, not {len(parts)}")
    if any(_depth(part) > 1 for part in parts):
        raise ValueError("groups nest two levels deep at most")


def _depth(query: Query) -> int:
    return 0 if isinstance(query, Filter) else 1 + max(_depth(part) for part in query.parts)
