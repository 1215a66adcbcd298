"""The schema of `sync.yaml`: every key, its default, and what is allowed there.

A key's `description` completes the sentence "allowed: ...", which an operator reads when the value
is wrong; the sentence itself is made in `problems`. Whether a named table or column exists is not
known here.
"""

import re
from datetime import timedelta
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from intercom_assets.domain.fields import Policy
from intercom_assets.mapping.durations import Duration

KEYS = re.compile(r"(?<![:\w]):keys\b")
"""Where the SELECT of a watch receives the changed keys, as an array of their column's type."""

_NAME = Field(min_length=1, max_length=200, description="the name of a table or column")
_OFF = ("off", "no", "false", "none")
_POLICIES = f"{', '.join([*Policy][:-1])} or {[*Policy][-1]}"
_DURATION = "a duration such as 30s, 5m, 24h or 30d"

LONGEST_CALL = timedelta(seconds=18)
"""A call to Intercom may take as long, and none is begun that could outlast its lease."""


class Section(BaseModel):
    """Unknown keys are errors, and a loaded mapping does not change."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class Watch(Section):
    """A table that the mapping's queries read: a change in it wakes users or teams.

    `key`: the column that holds the user's or team's id; or a SELECT from changed rows to ids,
    which receives the values of `column` (default: the table's primary key) as `:keys`.
    """

    table: str = _NAME
    wakes: Literal["user", "team"] = Field(description="user or team")
    key: str = Field(min_length=1, description="a column, or a SELECT of ids with :keys in it")
    column: str | None = Field(
        default=None, min_length=1, description="the column that a SELECT in key receives as :keys"
    )

    @property
    def select(self) -> str | None:
        """The SELECT that finds the ids when the log is drained; None where `key` is a column."""
        return self.key if re.match(r"\s*(select|with)\s", self.key, re.IGNORECASE) else None

    @model_validator(mode="after")
    def _select_takes_keys(self) -> "Watch":
        if self.select and not KEYS.search(self.select):
            raise ValueError("a SELECT with :keys in it, as in: where plan_id = any(:keys)")
        if self.column and not self.select:
            raise ValueError("column only beside a SELECT in key")
        return self


class TeamWriteBack(Section):
    """Where a team's Intercom id is stored: a column, or COLUMN.KEY for one key of a jsonb."""

    table: str = _NAME
    key: str = Field(default="id", min_length=1, description="the column that holds the team's id")
    intercom_id: str = Field(min_length=1, description="a column, or COLUMN.KEY of a jsonb column")


class WriteBackSettings(Section):
    """Where values that Intercom wins are stored; without a table nothing is written back.

    `columns`: column of users.sql -> column of the table.
    """

    table: str = Field(default="", max_length=200, description="the table that holds the users")
    key: str = Field(default="id", min_length=1, description="the column that holds the user's id")
    columns: dict[str, str] = Field(
        default_factory=dict, description="pairs of a column of users.sql and one of the table"
    )
    intercom_id: str | None = Field(
        default=None, min_length=1, description="a column, or COLUMN.KEY of a jsonb column"
    )
    teams: TeamWriteBack | None = Field(default=None, description="table, key and intercom_id")

    @model_validator(mode="after")
    def _columns_have_a_table(self) -> "WriteBackSettings":
        if (self.columns or self.intercom_id) and not self.table:
            raise ValueError("a table beside columns and intercom_id")
        return self


class MaxGone(Section):
    """More users gone within a day than this are held until an operator releases them."""

    share: float = Field(
        default=0.02, ge=0, le=1, description="a share from 0 to 1 of the linked users"
    )
    at_least: int = Field(default=20, ge=0, description="a number of users, 0 or more")

    def allowed(self, linked: int) -> int:
        """The most users of `linked` that may be gone within a day."""
        return max(self.at_least, int(self.share * linked))


class Guards(Section):
    """The most that one batch may do unasked. Batches of `above` users or fewer are not guarded.

    `changed_share`: users whose contact would be changed, as a share of all linked users.
    """

    above: int = Field(default=1_000, ge=0, description="a number of users, 0 or more")
    creates: int = Field(default=10_000, ge=0, description="a number of contacts, 0 or more")
    archives: int = Field(default=500, ge=0, description="a number of contacts, 0 or more")
    detaches: int = Field(default=2_000, ge=0, description="a number of memberships, 0 or more")
    changed_share: float = Field(
        default=0.5, ge=0, le=1, description="a share from 0 to 1 of the linked users"
    )


class SyncSettings(Section):
    """`sync.yaml`, with the defaults that an absent key has."""

    capture: Literal["triggers", "polling"] = Field(
        default="triggers", description="triggers or polling"
    )
    watch: tuple[Watch, ...] = Field(
        default=(), strict=False, description="a list of entries with table, wakes and key"
    )
    write_back: WriteBackSettings = Field(
        WriteBackSettings(),
        description="table, key, columns, intercom_id and teams; or off",
    )
    fields: dict[str, Annotated[Policy, Field(strict=False)]] = Field(
        default_factory=dict, description=f"{_POLICIES} for each column"
    )
    memberships: Literal["app", "mirror"] = Field(default="app", description="app or mirror")
    merge_leads_for: Duration = Field(default=timedelta(hours=24), description=_DURATION)
    on_delete: Literal["mark", "archive"] = Field(default="mark", description="mark or archive")
    merged_users: Literal["park", "separate"] = Field(
        default="park", description="park or separate"
    )
    bulk: Literal["off", "preview"] = Field(default="off", description="off or preview")
    clear_unusable: bool = Field(default=True, description="true or false")
    allow_secrets: tuple[str, ...] = Field(
        default=(),
        strict=False,
        description="a list of columns that are no secrets",
    )
    truncate: bool = Field(default=False, description="true or false")
    sync_now_tag: str | None = Field(
        default=None,
        min_length=1,
        max_length=200,
        description="the name of a tag, as in: sync now",
    )
    last_seen_every: Duration = Field(default=timedelta(hours=1), description=_DURATION)
    rate_share: float = Field(default=0.8, gt=0, le=1, description="a share above 0 and at most 1")
    max_gone: MaxGone = Field(default=MaxGone(), description="share and at_least")
    guards: Guards = Field(
        default=Guards(), description="above, creates, archives, detaches, changed_share"
    )
    max_attempts: int = Field(
        default=8, ge=1, le=1_000, description="a whole number from 1 to 1000"
    )
    batch_size: int = Field(
        default=10_000, ge=1, le=100_000, description="a number from 1 to 100000"
    )
    chunk_size: int = Field(default=250, ge=1, le=5_000, description="a number from 1 to 5000")
    threads: int = Field(default=32, ge=1, le=256, description="a number from 1 to 256")
    lease: Duration = Field(default=timedelta(seconds=30), description=f"{_DURATION}, at least 19s")
    heartbeat: Duration = Field(
        default=timedelta(seconds=5), description=f"{_DURATION}, at least 100ms"
    )
    sensor_wait_seconds: float = Field(
        default=40,
        ge=0,
        le=50,
        description="a number of seconds from 0 to 50 (Dagster ends a tick at 60)",
    )
    poll_overlap: Duration = Field(default=timedelta(minutes=5), description=_DURATION)
    keep_history: Duration = Field(default=timedelta(days=30), description=_DURATION)
    journal_values: bool = Field(default=True, description="true or false")
    admin_url: str | None = Field(
        default=None,
        max_length=500,
        pattern=r"^https?://\S*\{id\}\S*$",
        description="an http or https address with {id} in it",
    )

    @property
    def heartbeat_dead_after(self) -> timedelta:
        """A run whose last heartbeat is older is dead: four beats missed."""
        return self.heartbeat * 4

    @field_validator("write_back", mode="before")
    @classmethod
    def _off_is_empty(cls, raw: Any) -> Any:
        """YAML reads `off` as false, and one in quotes as a text."""
        quoted = isinstance(raw, str) and raw.strip().lower() in _OFF
        return {} if raw is None or raw is False or quoted else raw

    @field_validator("bulk", mode="before")
    @classmethod
    def _off_is_a_word(cls, raw: Any) -> Any:
        """YAML reads `off` as false."""
        return "off" if raw is False else raw

    @field_validator("lease")
    @classmethod
    def _lease_leaves_room_for_a_call(cls, lease: timedelta) -> timedelta:
        if lease <= LONGEST_CALL:
            raise ValueError(
                f"at least 19s, since a call to Intercom may take {LONGEST_CALL.seconds}s and none "
                "is begun that could outlast its lease"
            )
        return lease

    @model_validator(mode="after")
    def _lease_is_renewed_in_time(self) -> "SyncSettings":
        """One beat may fail, and there is still room for a call."""
        if self.heartbeat < timedelta(milliseconds=100):
            raise ValueError("heartbeat of at least 100ms")
        if self.lease - 2 * self.heartbeat < LONGEST_CALL:
            raise ValueError(
                f"a lease of at least two heartbeats and the {LONGEST_CALL.seconds}s that a call "
                "to Intercom may take"
            )
        return self
