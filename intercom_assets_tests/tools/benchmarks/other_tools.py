"""Programs from PyPI that write to Intercom, as they are, in a plain loop: the extra `bench`.

Belongs here: calling them as their documentation does. They are imported when they are measured,
since the tests run without them.
"""

from collections.abc import Sequence
from importlib.util import find_spec

from intercom_assets_tests.tools.benchmarks.people import Person
from intercom_assets_tests.tools.benchmarks.simulated import TOKEN

DRT_TEMPLATE = """{
  "external_id": "{{ row.external_id }}", "email": "{{ row.email }}",
  "name": {{ row.name | tojson }}, "phone": {{ row.phone | tojson }},
  "signed_up_at": {{ row.signed_up_at }}, "last_seen_at": {{ row.last_seen_at }},
  "custom_attributes": {{ row.custom_attributes | tojson }}
}"""


def why_not(module: str) -> str | None:
    """One sentence if this program cannot be measured here."""
    if find_spec(module):
        return None
    return f"not measured: `{module}` is not installed; pip install intercom_assets[bench]"


def run_drt(url: str, people: Sequence[Person], per_second: float) -> int:
    """drt-core's Intercom destination; `per_second` 0 switches its pacing off. Failed rows."""
    from drt.config.models import (
        BearerAuth,
        IntercomDestinationConfig,
        RateLimitConfig,
        SyncOptions,
    )
    from drt.destinations.intercom import IntercomDestination

    IntercomDestination.BASE_URL = f"{url}/contacts"
    config = IntercomDestinationConfig(
        type="intercom",
        auth=BearerAuth(type="bearer", token=TOKEN),
        properties_template=DRT_TEMPLATE,
    )
    pace = RateLimitConfig(requests_per_second=per_second)
    options = SyncOptions(rate_limit=pace, on_error="skip")
    rows = [person.contact for person in people]
    return int(IntercomDestination().load(rows, config, options).failed)


def run_python_intercom(url: str, people: Sequence[Person]) -> int:
    """Intercom's own client: look up, then create or update. Failed users."""
    from intercom import CreateContactRequestWithExternalId, Intercom
    from intercom.core.api_error import ApiError

    client, failed = Intercom(token=TOKEN, base_url=url), 0
    for person in people:
        request = CreateContactRequestWithExternalId.model_validate(person.contact)
        try:
            found = client.contacts.show_contact_by_external_id(person.id)
            client.contacts.update(str(found.id), **person.contact)
        except ApiError as error:
            if error.status_code != 404:
                failed += 1
                continue
            client.contacts.create(request=request)
    return failed
