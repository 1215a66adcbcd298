"""Reads a mapping's folder: three SELECTs and `sync.yaml`.

Files in, one `AppMapping` out, or a `MappingError` in one sentence. The SELECTs are taken as they
are, less what would end the statement they get wrapped in; only a database can judge them.
"""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError

from intercom_assets.domain.fields import FORMER_POLICIES
from intercom_assets.mapping.problems import MappingError, sentence, sentences
from intercom_assets.mapping.settings import SyncSettings
from intercom_assets.mapping.unique_keys import UniqueKeyLoader

SAMPLE = Path(__file__).parent / "sample"
USERS_SQL, TEAMS_SQL, MEMBERSHIPS_SQL = "users.sql", "teams.sql", "memberships.sql"
SYNC_YAML = "sync.yaml"
COMMENT = re.compile(r"--[^\n]*|/\*.*?\*/", re.DOTALL)
_AFTER_SEMICOLON = re.compile(r";\s*(--[^\n]*|/\*(?:(?!\*/).)*\*/)$", re.DOTALL)
_READS = ("select", "with", "values", "table")
FILES = (USERS_SQL, TEAMS_SQL, MEMBERSHIPS_SQL, SYNC_YAML)


@dataclass(frozen=True, slots=True)
class AppMapping:
    """What leaves an app, and how: SELECTs without a closing semicolon, and the settings."""

    folder: Path
    users_sql: str
    teams_sql: str
    memberships_sql: str
    settings: SyncSettings


def load_mapping(folder: Path | None = None) -> AppMapping:
    """The mapping in `folder`; None is the shipped sample app's. Raises MappingError."""
    folder = SAMPLE if folder is None else folder
    texts = {name: _read(folder, name) for name in FILES}
    return AppMapping(
        folder,
        _one_select(USERS_SQL, texts[USERS_SQL]),
        _one_select(TEAMS_SQL, texts[TEAMS_SQL]),
        _one_select(MEMBERSHIPS_SQL, texts[MEMBERSHIPS_SQL]),
        _settings(texts[SYNC_YAML]),
    )


def mapping_problems(folder: Path | None = None) -> list[str]:
    """A sentence for each thing that is wrong, where `load_mapping` raises only the first."""
    where = SAMPLE if folder is None else folder
    return list(dict.fromkeys(problem for name in FILES for problem in _problems(where, name)))


def former_names(folder: Path) -> list[str]:
    """A sentence for each policy that `sync.yaml` calls by its former name, which is still read."""
    chosen = _parsed(_read(folder, SYNC_YAML)).get("fields")
    return [
        f'{SYNC_YAML}: fields.{column} is "{policy}", which is called '
        f"{FORMER_POLICIES[policy]} now; the old name is still read"
        for column, policy in (chosen.items() if isinstance(chosen, dict) else ())
        if isinstance(policy, str) and policy in FORMER_POLICIES
    ]


def _problems(folder: Path, name: str) -> list[str]:
    try:
        text = _read(folder, name)
        if name == SYNC_YAML:
            SyncSettings.model_validate(_parsed(text))
        else:
            _one_select(name, text)
    except MappingError as error:
        return [str(error)]
    except ValidationError as error:
        return sentences(SYNC_YAML, SyncSettings, error)
    return []


def _read(folder: Path, name: str) -> str:
    if folder.exists() and not folder.is_dir():
        raise MappingError(
            f"the mapping is a folder, and {folder} is a file: set INTERCOM_SYNC_CONFIG to the "
            f"folder that holds {', '.join(FILES[:-1])} and {FILES[-1]}"
        )
    if not folder.is_dir():
        raise MappingError(
            f"INTERCOM_SYNC_CONFIG: the mapping's folder {folder.absolute()} does not exist"
        )
    try:
        return (folder / name).read_text(encoding="utf-8")
    except FileNotFoundError:
        raise MappingError(
            f"{name} is missing in {folder}; a mapping is {', '.join(FILES[:-1])} and {FILES[-1]}"
        ) from None
    except UnicodeDecodeError as error:
        raise MappingError(f"{name}: byte {error.start + 1} is not UTF-8") from None
    except OSError as error:
        raise MappingError(f"{name} cannot be read: {error.strerror}") from None


def _one_select(name: str, text: str) -> str:
    """Without closing semicolons and comments, which would cut off what the SELECT is put into."""
    bare = text.lstrip("\ufeff").rstrip()
    while (shorter := _without_last(bare)) != bare:
        bare = shorter
    first = re.match(r"\W*(\w*)", COMMENT.sub(" ", bare))
    word = first.group(1) if first else ""
    if not word:
        raise MappingError(f"{name} is empty; a SELECT is needed")
    if word.lower() not in _READS:
        raise MappingError(f'{name} begins with "{word}"; allowed: one SELECT, or WITH ... SELECT')
    return bare


def _without_last(text: str) -> str:
    head, _, last = text.rpartition("\n")
    if last.lstrip().startswith("--"):
        return head.rstrip()
    after = _AFTER_SEMICOLON.search(text)
    # With a quote in it, it may be the end of a text in the SELECT.
    if after and "'" not in after.group():
        return text[: after.start()].rstrip()
    return text.removesuffix(";").rstrip() if text.endswith(";") else text


def _settings(text: str) -> SyncSettings:
    try:
        return SyncSettings.model_validate(_parsed(text))
    except ValidationError as error:
        raise MappingError(sentence(SYNC_YAML, SyncSettings, error)) from None


def _parsed(text: str) -> dict[str, Any]:
    try:
        # UniqueKeyLoader is yaml.SafeLoader, with duplicate keys refused.
        raw = yaml.load(text, UniqueKeyLoader)
    except yaml.YAMLError as error:
        raise MappingError(f"{SYNC_YAML}{_place(error)}: {_cause(error)}") from None
    if raw is None:
        raw = {}
    if not isinstance(raw, dict):
        raise MappingError(f"{SYNC_YAML}: the file is not made of key: value lines")
    return raw


def _place(error: yaml.YAMLError) -> str:
    mark = getattr(error, "problem_mark", None)
    return f", line {mark.line + 1}" if mark else ""


def _cause(error: yaml.YAMLError) -> str:
    return getattr(error, "problem", None) or "this is not YAML"
