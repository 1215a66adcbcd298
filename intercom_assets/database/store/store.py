"""Our own tables, as one object of parts: the schema `intercom_sync`, wherever it is.

    store.queue         who may differ now, and leases
    store.runs          whom a run had in hand, and heartbeats
    store.links         what we know of each user and team
    store.linked        who is linked, in step, left out: questions about many
    store.claims        links written before a pass: from listings, and whose a contact is
    store.records       the two ends of a chunk: in flight, recorded
    store.switched_ids  ids that the app switched, and links moved to the new ones
    store.journal       what was done and why
    store.tombstones    who was erased
    store.state         watermarks, attributes, counters
    store.gone          who is held as gone
    store.standings     how it stands with one contact's user
    store.inbound       what Intercom sent, and whom it woke

One method per piece of work, one transaction each, also where it touches the tables of another
part: parts hand each other a cursor (`queue.enqueue`), and nobody outside of `database/` sees one.
Every method raises `StoreUnavailable` if the database does not answer and `StoreNotReady` if the
schema is missing (`connection`); `schema` makes and upgrades it.
"""

from copy import copy
from typing import Self

from intercom_assets.database.store.claims import ClaimStore
from intercom_assets.database.store.connection import StorePool
from intercom_assets.database.store.gone import GoneStore
from intercom_assets.database.store.inbound import InboundStore
from intercom_assets.database.store.journal import JournalStore
from intercom_assets.database.store.linked import LinkedStore
from intercom_assets.database.store.links import Links, LinkStore
from intercom_assets.database.store.queue import QueueStore
from intercom_assets.database.store.record import RecordStore
from intercom_assets.database.store.runs import RunStore
from intercom_assets.database.store.standings import StandingStore
from intercom_assets.database.store.state import StateStore
from intercom_assets.database.store.switched_ids import SwitchedIdStore
from intercom_assets.database.store.tombstones import TombstoneStore


class Store:
    """Threads may share one. Its parts share `pool`; it can be used again after `close`.

    `journal_values=False` keeps only the names of fields in the journal, not what was in them.
    """

    def __init__(self, url: str, *, max_connections: int = 8, journal_values: bool = True) -> None:
        self.pool = pool = StorePool(url, max_connections=max_connections)
        self.queue = QueueStore(pool)
        self.runs = RunStore(pool)
        self.links: Links = LinkStore(pool)
        self.linked = LinkedStore(pool)
        self.claims = ClaimStore(pool)
        self.records = RecordStore(pool, journal_values=journal_values)
        self.switched_ids = SwitchedIdStore(pool, journal_values=journal_values)
        self.journal = JournalStore(pool, journal_values=journal_values)
        self.tombstones = TombstoneStore(pool)
        self.state = StateStore(pool)
        self.gone = GoneStore(pool)
        self.standings = StandingStore(pool)
        self.inbound = InboundStore(pool)

    @property
    def url(self) -> str:
        return self.pool.url

    def with_links(self, links: Links) -> "Store":
        """The same store, connections and all, that answers from other links."""
        other = copy(self)
        other.links = links
        return other

    def close(self) -> None:
        self.pool.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
