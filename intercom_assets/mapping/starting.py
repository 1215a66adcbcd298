"""The mapping that somebody begins with: four commented files, copied into a folder of theirs.

Writes files and nothing else; a file that is there is never overwritten.
"""

from pathlib import Path

from intercom_assets.mapping.load import FILES
from intercom_assets.mapping.problems import MappingError

STARTER = Path(__file__).parent / "starter"


def write_starter(folder: Path) -> list[Path]:
    """The files that it made. Raises MappingError, and has then written nothing."""
    there = [name for name in FILES if (folder / name).exists()]
    if there:
        raise MappingError(
            f"{folder} has {' and '.join(there)} already, and nothing is overwritten: name another "
            "folder, or remove what is there"
        )
    try:
        folder.mkdir(parents=True, exist_ok=True)
        return [_copied(name, folder) for name in FILES]
    except OSError as error:
        raise MappingError(f"{folder} cannot be written: {error.strerror}") from None


def _copied(name: str, folder: Path) -> Path:
    made = folder / name
    with made.open("x", encoding="utf-8") as file:
        file.write((STARTER / name).read_text(encoding="utf-8"))
    return made
