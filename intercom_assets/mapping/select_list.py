"""The names of a SELECT's columns, read from its text, for pages that must not need a database.

What the sync itself goes by is what PostgreSQL says of the query (`database/app/columns.py`). Here
only what is sure is told: a query with `*`, or with a column that has no plain name, has no answer.
"""

import re

_TOKEN = re.compile(
    r"""
      --[^\n]* | /\*.*?\*/                                   # comments
    | (?P<text>[eE]?'(?:[^']|'')*' | \$(?P<tag>\w*)\$.*?\$(?P=tag)\$)
    | (?P<quoted>"(?:[^"]|"")+")
    | (?P<word>[^\W\d]\w*)
    | (?P<cast>::)
    | (?P<other>\S)
    """,
    re.VERBOSE | re.DOTALL,
)
_ENDS = frozenset(
    {"from", "where", "group", "having", "window", "union", "intersect", "except", "order", "limit"}
)
Token = tuple[str, str]
"""What it is (word, quoted, other ...) and its text; words in lower case."""


def column_names(sql: str) -> list[str] | None:
    """In their order; None where the text alone does not tell."""
    items = _select_list(_at_top(sql))
    names = [_name(item) for item in items]
    return [name for name in names if name] if names and all(names) else None


def _at_top(sql: str) -> list[Token]:
    """The tokens outside of all brackets; a pair of brackets is one token."""
    tokens: list[Token] = []
    depth = 0
    for found in _TOKEN.finditer(sql):
        kind, text = found.lastgroup, found[0]
        if kind is None:
            continue
        if text in "([" and kind == "other":
            depth += 1
            if depth == 1:
                tokens.append(("brackets", text))
        elif text in ")]" and kind == "other":
            depth -= 1
        elif depth == 0:
            tokens.append((kind, text.lower() if kind == "word" else text))
    return tokens


def _select_list(tokens: list[Token]) -> list[list[Token]]:
    """The tokens of each column of the first SELECT: a WITH before it is in brackets."""
    if ("word", "select") not in tokens:
        return []
    start = tokens.index(("word", "select")) + 1
    if tokens[start : start + 1] in ([("word", "distinct")], [("word", "all")]):
        start += 1
        if tokens[start : start + 2] and tokens[start] == ("word", "on"):
            start += 2
    items: list[list[Token]] = [[]]
    for at in range(start, len(tokens)):
        kind, text = tokens[at]
        if kind == "word" and text in _ENDS and not _is_compared(tokens, at):
            break
        if (kind, text) == ("other", ","):
            items.append([])
        else:
            items[-1].append((kind, text))
    return items


def _is_compared(tokens: list[Token], at: int) -> bool:
    """The `from` of `is distinct from`, which ends no list."""
    return tokens[at][1] == "from" and tokens[at - 1] == ("word", "distinct")


def _name(item: list[Token]) -> str | None:
    """`... as name`, or a bare `name` or `table.name`, also with a cast behind it."""
    if len(item) >= 2 and item[-2] == ("word", "as"):
        return _plain(item[-1])
    if item[:1] in ([("word", "null")], [("word", "true")], [("word", "false")]):
        return None
    casts = [at for at, (kind, _) in enumerate(item) if kind == "cast"]
    bare = item[: casts[0]] if casts else item
    is_column = len(bare) == 1 or (len(bare) == 3 and bare[1] == ("other", "."))
    return _plain(bare[-1]) if is_column else None


def _plain(token: Token) -> str | None:
    kind, text = token
    if kind == "quoted":
        return text[1:-1].replace('""', '"')
    return text if kind == "word" else None
