"""What a mapping must not send, whoever asks: secrets, and values that differ each time.

A column such as `now()` would make everybody differ each time, and be sent for ever. So no batch is
worked through before this was asked, once for each version of the mapping: what was seen steady is
not read twice again. A column whose name looks like a secret has to be allowed by name.
"""

from collections.abc import Iterator, Sequence
from contextlib import suppress

from intercom_assets.database.app.app_database import AppDatabase
from intercom_assets.database.app.inspection import unstable_columns
from intercom_assets.database.failures import AppUnavailable
from intercom_assets.domain.models import Kind
from intercom_assets.domain.secret_names import leaking_word
from intercom_assets.domain.vocabulary import StateKey
from intercom_assets.mapping.load import TEAMS_SQL, USERS_SQL
from intercom_assets.mapping.problems import MappingError
from intercom_assets.sync.context.services import Services


def require_deterministic(services: Services) -> None:
    """Raises `MappingError` where a column differs each time; reads a few rows."""
    version = services.app.mapping_version
    if services.store.state.get(StateKey.DETERMINISTIC) == version:
        return
    # A row that cannot be computed, or a database that is down, is told by the pass that meets it.
    with suppress(AppUnavailable):
        for file, columns in unstable_columns(services.app.reading).items():
            raise MappingError(differing_columns(file, columns))
        services.store.state.put(StateKey.DETERMINISTIC, version)


def require_no_secrets(app: AppDatabase) -> None:
    """Raises `MappingError` for the first column that looks like a secret and is not allowed."""
    for what, advice in leaking_columns(app):
        raise MappingError(f"{what}; {advice}")


def leaking_columns(app: AppDatabase) -> Iterator[tuple[str, str]]:
    """What is selected leaves the app: what looks like a secret has to be allowed by name."""
    allowed = set(app.mapping.settings.allow_secrets)
    for file, columns in ((USERS_SQL, app.users_columns), (TEAMS_SQL, app.teams_columns)):
        for column in columns:
            word = leaking_word(column.name) if column.is_attribute else None
            if word and column.name not in allowed and column.kind is not Kind.BOOLEAN:
                yield (
                    f"{file}: {column.name} looks like a secret ({word}), and would be shown in "
                    "Intercom",
                    "leave it out of the SELECT; or, if it is none, name it in sync.yaml: "
                    f"allow_secrets: [{column.name}]",
                )


def differing_columns(file: str, columns: Sequence[str]) -> str:
    return (
        f"{file}: {', '.join(columns)} differ each time that the same rows are read; allowed: "
        "values that change only when the app's rows do"
    )
