"""Words that are stored stay spelled as existing installations have them.

A failure here is not mended by editing this file: the old word stands in somebody's tables.
"""

from enum import StrEnum

import pytest

from intercom_assets.domain.models import EdgeState, Reason, Side
from intercom_assets.domain.vocabulary import (
    Action,
    AttributeModel,
    Cause,
    PlannedAction,
    QueueKind,
    StateKey,
)

STORED: dict[type[StrEnum], set[str]] = {
    QueueKind: {"user", "team"},
    AttributeModel: {"contact", "company"},
    Side: {"app", "intercom"},
    EdgeState: {"attaching", "attached", "detaching"},
    Reason: {"unfit", "refused", "contested", "barred"},
    Action: {
        "created",
        "adopted",
        "relinked",
        "merged",
        "merge refused",
        "lead search refused",
        "archived",
        "unarchived",
        "attached",
        "detached",
        "pushed",
        "pulled",
        "overruled",
        "refused",
        "ignored",
        "left out",
        "undone",
        "parked",
        "retried",
        "let go",
        "gave up",
        "not inherited",
    },
    PlannedAction: {
        "create",
        "update",
        "archive",
        "look",
        "find",
        "none",
        "absent",
        "erased",
        "park",
    },
    Cause: {
        "",
        "app",
        "polled",
        "intercom",
        "sweep",
        "audit",
        "by hand",
        "backfill",
        "partition",
        "list",
        "re-execution",
        "retry",
        "released",
        "lost lease",
        "membership",
        "company made again",
        "company lost",
        "e-mail given up",
        "external id moved",
        "spelled otherwise",
        "attribute can be written again",
        "relink",
        "relinked",
        "undo",
        "erase",
        "erasure lifted",
        "sync now",
        "webhook",
    },
    StateKey: {
        "admins",
        "workspace",
        "attributes of contact",
        "attributes of company",
        "attributes_barred",
        "attributes_failing",
        "first_contact",
        "first_contact_failed",
        "steady",
        "polled",
        "polled rows",
        "intercom_changes",
        "last_sweep",
        "last_audit",
        "sweep_wanted",
        "answered",
        "calls per window",
        "probed",
        "probe left",
        "not shown in dagster",
        "webhook seen",
        "compared fields",
        "stopped: user",
        "stopped: team",
        "ids_accepted: user",
        "ids_accepted: team",
    },
}


@pytest.mark.parametrize("words", STORED, ids=lambda words: words.__name__)
def test_no_stored_word_was_respelled_or_dropped(words: type[StrEnum]) -> None:
    assert {word.value for word in words} == STORED[words]
