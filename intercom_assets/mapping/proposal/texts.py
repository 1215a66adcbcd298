"""How a proposed mapping is written down: queries with their comments, and sync.yaml."""

import json
import re
import textwrap
from collections.abc import Iterable, Iterator, Sequence

from intercom_assets.mapping.proposal.catalogue import CatalogueColumn, CatalogueTable
from intercom_assets.mapping.proposal.columns import WITHOUT_ZONE, Selected, SkippedColumn
from intercom_assets.mapping.starting import STARTER

NO_TEAMS = "select null::bigint as id, null::text as name where false\n"
NO_MEMBERSHIPS = "select null::bigint as user_id, null::bigint as team_id where false\n"
_WIDTH = 98
_YAML_PLAIN = re.compile(r"[A-Za-z_][\w.]*")
_YAML_WORDS = ("null", "true", "false", "yes", "no", "on", "off", "y", "n")
_NOTHING = "Read from the database's catalogue by `intercom-assets init --from`; look it through."
_ZONES = (
    "Times without a zone are taken as UTC, as nearly every framework stores them: put another "
    "zone if yours does not."
)
_OFFERED = (
    "What else could be sent as a custom attribute: uncomment what the support team should see. "
    "A column that is not selected never leaves the app."
)
_TAGGED = "The names in tags are put on as tags, and not sent as an attribute."


def commented(sentences: Iterable[str], indent: str = "") -> str:
    """Each wrapped, as comments of SQL."""
    lines = [
        f"{indent}-- {line}"
        for sentence in sentences
        for line in textwrap.wrap(sentence, _WIDTH - len(indent) - 3)
    ]
    return "".join(f"{line}\n" for line in lines)


def list_of(names: Sequence[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} or {names[-1]}"


def query(
    head: Iterable[str],
    chosen: Sequence[Selected],
    table: str,
    offered: Sequence[Selected],
    left_out: Sequence[SkippedColumn],
) -> str:
    """A SELECT of what was chosen; what else there is, in comments."""
    zones = [_ZONES] if any(WITHOUT_ZONE in item.why for item in chosen) else []
    text = commented([*head, *zones, _NOTHING]) + "select\n"
    for place, member in enumerate(chosen, start=1):
        text += commented([f"{member.name}: {member.why}"] if member.why else [], "    ")
        text += f"    {member.text}{',' if place < len(chosen) else ''}\n"
    if offered:
        tagged = [_TAGGED] if any(entry.name == "tags" for entry in offered) else []
        text += "\n" + commented([_OFFERED, *tagged], "    ")
        text += "".join(f"    -- , {entry.text}\n" for entry in offered)
    text += f"from {table}\n"
    if left_out:
        text += "\n" + commented(
            ["Left out:", *(f"{element.column}: {element.why}" for element in left_out)]
        )
    return text


def watch_of(table: CatalogueTable, wakes: str, key: CatalogueColumn | None) -> Iterator[str]:
    """A line of `watch`; nothing for what cannot have triggers."""
    if key and not table.is_view:
        yield f"{{table: {_yaml(table.plain)}, wakes: {wakes}, key: {_yaml(key.name)}}}"


def settings(watched: Sequence[str], unwatchable: Sequence[str]) -> str:
    """The starter's sync.yaml, with the way of noticing changes and the tables put in."""
    text = (STARTER / "sync.yaml").read_text(encoding="utf-8")
    lines = "".join(f"  - {line}\n" for line in watched)
    if unwatchable:
        names = ", ".join(unwatchable)
        why = (
            f"# capture: polling, since this role may put no triggers on {names}, which is a view "
            "or belongs to\n# another role. Where that changes, `capture: triggers` sees more and "
            "sooner.\n"
        )
        chosen = f"{why}capture: polling\n"
        watch = "# For `capture: triggers`:\n# watch:\n" + re.sub("(?m)^", "#", lines.rstrip())
        watch += "\n"
    else:
        chosen = "capture: triggers\n"
        watch = (
            "# The tables that the three queries read, and whom a change in them wakes. If you\n"
            f"# join another table, it belongs here too.\nwatch:\n{lines}"
        )
    text = text.replace("capture: polling\n", chosen, 1)
    before, _, rest = text.partition("# For `capture: triggers`: the tables")
    after = rest.partition("# Where values that Intercom knows better")[2]
    return f"{before}{watch}\n# Where values that Intercom knows better{after}"


def _yaml(name: str) -> str:
    plain = _YAML_PLAIN.fullmatch(name) and name.lower() not in _YAML_WORDS
    return name if plain else json.dumps(name, ensure_ascii=False)
