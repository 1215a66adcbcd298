"""How a mapping's folder is read, and what is said where it cannot be."""

from pathlib import Path

import pytest

from intercom_assets.mapping.load import load_mapping
from intercom_assets.mapping.problems import MappingError

SELECT = "select id, email from users"


def a_folder(folder: Path, **texts: str) -> Path:
    files = {"users.sql": SELECT, "teams.sql": SELECT, "memberships.sql": SELECT, "sync.yaml": ""}
    files.update({f"{name}.sql": text for name, text in texts.items()})
    for name, text in files.items():
        (folder / name).write_text(text, encoding="utf-8")
    return folder


@pytest.mark.parametrize(
    "text",
    [
        SELECT,
        f"{SELECT};",
        f"{SELECT} ; \n\n",
        f"{SELECT};\n-- ends here;\n",
        f"\ufeff{SELECT}\n--\n;",
        f"{SELECT}\r\n;\r\n",
        f"{SELECT}; -- as of today\n",
        f"{SELECT}; /* as of\n today */",
    ],
)
def test_what_would_end_the_wrapped_select_is_taken_off(tmp_path: Path, text: str) -> None:
    assert load_mapping(a_folder(tmp_path, users=text)).users_sql == SELECT


def test_comments_inside_a_select_stay_so_that_line_numbers_hold(tmp_path: Path) -> None:
    text = f"-- who\n{SELECT}\n-- from the app\nwhere true"

    assert load_mapping(a_folder(tmp_path, users=text)).users_sql == text


@pytest.mark.parametrize("text", ["", " \n\t", ";", "-- later\n", "-- a\n;\n-- b", "/* a\n b */"])
def test_an_empty_query_is_refused(tmp_path: Path, text: str) -> None:
    with pytest.raises(MappingError, match=r"^teams\.sql is empty"):
        load_mapping(a_folder(tmp_path, teams=text))


def test_a_semicolon_in_a_text_ends_nothing(tmp_path: Path) -> None:
    text = f"{SELECT} where name = 'a; -- b'"

    assert load_mapping(a_folder(tmp_path, users=text)).users_sql == text


@pytest.mark.parametrize(
    "text", ["update users set name = 'x' returning id, email", "/* all */ -- of them\nDelete"]
)
def test_what_is_no_select_is_refused_by_its_first_word(tmp_path: Path, text: str) -> None:
    with pytest.raises(MappingError, match=r'^users\.sql begins with "(update|Delete)"; allowed'):
        load_mapping(a_folder(tmp_path, users=text))


@pytest.mark.parametrize("text", ["WITH a AS (select 1) select 1", "(select 1)", "values (1)"])
def test_whatever_reads_is_taken(tmp_path: Path, text: str) -> None:
    assert load_mapping(a_folder(tmp_path, users=text)).users_sql == text


@pytest.mark.parametrize("name", ["users.sql", "teams.sql", "memberships.sql", "sync.yaml"])
def test_a_missing_file_is_named(tmp_path: Path, name: str) -> None:
    (a_folder(tmp_path) / name).unlink()

    with pytest.raises(MappingError, match=f"^{name} is missing in .*; a mapping is users.sql"):
        load_mapping(tmp_path)


def test_a_missing_folder_is_named(tmp_path: Path) -> None:
    with pytest.raises(MappingError, match=r"folder .*nowhere does not exist"):
        load_mapping(tmp_path / "nowhere")


def test_bytes_that_are_no_utf8_are_refused_with_their_place(tmp_path: Path) -> None:
    (a_folder(tmp_path) / "users.sql").write_bytes(b"select '\xe9'")

    with pytest.raises(MappingError, match=r"^users\.sql: byte 9 is not UTF-8"):
        load_mapping(tmp_path)


def test_without_a_folder_it_is_the_shipped_sample() -> None:
    mapping = load_mapping(None)

    assert mapping.folder.name == "sample"
    assert mapping.users_sql
    assert mapping.settings.watch
