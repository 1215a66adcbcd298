"""What can go wrong while PostgreSQL computes a query of the mapping, with the query's name.

For every module that runs one; nothing is run here.
"""

from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
from psycopg import errors

from intercom_assets.database.app.columns import query_line, writes
from intercom_assets.database.failures import failed, message_of
from intercom_assets.mapping.queries import Query

_COMPUTED = (
    errors.DataError,
    errors.RaiseException,
    # "cannot convert NaN to bigint", and values that are too large to be made.
    errors.FeatureNotSupported,
    errors.ProgramLimitExceeded,
)


class Uncomputable(Exception):
    """PostgreSQL could not compute a row of a query: a failed cast, a division by zero."""

    def __init__(self, file: str, reason: str) -> None:
        super().__init__(f"{file}: {reason}")


@contextmanager
def translate_errors(query: Query, sent: str = "") -> Iterator[None]:
    """Names the query in what goes wrong: Uncomputable for a row's content, else AppUnavailable."""
    try:
        yield
    except _COMPUTED as error:
        raise Uncomputable(query.file, message_of(error)) from error
    except errors.ReadOnlySqlTransaction as error:
        raise writes(query, error) from error
    except psycopg.Error as error:
        raise failed(query_line(query, error, sent), error) from error
