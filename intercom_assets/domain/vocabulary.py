"""Words that are stored: in our own tables, in `--json` documents, in Dagster's tags.

Belongs here: each such word once, as an enum, so that a misspelt one does not start. A value is
never changed, since existing installations have it; a member may be named better than its value.
Must not: what a word leads to.
"""

from enum import StrEnum


class QueueKind(StrEnum):
    """Whom a row of the queue, the journal or the list of the gone is about."""

    USER = "user"
    TEAM = "team"


class AttributeModel(StrEnum):
    """What a custom attribute belongs to, by Intercom's `model`."""

    CONTACT = "contact"
    COMPANY = "company"


class Action(StrEnum):
    """What an entry of the journal says was done, or decided."""

    CREATED = "created"
    ADOPTED = "adopted"
    RELINKED = "relinked"
    MERGED = "merged"
    MERGE_REFUSED = "merge refused"
    LEAD_SEARCH_REFUSED = "lead search refused"
    ARCHIVED = "archived"
    UNARCHIVED = "unarchived"
    ATTACHED = "attached"
    DETACHED = "detached"
    TAGGED = "tagged"
    UNTAGGED = "untagged"
    PUSHED = "pushed"
    PULLED = "pulled"
    OVERRULED = "overruled"
    REFUSED_BY_APP = "refused"
    IGNORED = "ignored"
    LEFT_OUT = "left out"
    UNDONE = "undone"
    PARKED = "parked"
    RETRIED = "retried"
    CONTACT_LET_GO = "let go"
    EMAIL_GIVEN_UP = "gave up"
    NOT_INHERITED = "not inherited"


class PlannedAction(StrEnum):
    """What a pass would do with a user or team.

    `READ`: with a contact that was listed or edited too lately to be believed. `FIND`: with the
    contact, if there is one, of a user who left before the sync knew it. `NONE`: nothing, both
    sides agree. `ABSENT`: nothing, neither side has it. `ERASED`: nothing, on request. `PARK`: give
    it up for a problem of its row.
    """

    CREATE = "create"
    UPDATE = "update"
    ARCHIVE = "archive"
    READ = "look"
    FIND = "find"
    NONE = "none"
    ABSENT = "absent"
    ERASED = "erased"
    PARK = "park"


class Cause(StrEnum):
    """Why a row is in the queue; the first reason of the higher lane stays."""

    NONE = ""
    APP = "app"
    POLLED = "polled"
    INTERCOM = "intercom"
    SWEEP = "sweep"
    AUDIT = "audit"
    BY_HAND = "by hand"
    BACKFILL = "backfill"
    PARTITION = "partition"
    LIST = "list"
    REEXECUTION = "re-execution"
    RETRY = "retry"
    RELEASED = "released"
    LEASE_LOST = "lost lease"
    MEMBERSHIP = "membership"
    COMPANY_RECREATED = "company made again"
    COMPANY_LOST = "company lost"
    EMAIL_GIVEN_UP = "e-mail given up"
    EMAIL_FREE = "e-mail free"
    EXTERNAL_ID_MOVED = "external id moved"
    RESPELLED = "spelled otherwise"
    ATTRIBUTE_WRITABLE = "attribute can be written again"
    WEBHOOK = "webhook"
    SYNC_NOW = "sync now"
    RELINK = "relink"
    RELINKED = "relinked"
    UNDO = "undo"
    ERASE = "erase"
    ERASURE_LIFTED = "erasure lifted"


class StateKey(StrEnum):
    """Keys of `intercom_sync.workspace`: what is known of the workspace and of ourselves.

    `NOT_SHOWN_IN_DAGSTER`: somebody was synced where Dagster's storage was not at hand, or by a run
    that died: who is in step and has no materialization is looked for. `POLLED_UNTIL`: where
    earlier versions kept the newest change that they had seen. `WEBHOOK_SEEN`: when the last
    notification came that was about somebody. `COMPARED_FIELDS`: what whoever has neither the
    mapping nor the app must know to tell an echo.
    """

    WORKSPACE = "workspace"
    CONTACT_ATTRIBUTES = "attributes of contact"
    COMPANY_ATTRIBUTES = "attributes of company"
    ADMINS = "admins"
    TAGS = "tags"
    ATTRIBUTES_UNWRITABLE = "attributes_barred"
    ATTRIBUTES_FAILING = "attributes_failing"
    INITIAL_LISTING = "first_contact"
    INITIAL_LISTING_FAILED = "first_contact_failed"
    DETERMINISTIC = "steady"
    POLLED_UNTIL = "polled"
    POLLED_ROWS = "polled rows"
    INTERCOM_CHANGES = "intercom_changes"
    LAST_SWEEP = "last_sweep"
    LAST_AUDIT = "last_audit"
    SWEEP_WANTED = "sweep_wanted"
    ENDPOINT_ANSWERS = "answered"
    RATE_LIMIT = "calls per window"
    PROBED = "probed"
    PROBE_LEFT = "probe left"
    WEBHOOK_SEEN = "webhook seen"
    COMPARED_FIELDS = "compared fields"
    NOT_SHOWN_IN_DAGSTER = "not shown in dagster"
    USERS_STOPPED = "stopped: user"
    TEAMS_STOPPED = "stopped: team"
    SWITCHED_USER_IDS_ACCEPTED = "ids_accepted: user"
    SWITCHED_TEAM_IDS_ACCEPTED = "ids_accepted: team"


class InboundCount(StrEnum):
    """Counters of what Intercom sent, by the minute; `status` adds up a day of them.

    `ECHO`: told nothing that was not known. `LATE`: came more than a minute after it was made.
    `MISSED`: edits that the search found, and of which no webhook had told.
    """

    RECEIVED = "webhooks received"
    DUPLICATE = "webhooks twice"
    ECHO = "webhooks echo"
    LATE = "webhooks late"
    UNKNOWN = "webhooks of unknown topics"
    MISSED = "webhooks missed"
    OTHER_WORKSPACE = "webhooks of another workspace"
    REFUSED = "inbound refused"
    UNSTORED = "inbound not stored"
