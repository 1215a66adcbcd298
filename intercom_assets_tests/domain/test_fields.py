"""The tables of fields: what is kept in step, who wins, and how a value is named on each side."""

import pytest

from intercom_assets.domain.fields import (
    COMPANY_DELETED,
    DELETED,
    LAST_SEEN,
    TEAM_FIELDS,
    TIME_ZONE,
    USER_FIELDS,
    Field,
    Policy,
    company_patch,
    contact_patch,
    fields_of_teams,
    fields_of_users,
    intercom_values,
)
from intercom_assets.domain.models import (
    Column,
    CompanyPatch,
    ContactPatch,
    Kind,
    Value,
)
from intercom_assets_tests.builders import a_company, a_contact

BY_NAME = {each.name: each for each in (*USER_FIELDS, DELETED)}
OF_TEAMS = {each.name: each for each in (*TEAM_FIELDS, COMPANY_DELETED)}


def column(name: str, kind: Kind = Kind.STRING, *, is_attribute: bool = False) -> Column:
    return Column(name, kind, is_attribute)


class TestWhoWins:
    """Row by row, written out: the README's table is made from the same data."""

    @pytest.mark.parametrize(
        ("name", "intercom", "kind", "policy"),
        [
            ("email", "email", Kind.STRING, Policy.APP),
            ("created_at", "signed_up_at", Kind.DATE, Policy.APP),
            ("name", "name", Kind.STRING, Policy.FILL),
            ("phone_number", "phone", Kind.STRING, Policy.FILL),
            ("last_request_at", "last_seen_at", Kind.DATE, Policy.LATER_VALUE),
            ("avatar_url", "avatar", Kind.STRING, Policy.FILL),
            ("email_verified", "email_verified", Kind.BOOLEAN, Policy.APP),
            ("owner_email", "owner_id", Kind.STRING, Policy.FILL),
            ("owner_id", "owner_id", Kind.STRING, Policy.FILL),
        ],
    )
    def test_a_users_field_is_a_field_of_the_contact(
        self, name: str, intercom: str, kind: Kind, policy: Policy
    ) -> None:
        each = BY_NAME[name]

        assert (each.intercom, each.kind, each.policy) == (intercom, kind, policy)
        assert not each.custom

    def test_the_time_zone_is_shown_as_a_custom_attribute_and_is_filled(self) -> None:
        zone = BY_NAME[TIME_ZONE]

        assert (zone.intercom, zone.kind, zone.policy) == (
            "time_zone",
            Kind.STRING,
            Policy.FILL,
        )
        assert zone.custom

    @pytest.mark.parametrize(
        ("name", "intercom", "kind"),
        [
            ("name", "name", Kind.STRING),
            ("created_at", "remote_created_at", Kind.DATE),
            ("monthly_spend", "monthly_spend", Kind.INTEGER),
            ("plan", "plan", Kind.STRING),
            ("size", "size", Kind.INTEGER),
            ("website", "website", Kind.STRING),
            ("industry", "industry", Kind.STRING),
        ],
    )
    def test_a_teams_field_is_a_field_of_the_company_and_the_apps(
        self, name: str, intercom: str, kind: Kind
    ) -> None:
        each = OF_TEAMS[name]

        assert (each.intercom, each.kind, each.policy) == (intercom, kind, Policy.APP)
        assert not each.custom

    @pytest.mark.parametrize(
        ("mark", "name"), [(DELETED, "deleted"), (COMPANY_DELETED, "company_deleted")]
    )
    def test_what_is_gone_is_marked_by_an_attribute_of_its_own_name(
        self, mark: Field, name: str
    ) -> None:
        """Two names, since Intercom shares attribute names across contacts and companies."""
        assert (mark.name, mark.intercom, mark.kind, mark.policy, mark.custom) == (
            name,
            name,
            Kind.BOOLEAN,
            Policy.APP,
            True,
        )

    def test_only_names_and_phones_are_not_taken_from_intercom_for_oauth_users(self) -> None:
        refusing = {each.name for each in BY_NAME.values() if not each.from_oauth}

        assert refusing == {"name", "phone_number"}

    def test_only_a_name_must_be_longer_than_one_character(self) -> None:
        assert {each.name: each.shortest for each in BY_NAME.values() if each.shortest != 1} == {
            "name": 2
        }

    def test_every_rule_that_a_table_cannot_show_is_remarked_upon(self) -> None:
        fill = [each for each in BY_NAME.values() if each.policy is Policy.FILL]

        assert all(each.remark for each in (*fill, DELETED, COMPANY_DELETED, BY_NAME[TIME_ZONE]))

    def test_nothing_is_written_back_unless_the_mapping_says_where(self) -> None:
        assert not any(each.pulled for each in (*BY_NAME.values(), *OF_TEAMS.values()))


