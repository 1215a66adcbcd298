"""What the panel says: from facts to an agent's words, and no fact too many."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from intercom_assets.database.records import Failure
from intercom_assets.database.reports import OverruledField, Standing
from intercom_assets.domain.fields import Policy
from intercom_assets.domain.vocabulary import Cause
from intercom_assets.inbound.agents_words import in_time, short
from intercom_assets.inbound.canvas import HIGHEST, escaped, height, response
from intercom_assets.inbound.links import PanelLinks
from intercom_assets.inbound.panel import Panel, PanelNames, Tone, panel_of_nobody, panel_of_user

LINKS = PanelLinks("https://admin.example.com/users/{id}", "https://dagster.example.com")
NAMES = PanelNames({"phone_number": "phone"})
OURS = ("parked", "lane", "lease", "digest", "queue", "shadow", "journal", "policy", "overruled")
"""Words of this project that nobody else knows."""


def panel(asked: bool = False, **facts: Any) -> Panel:
    return panel_of_user(Standing("7", **facts), LINKS, NAMES, asked=asked)


def shown(of: Panel) -> list[dict[str, Any]]:
    components: list[dict[str, Any]] = response(of)["canvas"]["content"]["components"]
    return components


# --- states ---------------------------------------------------------------------------------------


def test_in_step_says_since_when_and_nothing_else_of_the_state() -> None:
    fine = panel(settled_ago=12.7)

    assert (fine.headline, fine.tone, fine.sentences) == ("In step, 12 s ago", Tone.FINE, [])


@pytest.mark.parametrize(
    ("cause", "what"),
    [
        (Cause.APP, "changed in the app"),
        (Cause.INTERCOM, "changed here"),
        ("webhook", "changed here"),
        (Cause.BY_HAND, "asked for it"),
        (Cause.SWEEP, "routine check"),
        ("a cause of a later version", "brought in step"),
        (None, "brought in step"),
    ],
)
def test_waiting_says_what_waits(cause: str | None, what: str) -> None:
    waiting = panel(waits=True, cause=cause, waits_for=3.2)

    assert waiting.headline == "Waiting to be synced, for 3 s"
    assert what in waiting.sentences[0]
    assert waiting.tone is Tone.WORKING


def test_somebody_at_work_is_told_apart_from_waiting() -> None:
    assert panel(waits=True, in_work=True, waits_for=1).headline == "Being synced now, for 1 s"


def test_a_try_that_did_not_work_says_when_the_next_one_comes() -> None:
    failing = panel(waits=True, error=Failure("Intercom is unavailable: 503"), due_in=150.0)

    assert failing.headline.startswith("Not in step yet")
    assert "in 2 minutes" in failing.sentences[0]
    assert "503" not in failing.sentences[0]


@pytest.mark.parametrize(
    ("failure", "why", "mends"),
    [
        (
            Failure("x", code="contact_company_limit_exceeded"),
            "as many companies as Intercom allows",
            "Remove it from companies",
        ),
        (
            Failure("contact 6a01 has the same details and is a lead", code="conflict"),
            "Another contact or lead",
            "merge or archive it",
        ),
        (Failure("x", code="not_restorable"), "deleted or blocked", "need not do anything"),
        (Failure("x", field="phone_number"), "for phone cannot be used", "corrected in the app"),
        (
            Failure("x", field="plan", code="parameter_invalid"),
            "Intercom refused what the app has for plan",
            "corrected in the app",
        ),
        (Failure("x", code="parameter_invalid"), "Intercom refused the change", "Tell whoever"),
        (None, "did not work", "Tell whoever"),
    ],
)
def test_given_up_on_says_why_and_what_mends_it(
    failure: Failure | None, why: str, mends: str
) -> None:
    wrong = panel(waits=True, parked_for=7_300.0, error=failure)

    assert (wrong.headline, wrong.tone) == ("Not in step for 2 h", Tone.WRONG)
    assert why in wrong.sentences[0]
    assert mends in wrong.sentences[1]


def test_a_wait_that_ends_by_itself_says_when() -> None:
    wrong = panel(waits=True, parked_for=60.0, parked_for_another=3 * 86_400.0)

    assert "in 3 days" in wrong.sentences[-1]


def test_edits_that_lost_are_named_as_agents_see_the_field_with_whose_it_is() -> None:
    edits = [
        OverruledField("phone_number", Policy.APP, 3, 7_200.0),
        OverruledField("name", Policy.FILL, 1, 90.0),
        OverruledField("plan", Policy.LAST_WRITER, 1, 90.0),
        OverruledField("seats", "of a later version", 1, 90.0),
    ]

    lost = panel(settled_ago=1, overruled=edits)

    assert [(e.title, e.subtitle, e.aside) for e in lost.edits] == [
        ("phone", "the app owns it, 3 times", "2 h ago"),
        ("name", "the app owns it while it has a value", "1 min ago"),
        ("plan", "it was changed in the app after that", "1 min ago"),
    ]
    assert lost.edits_in_all == 4
    assert "put back in the last week \\\\(4\\\\):" in json.dumps(response(lost))


@pytest.mark.parametrize(
    ("role", "says"), [("user", "does not know"), ("lead", "lead"), (None, "")]
)
def test_of_a_contact_that_is_none_of_ours_there_is_one_sentence(
    role: str | None, says: str
) -> None:
    [only] = shown(panel_of_nobody(role))

    assert only["type"] == "text"
    assert says in only["text"]


def test_who_it_is_leads_to_the_admin_and_the_partition() -> None:
    both = panel_of_user(Standing("a/b c?"), LINKS, NAMES)

    assert both.user is not None
    assert both.user.title == "User a/b c? of the app"
    assert both.user.url == "https://admin.example.com/users/a%2Fb%20c%3F"
    assert both.dagster_url == (
        "https://dagster.example.com/assets/reconciled_profiles?view=partitions&partition=a%2Fb%20c%3F"
    )


def test_of_several_workspaces_the_partition_is_this_one_s() -> None:
    links = PanelLinks("", "https://d/", "emea")

    assert (
        links.partition("7")
        == "https://d/assets/emea/reconciled_profiles?view=partitions&partition=7"
    )


def test_without_addresses_there_are_no_links() -> None:
    plain = panel_of_user(Standing("7"), PanelLinks(), NAMES)

    assert "url" not in json.dumps(response(plain))


def test_a_user_whom_the_app_deleted_and_fields_that_are_not_sent_are_remarked() -> None:
    remarked = panel(gone=True, left_out=["phone_number", "plan"])

    assert remarked.remarks == [
        "The app has deleted this user.",
        "Not kept in step: phone, plan.",
    ]
    assert panel(left_out=list("abcde")).remarks == ["Not kept in step: a, b, c and 2 more."]


def test_after_the_button_it_says_how_to_see_what_became_of_it() -> None:
    asked = shown(panel(asked=True, waits=True, cause=Cause.APP))

    assert "press Refresh" in asked[1]["text"]
    assert [c["label"] for c in asked if c["type"] == "button"] == [
        "Sync now",
        "Refresh",
        "Details in Dagster",
    ]


# --- whatever the facts ---------------------------------------------------------------------------

ages = st.none() | st.floats(-5, 1e8)
names = st.text(max_size=300)
failures = st.builds(
    Failure,
    message=st.text(min_size=1, max_size=50).map(lambda text: f"SECRET{text}"),
    field=st.none() | st.sampled_from(["phone_number", "plan"]),
    code=st.none() | st.sampled_from(["conflict", "not_restorable", "x"]),
)
standings = st.builds(
    Standing,
    user_id=st.text(min_size=1, max_size=300),
    settled_ago=ages,
    gone=st.booleans(),
    left_out=st.lists(names, max_size=9),
    waits=st.booleans(),
    cause=st.none() | st.sampled_from(Cause),
    error=st.none() | failures,
    waits_for=ages,
    due_in=ages,
    parked_for=ages,
    parked_for_another=ages,
    in_work=st.booleans(),
    overruled=st.lists(
        st.builds(
            OverruledField, names, st.none() | st.sampled_from(Policy), st.just(2), st.just(1.0)
        ),
        max_size=9,
    ),
)


@given(standing=standings, asked=st.booleans())
def test_no_error_s_text_is_ever_on_the_panel_and_its_size_is_bounded(
    standing: Standing, asked: bool
) -> None:
    document = response(panel_of_user(standing, LINKS, NAMES, asked=asked))
    written = json.dumps(document)

    assert "SECRET" not in written
    assert height(document["canvas"]["content"]["components"]) <= HIGHEST
    assert len(written) < 16_384


@pytest.mark.parametrize("cause", Cause)
@pytest.mark.parametrize("code", [None, "conflict", "not_restorable", "x"])
@pytest.mark.parametrize("parked_for", [None, 5.0])
def test_the_words_on_it_are_an_agent_s(
    cause: Cause, code: str | None, parked_for: float | None
) -> None:
    edits = [OverruledField("plan", policy, 1, 1.0) for policy in Policy]
    facts = Standing(
        "7", waits=True, cause=cause, error=Failure("x", code=code), parked_for=parked_for,
        due_in=60.0, overruled=edits,
    )  # fmt: skip
    texts = json.dumps(response(panel_of_user(facts, LINKS, NAMES))).lower()

    assert [word for word in OURS if word in texts.replace("overruled_edits", "")] == []


@given(st.text(max_size=100))
def test_what_markdown_would_take_for_itself_is_shown_as_it_is(text: str) -> None:
    shown_text = escaped(text)

    unescaped = ""
    rest = iter(shown_text)
    for character in rest:
        unescaped += next(rest) if character == "\\" else character
    assert unescaped == text
    assert "](" not in shown_text.replace("\\]", "").replace("\\(", "")


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(-3, "0 s"), (0, "0 s"), (59.9, "59 s"), (60, "1 min"), (7_199, "1 h"), (172_800, "2 d")],
)
def test_spans_are_short(seconds: float, text: str) -> None:
    assert short(seconds) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (None, "in a moment"),
        (0.5, "in a moment"),
        (30, "in 30 seconds"),
        (60, "in 1 minute"),
        (5_400, "in 2 hours"),
    ],
)
def test_moments_to_come_are_in_words(seconds: float | None, text: str) -> None:
    assert in_time(seconds) == text
