"""How far behind the sync is, and whom it gave up on. Reads our own tables only."""

import json
from datetime import datetime

import click
from rich.table import Table

from intercom_assets.cli.cells import a_console
from intercom_assets.database.records import Depth, ParkedRow, QueueKind
from intercom_assets.database.store import Store
from intercom_assets.domain.values import shown
from intercom_assets.sync.environment import (
    APP_DATABASE_URL,
    SYNC_DATABASE_URL,
    Configuration,
    ConfigurationError,
    read_environment,
)

SHOWN = 20
"""Parked users and teams that are listed; all of them are counted."""


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document instead.")
def status(as_json: bool) -> None:
    """Show what waits, how long already, and what is parked."""
    configuration = read_environment()
    with _store(configuration) as store:
        depths, parked = store.depth(), store.parked(limit=SHOWN)
    if as_json:
        click.echo(json.dumps(_document(configuration, depths, parked), indent=2))
        return
    console = a_console()
    if configuration.refusal:
        console.print(configuration.refusal, highlight=False)
    console.print(_queue_table(depths))
    if parked:
        console.print(_parked_table(parked, sum(depth.parked for depth in depths.values())))


def _store(configuration: Configuration) -> Store:
    if not configuration.sync_url:
        raise ConfigurationError(
            f"Neither {SYNC_DATABASE_URL} nor {APP_DATABASE_URL} is set, so it is unknown where "
            "the sync's own tables are: set one of them."
        )
    return Store(configuration.sync_url)


def _document(
    configuration: Configuration, depths: dict[QueueKind, Depth], parked: list[ParkedRow]
) -> dict[str, object]:
    return {
        "switched_off": configuration.refusal,
        "queue": {
            f"{kind}s": {
                "due": depth.due,
                "in_work": depth.leased,
                "later": depth.later,
                "parked": depth.parked,
                "oldest_seconds": round(depth.oldest_seconds, 1),
            }
            for kind, depth in depths.items()
        },
        "parked": [
            {
                "kind": row.kind,
                "id": row.key,
                "since": row.parked_at.isoformat(),
                "attempts": row.attempts,
                "why": row.error.message if row.error else None,
                "field": row.error.field if row.error else None,
                "request_id": row.error.request_id if row.error else None,
            }
            for row in parked
        ],
    }


def _queue_table(depths: dict[QueueKind, Depth]) -> Table:
    table = Table(title="The queue", title_justify="left")
    table.add_column("")
    for name in ("due", "in work", "later", "parked", "longest wait"):
        table.add_column(name, justify="right")
    for kind, depth in depths.items():
        counts = (depth.due, depth.leased, depth.later, depth.parked)
        table.add_row(f"{kind}s", *(f"{count:,}" for count in counts), _age(depth.oldest_seconds))
    return table


def _parked_table(parked: list[ParkedRow], count: int) -> Table:
    rest = "" if count <= len(parked) else f", the latest {len(parked)} of {count:,}"
    table = Table("who", "since", "tries", "why", title=f"Parked{rest}", title_justify="left")
    for row in parked:
        why = row.error.message if row.error else "no reason was recorded"
        table.add_row(shown(f"{row.kind} {row.key}"), _time(row.parked_at), str(row.attempts), why)
    return table


def _time(at: datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M} UTC"


def _age(seconds: float) -> str:
    """`-` for an empty queue, else the largest unit that fits."""
    for unit, size in (("d", 86_400), ("h", 3_600), ("min", 60)):
        if seconds >= size:
            return f"{seconds / size:.1f} {unit}"
    return f"{seconds:.0f} s" if seconds else "-"
