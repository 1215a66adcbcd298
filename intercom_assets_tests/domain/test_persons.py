"""Whether a row of the app is still about the same person."""

from intercom_assets.domain.models import Values
from intercom_assets.domain.persons import is_another_person

DAY = 86_400
THEN = 1_700_000_000


def test_a_new_sign_up_with_another_email_is_another_person() -> None:
    before: Values = {"created_at": THEN, "email": "ada@example.com"}
    for moved in (-400 * DAY, 60, 3 * DAY, 900 * DAY):
        assert is_another_person(before, {"created_at": THEN + moved, "email": "bob@example.com"})
        assert is_another_person(before, {"created_at": THEN + moved, "email": None})


def test_a_changed_email_alone_is_the_same_person() -> None:
    before: Values = {"created_at": THEN, "email": "ada@example.com"}
    assert not is_another_person(before, {"created_at": THEN, "email": "ada@new.example"})


def test_a_sign_up_that_was_corrected_is_the_same_person_by_its_email() -> None:
    before: Values = {"created_at": THEN, "email": "ada@example.com"}
    for moved in (-5 * 3600, 1, 14 * 3600, 400 * DAY):
        now: Values = {"created_at": THEN + moved, "email": " Ada@Example.com"}
        assert not is_another_person(before, now)


def test_without_emails_the_sign_up_tells_unless_it_moved_by_a_zone() -> None:
    before: Values = {"created_at": THEN, "email": None}
    assert not is_another_person(before, {"created_at": THEN + 14 * 3600, "email": None})
    assert is_another_person(before, {"created_at": THEN + 30 * DAY})


def test_what_was_never_agreed_on_says_nothing() -> None:
    assert not is_another_person({}, {"created_at": THEN, "email": "a@example.com"})
    assert not is_another_person({"email": "a@example.com"}, {"created_at": THEN, "email": "b@x"})
    assert not is_another_person({"created_at": THEN, "email": "a@x"}, {"email": "b@x"})
