"""The table of who wins, field by field, from the data by which it is decided. Pure.

For the demo's terminal, `check`, Dagster's pages, and the README, which a test compares with it. No
rule is written here.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace

from intercom_assets.domain.fields import (
    COMPANY_DELETED,
    DELETED,
    TEAM_FIELDS,
    USER_FIELDS,
    Field,
    Policy,
)

HEADINGS = ("in the app", "in Intercom", "who wins", "remarks")
_APP = Policy.APP.traits.wins


@dataclass(frozen=True, slots=True)
class Row:
    app: str
    intercom: str
    wins: str
    remarks: str = ""

    @property
    def cells(self) -> tuple[str, str, str, str]:
        return self.app, self.intercom, self.wins, self.remarks


def rows_of_users(fields: Iterable[Field] = (*USER_FIELDS, DELETED)) -> list[Row]:
    """Also the id, which pairs the two sides, and the columns that only a mapping knows."""
    attribute = Row("every other column of users.sql", "a custom attribute", _APP)
    return [Row("id", "external_id", _APP), *map(_row, fields), attribute]


def rows_of_teams(fields: Iterable[Field] = (*TEAM_FIELDS, COMPANY_DELETED)) -> list[Row]:
    attribute = Row("every other column of teams.sql", "a custom attribute", _APP)
    return [Row("id", "company_id", _APP), *map(_row, fields), attribute]


def rows_of_mapped_users(fields: Iterable[Field]) -> list[Row]:
    """Of one mapping: each field that it has, and where Intercom's value has nowhere to go."""
    return [Row("id", "external_id", _APP), *map(_mapped_row, fields)]


def rows_of_mapped_teams(fields: Iterable[Field]) -> list[Row]:
    return [Row("id", "company_id", _APP), *map(_row, fields)]


def as_markdown(rows: Iterable[Row]) -> str:
    lines = [_line(HEADINGS), _line(["---"] * len(HEADINGS))]
    return "\n".join([*lines, *(_line(row.cells) for row in rows)])


def _row(field: Field) -> Row:
    where = f"custom attribute {field.intercom}" if field.custom else field.intercom
    return Row(field.name, where, field.policy.traits.wins, field.remark)


def _mapped_row(field: Field) -> Row:
    row = _row(field)
    if field.policy is Policy.APP or field.pulled:
        return row
    lost = f"write_back.columns has no {field.name}, so Intercom's value stays there"
    return replace(row, remarks=f"{row.remarks}; {lost}" if row.remarks else lost)


def _line(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |"
