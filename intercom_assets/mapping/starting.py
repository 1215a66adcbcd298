"""The mapping that somebody begins with: four commented files in a folder of theirs.

Writes files and nothing else; a file that is there is never overwritten.
"""

from collections.abc import Mapping
from pathlib import Path

from intercom_assets.mapping.load import FILES
from intercom_assets.mapping.problems import MappingError

STARTER = Path(__file__).parent / "starter"


def starter() -> dict[str, str]:
    """The shipped one, for an app whose schema we do not know."""
    return {name: (STARTER / name).read_text(encoding="utf-8") for name in FILES}


def write_files(folder: Path, texts: Mapping[str, str]) -> list[Path]:
    """The files that it made. Raises MappingError, and has then written nothing."""
    there = [name for name in FILES if (folder / name).exists()]
    if there:
        raise MappingError(
            f"{folder} has {' and '.join(there)} already, and nothing is overwritten: name another "
            "folder, or remove what is there"
        )
    try:
        folder.mkdir(parents=True, exist_ok=True)
        return [_written(folder / name, texts[name]) for name in FILES]
    except OSError as error:
        raise MappingError(f"{folder} cannot be written: {error.strerror}") from None


def _written(path: Path, text: str) -> Path:
    with path.open("x", encoding="utf-8") as file:
        file.write(text)
    return path
