"""`sync`: the engine that Dagster's runs call, from the command line and without Dagster.

Belongs here: naming users and teams, showing how far it got, saying what failed. Teams go first,
so that the companies of the users are there; but not where the users go by bulk, whose companies
are made together with them. Must not: anything that decides about one of them.
"""

import json
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from threading import Event
from typing import TypeAlias

import click
from rich.console import Console

from intercom_assets.cli.failures import FAILED, CommandFailed
from intercom_assets.cli.ids import several
from intercom_assets.cli.interruptible import ending_after_the_chunk
from intercom_assets.cli.output.plan import NOT_LOOKED
from intercom_assets.cli.output.progress import Bar, Bars, progress_on
from intercom_assets.cli.output.tables import a_console, plain
from intercom_assets.cli.variables import warn_of_unknown_variables
from intercom_assets.database.identity import storable
from intercom_assets.database.records import Lane
from intercom_assets.domain.guards import is_plan_id
from intercom_assets.domain.models import AppTeam, AppUser, InvalidRow
from intercom_assets.domain.values import count_of
from intercom_assets.domain.vocabulary import Cause, QueueKind, StateKey
from intercom_assets.sync.context.outcomes import ChunkReport, Outcome, Status, Totals
from intercom_assets.sync.context.services import Services
from intercom_assets.sync.context.spellings import named
from intercom_assets.sync.engine.batch import new_run_id, prepare, run_batch
from intercom_assets.sync.engine.bulk import users_first
from intercom_assets.sync.engine.chunk_source import Batch
from intercom_assets.sync.environment import no_dagster, opened, read_environment
from intercom_assets.sync.feeders.audit import audit

SHOWN = 20
"""Failures that are listed; all of them are counted."""
NOT_DAGSTER = "{}: left out making everybody a partition in Dagster.".format


Show: TypeAlias = Callable[[ChunkReport, str], None]
"""Takes a chunk that is durable, and the run's id."""


@dataclass
class SyncSummary:
    """What the command did, for people and for `--json`. `asked`: how many of each kind.

    `unknown`: `user 7` and the like, who were named and are on neither side. `runs`: those that
    changed something, by the ids that the journal knows.
    """

    asked: Mapping[QueueKind, int]
    totals: dict[QueueKind, Totals] = field(default_factory=dict)
    stopped: bool = False
    seconds: float = 0.0
    dagster: str | None = None
    looked: bool = True
    overruled: list[str] = field(default_factory=list)
    unknown: list[str] = field(default_factory=list)
    runs: list[str] = field(default_factory=list)

    @property
    def failures(self) -> list[tuple[QueueKind, Outcome]]:
        return [(kind, item) for kind, sums in self.totals.items() for item in sums.failing]


def sync(
    ctx: click.Context,
    users: tuple[str, ...],
    teams: tuple[str, ...],
    everybody: bool,
    accept: str | None,
    look: bool,
    as_json: bool,
) -> None:
    if accept is not None and not is_plan_id(accept):
        raise click.UsageError(f"--accept takes the id that plan prints, and {accept} is none.")
    warn_of_unknown_variables()
    configuration = read_environment()
    if configuration.refusal:
        raise CommandFailed(configuration.refusal)
    console = a_console(stderr=True)
    with (
        opened(configuration) as services,
        _showing(services, configuration.base_url, everybody) as show,
    ):
        keys = _everybody(services) if everybody else _named(services, users, teams)
        summary = SyncSummary({kind: len(part) for kind, part in keys.items()})
        if everybody:
            summary.dagster = _register(keys)
        with ending_after_the_chunk(lambda: _print_stopping(console)) as stop:
            summary.looked = look or not everybody
            _request_reads(services, keys, everybody, look)
            _run(
                services,
                _Asked(keys, everybody, accept),
                summary,
                stop,
                console,
                not as_json and console.is_terminal,
                show,
            )
    click.echo(json.dumps(_document(summary), indent=2) if as_json else _text(summary))
    ctx.exit(FAILED if summary.failures or summary.stopped or summary.unknown else 0)


def _named(
    services: Services, users: Sequence[str], teams: Sequence[str]
) -> dict[QueueKind, tuple[str, ...]]:
    keys = {
        QueueKind.TEAM: named(services, QueueKind.TEAM, teams),
        QueueKind.USER: named(services, QueueKind.USER, users),
    }
    return {kind: part for kind, part in keys.items() if part}


def _everybody(services: Services) -> dict[QueueKind, tuple[str, ...]]:
    """Every id of the app, streamed: ids are all that is kept."""
    return {
        QueueKind.TEAM: _ids(services.app.stream_teams()),
        QueueKind.USER: _ids(services.app.stream_users()),
    }


def _ids(chunks: Iterable[Sequence[AppUser | AppTeam | InvalidRow]]) -> tuple[str, ...]:
    return tuple(row.id for rows in chunks for row in rows)


def _register(keys: dict[QueueKind, tuple[str, ...]]) -> str:
    if hindrance := no_dagster():
        return NOT_DAGSTER(hindrance)
    # Importing Dagster takes two seconds, which the other ways to call this need not wait for.
    from intercom_assets.cli.dagster_setup import register_partitions

    return register_partitions(dict(keys))


@contextmanager
def _showing(services: Services, base_url: str, everybody: bool) -> Iterator[Show]:
    """What is done becomes materializations, where Dagster's storage is at hand; elsewhere a note
    has it done by whoever has that storage."""
    if no_dagster():
        try:
            yield lambda report, run: None
        finally:
            services.store.state.put(StateKey.NOT_SHOWN_IN_DAGSTER, True)
        return
    from intercom_assets.cli.dagster_setup import recorder

    with recorder(services.store, base_url, nobodies=everybody) as record:
        yield record


