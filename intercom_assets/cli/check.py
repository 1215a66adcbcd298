"""`check`: what is right and what is not, before anything runs. Green and red lines.

Belongs here: how findings are printed, and the exit code. Must not: any probe, which
are `sync/preflight/preflight.py`'s.
"""

import json
import os
from collections.abc import Iterable

import click
from rich.console import Console
from rich.text import Text

from intercom_assets.cli.failures import FAILED
from intercom_assets.cli.output.policy_table import as_table
from intercom_assets.cli.output.tables import a_console, plain
from intercom_assets.domain.policy_table import Row, rows_of_mapped_teams, rows_of_mapped_users
from intercom_assets.domain.values import count_of
from intercom_assets.sync.environment import read_environment
from intercom_assets.sync.preflight.findings import Finding, Severity
from intercom_assets.sync.preflight.preflight import PolicyFields, Preflight

STYLES = {Severity.OK: "green", Severity.WARNING: "yellow", Severity.BAD: "bold red"}
MARKS = {Severity.OK: "ok  ", Severity.WARNING: "note", Severity.BAD: "RED "}


def check(ctx: click.Context, as_json: bool) -> None:
    preflight = Preflight(read_environment(), os.environ, _pool_problem, _settings)
    found: list[Finding] = []
    console = a_console()
    for finding in preflight.findings():
        if not as_json:
            console.print(_line(finding, found[-1] if found else None), soft_wrap=True)
        found.append(finding)
    if as_json:
        click.echo(json.dumps(_document(found, preflight.policies), indent=2))
    else:
        _print_policies(console, preflight.policies)
        console.print(_verdict(found))
    ctx.exit(FAILED if _count(found, Severity.BAD) else 0)


def _pool_problem() -> str | None:
    # Importing Dagster takes two seconds, which a check without it need not wait for.
    from intercom_assets.cli.dagster_setup import pool_problem

    return pool_problem()


def _settings() -> list[str]:
    from intercom_assets.cli.dagster_setup import missing_dagster_settings

    return missing_dagster_settings()


def _line(finding: Finding, before: Finding | None) -> Text:
    """`ok   triggers   Every ...`, below the name of its part where that is another."""
    style = STYLES[finding.verdict]
    line = Text()
    if before is None or before.part != finding.part:
        line.append(f"{'' if before is None else chr(10)}{finding.part}\n", style="bold")
    line.append(f"  {MARKS[finding.verdict]}  ", style=style)
    line.append(f"{finding.title:<13} {plain(finding.sentence)}")
    if finding.to_do:
        line.append(f"\n{'':<22}-> {plain(finding.to_do)}", style=style)
    return line


def _print_policies(console: Console, policies: PolicyFields | None) -> None:
    if policies is None:
        return
    console.print()
    console.print(as_table("Users: who wins", rows_of_mapped_users(policies.users)))
    console.print(as_table("Teams: who wins", rows_of_mapped_teams(policies.teams)))


def _verdict(found: Iterable[Finding]) -> Text:
    red, notes = _count(found, Severity.BAD), count_of(_count(found, Severity.WARNING), "note")
    if red:
        return Text(f"{red} red, {notes}: fix what is red.", style=STYLES[Severity.BAD])
    next_step = "Next: intercom-assets plan."
    return Text(f"Nothing is red, {notes}. {next_step}", style=STYLES[Severity.OK])


def _count(found: Iterable[Finding], verdict: Severity) -> int:
    return sum(finding.verdict is verdict for finding in found)


def _document(found: list[Finding], policies: PolicyFields | None) -> dict[str, object]:
    return {
        "red": _count(found, Severity.BAD),
        "notes": _count(found, Severity.WARNING),
        "findings": [
            {
                "part": finding.part,
                "title": finding.title,
                "verdict": finding.verdict,
                "found": finding.sentence,
                "to_do": finding.to_do or None,
            }
            for finding in found
        ],
        "who_wins": None
        if policies is None
        else {
            "users": [_row(row) for row in rows_of_mapped_users(policies.users)],
            "teams": [_row(row) for row in rows_of_mapped_teams(policies.teams)],
        },
    }


def _row(row: Row) -> dict[str, str]:
    return {"app": row.app, "intercom": row.intercom, "wins": row.wins, "remarks": row.remarks}
