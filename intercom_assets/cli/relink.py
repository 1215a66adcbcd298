"""`relink`: the contacts of users whose ids the app switched, moved to the new ids.

What is moved, and in which order, is `sync/operator/relink.py`'s; here it is asked for and told.
"""

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

import click
from rich.console import Console
from rich.text import Text

from intercom_assets.cli.failures import FAILED, CommandFailed
from intercom_assets.cli.interruptible import ending_after_the_chunk
from intercom_assets.cli.output.progress import Bar, Bars, progress_on
from intercom_assets.cli.output.tables import Listing, a_console, plain
from intercom_assets.domain.switched_ids import Matched
from intercom_assets.domain.values import count_of
from intercom_assets.domain.vocabulary import Cause
from intercom_assets.sync.context.services import Services
from intercom_assets.sync.engine.batch import new_run_id
from intercom_assets.sync.environment import opened, read_environment
from intercom_assets.sync.operator.relink import Relinked, RelinkState, find_switched
from intercom_assets.sync.operator.relink import relink as move_links

SHOWN = 20
"""Links that are listed; all are counted, and `--json` has them all."""
ORDER = (RelinkState.FAILED, RelinkState.BUSY, RelinkState.LEFT, RelinkState.MOVED)
UNCLEAR = "left: more than one user has the e-mail"


@dataclass
class RelinkSummary:
    """`run`: None where nothing was to be written. `relinked`: what became of the pairs."""

    matched: Matched
    run: str | None = None
    relinked: list[Relinked] = field(default_factory=list)
    stopped: bool = False


def relink(ctx: click.Context, dry_run: bool, as_json: bool) -> None:
    configuration = read_environment()
    if not dry_run and configuration.refusal:
        raise CommandFailed(configuration.refusal)
    console = a_console(stderr=True)
    with (
        opened(configuration) as services,
        progress_on(console, not as_json and console.is_terminal) as progress,
    ):
        bars = Bars(progress)
        summary = RelinkSummary(find_switched(services, lambda count: bars.advance("users", count)))
        if not dry_run and summary.matched.pairs:
            bar = Bar(progress, "links", len(summary.matched.pairs))
            _move(services, summary, bar, console)
    if as_json:
        click.echo(json.dumps(_document(summary), indent=2))
    else:
        _print_links(a_console(), summary)
    failing = any(
        entry.state in (RelinkState.BUSY, RelinkState.FAILED) for entry in summary.relinked
    )
    ctx.exit(FAILED if failing or summary.stopped else 0)


def _move(services: Services, summary: RelinkSummary, bar: Bar, console: Console) -> None:
    summary.run = new_run_id(Cause.RELINK)
    pairs, failed = summary.matched.pairs, 0
    with ending_after_the_chunk(lambda: console.print("Ending after the links in work.")) as stop:
        for part in move_links(services, summary.run, pairs, stop.is_set):
            summary.relinked += part
            failed += sum(entry.state is not RelinkState.MOVED for entry in part)
            bar.advance(len(part), failed)
    summary.stopped = len(summary.relinked) < len(pairs)


def _print_links(console: Console, summary: RelinkSummary) -> None:
    listing = Listing("", "old id", "new id", "what became of it")
    rows = _rows(summary)
    for row in rows[:SHOWN]:
        listing.add(*map(plain, row))
    if rows:
        console.print(listing)
    if len(rows) > SHOWN:
        console.print(f"... and {len(rows) - SHOWN:,} more; --json has them all", highlight=False)
    for line in _lines(summary):
        console.print(Text(plain(line)), soft_wrap=True)


def _rows(summary: RelinkSummary) -> list[tuple[str, str, str]]:
    """What needs a look comes first."""
    unclear = [
        (", ".join(entry.old), ", ".join(entry.new), UNCLEAR) for entry in summary.matched.ambiguous
    ]
    if summary.run is None:
        return unclear + [(pair.old, pair.new, "to move") for pair in summary.matched.pairs]
    done = sorted(summary.relinked, key=lambda entry: ORDER.index(entry.state))
    listed = [(entry.ids.old, entry.ids.new, _became(entry)) for entry in done]
    return unclear + listed


def _became(entry: Relinked) -> str:
    return f"{entry.state}: {entry.why}" if entry.why else entry.state


def _lines(summary: RelinkSummary) -> Sequence[str]:
    pairs, unclear = summary.matched.pairs, len(summary.matched.ambiguous)
    left = f" {count_of(unclear, 'e-mail')} of more than one user: left." if unclear else ""
    if not pairs:
        return [f"No link to move.{left}"]
    if summary.run is None:
        return [f"{count_of(len(pairs), 'link')} to move.{left} Nothing was written."]
    counts = Counter(entry.state for entry in summary.relinked)
    listed = ", ".join(f"{counts[state]:,} {state}" for state in reversed(ORDER) if counts[state])
    lines = [f"Links: {listed}.{left}", f"Run {summary.run}, as shown by explain."]
    if summary.stopped:
        lines.append("Stopped before all were moved; what was done is kept: run relink again.")
    return [*lines, "Then bring them into step: intercom-assets sync --all"]


def _document(summary: RelinkSummary) -> dict[str, object]:
    counts = Counter(entry.state for entry in summary.relinked)
    return {
        "dry_run": summary.run is None,
        "to_move": len(summary.matched.pairs),
        "run": summary.run,
        **{state: counts[state] for state in RelinkState},
        "links": [
            {
                "old": entry.ids.old,
                "new": entry.ids.new,
                "state": entry.state,
                "why": entry.why or None,
            }
            for entry in summary.relinked
        ]
        or [
            {"old": pair.old, "new": pair.new, "state": "to move", "why": None}
            for pair in summary.matched.pairs
        ],
        "ambiguous": [
            {"old": list(entry.old), "new": list(entry.new)} for entry in summary.matched.ambiguous
        ],
        "stopped": summary.stopped,
    }
