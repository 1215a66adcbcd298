"""How it stands with one contact's user: what the panel in the inbox shows, in one transaction.

Nothing is written here, and no value of anybody is read.
"""

from psycopg import Cursor
from psycopg.rows import TupleRow

from intercom_assets.database.records import Failure
from intercom_assets.database.reports import OverruledField, Standing
from intercom_assets.database.store.connection import StorePart, dicts
from intercom_assets.database.store.encoding import record


class StandingStore(StorePart):
    """Asked for by Intercom's id of a contact."""

    def of_contact(self, contact_id: str, external_id: str | None = None) -> Standing | None:
        """None if the contact is nobody's here.

        `external_id`: as the contact has it. While its user waits to be connected with a contact
        for the first time, nothing else says whose it is.
        """

        def work(cursor: Cursor[TupleRow]) -> Standing | None:
            found = dicts(
                cursor, "standing_of_contact", contact_id=contact_id, external_id=external_id
            )
            if not found:
                return None
            [row] = found
            overruled = dicts(cursor, "overruled_of_user", user_id=row["user_id"])
            row["error"] = record(Failure, row["error"])
            row["overruled"] = [OverruledField(**edit) for edit in overruled]
            return Standing(**row)

        return self._pool.transact(work)
