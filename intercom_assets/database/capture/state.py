"""The capture as it is, held against the mapping's `watch`: what is missing, disabled, stale.

Read by `check`, `status` and `up`; nothing is changed here.
"""

from dataclasses import dataclass
from datetime import datetime

from intercom_assets.database.capture.guards import foreign_tables, other_owner
from intercom_assets.database.capture.log import has_log
from intercom_assets.database.capture.rights import not_logged, unwritable
from intercom_assets.database.capture.watches import (
    TriggerKey,
    present_triggers,
    wanted_triggers,
)
from intercom_assets.database.connections import AppConnection, Connections
from intercom_assets.mapping.load import AppMapping

_BACKLOG = "select count(*), min(at) from intercom_capture.change_log"


@dataclass(frozen=True, slots=True)
class CaptureState:
    """What differs from the mapping's `watch`, as `TABLE: what` for an operator.

    `stale`: of an older version or of a watch that is no longer listed. `blind`: partitions that
    cannot have triggers. `waiting`: log rows not drained yet, the oldest of `oldest_at`.
    `foreign`: tables that only another mapping watches. `owner`: the workspace whose log it is,
    if that is another one.
    `unwritable`: why the triggers cannot write to the log. `not_logged`: statements of the app that
    they could not log since the capture was last installed.
    """

    has_log: bool
    missing: tuple[str, ...]
    disabled: tuple[str, ...]
    stale: tuple[str, ...]
    blind: tuple[str, ...]
    waiting: int = 0
    oldest_at: datetime | None = None
    foreign: tuple[str, ...] = ()
    owner: str | None = None
    unwritable: tuple[str, ...] = ()
    not_logged: int = 0

    @property
    def complete(self) -> bool:
        found = self.missing or self.disabled or self.stale or self.writing_fails
        return self.has_log and not found

    @property
    def writing_fails(self) -> bool:
        """Now, or since the capture was last installed."""
        return bool(self.unwritable or self.not_logged)


def capture_state(url: str, mapping: AppMapping, workspace: str = "") -> CaptureState:
    """Compares the app's database with the mapping. Raises MappingError and AppUnavailable."""
    with Connections(url) as connections, connections.reading("the capture") as connection:
        return _state(connection, mapping, workspace)


def _state(connection: AppConnection, mapping: AppMapping, workspace: str) -> CaptureState:
    wishes = wanted_triggers(connection, mapping)
    triggers = {key: event for wish in wishes for key, event in wish.triggers().items()}
    found = present_triggers(connection)
    is_there = has_log(connection)
    waiting, oldest = (
        (connection.execute(_BACKLOG).fetchone() or (0, None)) if is_there else (0, None)
    )
    return CaptureState(
        is_there,
        missing=tuple(_described(key, triggers[key]) for key in sorted(set(triggers) - set(found))),
        disabled=tuple(
            _described(key, triggers[key])
            for key in sorted(triggers)
            if key in found and not found[key].enabled
        ),
        stale=tuple(_described(key, key.name) for key in sorted(set(found) - set(triggers))),
        blind=tuple(name for wish in wishes for name in wish.blind),
        waiting=waiting,
        oldest_at=oldest,
        foreign=tuple(foreign_tables(found, wishes)),
        owner=other_owner(connection, workspace),
        unwritable=unwritable(connection) if is_there else (),
        not_logged=not_logged(connection),
    )


def _described(key: TriggerKey, what: str) -> str:
    return f"{key.schema}.{key.table}: {what}"
