"""Links and edges of a chunk, written inside the caller's transaction, which holds their rows.

No two users share a contact, no two teams a company: whoever comes second is returned with a
failure, and nothing of theirs is written.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, TypeAlias

from psycopg import Cursor
from psycopg.rows import TupleRow

from intercom_assets.database.records import Failure, UserRecord
from intercom_assets.database.store.connection import rows, run
from intercom_assets.database.store.encoding import document, edge_documents
from intercom_assets.domain.vocabulary import QueueKind

Document: TypeAlias = dict[str, Any]

_NOUNS = {QueueKind.USER: "contact", QueueKind.TEAM: "company"}


def write_links(
    cursor: Cursor[TupleRow], kind: QueueKind, links: Iterable[Document]
) -> dict[str, Failure]:
    """Writes the links but those whose contact or company is somebody else's: these are returned.

    A link that comes in between raises a unique violation, and the transaction is tried again.
    """
    documents = sorted(links, key=lambda link: str(link["id"]))
    if not documents:
        return {}
    claimed = {
        "ids": [link["id"] for link in documents],
        "contacts": [link["other_id"] for link in documents],
    }
    run(cursor, f"yield_{kind}_links", **claimed)
    linked: dict[str, str] = dict(rows(cursor, f"owners_of_{kind}_links", **claimed))
    owners = {**_claimed_twice(documents), **linked}
    run(
        cursor,
        f"write_{kind}_links",
        links=document([link for link in documents if link["id"] not in owners]),
    )
    return {key: _conflict(kind, owner) for key, owner in owners.items()}


def _claimed_twice(documents: Sequence[Document]) -> dict[str, str]:
    """Within the chunk, the first by id gets the contact: the others -> that id."""
    first: dict[str, str] = {}
    return {
        link["id"]: owner
        for link in documents
        if link["other_id"] is not None
        and (owner := first.setdefault(link["other_id"], link["id"])) != link["id"]
    }


def _conflict(kind: QueueKind, owner: str) -> Failure:
    noun = _NOUNS[kind]
    return Failure(
        f"the {noun} in Intercom is already linked to id {owner} of the app", code="linked_twice"
    )


def replace_edges(cursor: Cursor[TupleRow], records: Mapping[str, UserRecord]) -> None:
    edges = [
        edge
        for key, record in records.items()
        for edge in edge_documents(key, record.link.edges.values())
    ]
    if records:
        run(cursor, "delete_other_edges", ids=list(records), edges=document(edges))
        write_edges(cursor, edges)


def write_edges(cursor: Cursor[TupleRow], edges: Sequence[dict[str, str]]) -> None:
    if edges:
        run(cursor, "write_edges", edges=document(list(edges)))
