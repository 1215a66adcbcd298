"""Custom attributes: which have to be made, which cannot be written, which values are held."""

from dataclasses import replace
from typing import Any

import pytest

from intercom_assets.domain.attributes import (
    MOST_ATTRIBUTES,
    AttributePlan,
    FittedValues,
    fit_values,
    name_problem,
    plan_attributes,
)
from intercom_assets.domain.fields import (
    COMPANY_DELETED,
    DELETED,
    TEAM_FIELDS,
    USER_FIELDS,
    Field,
    Policy,
)
from intercom_assets.domain.models import DataAttribute, Kind, LeftOut, Reason
from intercom_assets.domain.vocabulary import AttributeModel
from intercom_assets_tests.builders import a_team, a_user

SEATS = Field("seats", "seats", Kind.INTEGER, Policy.APP, custom=True)
PLAN = Field("plan", "plan", Kind.STRING, Policy.APP, custom=True)
NAME = TEAM_FIELDS[0]
KNOWN = DataAttribute("seats", "contact", "integer")


def plan(
    *known: DataAttribute, field: Field = SEATS, model: AttributeModel = AttributeModel.CONTACT
) -> AttributePlan:
    return plan_attributes([NAME, field], model, known)


class TestWhatIsMade:
    def test_an_attribute_that_is_missing_is_made(self) -> None:
        assert plan() == AttributePlan((SEATS,), {})

    def test_one_that_is_there_is_not(self) -> None:
        assert plan(KNOWN) == AttributePlan((), {})

    def test_standard_fields_need_no_attribute(self) -> None:
        assert plan_attributes([NAME], AttributeModel.CONTACT, []) == AttributePlan((), {})

    def test_names_have_case(self) -> None:
        other_case = replace(KNOWN, name="Seats", data_type="boolean")

        assert plan(other_case) == AttributePlan((SEATS,), {})

    def test_what_is_looked_for_is_the_name_in_intercom(self) -> None:
        renamed = replace(SEATS, name="places")

        assert plan(KNOWN, field=renamed) == AttributePlan((), {})

    @pytest.mark.parametrize(
        ("field", "model"),
        [(DELETED, AttributeModel.CONTACT), (COMPANY_DELETED, AttributeModel.COMPANY)],
    )
    def test_the_mark_of_what_is_gone_is_made_too(
        self, field: Field, model: AttributeModel
    ) -> None:
        assert plan(field=field, model=model).missing == (field,)

    def test_both_models_together_fill_one_workspace(self) -> None:
        assert MOST_ATTRIBUTES == 250


