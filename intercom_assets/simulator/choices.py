"""Everything that nobody outside Intercom knows for certain, and what this stand-in does instead.

One line for each open question of the fact sheet: the switch, what was chosen, what else it can
be set to, and why. The stricter answer is the default, so that a client which is right here is
right whatever the truth turns out to be. `settings.Settings` takes its defaults from this list.
"""

from dataclasses import dataclass

Option = str | int | bool


@dataclass(frozen=True, slots=True)
class Choice:
    """`options`: what the switch may be set to; empty means any value of the default's type."""

    name: str
    chosen: Option
    options: tuple[Option, ...]
    question: str
    why: str


UNCONFIRMED: tuple[Choice, ...] = (
    Choice(
        "equal_email",
        "unless_both_have_external_ids",
        ("unless_both_have_external_ids", "always"),
        "Is a write refused when another user has the e-mail but a different external_id?",
        "Help pages allow it, the bulk text forbids it; a PUT was recorded to pass. 'always' is "
        "the forbidding reading, of POST and PUT.",
    ),
    Choice(
        "user_merges",
        False,
        (True, False),
        "Can a user be merged into a user by the API?",
        "Documented in Preview and rolled out step by step; where it is not, the answer is the "
        "invalid_merge of before.",
    ),
    Choice(
        "promotion_conflicts",
        True,
        (True, False),
        "Does a lead that becomes a user by PUT meet the uniqueness rules of a POST?",
        "Otherwise a promotion would make the duplicate that a POST is refused for.",
    ),
    Choice(
        "unarchive_conflicts",
        True,
        (True, False),
        "Is unarchiving refused (409) when a live user took the external_id meanwhile?",
        "A PUT may take an archived user's external_id; two live holders would break matching.",
    ),
    Choice(
        "merged_write",
        404,
        (404, 410),
        "What do PUT, DELETE, archive and sub-resources of a merged id answer?",
        "410 with Link is documented for GET alone.",
    ),
    Choice(
        "blocked_restorable",
        False,
        (True, False),
        "Can a blocked contact be unarchived?",
        "Older docs name the code not_restorable for blocked users.",
    ),
    Choice(
        "deletion_lock_days",
        7,
        (),
        "For how many days does a deleted user block creation with its identifiers?",
        "About a week by help pages and third parties; the exact end is unknown.",
    ),
    Choice(
        "email_format",
        "any",
        ("any", "address"),
        "Is the form of an e-mail checked?",
        "No source shows a refusal; 'address' wants one @ with something on both sides.",
    ),
    Choice(
        "email_case",
        "keep",
        ("keep", "lower"),
        "Is an e-mail stored as sent?",
        "As sent, and compared without case everywhere: the client has to normalise.",
    ),
    Choice(
        "standard_text_limit",
        255,
        (),
        "How long may name, email, phone, external_id and a company's texts be?",
        "No source. The limit of custom attributes, and refused rather than cut.",
    ),
    Choice(
        "long_text",
        "refuse",
        ("refuse", "truncate"),
        "Is a custom string of more than 255 characters refused or cut?",
        "Refused: a client must not rely on being cut.",
    ),
    Choice(
        "integer_limit",
        2**63 - 1,
        (),
        "How large may an integer or date be?",
        "No source. Eight bytes; a company's monthly_spend is documented as 2147483647.",
    ),
    Choice(
        "unlisted_option",
        "refuse",
        ("refuse", "store"),
        "Is a value outside a list attribute's options refused?",
        "Documented as 400, then taken back three days later.",
    ),
    Choice(
        "iso_dates",
        False,
        (True, False),
        "Does a date attribute take an ISO 8601 string?",
        "Only whole Unix seconds are shown anywhere.",
    ),
    Choice(
        "attribute_limit_scope",
        "workspace",
        ("workspace", "model"),
        "Do the 250 custom attributes count per workspace or per model?",
        "Per workspace is the smaller allowance.",
    ),
    Choice(
        "archived_attribute_name_taken",
        True,
        (True, False),
        "Does an archived attribute keep its name from being created again?",
        "It can be unarchived by PUT, so a second one of that name would be ambiguous.",
    ),
    Choice(
        "attach_moves_updated_at",
        False,
        (True, False),
        "Does attaching or detaching a company move the contact's updated_at?",
        "Not moving tells the client less: it may not rely on hearing of an edge.",
    ),
    Choice(
        "detach_unattached",
        404,
        (404, 200),
        "What does detaching a company that is not attached answer?",
        "404 makes the client treat 'already gone' as done.",
    ),
    Choice(
        "companies_lag",
        True,
        (True, False),
        "Do lists of companies and of a company's contacts lag as those of contacts do?",
        "Contacts are recorded to lag; nothing says that the others do not.",
    ),
    Choice(
        "company_archival_s",
        0,
        (),
        "How long after DELETE is a company still readable?",
        "'Asynchronous', no figure. 0 lets a test see the end state; raise it to see the gap.",
    ),
    Choice(
        "company_name_required",
        False,
        (True, False),
        "Must a new company have a name?",
        "The file requires none. company_id is always required here.",
    ),
    Choice(
        "attached_companies_keys",
        "both",
        ("both", "data"),
        "Under which key does GET /contacts/{id}/companies list?",
        "Captured examples say data, the schema and two SDKs say companies.",
    ),
    Choice(
        "list_page_size",
        10,
        (),
        "How many contacts does GET /contacts answer without per_page?",
        "The file says 50, its later correction 10.",
    ),
    Choice(
        "oversized_page",
        "refuse",
        ("refuse", "clamp"),
        "What happens to a per_page above the maximum?",
        "Refused: a clamp would hide that fewer rows come than were asked for.",
    ),
    Choice(
        "in_list_limit",
        15,
        (),
        "How many values may IN and NIN take?",
        "15 is the limit of every group; the documented 'Value depth' message has no trigger.",
    ),
    Choice(
        "names_escaped",
        True,
        (True, False),
        "Do answers carry the names of contacts and companies HTML-escaped?",
        "Recorded in 2026 (O&#39;Neil), said by staff for years; of other texts nothing is known.",
    ),
    Choice(
        "content_type_required",
        True,
        (True, False),
        "Is a body without Content-Type: application/json refused?",
        "The docs ask for the header.",
    ),
    Choice(
        "webhook_times",
        "iso",
        ("iso", "unix"),
        "Are times inside webhooks' items ISO strings or Unix seconds?",
        "ISO strings with milliseconds were recorded in 2026; 2.13 announced consistency.",
    ),
    Choice(
        "webhook_merged_from",
        True,
        (True, False),
        "Does contact.merged name the contact that was merged away?",
        "Documented as merged_from; not there in a recording of January 2026.",
    ),
    Choice(
        "webhook_unarchive_topic",
        "contact.unarchive",
        ("contact.unarchive", "contact.unarchived"),
        "What is the topic of a notification that a contact was unarchived?",
        "Documented without the d, recorded with it: whoever listens must know both.",
    ),
)
