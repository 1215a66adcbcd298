"""The topics of Intercom's webhooks that are understood, as its Developer Hub names them.

Belongs here: the names, for `check` and for whoever takes them. Must not: what a topic leads to
(`inbound/topics.py`).
"""

TOPICS = (
    "contact.user.created",
    "contact.user.updated",
    "contact.user.tag.created",
    "contact.lead.created",
    "contact.lead.updated",
    "contact.lead.added_email",
    "contact.lead.signed_up",
    "contact.email.updated",
    "contact.subscribed",
    "contact.unsubscribed",
    "contact.archived",
    "contact.unarchive",
    "contact.deleted",
    "contact.merged",
    "company.created",
    "company.updated",
    "company.deleted",
    "company.contact.attached",
    "company.contact.detached",
)
"""To be subscribed to."""
ENDPOINT = "/webhooks"
"""Where `listen` takes them."""
