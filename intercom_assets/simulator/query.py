"""The search language: groups of filters, at most two levels deep and 15 in each.

A query becomes one `Plan`, which combines those of its filters (`filters`). Pages and sorting are
in `listing`.
"""

from typing import Any

from intercom_assets.simulator.errors import Refused
from intercom_assets.simulator.filters import Plan, bad_query, read_filter, too_many
from intercom_assets.simulator.wire import Call

GROUP_LIMIT = 15
DEPTH_LIMIT = 2


def read_query(call: Call, query: Any, depth: int = 0) -> Plan:
    if not isinstance(query, dict):
        raise bad_query()
    if "field" in query:
        return read_filter(call, query)
    return _read_group(call, query, depth + 1)


# --- groups ---


def _read_group(call: Call, query: dict[str, Any], depth: int) -> Plan:
    if set(query) != {"operator", "value"} or not isinstance(query["value"], list):
        raise bad_query()
    if query["operator"] not in ("AND", "OR"):
        raise Refused(400, "invalid_operator", "Composite operators must be of type AND or OR ")
    if depth > DEPTH_LIMIT:
        raise Refused(400, "invalid_query", "Queries can be nested at most 2 levels deep")
    parts = query["value"]
    if not parts:
        raise bad_query()
    if len(parts) > GROUP_LIMIT:
        raise too_many()
    plans = [read_query(call, part, depth) for part in parts]
    return _all_of(plans) if query["operator"] == "AND" else _any_of(plans)


def _all_of(plans: list[Plan]) -> Plan:
    tests = [plan.test for plan in plans]
    keyed = [plan.keys for plan in plans if plan.keys is not None]
    return Plan(
        lambda contact: all(test(contact) for test in tests),
        max(plan.low for plan in plans),
        min(plan.high for plan in plans),
        all(plan.exact for plan in plans),
        min(keyed, key=len) if keyed else None,
    )


def _any_of(plans: list[Plan]) -> Plan:
    tests = [plan.test for plan in plans]
    keyed = [plan.keys for plan in plans if plan.keys is not None]
    return Plan(
        lambda contact: any(test(contact) for test in tests),
        min(plan.low for plan in plans),
        max(plan.high for plan in plans),
        all(plan.exact for plan in plans) and _contiguous(plans),
        frozenset().union(*keyed) if len(keyed) == len(plans) else None,
    )


def _contiguous(plans: list[Plan]) -> bool:
    spans = sorted((plan.low, plan.high) for plan in plans)
    reach = spans[0][1]
    for low, high in spans[1:]:
        if low > reach:
            return False
        reach = max(reach, high)
    return True
