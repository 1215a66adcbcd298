"""One filter of a search: checked against its field's type, and turned into a plan.

A plan is a test for one contact, and what spares reading everybody: bounds on `updated_at`, or
e-mails and external ids that every match must carry. How filters combine is in `query`.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeAlias

from intercom_assets.simulator.errors import Refused
from intercom_assets.simulator.fields import (
    EXACT_OPERATORS,
    LATEST_DAY,
    OPERATORS,
    Field,
    Read,
    day_grained,
    day_of,
    find_field,
)
from intercom_assets.simulator.index import Key
from intercom_assets.simulator.records import Contact
from intercom_assets.simulator.wire import Call

Test: TypeAlias = Callable[[Contact], bool]
INFINITE = 1 << 62


@dataclass(frozen=True, slots=True)
class Plan:
    """Every match has low <= updated_at < high, and one of `keys` unless that is None.

    `exact`: the bounds say it all, so `test` need not be asked.
    """

    test: Test
    low: int = -INFINITE
    high: int = INFINITE
    exact: bool = False
    keys: frozenset[Key] | None = None


def bad_query() -> Refused:
    return Refused(
        400,
        "invalid_query",
        "Invalid query. Ensure 'field', 'operator', 'value' are present for field queries. "
        "Ensure 'operator' and 'value' for composite queries.",
    )


def bad_value(value: Any, kind: str) -> Refused:
    return Refused(400, "invalid_value", f"{value} is not a valid {kind}")


def too_many() -> Refused:
    return Refused(
        400,
        "invalid_value",
        "Number of elements in composite query is greater than 15, "
        "please try again with a smaller list",
    )


def read_filter(call: Call, query: dict[str, Any]) -> Plan:
    if set(query) != {"field", "operator", "value"}:
        raise bad_query()
    field = find_field(call, query["field"])
    operator, value = query["operator"], query["value"]
    zone = day_grained(call, field) if field.kind == "date" else None
    exact_date = field.kind == "date" and zone is None
    allowed = EXACT_OPERATORS if exact_date else OPERATORS[field.kind]
    if not isinstance(operator, str) or operator not in allowed:
        raise Refused(
            400, "invalid_operator", f"{field.name} does not support operator: {operator}"
        )
    if value is None:
        return _unset(field, operator)
    if field.kind == "tag":
        return _tagged(field, operator, value)
    if operator in ("IN", "NIN"):
        return _one_of(call, field, operator, value)
    if field.kind == "date":
        return _dated(call, field, operator, value)
    wanted = _typed(call, field, value)
    keys = _keys(field, [wanted]) if operator == "=" else None
    return Plan(_compare(field, operator, wanted), keys=keys)


def _unset(field: Field, operator: str) -> Plan:
    read = field.read
    if field.kind == "tag" or operator not in ("=", "!="):
        raise bad_value("null", field.kind)
    if operator == "=":
        return Plan(lambda contact: read(contact) is None)
    return Plan(lambda contact: read(contact) is not None)


def _tagged(field: Field, operator: str, value: Any) -> Plan:
    if not isinstance(value, str):
        raise bad_value(value, "string")
    read, wanted = field.read, operator == "="
    return Plan(lambda contact: (value in read(contact)) is wanted)


def _one_of(call: Call, field: Field, operator: str, values: Any) -> Plan:
    if not isinstance(values, list) or not values:
        raise Refused(400, "invalid_values", f"{operator} needs an array of values")
    if len(values) > call.settings.choice("in_list_limit"):
        raise too_many()
    wanted = [_typed(call, field, value) for value in values]
    read = _reader(field)
    if operator == "IN":
        return Plan(lambda contact: read(contact) in wanted, keys=_keys(field, wanted))
    return Plan(lambda contact: read(contact) not in wanted)


def _keys(field: Field, values: list[Any]) -> frozenset[Key] | None:
    if field.name not in ("email", "external_id"):
        return None
    return frozenset((field.name, value) for value in values)


def _typed(call: Call, field: Field, value: Any) -> Any:
    """The value as this field's type; text in lower case where case does not count."""
    if field.kind == "string":
        if field.name == "owner_id" and call.version < (2, 16) and type(value) is int:
            return str(value)
        if not isinstance(value, str):
            raise bad_value(value, "string")
        if field.name == "role" and value not in ("user", "lead"):
            raise bad_value(value, "role")
        return value.lower() if field.folded else value
    if field.kind == "boolean":
        if not isinstance(value, bool):
            raise bad_value(value, "boolean")
        return value
    return _number(value, "integer")


def _number(value: Any, kind: str) -> int | float:
    """Numbers, and digits in quotes as the file's own example sends them."""
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) < 19:
        return int(value)
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise bad_value(value, kind)
    return value


def _reader(field: Field) -> Read:
    read = field.read
    if not field.folded:
        return read
    return lambda contact: (read(contact) or "").lower()


def _compare(field: Field, operator: str, wanted: Any) -> Test:
    read = _reader(field)
    match operator:
        case "=":
            return lambda contact: read(contact) == wanted
        case "!=":
            return lambda contact: read(contact) != wanted
    if field.kind != "string":
        return _ordered(read, operator, wanted)
    part = wanted.lower()
    match operator:
        case "~":
            return lambda contact: part in (read(contact) or "").lower()
        case "!~":
            return lambda contact: part not in (read(contact) or "").lower()
        case "^":
            return lambda contact: (read(contact) or "").lower().startswith(part)
    return lambda contact: (read(contact) or "").lower().endswith(part)


def _ordered(read: Read, operator: str, wanted: int | float) -> Test:
    """A value that is not set is neither smaller nor larger."""

    def known(contact: Contact) -> int | float | None:
        value = read(contact)
        return value if isinstance(value, int | float) else None

    match operator:
        case "<":
            return lambda contact: (v := known(contact)) is not None and v < wanted
        case ">":
            return lambda contact: (v := known(contact)) is not None and v > wanted
        case "<=":
            return lambda contact: (v := known(contact)) is not None and v <= wanted
    return lambda contact: (v := known(contact)) is not None and v >= wanted


# --- dates ---


def _dated(call: Call, field: Field, operator: str, value: Any) -> Plan:
    seconds = _number(value, "date")
    if not 0 <= seconds < LATEST_DAY:
        raise bad_value(value, "date")
    seconds = int(seconds)  # public extractors send 1750075200.0
    zone = day_grained(call, field)
    if zone is None:
        start, end = seconds, seconds + 1
    else:
        start, end = day_of(seconds, zone)
    low, high = _span(operator, start, end)
    read = field.read

    def test(contact: Contact) -> bool:
        moment = read(contact)
        return isinstance(moment, int) and low <= moment < high

    if operator == "!=":
        return Plan(lambda contact: read(contact) is not None and not start <= read(contact) < end)
    if field.name == "updated_at":
        return Plan(test, low, high, exact=True)
    return Plan(test)


def _span(operator: str, start: int, end: int) -> tuple[int, int]:
    match operator:
        case "=":
            return start, end
        case ">":
            return end, INFINITE
        case ">=":
            return start, INFINITE
        case "<":
            return -INFINITE, start
    return -INFINITE, end
