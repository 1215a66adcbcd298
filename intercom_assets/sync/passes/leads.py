"""What a lead looked like, so that one whom Intercom would not merge is let be until it moves."""

from dataclasses import asdict

from intercom_assets.domain.models import Contact
from intercom_assets.domain.values import digest


def shown(contact: Contact) -> str:
    """Differs whenever anything of the document does, its `updated_at` included."""
    document = asdict(contact)
    return digest(*(repr(document[name]) for name in sorted(document)))
