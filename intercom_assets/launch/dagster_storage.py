"""Whether Dagster's storage can be opened at all, asked before Dagster does, in one sentence.

Dagster itself tries for twenty seconds and ends in a traceback. Only `storage.postgres` of
dagster.yaml is known here; any other storage is Dagster's to judge.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from intercom_assets.database.failures import address_problem
from intercom_assets.launch.dagster_database import DatabaseState, by_hand, name_of, state_of
from intercom_assets.sync.environment import ConfigurationError


def require_storage(home: Path, env: Mapping[str, str], beside: str) -> None:
    """Raises `ConfigurationError`. `beside`: a database that may be on the same server."""
    variable, url = _address(home, env)
    if variable and not url:
        raise ConfigurationError(
            f"{variable} is not set, and {home / 'dagster.yaml'} reads the address of Dagster's "
            "database from it: set it to one, which looks like "
            "postgresql://user:password@host:5432/name"
        )
    if not url:
        return
    if problem := address_problem(url):
        raise ConfigurationError(f"{variable or 'dagster.yaml'}: {problem}")
    if state_of(url, beside) is not DatabaseState.THERE:
        name = variable or "dagster.yaml"
        raise ConfigurationError(
            f"{name} names the database {name_of(url)}, which does not exist: {by_hand(url)}"
        )


def _address(home: Path, env: Mapping[str, str]) -> tuple[str, str]:
    """The variable that holds the address, and the address; both empty where it is none of ours."""
    try:
        settings: Any = yaml.safe_load((home / "dagster.yaml").read_text("utf-8"))
        url: Any = settings["storage"]["postgres"]["postgres_url"]
    except (OSError, ValueError, yaml.YAMLError, KeyError, TypeError):
        return "", ""
    if isinstance(url, dict) and "env" in url:
        variable = str(url["env"])
        return variable, env.get(variable, "").strip()
    return "", url if isinstance(url, str) else ""
