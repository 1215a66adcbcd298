"""What `check` says of probes: what one measured, and what a killed one left in Intercom."""

from collections.abc import Iterator

from intercom_assets.database.store.store import Store
from intercom_assets.domain.vocabulary import StateKey
from intercom_assets.sync.context.probed import Probed, read_probed
from intercom_assets.sync.environment import Configuration
from intercom_assets.sync.preflight.check_intercom import INTERCOM
from intercom_assets.sync.preflight.findings import Finding


def check_probed(configuration: Configuration) -> Iterator[Finding]:
    """Nothing where nobody ever probed. Raises `StoreUnavailable` and `StoreNotReady`."""
    if not configuration.sync_url:
        return
    with Store(configuration.sync_url) as store:
        left = store.state.get(StateKey.PROBE_LEFT)
        probed = read_probed(store)
    if left is not None:
        yield INTERCOM.warning(
            "probe",
            "A probe did not end, and what it made may still be in Intercom.",
            "Run check --probe again, which deletes that first.",
        )
    if probed.probed_at is not None:
        yield INTERCOM.ok("probe", _measured(probed))


def _measured(probed: Probed) -> str:
    items = {
        True: "each counts as a call",
        False: "all of them are one call",
        None: "not known whether they count",
    }[probed.items_count_as_calls]
    return f"Measured at {probed.probed_at:%Y-%m-%d %H:%M:%S} UTC; items of a bulk call: {items}."