class TestWhatIsBarred:
    """Left out for everybody, with a reason for `check`; no user is blamed."""

    def test_an_archived_attribute(self) -> None:
        assert plan(replace(KNOWN, archived=True)) == AttributePlan(
            (), {"seats": "the attribute 'seats' is archived in Intercom; restore it there"}
        )

    def test_an_attribute_that_the_api_cannot_write(self) -> None:
        assert plan(replace(KNOWN, api_writable=False)) == AttributePlan(
            (), {"seats": "Intercom lets nobody write the contact attribute 'seats'"}
        )

    def test_a_name_that_the_other_model_has(self) -> None:
        assert plan(replace(KNOWN, model="company")) == AttributePlan(
            (),
            {
                "seats": "the name 'seats' is taken by an attribute of the other kind; Intercom "
                "shares names across contacts and companies: select the column under another name"
            },
        )

    def test_a_name_that_both_models_have_already_is_nobodys_clash(self) -> None:
        assert plan(KNOWN, replace(KNOWN, model="company")) == AttributePlan((), {})

    def test_a_standard_field_of_the_other_model_is_no_clash(self) -> None:
        theirs = DataAttribute("seats", "company", "integer", custom=False)

        assert plan(theirs).missing == (SEATS,)

    def test_a_name_of_intercoms_own(self) -> None:
        own = DataAttribute("seats", "contact", "integer", custom=False)

        assert plan(own) == AttributePlan(
            (),
            {
                "seats": "the name 'seats' is that of one of Intercom's own contact fields: select "
                "the column under another name"
            },
        )

    @pytest.mark.parametrize("name", ["Role", "ROLE"])
    def test_a_name_of_intercoms_own_in_any_case(self, name: str) -> None:
        role = DataAttribute("role", "contact", "string", custom=False)
        found = plan(role, field=replace(SEATS, name=name, intercom=name))

        assert "one of Intercom's own contact fields" in found.unwritable[name]
        assert found.missing == ()

    def test_another_type(self) -> None:
        assert plan(replace(KNOWN, data_type="string")) == AttributePlan(
            (),
            {
                "seats": "the attribute 'seats' is of type string in Intercom and the column's is "
                "integer; cast it in the mapping's SELECT, or select it under another name"
            },
        )

    @pytest.mark.parametrize(
        ("kind", "types"),
        [
            (Kind.STRING, {"string", "options"}),
            (Kind.INTEGER, {"integer", "float"}),
            (Kind.FLOAT, {"float"}),
            (Kind.BOOLEAN, {"boolean"}),
            (Kind.DATE, {"date", "datetime"}),
        ],
    )
    def test_a_type_that_takes_every_value_of_the_column_is_no_other(
        self, kind: Kind, types: set[str]
    ) -> None:
        every = ["string", "options", "integer", "float", "boolean", "date", "datetime"]
        field = replace(SEATS, kind=kind)

        taken = {t for t in every if not plan(replace(KNOWN, data_type=t), field=field).unwritable}

        assert taken == types

    def test_a_type_of_which_we_know_nothing_is_tried(self) -> None:
        assert plan(replace(KNOWN, data_type="relationship")) == AttributePlan((), {})

    def test_the_others_are_made_and_written_all_the_same(self) -> None:
        known = [replace(KNOWN, archived=True)]

        assert plan_attributes([SEATS, PLAN], AttributeModel.CONTACT, known).missing == (PLAN,)

    def test_a_field_is_barred_by_the_name_that_the_app_has_for_it(self) -> None:
        renamed = replace(SEATS, name="places")

        assert list(plan(replace(KNOWN, archived=True), field=renamed).unwritable) == ["places"]


class TestNames:
    @pytest.mark.parametrize("name", ["plan", "Annual saving", "a-b_c 9", "é", "x" * 190])
    def test_a_name_that_intercom_takes(self, name: str) -> None:
        assert name_problem(name) is None

    @pytest.mark.parametrize("name", ["", "a.b", "a$b", "a:b", "(a)", "ok\n"])
    def test_a_name_with_other_characters(self, name: str) -> None:
        assert name_problem(name) == "has characters other than letters, digits, spaces, - and _"

    @pytest.mark.parametrize("name", [" plan", "plan "])
    def test_a_name_with_space_around_it(self, name: str) -> None:
        assert name_problem(name) == "begins or ends with a space"

    def test_a_name_that_is_too_long(self) -> None:
        assert name_problem("x" * 191) == "is longer than 190 characters"


