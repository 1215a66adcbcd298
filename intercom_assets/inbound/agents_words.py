"""How things are said to a support agent, who knows conversations and not this project. Pure.

Its own words for ours: nothing is parked, queued or leased on the screen. No sentence holds a value
or anything of another contact; what Intercom answered is never repeated, since it may name one.
"""

from collections.abc import Mapping

from intercom_assets.database.records import Failure
from intercom_assets.domain.fields import Policy
from intercom_assets.domain.vocabulary import Cause

UNITS = ((86_400, "day"), (3_600, "hour"), (60, "minute"))
SHORT_UNITS = ((86_400, "d"), (3_600, "h"), (60, "min"))

NOBODY = "The app does not know this contact."
LEAD = "This is a lead: the app has no user for it yet."
NO_ANSWER = "The sync does not answer just now. Close and open the conversation to try again."
OTHER_WORKSPACE = "This app is set up for another workspace."


def ago(seconds: float | None) -> str:
    """`12 s ago`, `3 min ago`, `2 d ago`."""
    return f"{short(seconds)} ago" if seconds is not None else "some time ago"


def short(seconds: float) -> str:
    whole = max(0, int(seconds))
    for size, unit in SHORT_UNITS:
        if whole >= size:
            return f"{whole // size} {unit}"
    return f"{whole} s"


def cut(name: str, longest: int = 30) -> str:
    """A name or an id as far as there is room for it."""
    return name if len(name) <= longest else f"{name[: longest - 1]}…"


def in_time(seconds: float | None) -> str:
    """`in 3 minutes`; nothing where it is not known or now."""
    if seconds is None or seconds < 1:
        return "in a moment"
    for size, unit in UNITS:
        if seconds >= size:
            count = round(seconds / size)
            return f"in {count} {unit}{'' if count == 1 else 's'}"
    return f"in {int(seconds)} seconds"


# --- what waits -----------------------------------------------------------------------------------

IN_THE_APP = "Something changed in the app and is on its way here."
IN_INTERCOM = "Something changed here and is being compared with the app."
ASKED_FOR = "Somebody asked for it."
YOU_ASKED = "It takes some seconds: press Refresh to see how it went."
CHECKED = "A routine check found a difference."
BEHIND = "It is brought in step with the app."
WAITS: Mapping[str, str] = {
    Cause.APP: IN_THE_APP,
    Cause.POLLED: IN_THE_APP,
    Cause.MEMBERSHIP: IN_THE_APP,
    Cause.INTERCOM: IN_INTERCOM,
    Cause.WEBHOOK: IN_INTERCOM,
    "webhook": IN_INTERCOM,
    "sync now": ASKED_FOR,
    Cause.BY_HAND: ASKED_FOR,
    Cause.SYNC_NOW: ASKED_FOR,
    Cause.RETRY: ASKED_FOR,
    Cause.LIST: ASKED_FOR,
    Cause.PARTITION: ASKED_FOR,
    Cause.SWEEP: CHECKED,
    Cause.AUDIT: CHECKED,
}
"""By the cause of a change, as stored; an unknown one is `BEHIND`."""


def what_waits(cause: str | None) -> str:
    return WAITS.get(cause or "", BEHIND)


# --- what went wrong ------------------------------------------------------------------------------

NO_NEED = "You need not do anything."
ASK = "Tell whoever looks after the sync."
TOO_MANY_COMPANIES = (
    "This contact is in as many companies as Intercom allows.",
    "Remove it from companies that it does not need, then press Sync now.",
)
SOMEBODY_ELSE_HOLDS_IT = (
    "Another contact or lead here has this person's e-mail or user id.",
    "Find it by the e-mail and merge or archive it, then press Sync now.",
)
DELETED_HERE = (
    "Somebody deleted or blocked this person here, and Intercom keeps the e-mail for a week.",
    NO_NEED,
)
REFUSED = "Intercom refused the change."
SENTENCES: Mapping[str, tuple[str, str]] = {
    "contact_company_limit_exceeded": TOO_MANY_COMPANIES,
    "conflict": SOMEBODY_ELSE_HOLDS_IT,
    "not_restorable": DELETED_HERE,
}
"""By Intercom's code: why, and what mends it."""


def why_and_what_mends(error: Failure | None, field: str | None) -> tuple[str, str]:
    """`field`: the failure's, as agents see it."""
    known = SENTENCES.get((error.code if error else None) or "")
    if known is not None:
        return known
    if error is None:
        return "The last tries did not work.", ASK
    if field and error.code is None:
        return f"What the app has for {field} cannot be used here.", "Have it corrected in the app."
    if field:
        return f"Intercom refused what the app has for {field}.", "Have it corrected in the app."
    return REFUSED, ASK


def tried_again(due_in: float | None) -> str:
    """Of a try that did not work and is repeated by itself."""
    return f"It is tried again {in_time(due_in)}. {NO_NEED}"


# --- edits that lost ------------------------------------------------------------------------------

OWNERS: Mapping[str, str] = {
    Policy.APP: "the app owns it",
    Policy.FILL: "the app owns it while it has a value",
    Policy.LAST_WRITER: "it was changed in the app after that",
    Policy.LATER_VALUE: "the app has the later one",
    Policy.OPT_OUT: "the person opted out in the app, where alone it is taken back",
}


def whose_it_is(policy: str | None) -> str:
    return OWNERS.get(policy or "", "the app owns it")
