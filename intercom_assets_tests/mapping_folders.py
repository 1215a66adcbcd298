"""Mappings on disk: the sample app's, with what a test changes in them."""

import shutil
from pathlib import Path

from intercom_assets.mapping.load import SAMPLE


def a_folder(path: Path, **files: str) -> Path:
    """The sample mapping in `path`; `users`, `teams`, `memberships` and `sync` as a test has them.

    A text that begins with `...` is added to the sample's.
    """
    folder = path / "mapping"
    shutil.copytree(SAMPLE, folder, dirs_exist_ok=True)
    for name, text in files.items():
        file = folder / ("sync.yaml" if name == "sync" else f"{name}.sql")
        if text.startswith("..."):
            text = f"{file.read_text()}\n{text.removeprefix('...')}"
        file.write_text(text)
    return folder
