"""Links, contacts and journal entries as JSON documents, and back.

Reading is tolerant of other versions of ourselves: a stored field that is no longer known is left
out, one that was added since gets its default. Text that PostgreSQL cannot hold (NUL, half a
surrogate pair) is cleaned, so that one odd name cannot stop a whole chunk.
"""

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import fields
from typing import Any, TypeVar

from intercom_assets.database.records import Failure, Json
from intercom_assets.domain.fields import Policy
from intercom_assets.domain.models import (
    Company,
    Contact,
    EdgeState,
    JournalEntry,
    LeftOut,
    Membership,
    Reason,
    Side,
    TeamLink,
    UserLink,
)
from intercom_assets.domain.vocabulary import Action, QueueKind

Record = TypeVar("Record", Contact, Company, Failure)

_NAMES: Mapping[type, Sequence[str]] = {
    kind: tuple(field.name for field in fields(kind)) for kind in (Contact, Company, Failure)
}
_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")
_PAIRS = frozenset({"accepted", "undone", "refused_leads"})
_TEAM_COLUMNS = frozenset({"team_id", "company_id", "row_hash", "shadow", "shadow_read_at", "base"})
_USER_COLUMNS = frozenset(
    {"user_id", "contact_id", "row_hash", "shadow", "shadow_read_at", "base", "in_flight"}
    | {"needs_read", "edges"}
)


def _defaults(link: UserLink | TeamLink, columns: frozenset[str]) -> dict[str, object]:
    return {f.name: getattr(link, f.name) for f in fields(link) if f.name not in columns}


_USER_MEMORY = _defaults(UserLink(user_id=""), _USER_COLUMNS)
_TEAM_MEMORY = _defaults(TeamLink(team_id=""), _TEAM_COLUMNS)
"""Fields that need no column of their own: new ones are stored without a change of the schema."""


def document(value: object) -> str:
    """JSON text that a `jsonb` parameter accepts."""
    text = json.dumps(value, ensure_ascii=False, allow_nan=False, default=_plain)
    if "\\u0000" in text or _UNSTORABLE.search(text):
        text = json.dumps(cleaned(value), ensure_ascii=False, allow_nan=False)
    return text


def user_document(link: UserLink, *, in_flight: Mapping[str, Any]) -> dict[str, object]:
    return {
        "id": link.user_id,
        "other_id": link.contact_id,
        "row_hash": link.row_hash,
        "shadow": _shadow(link.shadow),
        "shadow_read_at": link.shadow_read_at,
        "base": link.base,
        "in_flight": in_flight,
        "needs_read": link.needs_read,
        "memory": _memory(link, _USER_MEMORY),
    }


def team_document(link: TeamLink) -> dict[str, object]:
    return {
        "id": link.team_id,
        "other_id": link.company_id,
        "row_hash": link.row_hash,
        "shadow": _shadow(link.shadow),
        "shadow_read_at": link.shadow_read_at,
        "base": link.base,
        "memory": _memory(link, _TEAM_MEMORY),
    }


def edge_documents(user_id: str, edges: Iterable[Membership]) -> list[dict[str, str]]:
    return [
        {
            "user_id": user_id,
            "team_id": edge.team_id,
            "company_id": edge.company_id,
            "state": edge.state,
        }
        for edge in edges
    ]


def journal_document(entry: JournalEntry, *, values: bool) -> dict[str, object]:
    return {
        "kind": entry.kind,
        "key": entry.key,
        "action": entry.action,
        "field": entry.field,
        "side": entry.side,
        "old": entry.old if values else None,
        "new": entry.new if values else None,
        "why": entry.why,
        "request_id": entry.request_id,
        "policy": entry.policy,
        "base": entry.base if values else None,
        "by": entry.by,
    }


def failure_document(failure: Failure | None) -> dict[str, object] | None:
    return None if failure is None else _known(failure)


