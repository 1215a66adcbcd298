"""Which fields are kept in step, and who wins: policies as data.

The one table from which deciding, the README's field table and `check`'s "who wins" are made.
A field is named by its column in the mapping's SELECT; how its value gets to Intercom (a field of
the contact or a custom attribute) is data too. Rules that need more than this table do not belong
here but in `reconcile`, `memberships` or `timezones`.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum

from intercom_assets.domain.models import (
    Column,
    Company,
    CompanyPatch,
    Contact,
    ContactPatch,
    Kind,
    Value,
    Values,
)
from intercom_assets.domain.values import InvalidValue, canonical, dialled


class Policy(StrEnum):
    """Who wins a field, by the name that `sync.yaml` and our tables have for it.

    What else is to be known of each stands in `POLICIES`; how each decides, in `reconcile.RULES`.
    """

    APP = "app"
    INTERCOM = "intercom"
    FILL = "fill"
    LATER_VALUE = "later_value"
    LAST_WRITER = "last_writer"
    OPT_OUT = "opt_out"

    @classmethod
    def _missing_(cls, value: object) -> "Policy | None":
        """By the name that it had before, which stands in older mappings and journals."""
        return FORMER_POLICIES.get(value) if isinstance(value, str) else None

    @property
    def traits(self) -> "PolicyTraits":
        return POLICIES[self]


@dataclass(frozen=True, slots=True)
class PolicyTraits:
    """`wins`: the winner, in words. `three_way`: it needs the value that both sides agreed on last.

    `of_times`: it compares times, so it is for dates only, and what it sends to Intercom was read
    there a moment before. `of_flags`: it is for true or false only, and null says nothing.
    """

    wins: str
    three_way: bool = False
    of_times: bool = False
    of_flags: bool = False


FORMER_POLICIES: Mapping[str, Policy] = {
    "latest": Policy.LATER_VALUE,
    "newest": Policy.LAST_WRITER,
}
POLICIES: Mapping[Policy, PolicyTraits] = {
    Policy.APP: PolicyTraits("the app"),
    Policy.INTERCOM: PolicyTraits("Intercom"),
    Policy.FILL: PolicyTraits("the app, if it has a value", three_way=True),
    Policy.LATER_VALUE: PolicyTraits("the later one", of_times=True),
    Policy.LAST_WRITER: PolicyTraits("whoever changed it last", three_way=True),
    Policy.OPT_OUT: PolicyTraits("an opt-out, on either side", three_way=True, of_flags=True),
}


@dataclass(frozen=True, slots=True)
class Field:
    """One field kept in step.

    `name`: the app's column. `intercom`: Intercom's field, or the attribute's name if `custom`.
    `pulled`: the mapping has a column to write the value back to.
    `told`: Intercom's answers have it; otherwise `untold.py` decides.
    `shortest`, `from_oauth`: an Intercom value shorter, or of an OAuth user where that is False,
    is not usable for the app.
    """

    name: str
    intercom: str
    kind: Kind
    policy: Policy
    custom: bool = False
    pulled: bool = False
    shortest: int = 1
    from_oauth: bool = True
    told: bool = True
    remark: str = ""

    def same(self, value: Value, other: Value) -> bool:
        """Whether both sides would call these the same value; most are equal as they stand."""
        if type(value) is type(other) and value == other:
            return True
        return comparable(self, value) == comparable(self, other)


TIME_ZONE = "time_zone"
LAST_SEEN = "last_request_at"
UNSUBSCRIBED = "unsubscribed_from_emails"
EMAIL, EMAIL_VERIFIED = "email", "email_verified"
AVATAR = "avatar_url"
OWNER_EMAIL, OWNER_ID = "owner_email", "owner_id"
OWNERS = (OWNER_EMAIL, OWNER_ID)
"""Columns that name the teammate who owns the contact; a mapping selects one of them at most."""
DELETED = Field(
    "deleted",
    "deleted",
    Kind.BOOLEAN,
    Policy.APP,
    custom=True,
    remark="true once the user is gone or `deleted_at` is set",
)
COMPANY_DELETED = replace(
    DELETED,
    name="company_deleted",
    intercom="company_deleted",
    remark="true once the team is gone or `deleted_at` is set; "
    "Intercom shares attribute names across contacts and companies",
)

USER_FIELDS: tuple[Field, ...] = (
    Field(EMAIL, "email", Kind.STRING, Policy.APP, remark="compared without case"),
    Field("created_at", "signed_up_at", Kind.DATE, Policy.APP),
    Field(
        "name",
        "name",
        Kind.STRING,
        Policy.FILL,
        shortest=2,
        from_oauth=False,
        remark="Intercom's only if longer than 1 character and the user is not from OAuth; "
        "else cleared in Intercom (`clear_unusable: false` keeps it)",
    ),
    Field(
        "phone_number",
        "phone",
        Kind.STRING,
        Policy.FILL,
        from_oauth=False,
        remark="Intercom's only if the user is not from OAuth; compared by its digits",
    ),
    Field(
        TIME_ZONE,
        TIME_ZONE,
        Kind.STRING,
        Policy.FILL,
        custom=True,
        remark="where Intercom takes the person to be fills an empty zone and replaces none; "
        "the app's is shown as a custom attribute",
    ),
    Field(LAST_SEEN, "last_seen_at", Kind.DATE, Policy.LATER_VALUE, remark="whole seconds"),
    Field(
        UNSUBSCRIBED,
        UNSUBSCRIBED,
        Kind.BOOLEAN,
        Policy.OPT_OUT,
        remark="if the mapping selects it; only the side that opted out takes it back, and null "
        "says nothing",
    ),
    Field(
        AVATAR,
        "avatar",
        Kind.STRING,
        Policy.FILL,
        remark="if the mapping selects it; the address of a picture, http or https",
    ),
    Field(
        EMAIL_VERIFIED,
        EMAIL_VERIFIED,
        Kind.BOOLEAN,
        Policy.APP,
        told=False,
        remark="if the mapping selects it; goes with the e-mail, and Intercom never tells it",
    ),
    Field(
        OWNER_EMAIL,
        "owner_id",
        Kind.STRING,
        Policy.FILL,
        remark="if the mapping selects it, or `owner_id`; a teammate's, of no one else",
    ),
    Field(
        OWNER_ID,
        "owner_id",
        Kind.STRING,
        Policy.FILL,
        remark="if the mapping selects it, or `owner_email`; a teammate's id in Intercom",
    ),
)

TEAM_FIELDS: tuple[Field, ...] = (
    Field("name", "name", Kind.STRING, Policy.APP),
    Field("created_at", "remote_created_at", Kind.DATE, Policy.APP),
    Field("monthly_spend", "monthly_spend", Kind.INTEGER, Policy.APP, remark="whole units"),
    Field("plan", "plan", Kind.STRING, Policy.APP),
    Field("size", "size", Kind.INTEGER, Policy.APP),
    Field("website", "website", Kind.STRING, Policy.APP),
    Field("industry", "industry", Kind.STRING, Policy.APP),
)


def fields_of_users(
    columns: Iterable[Column],
    policies: Mapping[str, Policy] | None = None,
    pulled: Collection[str] = (),
) -> tuple[Field, ...]:
    """The fields of this mapping: those of the table that it selects, its attributes, `deleted`."""
    fields = (*_selected(USER_FIELDS, columns), DELETED)
    chosen = policies or {}
    return tuple(
        replace(field, policy=chosen.get(field.name, field.policy), pulled=field.name in pulled)
        for field in fields
    )


def fields_of_teams(columns: Iterable[Column]) -> tuple[Field, ...]:
    return (*_selected(TEAM_FIELDS, columns), COMPANY_DELETED)


def _selected(table: tuple[Field, ...], columns: Iterable[Column]) -> tuple[Field, ...]:
    known = {field.name: field for field in table}
    selected = list(columns)
    standard = tuple(known[column.name] for column in selected if column.name in known)
    return standard + tuple(
        Field(column.name, column.name, column.kind, Policy.APP, custom=True)
        for column in selected
        if column.is_attribute and column.name not in known
    )


def comparable(field: Field, value: Value) -> Value | tuple[str, Value]:
    """The form in which values of a field are compared; a boolean never equals a number."""
    if value is None or isinstance(value, bool):
        if field.policy is Policy.OPT_OUT:
            return ("boolean", value is True)
        return None if value is None else ("boolean", value)
    if not field.custom and isinstance(value, str):
        if field.intercom == "email":
            return value.lower()
        if field.intercom == "phone":
            return dialled(value)
    return value


def intercom_values(fields: Iterable[Field], document: Contact | Company) -> Values:
    """Intercom's side of each field, canonical by the field's declared type."""
    return {field.name: _intercom_value(field, document) for field in fields}


def _intercom_value(field: Field, document: Contact | Company) -> Value:
    if not field.told:
        return None
    if field.custom:
        raw = document.custom_attributes.get(field.intercom)
    else:
        raw = getattr(document, field.intercom)
    try:
        return canonical(field.kind, raw)
    except InvalidValue:
        # Another type than ours is an honest difference: it is shown as it is and pushed over.
        return canonical(Kind.STRING, raw)


def contact_patch(fields: Mapping[str, Field], values: Values) -> ContactPatch:
    """`values` by field name, as Intercom names them."""
    return ContactPatch(*_split(fields, values))


def company_patch(fields: Mapping[str, Field], values: Values) -> CompanyPatch:
    return CompanyPatch(*_split(fields, values))


def _split(fields: Mapping[str, Field], values: Values) -> tuple[Values, Values]:
    standard = {fields[n].intercom: v for n, v in values.items() if not fields[n].custom}
    custom = {fields[n].intercom: v for n, v in values.items() if fields[n].custom}
    return standard, custom
