"""The app's row as a pass takes it: its values as Intercom can hold them, and its hash.

The hash stands in the link, and the sweep compares everybody's with it, so both ask here. Must not:
know Intercom's side.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeAlias

from intercom_assets.domain.attributes import fit_values
from intercom_assets.domain.fields import COMPANY_DELETED, DELETED, LAST_SEEN
from intercom_assets.domain.lazily import lazily
from intercom_assets.domain.models import (
    AppTeam,
    AppUser,
    Gone,
    InvalidRow,
    LeftOut,
    Reason,
    Values,
)
from intercom_assets.domain.owners import with_owner
from intercom_assets.domain.tags import TAGS, wanted_tags
from intercom_assets.domain.values import digest
from intercom_assets.domain.vocabulary import QueueKind
from intercom_assets.sync.context.failures import Problem, unfit
from intercom_assets.sync.passes.rules import Rules

Row: TypeAlias = AppUser | AppTeam | InvalidRow | Gone
DELETION = {QueueKind.USER: DELETED.name, QueueKind.TEAM: COMPANY_DELETED.name}


@dataclass(frozen=True)
class AppRow:
    """`left_out`: fields whose values Intercom cannot hold. `tags`: wanted ones, key -> name; None
    where the row says nothing of tags."""

    kind: QueueKind
    row: Row
    values: Values
    left_out: Mapping[str, LeftOut]
    mapping_version: str
    tags: Mapping[str, str] | None = None

    @lazily
    def hash(self) -> str:
        """Of everything that the app decides, except `last_request_at`, which moves by itself."""
        tags = [] if self.tags is None else [sorted(self.tags)]
        if self.kind is QueueKind.TEAM:
            return digest(self.mapping_version, self.values, *tags)
        compared = {name: value for name, value in self.values.items() if name != LAST_SEEN}
        return digest(self.mapping_version, compared, self.teams, self.from_oauth, *tags)

    @property
    def teams(self) -> frozenset[str]:
        return self.row.teams if isinstance(self.row, AppUser) else frozenset()

    @property
    def from_oauth(self) -> bool:
        return isinstance(self.row, AppUser) and self.row.from_oauth

    @property
    def is_here(self) -> bool:
        """Read, and fit to be synced; it may be marked as deleted."""
        return isinstance(self.row, AppUser | AppTeam)

    @property
    def is_leaving(self) -> bool:
        """Gone, or marked as deleted."""
        row = self.row
        return isinstance(row, Gone) or (isinstance(row, AppUser | AppTeam) and row.deleted)

    @property
    def problem(self) -> Problem | None:
        return unfit(self.row) if isinstance(self.row, InvalidRow) else None


def app_row(kind: QueueKind, rules: Rules, row: Row) -> AppRow:
    """A gone user's or team's row says nothing but that it is gone; an invalid one nothing."""
    if isinstance(row, InvalidRow):
        return AppRow(kind, row, {}, {}, rules.mapping_version)
    if isinstance(row, Gone):
        return AppRow(kind, row, {DELETION[kind]: True}, {}, rules.mapping_version)
    fitted = fit_values(rules.fields, row, truncate=rules.truncate)
    values, left_out = fitted.values, fitted.left_out
    if kind is QueueKind.USER and rules.owner is not None:
        values, unknown = with_owner(rules.owner, values, rules.admins)
        left_out = {**left_out, **unknown}
    values = {**values, DELETION[kind]: row.deleted}
    tags, unfit = _tags(row, rules)
    return AppRow(kind, row, values, {**left_out, **unfit}, rules.mapping_version, tags)


def _tags(
    row: AppUser | AppTeam, rules: Rules
) -> tuple[Mapping[str, str] | None, Mapping[str, LeftOut]]:
    if row.tags is None:
        why = row.unfit.get(TAGS)
        return None, {} if why is None else {TAGS: LeftOut(Reason.UNFIT, f"{TAGS} {why}")}
    asking = rules.sync_now_tag if isinstance(row, AppUser) else None
    wanted = wanted_tags(row.tags, asking)
    return wanted.names, {} if wanted.left_out is None else {TAGS: wanted.left_out}


def row_hash(kind: QueueKind, rules: Rules, row: Row) -> str | None:
    """None for a row that cannot be synced: it is looked at, and says why."""
    return None if isinstance(row, InvalidRow) else app_row(kind, rules, row).hash
