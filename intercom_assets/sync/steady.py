"""Whether the mapping's queries give the same rows when they are run twice.

A column such as `now()` would make everybody differ each time, and be sent for ever. So no batch is
worked through before this was asked, once for each version of the mapping: what was seen steady is
not read twice again.
"""

from collections.abc import Sequence
from contextlib import suppress

from intercom_assets.database.app import AppUnavailable
from intercom_assets.database.inspection import unstable_columns
from intercom_assets.mapping.problems import MappingError
from intercom_assets.sync.services import Services

STATE = "steady"


def require_steady(services: Services) -> None:
    """Raises `MappingError` where a column differs each time; reads a few rows."""
    version = services.app.mapping_version
    if services.store.get_state(STATE) == version:
        return
    # A row that cannot be computed, or a database that is down, is told by the pass that meets it.
    with suppress(AppUnavailable):
        for file, columns in unstable_columns(services.app.reading).items():
            raise MappingError(moving(file, columns))
        services.store.put_state(STATE, version)


def moving(file: str, columns: Sequence[str]) -> str:
    return (
        f"{file}: {', '.join(columns)} differ each time that the same rows are read; allowed: "
        "values that change only when the app's rows do"
    )
