"""Every text in our SQL is a word of the code: a misspelt one silently matches no row."""

import re
from dataclasses import fields
from importlib.resources import files

import pytest

from intercom_assets.database.queries import query, query_names
from intercom_assets.database.records import Failure
from intercom_assets.domain.fields import COMPANY_DELETED, DELETED
from intercom_assets.domain.models import (
    Company,
    Contact,
    EdgeState,
    Reason,
    Side,
    TeamLink,
    UserLink,
)
from intercom_assets.domain.opt_outs import KEY as OPTED_OUT
from intercom_assets.domain.vocabulary import Action, AttributeModel, QueueKind

QUERIES = "\n".join(query(name).decode() for name in sorted(query_names()))
SCHEMA = files("intercom_assets.database.store").joinpath("schema.sql").read_text("utf-8")
_COMMENT = re.compile(r"--[^\n]*")
_TEXT = re.compile(r"'((?:[^']|'')*)'")
OF_POSTGRES = {
    "",
    "{}",
    "true",
    "infinity",
    "UTC",
    "minute",
    "1 day",
    "7 days",
    "8 days",
    "intercom_sync.queue_seq",
    # A patch of `base`, and a path in `memory`: of the words below.
    '{"email": null}',
    "{accepted}",
    # Step 4 of the schema: the end of a message of the versions before it.
    "%still holds this identity",
}
_STORED = (UserLink, TeamLink, Contact, Company, Failure)
KNOWN = {
    *OF_POSTGRES,
    *QueueKind,
    *Action,
    *Reason,
    *EdgeState,
    *Side,
    *AttributeModel,
    DELETED.name,
    COMPANY_DELETED.name,
    OPTED_OUT,
    *(field.name for stored in _STORED for field in fields(stored)),
}


def _texts(sql: str) -> set[str]:
    return set(_TEXT.findall(_COMMENT.sub("", sql)))


@pytest.mark.parametrize("sql", [QUERIES, SCHEMA], ids=["queries.sql", "schema.sql"])
def test_each_text_in_the_sql_is_a_word_of_the_code(sql: str) -> None:
    assert _texts(sql) - KNOWN == set()


def test_a_misspelt_word_would_be_found() -> None:
    assert _texts("where reason = 'refussed' -- 'as is'") - KNOWN == {"refussed"}


@pytest.mark.parametrize(
    ("column", "words"),
    [
        ("kind", QueueKind),
        ("side", Side),
        ("state", EdgeState),
        ("model", AttributeModel),
    ],
)
def test_what_a_column_takes_is_what_its_enum_has(
    column: str, words: type[QueueKind | Side | EdgeState | AttributeModel]
) -> None:
    checks = re.findall(rf"\b{column} text[^\n]*check \({column} in \(([^)]*)\)", SCHEMA)
    assert checks
    for check in checks:
        assert set(_TEXT.findall(check)) == {word.value for word in words}