class TestValues:
    FIELDS = {"plan": PLAN, "name": NAME, "seats": SEATS}  # noqa: RUF012 - read only

    def fitted(self, *, truncate: bool = False, **values: Any) -> Any:
        return fit_values(self.FIELDS, a_user("7", **values), truncate=truncate).values

    def left_out(self, **values: Any) -> Any:
        return fit_values(self.FIELDS, a_user("7", **values), truncate=False).left_out

    def test_only_the_mappings_fields_are_held(self) -> None:
        assert self.fitted(plan="team", seats=3, name="Ada") == {
            "name": "Ada",
            "plan": "team",
            "seats": 3,
        }

    def test_a_team_has_values_too(self) -> None:
        fitted = fit_values({"name": NAME}, a_team(name="Acme"), truncate=False)
        assert fitted == FittedValues({"name": "Acme"}, {})

    def test_an_attribute_holds_255_characters(self) -> None:
        assert self.fitted(plan="x" * 255)["plan"] == "x" * 255

    def test_a_longer_one_is_left_out_with_its_column_and_what_to_do(self) -> None:
        assert self.fitted(plan="x" * 1256, seats=3) == {"name": "User 7", "seats": 3}
        assert self.left_out(plan="x" * 1256, seats=3) == {
            "plan": LeftOut(
                Reason.UNFIT,
                "plan has 1,256 characters and Intercom holds 255; shorten it in the mapping's "
                "SELECT, or set truncate: true",
            )
        }

    def test_what_the_row_could_not_hold_is_left_out_if_the_mapping_wants_it(self) -> None:
        row = replace(a_user("7", seats=3), unfit={"plan": "plan is an array", "other": "is odd"})

        assert fit_values(self.FIELDS, row, truncate=False) == FittedValues(
            {"name": "User 7", "seats": 3}, {"plan": LeftOut(Reason.UNFIT, "plan is an array")}
        )

    @pytest.mark.parametrize("spend", [2**31 - 1, 0, -(2**31 - 1)])
    def test_a_companys_spend_is_held_up_to_its_documented_limit(self, spend: int) -> None:
        fields = {each.name: each for each in TEAM_FIELDS}

        assert fit_values(fields, a_team(monthly_spend=spend), truncate=False).left_out == {}
        for more in (2**31, 2**40, -(2**31)):
            found = fit_values(fields, a_team(monthly_spend=more, name="A"), truncate=False)
            assert found.values.keys() == {"name", "plan", "created_at"}
            assert "2,147,483,647" in found.left_out["monthly_spend"].why

    def test_an_attribute_of_that_name_has_no_such_limit(self) -> None:
        spend = replace(SEATS, name="monthly_spend", intercom="monthly_spend")

        row = a_user("7", monthly_spend=2**40)
        assert fit_values({"monthly_spend": spend}, row, truncate=False).left_out == {}

    def test_the_operator_may_consent_to_a_shorter_one(self) -> None:
        assert self.fitted(plan="x" * 256, truncate=True)["plan"] == "x" * 255

    def test_what_is_cut_is_canonical_again(self) -> None:
        """A blank at the end would come back without it, and differ for ever."""
        cut = self.fitted(plan="x" * 254 + " and more", truncate=True)

        assert cut["plan"] == "x" * 254

    @pytest.mark.parametrize(
        "address",
        [
            "https://cdn.example.com/ada.png?size=64#x",
            "HTTP://localhost:3000",
            f"https://{'a' * 2_040}",
        ],
        ids=lambda address: address[:40],
    )
    def test_a_picture_has_an_address_of_the_web(self, address: str) -> None:
        assert len(address) <= 2_048
        assert self.pictured(address).left_out == {}

    @pytest.mark.parametrize(
        "address",
        [
            "/ada.png",
            "ftp://x/y",
            "https://",
            "https:///x",
            "https:// x",
            "see https://x/y",
            "https://x/y z",
            f"https://{'a' * 2_041}",
        ],
        ids=lambda address: address[:40],
    )
    def test_what_is_none_is_left_out_with_what_is_allowed(self, address: str) -> None:
        why = (
            "avatar_url is not the address of a picture; allowed: http or https, of at most 2,048 "
            "characters and without spaces"
        )

        found = self.pictured(address)

        assert found.left_out == {"avatar_url": LeftOut(Reason.UNFIT, why)}
        assert "avatar_url" not in found.values

    def test_no_picture_is_none_too(self) -> None:
        assert self.pictured(None) == FittedValues({"name": "User 7", "avatar_url": None}, {})

    def pictured(self, address: str | None) -> FittedValues:
        fields = {each.name: each for each in USER_FIELDS}
        row = a_user("7", avatar_url=address)
        found = fit_values(fields, row, truncate=False)
        kept = {n: v for n, v in found.values.items() if n in ("name", "avatar_url")}
        return FittedValues(kept, found.left_out)

    def test_a_standard_field_may_be_longer(self) -> None:
        """No limit of Intercom's is known for them."""
        assert self.fitted(name="x" * 256)["name"] == "x" * 256

    def test_the_refusal_does_not_repeat_the_value(self) -> None:
        assert "xxx" not in self.left_out(plan="x" * 256)["plan"].why
