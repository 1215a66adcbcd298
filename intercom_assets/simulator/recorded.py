"""Where recordings of the real API show another thing than its documents, or more than they say.

The default is what was recorded, and the other options are what else a script may have to bear.
docs/dev/intercom-facts.md names the recordings. What nobody knows stands in `choices`.
"""

from intercom_assets.simulator.choices import Choice

RECORDED: tuple[Choice, ...] = (
    Choice(
        "scroll_end",
        "empty_page",
        ("empty_page", "not_found", "bare_page"),
        "How does a scroll over companies end?",
        "By an empty page that has a scroll_param like any other, and then 404. Connectors also met"
        " 404 in place of that page; 'bare_page' has no scroll_param.",
    ),
    Choice(
        "next_page_has",
        "page",
        ("page", "per_page"),
        "What stands beside starting_after in pages.next?",
        "The number of the page was recorded; the file draws per_page.",
    ),
    Choice(
        "unsorted_search",
        "ascending",
        ("ascending", "descending"),
        "In which order of created_at comes a search without sort?",
        "Oldest first was recorded; descending is documented for a sort without an order.",
    ),
    Choice(
        "attach_user_count",
        "before",
        ("before", "after"),
        "Which user_count does the answer to attaching a company carry?",
        "As it was before, by recordings; a GET has the new one.",
    ),
    Choice(
        "creation_source",
        True,
        (True, False),
        "Do companies that were made by the API say so?",
        "custom_attributes.creation_source was recorded as 'api'; no document has it.",
    ),
    Choice(
        "company_notes",
        "list",
        ("list", "note.list"),
        "What is the key notes of a company as of 2.16?",
        "A list with url and total_count, as in contacts, was recorded; the file draws note.list.",
    ),
    Choice(
        "sms_fields",
        True,
        (True, False),
        "Do contacts carry sms_consent and unsubscribed_from_sms?",
        "Recorded from 2023 on; no stable file has them.",
    ),
    Choice(
        "language_override_writable",
        True,
        (True, False),
        "May a contact's language_override be written?",
        "Recorded as accepted; documented for the Preview version alone.",
    ),
    Choice(
        "tagged_items",
        "as_of_2.16",
        ("as_of_2.16", "always"),
        "Does POST /tags answer what became of each contact or company?",
        "Below 2.16 three keys were recorded, type, id and name.",
    ),
    Choice(
        "embedded_lists",
        "whole",
        ("whole", "ten"),
        "How many members does a list inside a contact hold?",
        "Documented is ten with has_more; more than ten with has_more false were recorded.",
    ),
    Choice(
        "index_order",
        "as_written",
        ("as_written", "any"),
        "Do lists and searches hear of changes in the order in which they were made?",
        "Of one record they do; whether of several is not promised anywhere.",
    ),
    Choice(
        "company_race",
        True,
        (True, False),
        "Is an upsert refused while another one is making the same company?",
        "400 unique_company_constraint was reported from 2018 to 2025; making takes latency_ms.",
    ),
    Choice(
        "phone_punctuation",
        "strip",
        ("strip", "keep"),
        "Does a phone number keep its spaces, brackets, dots and dashes?",
        "They were gone in what was read back.",
    ),
)