class TestTheFieldsOfAMapping:
    def test_only_what_is_selected_is_synced_and_the_mark_always(self) -> None:
        fields = fields_of_users([column("id"), column("email"), column("updated_at")])

        assert fields == (BY_NAME["email"], DELETED)

    def test_a_further_column_is_an_attribute_of_its_name_and_type_and_the_apps(self) -> None:
        seats = column("seats", Kind.INTEGER, is_attribute=True)

        assert fields_of_users([seats])[0] == Field(
            "seats", "seats", Kind.INTEGER, Policy.APP, custom=True
        )
        assert fields_of_teams([seats])[0] == Field(
            "seats", "seats", Kind.INTEGER, Policy.APP, custom=True
        )

    def test_a_teams_mark_is_not_a_users(self) -> None:
        assert fields_of_teams([column("name"), column("owner_id")]) == (
            OF_TEAMS["name"],
            COMPANY_DELETED,
        )

    def test_a_column_that_is_a_field_is_not_an_attribute_too(self) -> None:
        fields = fields_of_users([column("name", is_attribute=True)])

        assert fields == (BY_NAME["name"], DELETED)

    def test_a_users_column_that_only_teams_know_is_an_attribute(self) -> None:
        plan = fields_of_users([column("plan", is_attribute=True)])[0]

        assert plan.custom

    def test_the_mapping_may_give_a_field_another_policy(self) -> None:
        fields = fields_of_users(
            [column("name"), column("email"), column("plan", is_attribute=True)],
            {"name": Policy.LAST_WRITER, "plan": Policy.INTERCOM},
        )

        assert [each.policy for each in fields[:3]] == [
            Policy.LAST_WRITER,
            Policy.APP,
            Policy.INTERCOM,
        ]

    def test_another_policy_leaves_the_rest_of_a_field_as_it_is(self) -> None:
        (name, _) = fields_of_users([column("name")], {"name": Policy.LAST_WRITER}, ["name"])

        assert (name.shortest, name.from_oauth, name.pulled) == (2, False, True)

    def test_what_the_mapping_writes_back_is_pulled(self) -> None:
        fields = fields_of_users([column("name"), column("email")], None, ["name"])

        assert [each.pulled for each in fields] == [True, False, False]

    def test_every_field_has_its_name_once(self) -> None:
        columns = [column(each.name) for each in USER_FIELDS]
        names = [each.name for each in fields_of_users(columns)]

        assert sorted(names) == sorted({*names})
        assert {TIME_ZONE, LAST_SEEN} < {*names}


class TestSameness:
    @pytest.mark.parametrize(
        ("name", "one", "other"),
        [
            ("email", "Ada@Example.com", "ada@example.COM"),
            ("phone_number", "+44 (20) 7946-0000", "+442079460000"),
            ("created_at", 20, 20.0),
            ("name", None, None),
        ],
    )
    def test_values_that_both_sides_would_call_the_same(
        self, name: str, one: Value, other: Value
    ) -> None:
        assert BY_NAME[name].same(one, other)

    @pytest.mark.parametrize(
        ("name", "one", "other"),
        [
            ("email", "ada@example.com", None),
            ("phone_number", "+44 20", "44 20"),
            ("phone_number", "+44 20", None),
            ("name", "ada", "Ada"),
            ("deleted", True, False),
            ("deleted", True, 1),
            ("deleted", False, 0),
            ("deleted", False, None),
            ("created_at", 20, "20"),
        ],
    )
    def test_values_that_differ(self, name: str, one: Value, other: Value) -> None:
        assert not BY_NAME[name].same(one, other)
        assert not BY_NAME[name].same(other, one)

    def test_an_attribute_called_email_keeps_its_case(self) -> None:
        """Only the contact's own address is matched without case by Intercom."""
        attribute = Field("work", "email", Kind.STRING, Policy.APP, custom=True)

        assert not attribute.same("A@b.c", "a@b.c")

    def test_an_attribute_called_phone_keeps_its_spaces(self) -> None:
        attribute = Field("work", "phone", Kind.STRING, Policy.APP, custom=True)

        assert not attribute.same("+44 20", "+4420")


class TestWhatIntercomHolds:
    def test_fields_and_attributes_are_read_by_intercoms_names(self) -> None:
        contact = a_contact(phone="+44", custom_attributes={"deleted": True, "other": 1})
        fields = [BY_NAME["phone_number"], BY_NAME["last_request_at"], DELETED]

        assert intercom_values(fields, contact) == {
            "phone_number": "+44",
            "last_request_at": contact.last_seen_at,
            "deleted": True,
        }

    def test_an_attribute_that_was_never_set_is_nothing(self) -> None:
        assert intercom_values([DELETED], a_contact(custom_attributes={})) == {"deleted": None}

    def test_a_number_is_read_as_the_type_that_the_column_has(self) -> None:
        seats = Field("seats", "seats", Kind.INTEGER, Policy.APP, custom=True)
        score = Field("score", "score", Kind.FLOAT, Policy.APP, custom=True)
        company = a_company(custom_attributes={"seats": 20.0, "score": 20})
        values = intercom_values([seats, score], company)

        assert [(v, type(v)) for v in values.values()] == [(20, int), (20.0, float)]

    def test_a_value_of_another_type_is_an_honest_difference(self) -> None:
        seats = Field("seats", "seats", Kind.INTEGER, Policy.APP, custom=True)

        assert intercom_values([seats], a_company(custom_attributes={"seats": "many"})) == {
            "seats": "many"
        }


def test_a_patch_names_things_as_intercom_does() -> None:
    values: dict[str, Value] = {"created_at": 1, "phone_number": None, "deleted": True}

    assert contact_patch(BY_NAME, values) == ContactPatch(
        {"signed_up_at": 1, "phone": None}, {"deleted": True}
    )
    assert company_patch(OF_TEAMS, {"created_at": 1, "company_deleted": False}) == CompanyPatch(
        {"remote_created_at": 1}, {"company_deleted": False}
    )


def test_a_patch_with_nothing_in_it_is_false() -> None:
    assert not contact_patch(BY_NAME, {})
    assert not company_patch(OF_TEAMS, {})
    assert contact_patch(BY_NAME, {"name": None})
    assert company_patch(OF_TEAMS, {"company_deleted": False})