def user_link(row: Mapping[str, Any]) -> UserLink:
    """From the columns of `user_links`."""
    memory = _remembered(row["memory"], _USER_MEMORY)
    return UserLink(
        user_id=row["user_id"],
        contact_id=row["contact_id"],
        row_hash=row["row_hash"],
        shadow=record(Contact, row["shadow"]),
        shadow_read_at=row["shadow_read_at"],
        base=row["base"],
        in_flight=row["in_flight"],
        needs_read=row["needs_read"],
        edges={
            team: Membership(team, company, EdgeState(state))
            for team, (company, state) in (row["edges"] or {}).items()
        },
        **memory,
    )


def team_link(row: Mapping[str, Any]) -> TeamLink:
    """From the columns of `team_links`."""
    memory = _remembered(row["memory"], _TEAM_MEMORY)
    return TeamLink(
        team_id=row["team_id"],
        company_id=row["company_id"],
        row_hash=row["row_hash"],
        shadow=record(Company, row["shadow"]),
        shadow_read_at=row["shadow_read_at"],
        base=row["base"],
        **memory,
    )


def journal_entry(row: Mapping[str, Any]) -> JournalEntry:
    known = {field.name: row[field.name] for field in fields(JournalEntry) if field.name in row}
    known["kind"], known["action"] = QueueKind(row["kind"]), Action(row["action"])
    known["policy"] = None if row["policy"] is None else Policy(row["policy"])
    known["side"] = None if row["side"] is None else Side(row["side"])
    return JournalEntry(**known)


def record(kind: type[Record], stored: Mapping[str, Any] | None) -> Record | None:
    """A stored dataclass; lists are given back as tuples."""
    if stored is None:
        return None
    known: dict[str, Any] = {
        name: tuple(value) if isinstance(value := stored[name], list) else value
        for name in _NAMES[kind]
        if name in stored
    }
    return kind(**known)


def _shadow(shadow: Contact | Company | None) -> dict[str, object] | None:
    return None if shadow is None else _known(shadow)


def _known(value: Contact | Company | Failure) -> dict[str, object]:
    return {name: getattr(value, name) for name in _NAMES[type(value)]}


def _memory(link: UserLink | TeamLink, empty: Mapping[str, object]) -> dict[str, object]:
    """What is not a column, less what is at its default: most users need none of it."""
    held = {name: getattr(link, name) for name in empty}
    held = {name: value for name, value in held.items() if value != empty[name]}
    if link.left_out:
        held["left_out"] = {n: [e.reason, e.why, e.value] for n, e in link.left_out.items()}
    return held


def _remembered(memory: Mapping[str, Any], names: Iterable[str]) -> dict[str, Any]:
    known = {name: memory[name] for name in names if name in memory}
    for name in _PAIRS & known.keys():
        known[name] = _pairs(known[name])
    if "left_out" in known:
        known["left_out"] = _left_out(known["left_out"])
    return known


def _left_out(stored: Mapping[str, list[Any]]) -> dict[str, LeftOut]:
    return {
        name: LeftOut(Reason(reason), why, value) for name, (reason, why, value) in stored.items()
    }


def _pairs(stored: Mapping[str, list[Any]]) -> dict[str, tuple[Any, Any]]:
    return {name: (first, second) for name, (first, second) in stored.items()}


def _plain(value: object) -> Json:
    """Mappings and sets that `json` does not know by itself."""
    if isinstance(value, Mapping):
        return dict(value)
    if isinstance(value, set | frozenset):
        return sorted(value)
    raise TypeError(f"{type(value).__name__} cannot be stored")


def cleaned(value: object) -> Json:
    """Without what PostgreSQL cannot hold."""
    if isinstance(value, str):
        return _UNSTORABLE.sub("", value)
    if isinstance(value, Mapping):
        return {str(cleaned(key)): cleaned(item) for key, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [cleaned(item) for item in value]
    if value is None or isinstance(value, bool | int | float):
        return value
    raise TypeError(f"{type(value).__name__} cannot be stored")