@dataclass(frozen=True, slots=True)
class _Asked:
    """Whom, and how far. `accept`: a plan that may go past the guards."""

    keys: Mapping[QueueKind, tuple[str, ...]]
    everybody: bool
    accept: str | None

    def batch(self, kind: QueueKind) -> Batch:
        return Batch(
            kind,
            keys=self.keys[kind],
            lane=Lane.BULK if self.everybody else Lane.LIVE,
            cause=Cause.BY_HAND,
            by_hand=not self.everybody,
            accepted=self.accept,
        )


def _run(
    services: Services,
    asked: _Asked,
    summary: SyncSummary,
    stop: Event,
    console: Console,
    shown: bool,
    show: Show,
) -> None:
    started, run_id = time.monotonic(), new_run_id("cli")
    kinds = list(asked.keys)
    if users_first(services, len(asked.keys.get(QueueKind.USER, ()))):
        kinds.reverse()
    batches = [asked.batch(kind) for kind in kinds]
    with progress_on(console, shown) as progress:
        listed = Bars(progress).advance
        prepare(services, batches, listing=asked.everybody, progress=listed, stopped=stop.is_set)
        for batch in batches:
            kind = batch.kind
            totals = summary.totals[kind] = Totals()
            before = _calls(services)
            bar = Bar(progress, f"{kind}s", len(asked.keys[kind]))
            ready, run = replace(batch, prepared=True), f"{run_id}-{kind}s"
            for report in run_batch(services, ready, run, stop.is_set, progress=listed):
                totals.add(report.outcomes)
                show(report, run)
                if not asked.everybody:
                    summary.unknown += _unknown(kind, report.outcomes)
                    summary.overruled += _overruled(kind, report.outcomes)
                bar.advance(len(report.outcomes), len(totals.failing))
            totals.calls = _calls(services) - before  # those for many at once are nobody's own
            if totals.statuses[Status.CHANGED]:
                summary.runs.append(run)
    summary.stopped = stop.is_set() and any(
        summary.totals[kind].handled < count for kind, count in summary.asked.items()
    )
    summary.seconds = time.monotonic() - started


def _calls(services: Services) -> int:
    return sum(services.intercom.counters().calls.values())


def _unknown(kind: QueueKind, outcomes: Iterable[Outcome]) -> list[str]:
    return [f"{kind} {outcome.key}" for outcome in outcomes if outcome.status is Status.ABSENT]


def _overruled(kind: QueueKind, outcomes: Iterable[Outcome]) -> list[str]:
    return [
        f"{kind} {outcome.key}: somebody's {', '.join(outcome.overruled)} in Intercom was overruled"
        for outcome in outcomes
        if outcome.overruled
    ]


def _request_reads(
    services: Services, keys: Mapping[QueueKind, tuple[str, ...]], everybody: bool, look: bool
) -> None:
    """Notes whom the run is to read in Intercom before it decides."""
    if look:
        audit(services)
    if not everybody:
        named = [key for key in keys.get(QueueKind.USER, ()) if storable(key)]
        services.store.queue.enqueue(QueueKind.USER, named, cause=Cause.BY_HAND, needs_read=True)


def _print_stopping(console: Console) -> None:
    console.print("Stopping after the current chunk; Ctrl-C again stops at once.")


# --- what is printed ------------------------------------------------------------------------------


def _text(summary: SyncSummary) -> str:
    lines = [_line(kind, totals) for kind, totals in summary.totals.items()]
    lines += [
        plain(f"{kind} {item.key}: {item.problem}") for kind, item in summary.failures[:SHOWN]
    ]
    if len(summary.failures) > SHOWN:
        lines.append(
            f"... and {len(summary.failures) - SHOWN:,} more; see `intercom-assets status`"
        )
    lines += [
        plain(f"{entry}: not in the app, and no contact or company of it is known{several(entry)}")
        for entry in summary.unknown[:SHOWN]
    ]
    lines += [plain(sentence) for sentence in summary.overruled[:SHOWN]]
    if summary.dagster:
        lines.append(summary.dagster)
    if not summary.looked:
        lines.append(NOT_LOOKED)
    waiting = sum(totals.statuses[Status.RETRY] for totals in summary.totals.values())
    if waiting:
        lines.append(f"{waiting:,} to be retried: by the sensors, or run the same command again.")
    if summary.stopped:
        lines.append("Stopped before everybody was handled; what was done is kept.")
    lines += [f"Run {run}, for explain and undo." for run in summary.runs]
    return "\n".join([*lines, f"{summary.seconds:.1f} s"])


def _line(kind: QueueKind, totals: Totals) -> str:
    """`users: 3 changed, 1 unchanged; 4 calls`."""
    counts = ", ".join(f"{count:,} {status}" for status, count in totals.statuses.most_common())
    overruled = f", {count_of(totals.overruled, 'edit')} overruled" if totals.overruled else ""
    return f"{kind}s: {counts or 'none'}; {count_of(totals.calls, 'call')}{overruled}"


def _document(summary: SyncSummary) -> dict[str, object]:
    return {
        **{
            f"{kind}s": {
                "asked": summary.asked[kind],
                "statuses": dict(totals.statuses),
                "changed_fields": dict(totals.fields),
                "calls": totals.calls,
                "overruled": totals.overruled,
            }
            for kind, totals in summary.totals.items()
        },
        "failures": [
            {"kind": kind, "id": item.key, "status": item.status, "why": item.problem}
            for kind, item in summary.failures
        ],
        "unknown": summary.unknown,
        "looked_at_intercom": summary.looked,
        "stopped": summary.stopped,
        "seconds": round(summary.seconds, 2),
        "dagster": summary.dagster,
        "runs": summary.runs,
    }
