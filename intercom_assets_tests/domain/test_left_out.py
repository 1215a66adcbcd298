"""What becomes of a value that Intercom refused, or that somebody wrote over again and again."""

import pytest

from intercom_assets.domain.decisions import Freshness
from intercom_assets.domain.models import LeftOut, Reason, Side
from intercom_assets_tests.domain.field_decisions import NICK, PLAN, decide, outcome

WHY = "it was refused"


def left_out(value: str, reason: Reason = Reason.REFUSED) -> dict[str, LeftOut]:
    return {"plan": LeftOut(reason, WHY, value), "nick": LeftOut(reason, WHY, value)}


@pytest.mark.parametrize("reason", [Reason.REFUSED, Reason.CONTESTED])
@pytest.mark.parametrize("look", list(Freshness))
def test_that_value_is_not_sent_again(reason: Reason, look: Freshness) -> None:
    known = left_out("team", reason)

    decision = decide(PLAN, app="team", intercom="free", look=look, left_out=known)

    assert outcome(decision) == "nothing"
    assert (decision.left_out, decision.deferred, decision.overruled) == (True, False, False)
    assert decision.why == f"left out: {WHY}"
    assert (decision.value, decision.intercom) == ("team", "free")


def test_another_value_is_sent() -> None:
    decision = decide(PLAN, app="business", intercom="free", left_out=left_out("team"))

    assert outcome(decision) == "to intercom: business"
    assert not decision.left_out


def test_the_same_value_is_sent_where_it_was_left_out_for_another_reason() -> None:
    decision = decide(PLAN, app="team", intercom="free", left_out=left_out("team", Reason.UNFIT))

    assert outcome(decision) == "to intercom: team"


def test_intercoms_value_is_taken_all_the_same() -> None:
    known = {"base": "a", "app": "a", "intercom": "b"}

    decision = decide(NICK, **known, left_out=left_out("b"))

    assert decision.write_to is Side.APP
    assert not decision.left_out


@pytest.mark.parametrize("look", list(Freshness))
def test_nobodys_edit_counts_as_overruled_by_a_value_that_is_not_sent(look: Freshness) -> None:
    known = {"base": "at first", "app": "ours", "intercom": "theirs"}
    assert decide(NICK, **known, look=look).overruled

    decision = decide(NICK, **known, look=look, left_out=left_out("ours"))

    assert outcome(decision) == "nothing"
    assert (decision.deferred, decision.overruled) == (False, False)
