"""What was measured of a workspace is kept, and what was not measured is not guessed."""

from collections.abc import Iterator

import pytest

from intercom_assets.database.records import Json
from intercom_assets.database.store.store import Store
from intercom_assets.domain.vocabulary import StateKey
from intercom_assets.sync.context.probed import CLEARS, Probed, read_probed, write_probed


@pytest.fixture
def store(database: str) -> Iterator[Store]:
    one = Store(database)
    yield one
    one.close()


def test_nothing_is_known_of_a_workspace_that_was_never_probed(store: Store) -> None:
    assert read_probed(store) == Probed()


def test_what_was_measured_is_read_again_with_its_time(store: Store) -> None:
    measured = Probed(
        bulk_offered=True,
        items_count_as_calls=False,
        null_in_bulk=CLEARS,
        index_lag_s=12.5,
        in_list_limit=15,
    )

    write_probed(store, measured)

    known = read_probed(store)
    assert known.probed_at is not None
    assert known == Probed(
        bulk_offered=True,
        items_count_as_calls=False,
        null_in_bulk=CLEARS,
        index_lag_s=12.5,
        in_list_limit=15,
        probed_at=known.probed_at,
    )


def test_a_new_probe_forgets_what_the_one_before_it_knew(store: Store) -> None:
    write_probed(store, Probed(emails_unique=True))
    write_probed(store, Probed(names_escaped=True))

    assert (read_probed(store).emails_unique, read_probed(store).names_escaped) == (None, True)


def test_what_another_version_kept_is_unknown_and_no_error(store: Store) -> None:
    kept: dict[str, Json] = {
        "null_in_bulk": "explodes",
        "index_lag_s": "soon",
        "in_list_limit": True,
        "names_escaped": 1,
        "emails_unique": True,
        "colour_of_the_sky": "blue",
    }
    store.state.put(StateKey.PROBED, kept)

    known = read_probed(store)

    assert known == Probed(emails_unique=True, probed_at=known.probed_at)
