"""The panel's JSON against the types of Intercom's own client for Node, by its own compiler.

CANVAS_TYPES names a folder in which `npm install` was run beside `canvas_types/package.json`.
Without it the test is skipped, and fails where REQUIRE_CANVAS_TYPES is set. Nothing is downloaded.
"""

import json
import os
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from intercom_assets.database.records import Failure
from intercom_assets.database.reports import OverruledField, Standing
from intercom_assets.domain.vocabulary import Cause
from intercom_assets.inbound.canvas import response
from intercom_assets.inbound.links import PanelLinks
from intercom_assets.inbound.panel import PanelNames, panel_of_nobody, panel_of_user

OPTIONS = ("--noEmit", "--strict", "--skipLibCheck", "--target", "es2022", "--module", "nodenext")
LINKS = PanelLinks("https://admin.example.com/users/{id}", "https://dagster.example.com")
EDITS = [OverruledField(f"field_{n}", "app", n, 60.0) for n in range(4)]
STATES: Mapping[str, Standing] = {
    "in_step": Standing("7", settled_ago=12.0),
    "waiting": Standing("7", waits=True, cause=Cause.APP, waits_for=3.0),
    "given_up": Standing("7", waits=True, parked_for=99.0, error=Failure("x", code="conflict")),
    "overruled": Standing("7", settled_ago=12.0, overruled=EDITS),
    "bare": Standing("`"),
}


@pytest.fixture(scope="module")
def packages() -> Path:
    folder = os.environ.get("CANVAS_TYPES", "")
    compiler = Path(folder) / "node_modules" / "typescript" / "bin" / "tsc"
    if folder and compiler.exists():
        return Path(folder)
    missing = "CANVAS_TYPES names no folder with Intercom's client for Node and TypeScript"
    if os.environ.get("REQUIRE_CANVAS_TYPES"):
        pytest.fail(missing)
    pytest.skip(missing)


def complaints(packages: Path, place: Path, documents: Mapping[str, Any]) -> str:
    """What the compiler says of them as responses; written as literals, so that no key is too
    many either."""
    lines = ['import type { Intercom } from "intercom-client";']
    for name, document in documents.items():
        for kind in ("InitializeResponse", "SubmitResponse"):
            written = json.dumps(document)
            lines.append(f"export const {name}_{kind}: Intercom.{kind} = {written};")
    (place / "panel.ts").write_text("\n".join(lines))
    (place / "node_modules").symlink_to(packages / "node_modules")
    compiled = subprocess.run(
        ["node", packages / "node_modules/typescript/bin/tsc", *OPTIONS, "panel.ts"],
        cwd=place,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert compiled.returncode in (0, 1, 2), compiled.stderr
    return compiled.stdout + compiled.stderr


def test_every_state_of_the_panel_is_a_canvas(packages: Path, tmp_path: Path) -> None:
    documents = {
        name: response(panel_of_user(standing, LINKS, PanelNames()))
        for name, standing in STATES.items()
    }
    documents["nobody"] = response(panel_of_nobody("user"))

    assert complaints(packages, tmp_path, documents) == ""


def test_what_is_no_canvas_is_noticed(packages: Path, tmp_path: Path) -> None:
    document = response(panel_of_user(STATES["in_step"], LINKS, PanelNames()))
    document["canvas"]["content"]["components"][0]["colour"] = "red"

    assert "colour" in complaints(packages, tmp_path, {"wrong": document})
