"""What is wrong with a mapping, in one sentence: file and key, what was found, what is allowed.

Turns pydantic's findings about `sync.yaml` into the words of the person who wrote the file. Every
way in which a mapping can be wrong ends as a `MappingError`, also those only a database can tell.
"""

from collections.abc import Iterable, Sequence
from difflib import get_close_matches
from typing import Any, get_args

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from intercom_assets.domain.errors import OperatorError

_LONGEST_SHOWN = 60


class MappingError(OperatorError):
    """The mapping is wrong; the text is one sentence for the person who wrote it."""


def nearest(name: str, known: Iterable[str]) -> str:
    """`; did you mean "chunk_size"?`, or what there is if nothing comes near."""
    names = sorted(known)
    close = get_close_matches(name, names, n=1, cutoff=0.6)
    if close:
        return f'; did you mean "{close[0]}"?'
    return f"; known: {', '.join(names)}" if names else ""


def sentence(file: str, root: type[BaseModel], error: ValidationError) -> str:
    """The first finding in a sentence, with the number of further ones."""
    first, *rest = sentences(file, root, error)
    return f"{first} (and {len(rest)} more)" if rest else first


def sentences(file: str, root: type[BaseModel], error: ValidationError) -> list[str]:
    """One for each finding."""
    findings = error.errors(include_url=False)
    # An unknown key explains the missing one beside it, so it is told first.
    findings.sort(key=lambda finding: finding["type"] != "extra_forbidden")
    return [f"{file}: {_finding(root, finding)}" for finding in findings]


def _finding(root: type[BaseModel], finding: ErrorDetails) -> str:
    path = finding["loc"]
    key = _dotted(path)
    if finding["type"] == "extra_forbidden":
        model = _model_at(root, path[:-1])
        known = model.model_fields if model else ()
        return f'unknown key "{key}"{nearest(str(path[-1]), known)}'
    if finding["type"] == "missing":
        return f"{key} is missing; allowed: {_allowed(root, finding)}"
    if isinstance(finding["input"], dict) and finding["type"] == "value_error":
        return f"{key or 'the file'} does not fit together; allowed: {_allowed(root, finding)}"
    return f"{key} is {_shown(finding['input'])}; allowed: {_allowed(root, finding)}"


def _allowed(root: type[BaseModel], finding: ErrorDetails) -> str:
    if finding["type"] == "value_error":
        return str(finding["ctx"]["error"])
    described = _description(root, finding["loc"])
    return described or finding["msg"].removeprefix("Input should be ")


def _description(root: type[BaseModel], path: Sequence[int | str]) -> str | None:
    """The description of the field that the path ends in, or passes last."""
    found = None
    for end in range(1, len(path) + 1):
        model = _model_at(root, path[: end - 1])
        name = path[end - 1]
        if model and isinstance(name, str) and name in model.model_fields:
            found = model.model_fields[name].description
    return found


def _model_at(root: type[BaseModel], path: Sequence[int | str]) -> type[BaseModel] | None:
    model: type[BaseModel] | None = root
    for step in path:
        if isinstance(step, int):
            continue
        if model is None or step not in model.model_fields:
            return None
        model = _model_in(model.model_fields[step].annotation)
    return model


def _model_in(annotation: Any) -> type[BaseModel] | None:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    return next((m for part in get_args(annotation) if (m := _model_in(part))), None)


def _dotted(path: Sequence[int | str]) -> str:
    """`("watch", 0, "wakes")` -> `watch[1].wakes`: people count entries from one."""
    text = ""
    for step in path:
        text += f"[{step + 1}]" if isinstance(step, int) else f".{step}"
    return text.removeprefix(".")


def _shown(raw: object) -> str:
    if isinstance(raw, dict | list):
        return "a list" if isinstance(raw, list) else "a group of keys"
    if isinstance(raw, bool):
        return str(raw).lower()
    if raw is None:
        return "empty"
    text = f'"{raw}"' if isinstance(raw, str) else str(raw)
    return text if len(text) <= _LONGEST_SHOWN else f"{text[:_LONGEST_SHOWN]}..."
