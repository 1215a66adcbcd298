"""What Preview's text leaves open about bulk calls, and what this stand-in does instead.

As in `choices`: the stricter answer is the default, except where only the looser one is written.
"""

from intercom_assets.simulator.choices import Choice

BULK: tuple[Choice, ...] = (
    Choice(
        "bulk_since",
        "Preview",
        ("Preview", "2.17"),
        "Which versions have the bulk calls?",
        "Intercom's file has them in Preview alone; a page of 2.17's reference shows one too.",
    ),
    Choice(
        "bulk_counts",
        "call",
        ("call", "item"),
        "Does a bulk call count once against the rate limit, or once for each item?",
        "Limits are written of calls. In the bulk calls of API 1.x each item was reported to "
        "count; 'item' plays that: the window may be overdrawn by the call that empties it.",
    ),
    Choice(
        "bulk_job_closes",
        "when_done",
        ("when_done", "never", "at_once"),
        "When does a job take no further tasks?",
        "The refusal is documented, its moment is not. 'at_once' takes none but the first.",
    ),
    Choice(
        "bulk_lost_state",
        "completed_with_errors",
        ("completed_with_errors", "completed"),
        "How does a job end of whose items one was lost (bulk_lose_every)?",
        "Rejected items end it with errors, as documented; nothing promises it of lost ones.",
    ),
    Choice(
        "bulk_attach_creates",
        True,
        (True, False),
        "Does attaching a company that does not exist make it?",
        "Documented so. Otherwise the item is rejected.",
    ),
    Choice(
        "bulk_null",
        "reject_item",
        ("reject_item", "refuse_call", "clear", "ignore"),
        "What does a null inside an item do?",
        "No field is declared nullable, so nobody may rely on clearing one.",
    ),
    Choice(
        "bulk_equal_email",
        "always",
        ("always", "as_single"),
        "Is an item rejected when another user with another external_id has its e-mail?",
        "Its text says external_id or email, without the exception of a single create.",
    ),
)
