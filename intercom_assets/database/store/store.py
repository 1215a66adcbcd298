"""Our own tables, as one object: the schema `intercom_sync`, wherever it is.

    store_queue       what may differ now, leases, heartbeats
    store_links       what we know of each user and team
    store_record      in flight, recorded: the two ends of a chunk
    store_switched    ids that the app switched, and links moved to the new ones
    store_journal     what was done and why; erasing and pruning
    store_workspace   attributes, watermarks, counters, who is held as gone

One method per piece of work, one transaction each. Every method raises `StoreUnavailable` if the
database does not answer and `StoreNotReady` if the schema is missing (`store_connection`); `schema`
makes and upgrades it.
"""

from intercom_assets.database.store.journal import JournalStore
from intercom_assets.database.store.links import LinkStore
from intercom_assets.database.store.queue import QueueStore
from intercom_assets.database.store.switched_ids import SwitchedStore
from intercom_assets.database.store.workspace import WorkspaceStore


class Store(QueueStore, LinkStore, SwitchedStore, JournalStore, WorkspaceStore):
    """`Store(url, max_connections=8, journal_values=True)`. Threads may share one.

    `journal_values=False` keeps only the names of fields in the journal, not what was in them.
    """
