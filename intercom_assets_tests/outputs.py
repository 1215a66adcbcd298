"""What the commands print, as docs/commands.md shows it: played, and compared.

A short life of one workspace: two users are synced, one is edited on both sides, a run is looked at
and taken back, somebody is parked and retried, somebody is erased. What differs from run to run
(ids, times, numbers) is put aside before two outputs are compared.
"""

import re
from collections.abc import Iterator
from pathlib import Path

import psycopg

from intercom_assets_tests.cli.conftest import Shell

ROOT = Path(__file__).parents[1]
PAGES = (ROOT / "docs" / "commands.md",)
WIDTH = "90"
MORE = "...\n"
_BLOCK = re.compile(r"(<!-- output -->\n```\n\$ intercom-assets ([^\n]+)\n)(.*?)(```\n)", re.DOTALL)
_UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_HEX = re.compile(r"[0-9a-f]{6,}")
PARK = """
update intercom_sync.queue set parked_at = now(), due_at = 'infinity', attempts = 8,
    last_error = '{"message": "Intercom refused: email is not an address", "field": "email"}'
where key = '9'
"""


def played(shell: Shell) -> Iterator[tuple[str, str]]:
    """Each command as the pages name it, and what it printed."""
    url = shell.variables["APP_DATABASE_URL"]
    yield "check --probe", _printed(shell, "check", "--probe")
    yield "plan --user 7", _printed(shell, "plan", "--user", "7")
    yield "sync --user 7 8", _printed(shell, "sync", "--user", "7", "8")
    shell.intercom.by_hand.edit_contact("7", email="typed@by.hand")
    with psycopg.connect(url) as app:
        app.execute("update users set name = 'Ada Lovelace' where id = 7")
    _printed(shell, "sync", "--user", "7")
    yield "explain --user 7", _printed(shell, "explain", "--user", "7")
    with psycopg.connect(url) as store:
        [row] = store.execute("select run_id from intercom_sync.journal order by id desc limit 1")
        store.execute("insert into intercom_sync.queue (kind, key, lane) values ('user', '9', 0)")
        store.execute(PARK)
    yield "status --fail-if parked", _printed(shell, "status", "--fail-if", "parked")
    yield "retry --user 9", _printed(shell, "retry", "--user", "9")
    yield "undo --run RUN", _printed(shell, "undo", "--run", row[0])
    yield "undo --run RUN --yes", _printed(shell, "undo", "--run", row[0], "--yes")
    yield "erase --user 8 --yes", _printed(shell, "erase", "--user", "8", "--yes")
    # Not the sample by name: its place differs from machine to machine.
    yield "check", _printed(shell, "check", INTERCOM_SYNC_CONFIG="")


def _printed(shell: Shell, *command: str, **variables: str) -> str:
    done = shell.run(*command, COLUMNS=WIDTH, **variables)
    return "\n".join(line.rstrip() for line in done.output.splitlines()) + "\n"


def shown_in(page: Path) -> dict[str, str]:
    """Command -> what the page says that it prints; where it ends with `...` there is more."""
    return {found[2]: found[3] for found in _BLOCK.finditer(page.read_text())}


def without_what_differs(text: str) -> str:
    text = re.sub(r"as role \w+", "as role", text)
    text = _UUID.sub("00000000-0000-0000-0000-000000000000", text)
    text = _HEX.sub(lambda found: "0" * len(found[0]), text)
    return re.sub(r"\d+", "0", re.sub(r"-+|─+|━+| +", " ", text))


def agrees(shown: str, printed: str) -> bool:
    """Whether a page shows what was printed; an excerpt shows some lines on end."""
    if _is_excerpt(shown):
        part = without_what_differs(_inner(shown))
        return bool(part.strip()) and part in without_what_differs(printed)
    return without_what_differs(shown) == without_what_differs(printed)


def _is_excerpt(shown: str) -> bool:
    return shown.startswith(MORE) or shown.endswith(MORE)


def _inner(shown: str) -> str:
    return shown.removeprefix(MORE).removesuffix(MORE)


def write(outputs: dict[str, str]) -> None:
    """Puts what was printed into the pages; an excerpt keeps its number of lines."""
    for page in PAGES:
        page.write_text(_BLOCK.sub(lambda found: _block(found, outputs), page.read_text()))


def _block(found: re.Match[str], outputs: dict[str, str]) -> str:
    printed, shown = outputs[found[2]], found[3]
    if _is_excerpt(shown):
        wanted = _inner(shown).splitlines(keepends=True)
        lines = printed.splitlines(keepends=True)
        plain = [without_what_differs(line) for line in lines]
        start = plain.index(without_what_differs(wanted[0]))
        before = MORE if shown.startswith(MORE) else ""
        printed = f"{before}{''.join(lines[start : start + len(wanted)])}{MORE}"
    return f"{found[1]}{printed}{found[4]}"
