"""Which of several workspaces this code location serves, and how its things are named for that.

Dagster knows assets, partitions and pools by name across all code locations, so two workspaces must
not share any: user 7 of one is not user 7 of the other. Read when the code is loaded, since names
are; with one workspace nothing is set and the names are plain.
"""

import os
import re

import dagster as dg

INTERCOM_WORKSPACE = "INTERCOM_WORKSPACE"


def workspace_named(text: str) -> str:
    """Raises `ValueError` for what cannot stand in Dagster's names."""
    name = text.strip()
    if not re.fullmatch(r"[A-Za-z0-9_]*", name):
        raise ValueError(f"{INTERCOM_WORKSPACE} is {name!r}: give letters, digits and _ only.")
    return name


WORKSPACE = workspace_named(os.environ.get(INTERCOM_WORKSPACE, ""))


def in_workspace(name: str) -> str:
    """A name of partitions or of a pool."""
    return f"{name}_{WORKSPACE}" if WORKSPACE else name


def key_of(name: str) -> dg.AssetKey:
    """The key of an asset, with the workspace before it."""
    return dg.AssetKey([WORKSPACE, name] if WORKSPACE else [name])
