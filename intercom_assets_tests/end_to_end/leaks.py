"""Everything that a demo leaves behind, searched for what must not be in it.

Belongs here: where a demo leaves bytes, and in which spellings a secret may be among them. The app
and the stand-in Intercom hold personal data by right, as do our own tables beside the app's; so do
the file of addresses that the demo keeps for its owner and what it prints to him as its story.
Must not: what is secret.
"""

import json
import os
import re
import zlib
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from urllib.parse import quote

import psycopg
from psycopg import sql

KEPT_BY_RIGHT = ("addresses.json", "password", "printed", "simulator.log")
_WORD = re.compile(rb"[0-9a-z\x80-\xff]+")


def leaks(place: Path, dagster_url: str, secrets: Iterable[str]) -> set[tuple[str, str]]:
    """(where, secret) for each secret that is in what the demo in `place` left there."""
    spelled = {secret: spellings(secret) for secret in secrets}
    return {
        (where, secret)
        for where, text in left_behind(place, dagster_url)
        for secret in found_in(text, spelled)
    }


def found_in(text: bytes, spelled: dict[str, set[bytes]]) -> Iterator[str]:
    lowered = text.lower()
    words = set(_WORD.findall(lowered))
    for secret, forms in spelled.items():
        if any(words.issuperset(_WORD.findall(form)) and form in lowered for form in forms):
            yield secret


def spellings(secret: str) -> set[bytes]:
    """As it is, in JSON, in JSON within JSON, and in an address; case is of no account."""
    inner = json.dumps(secret)[1:-1]
    texts = {secret, inner, json.dumps(inner)[1:-1], quote(secret), quote(secret, safe="@+")}
    return {form for text in texts for form in (text.lower().encode(), text.encode().lower())}


def left_behind(place: Path, dagster_url: str) -> Iterator[tuple[str, bytes]]:
    yield from _files(place)
    yield from _tables(dagster_url)
    yield from _command_lines(place)


def _files(place: Path) -> Iterator[tuple[str, bytes]]:
    """Logs, compute logs, temporary files, settings; not PostgreSQL's own files, but its log."""
    for file in sorted(place.rglob("*")):
        answer = str(file.relative_to(place))
        inside = "/data/" in answer and "postgres" in answer
        if inside or answer == ".env" or file.name in KEPT_BY_RIGHT:
            continue
        with suppress(FileNotFoundError):
            if file.is_file():
                yield f"file {answer}", file.read_bytes()


def _tables(url: str) -> Iterator[tuple[str, bytes]]:
    """Every column of every table of Dagster's; what it packs is unpacked."""
    with psycopg.connect(url) as connection:
        names = connection.execute(
            "select table_schema, table_name from information_schema.tables "
            "where table_schema not in ('pg_catalog', 'information_schema')"
        ).fetchall()
        for name in names:
            rows = connection.execute(sql.SQL("select * from {}").format(sql.Identifier(*name)))
            cells = (cell for row in rows for cell in row if cell is not None)
            yield f"table {name[1]}", b"\n".join(map(_unpacked, cells))


def _unpacked(cell: object) -> bytes:
    raw = cell if isinstance(cell, bytes) else str(cell).encode("utf-8", "surrogateescape")
    try:
        return zlib.decompress(raw)
    except zlib.error:
        return raw


def _command_lines(place: Path) -> Iterator[tuple[str, bytes]]:
    """Of the demo's processes, without the stand-in Intercom: its token is its own business."""
    for process in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            answer = (process / "cmdline").read_bytes()
            ours = str(place).encode() in (process / "environ").read_bytes()
            if ours and process.name != str(os.getpid()) and b"simulate" not in answer:
                yield "command line", answer
