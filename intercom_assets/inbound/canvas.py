"""The panel as Canvas Kit's components, the JSON that Intercom draws in its inbox. Pure.

Texts are Markdown there, so whatever comes from the app or from names of fields is escaped. What a
panel says is decided in `panel`.
"""

import re
from collections.abc import Iterator, Sequence
from typing import Any

from intercom_assets.inbound.panel import Line, Panel, Tone

SYNC_NOW, REFRESH = "sync_now", "refresh"
"""Buttons' ids, of which one comes back when it is pressed."""

Component = dict[str, Any]
MARKDOWN = re.compile(r"([\\`*_{}\[\]()#+!|<>~])")
STYLES = {Tone.FINE: "header", Tone.WORKING: "header", Tone.WRONG: "error"}
PUT_BACK = "Edits put back in the last week"
HIGHEST = 400
"""Pixels."""
COLUMN, NARROW, WIDE = 290, 8, 15
LINE, MARGIN, PADDING = 20, 10, 12


def response(panel: Panel) -> dict[str, Any]:
    """To initialize and to submit alike. Of what does not fit, the least important is left out."""
    components = list(_components(panel))
    while height(components) > HIGHEST and (smaller := panel.smaller()) is not None:
        panel = smaller
        components = list(_components(panel))
    return {"canvas": {"content": {"components": components}}}


def _components(panel: Panel) -> Iterator[Component]:
    if panel.user is None:
        yield _text(panel.headline, "muted")
        return
    yield _text(panel.headline, STYLES[panel.tone])
    for sentence in (*panel.sentences, *panel.remarks):
        yield _text(sentence, "paragraph")
    yield _list("user", [panel.user])
    if panel.edits_in_all:
        yield {"type": "divider"}
        yield _text(f"{PUT_BACK}{_how_many(panel)}", "muted")
    if panel.edits:
        yield _list("edit", panel.edits)
    if panel.can_sync:
        yield _button(SYNC_NOW, "Sync now", {"type": "submit"}, "primary")
    if panel.tone is Tone.WORKING:
        yield _button(REFRESH, "Refresh", {"type": "submit"}, "secondary")
    if panel.dagster_url:
        action = {"type": "url", "url": panel.dagster_url}
        yield _button("dagster", "Details in Dagster", action, "link")


def _how_many(panel: Panel) -> str:
    """In all, where not all are named below it."""
    if not panel.edits:
        return f": {panel.edits_in_all}"
    return f" ({panel.edits_in_all}):" if panel.edits_in_all > len(panel.edits) else ":"


# --- how much room it takes -----------------------------------------------------------------------


def height(components: Sequence[Component]) -> int:
    """Pixels, in a column as wide as the inbox's details; rather too many than too few."""
    return 2 * PADDING + sum(map(_height, components))


def _height(component: Component) -> int:
    match component["type"]:
        case "text":
            return _lines(component["text"]) * LINE + MARGIN
        case "list":
            return MARGIN + sum(map(_height_of_item, component["items"]))
        case "button":
            return 2 * LINE if component["style"] != "link" else LINE + MARGIN
    return MARGIN + 1


def _height_of_item(item: Component) -> int:
    below = f"{item.get('subtitle', '')} • {item.get('tertiary_text', '')}".strip(" •")
    return 6 + _lines(item["title"]) * LINE + _lines(below) * LINE


def _lines(text: str) -> int:
    """Backslashes of Markdown are counted too, which only makes it more."""
    width = sum(WIDE if ord(sign) > 0x2FF or sign in "mwMWQ@%" else NARROW for sign in text)
    return -(-width // COLUMN)


# --- components -----------------------------------------------------------------------------------


def _text(text: str, style: str) -> Component:
    return {"type": "text", "text": escaped(text), "style": style}


def _list(kind: str, lines: Sequence[Line]) -> Component:
    return {"type": "list", "items": [_item(f"{kind}_{n}", line) for n, line in enumerate(lines)]}


def _item(name: str, line: Line) -> Component:
    """Titles of a list are plain text (inferred), so nothing is escaped in them."""
    item: Component = {"type": "item", "id": name, "title": line.title}
    if line.subtitle:
        item["subtitle"] = line.subtitle
    if line.aside:
        item["tertiary_text"] = line.aside
    if line.url:
        item["action"] = {"type": "url", "url": line.url}
    return item


def _button(name: str, label: str, action: Component, style: str) -> Component:
    return {"type": "button", "id": name, "label": label, "style": style, "action": action}


def escaped(text: str) -> str:
    """As it reads, whatever Markdown would make of it."""
    return MARKDOWN.sub(r"\\\1", text)
