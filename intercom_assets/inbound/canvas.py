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
TIGHT = {"bottom_margin": "none"}
LONGEST = 200


def response(panel: Panel) -> dict[str, Any]:
    """To initialize and to submit alike."""
    return {"canvas": {"content": {"components": list(_components(panel))}}}


def _components(panel: Panel) -> Iterator[Component]:
    if panel.user is None:
        yield _text(panel.headline, "muted")
        return
    yield _text(panel.headline, STYLES[panel.tone])
    for sentence in panel.sentences:
        yield _text(sentence, "paragraph")
    yield _list("user", [panel.user])
    if panel.edits:
        yield {"type": "divider"}
        yield _text("Typed here in the last week, and put back:", "muted")
        yield _list("edit", panel.edits)
        if panel.more_edits:
            yield _text(f"And {panel.more_edits} more.", "muted")
    yield {"type": "spacer", "size": "s"}
    if panel.can_sync:
        yield _button(SYNC_NOW, "Sync now", {"type": "submit"}, "primary")
    if panel.tone is Tone.WORKING:
        yield _button(REFRESH, "Refresh", {"type": "submit"}, "secondary")
    if panel.dagster_url:
        action = {"type": "url", "url": panel.dagster_url}
        yield _button("dagster", "Details in Dagster", action, "link")


def _text(text: str, style: str) -> Component:
    return {"type": "text", "text": escaped(text), "style": style}


def _list(kind: str, lines: Sequence[Line]) -> Component:
    return {"type": "list", "items": [_item(f"{kind}_{n}", line) for n, line in enumerate(lines)]}


def _item(name: str, line: Line) -> Component:
    """Titles of a list are plain text (inferred), so nothing is escaped in them."""
    item: Component = {"type": "item", "id": name, "title": cut(line.title)}
    if line.subtitle:
        item["subtitle"] = cut(line.subtitle)
    if line.aside:
        item["tertiary_text"] = line.aside
    if line.url:
        item["action"] = {"type": "url", "url": line.url}
    return item


def _button(name: str, label: str, action: Component, style: str) -> Component:
    return {"type": "button", "id": name, "label": label, "style": style, "action": action}


def escaped(text: str) -> str:
    """As it reads, whatever Markdown would make of it."""
    return MARKDOWN.sub(r"\\\1", cut(text))


def cut(text: str) -> str:
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 1]}…"
