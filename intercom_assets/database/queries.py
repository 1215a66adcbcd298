"""The named queries of `queries.sql`, read once.

SQL is written as SQL, with a name and a comment; a module that runs it asks for it by name. What is
filled in are texts of the same file and the two kinds of what is synced: no value, and nothing from
outside of it.
"""

import re
from collections.abc import Mapping
from functools import cache
from importlib.resources import files

_TITLE = re.compile(r"^-- name: (\S+)$", re.MULTILINE)
_COMMENT = re.compile(r"^--.*\n", re.MULTILINE)
_WORD = re.compile(r"\{(kind|other|_\w+)\}")
_KINDS = ({"kind": "user", "other": "contact"}, {"kind": "team", "other": "company"})


def query(name: str) -> bytes:
    """The text of one query. A name that does not exist is a KeyError."""
    return _queries()[name]


def query_names() -> frozenset[str]:
    return frozenset(_queries())


@cache
def _queries() -> dict[str, bytes]:
    text = (files("intercom_assets.database") / "queries.sql").read_text("utf-8")
    filled = complete({name: body.decode() for name, body in parse(text).items()})
    return {name: body.encode() for name, body in filled.items()}


def parse(text: str) -> dict[str, bytes]:
    """Splits at lines `-- name: NAME`. A name given twice is a ValueError."""
    _, *parts = _TITLE.split(text)
    queries: dict[str, bytes] = {}
    for name, body in zip(parts[::2], parts[1::2], strict=True):
        if name in queries:
            raise ValueError(f"queries.sql names {name} twice")
        queries[name] = body.strip().encode()
    return queries


def complete(texts: Mapping[str, str]) -> dict[str, str]:
    """Texts whose names begin with _ put into the others, and statements of both kinds made two."""
    shared = {name: _COMMENT.sub("", body) for name, body in texts.items() if name.startswith("_")}
    return {
        _filled(name, words): _filled(body, shared | words)
        for name, body in texts.items()
        if name not in shared
        for words in (_KINDS if "{kind}" in name else ({},))
    }


def _filled(text: str, words: Mapping[str, str]) -> str:
    """A word that is not known is a KeyError."""
    while (filled := _WORD.sub(lambda found: words[found[1]], text)) != text:
        text = filled
    return text
