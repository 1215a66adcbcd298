"""The named queries of `queries.sql`, read once.

SQL is written as SQL, with a name and a comment; a module that runs it asks for it by name. No
query text is put together here or anywhere else.
"""

import re
from functools import cache
from importlib.resources import files

_TITLE = re.compile(r"^-- name: (\w+)$", re.MULTILINE)


def query(name: str) -> bytes:
    """The text of one query. A name that does not exist is a KeyError."""
    return _queries()[name]


def query_names() -> frozenset[str]:
    return frozenset(_queries())


@cache
def _queries() -> dict[str, bytes]:
    text = (files("intercom_assets.database") / "queries.sql").read_text("utf-8")
    return parse(text)


def parse(text: str) -> dict[str, bytes]:
    """Splits at lines `-- name: NAME`. A name given twice is a ValueError."""
    _, *parts = _TITLE.split(text)
    queries: dict[str, bytes] = {}
    for name, body in zip(parts[::2], parts[1::2], strict=True):
        if name in queries:
            raise ValueError(f"queries.sql names {name} twice")
        queries[name] = body.strip().encode()
    return queries
