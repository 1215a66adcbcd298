"""The engine: works one batch of users or teams through, chunk by chunk, whoever started it.

Dagster's assets, the CLI and the tests call `run_batch`. Keys come from the queue (`from_queue`)
or are named; named keys are put into the queue first, so that from there on everything is the
same: lease, read, decide, apply, record. A report is yielded once its chunk is durable. Several
chunks are in work at once, since one that records leaves Intercom's rate unused.
"""

from collections.abc import Callable, Collection, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import ExitStack
from functools import partial
from time import monotonic
from uuid import uuid4

from intercom_assets.database.identity import storable
from intercom_assets.database.records import Lane
from intercom_assets.domain.vocabulary import QueueKind
from intercom_assets.intercom.pool import Pool
from intercom_assets.sync.context.attributes import AttributeBook
from intercom_assets.sync.context.compared_fields import write_compared_fields
from intercom_assets.sync.context.gc import frozen_collector
from intercom_assets.sync.context.leases import Heartbeat
from intercom_assets.sync.context.outcomes import ChunkReport, Outcome, Status
from intercom_assets.sync.context.services import Services
from intercom_assets.sync.context.usage import UsageRecorder
from intercom_assets.sync.context.work import Run
from intercom_assets.sync.context.workspace import require_workspace
from intercom_assets.sync.engine import initial_listing
from intercom_assets.sync.engine.bulk import by_bulk
from intercom_assets.sync.engine.bulk_users import Progress
from intercom_assets.sync.engine.bulk_waves import Portion, Waves
from intercom_assets.sync.engine.chunk_source import Batch, ChunkSource
from intercom_assets.sync.engine.determinism import require_deterministic, require_no_secrets
from intercom_assets.sync.engine.guard import check_teams, check_users
from intercom_assets.sync.engine.last_stop import noted
from intercom_assets.sync.passes.teams.chunk import sync_team_chunk
from intercom_assets.sync.passes.users.chunk import finish_chunk, finish_sent, sync_user_chunk

CHUNKS_AT_ONCE = 3
"""Enough that one can read and one record while a third has its calls in flight."""


def never() -> bool:
    return False


def prepare(
    services: Services,
    batches: Sequence[Batch],
    *,
    listing: bool = False,
    progress: Progress | None = None,
    stopped: Callable[[], bool] = never,
) -> None:
    """What comes before the first write of any of these batches, which are `prepared` afterwards.

    A large batch onto a workspace that we never listed lists it, if somebody in it is not paired
    yet; `listing`: a small one too. Then the guards look at everybody. Raises `WrongWorkspace`;
    `GuardStopped`; `MappingError` where rows are not steady or a column looks like a secret.
    """
    require_no_secrets(services.app)
    require_deterministic(services)
    require_workspace(services)
    write_compared_fields(services)
    keys = [_to_be_handled(services, batch) for batch in batches]
    is_large = any(len(part) > services.settings.chunk_size for part in keys)
    pairs = list(zip(batches, keys, strict=True))
    if (listing or is_large) and initial_listing.is_due(services):
        if any(_has_unpaired(services, batch.kind, chunk) for batch, chunk in pairs):
            initial_listing.list_workspace(services, progress, stopped)
        elif listing:
            initial_listing.leave_out(services)
    for batch, group in pairs:
        if stopped():
            break
        if batch.kind is QueueKind.USER:
            check_users(services, group, batch.accepted)
        else:
            check_teams(services, group, batch.accepted)


def _has_unpaired(services: Services, kind: QueueKind, keys: Sequence[str]) -> bool:
    if kind is QueueKind.USER:
        return len(services.store.linked.among(keys)) < len(set(keys))
    links = services.store.links.teams(keys)
    return any(key not in links or links[key].company_id is None for key in keys)


def run_batch(
    services: Services,
    batch: Batch,
    run_id: str,
    stopped: Callable[[], bool] = never,
    progress: Progress | None = None,
) -> Iterator[ChunkReport]:
    """Yields a report for each chunk that is durable. Once `stopped`, no further chunk is begun.
    `progress`: of what is sent by bulk, before the chunks that prove it.

    Raises what `prepare` does before anything is written; `AppUnavailable` or a fatal
    `IntercomError`, where chunks reported before stay done and what was leased is given back.
    """
    settings = services.settings
    with (
        noted(services.store, batch.kind),
        frozen_collector(),
        UsageRecorder(services) as meter,
        Heartbeat(services.store, run_id, batch.kind, settings, on_heartbeat=meter.note) as pulse,
        Pool(settings.threads) as pool,
    ):
        if not batch.prepared:
            prepare(services, [batch])
        source = ChunkSource(services, batch, pulse, stopped)
        run = Run(services, pulse, pool, AttributeBook(services), run_id, batch.by_hand)
        size = partial(_size, services, batch)
        for report in _reports(run, source, by_bulk(run, source, stopped, progress, size)):
            if _is_of_changes(batch):
                meter.record_outcomes(report.outcomes)
            yield report


def _reports(run: Run, source: ChunkSource, bulk: Waves | None) -> Iterator[ChunkReport]:
    if bulk is not None:
        with bulk as waves:
            yield from _in_parallel(partial(_next_of_waves, run, source, waves), waves.close)
    yield from _in_parallel(partial(_next_alone, run, source), source.close)


def _next_of_waves(run: Run, source: ChunkSource, waves: Waves) -> ChunkReport | None:
    portion = waves.next()
    if portion is None:
        return None
    return _one_report(run, source, portion, partial(waves.passed, portion))


def _next_alone(run: Run, source: ChunkSource) -> ChunkReport | None:
    chunk = source.next()
    if chunk is None:
        return None
    return _one_report(run, source, Portion(chunk, chunk.lease.rows), partial(source.ended, chunk))


def _is_of_changes(batch: Batch) -> bool:
    """Whether its users waited since something happened to them, and not for a sweep's turn."""
    return batch.from_queue is not None and Lane.LIVE in (batch.lanes or Lane)


def _to_be_handled(services: Services, batch: Batch) -> Sequence[str]:
    """Whom this batch is about to lease; leases nothing yet."""
    if batch.keys is not None:
        return [key for key in batch.keys if storable(key)]
    return list(services.store.queue.due_keys(batch.kind, batch.from_queue or 0, lanes=batch.lanes))


def _size(services: Services, batch: Batch) -> int:
    return len(_to_be_handled(services, batch))


def _in_parallel(
    run_next: Callable[[], ChunkReport | None], at_the_end: Callable[[], None]
) -> Iterator[ChunkReport]:
    """Calls `run_next` again and again, a few at a time, until it answers None.

    However that ends, `at_the_end` is called before those still at work are waited for.
    """
    with (
        ThreadPoolExecutor(CHUNKS_AT_ONCE, thread_name_prefix="chunk") as threads,
        ExitStack() as ending,
    ):
        ending.callback(at_the_end)
        running: set[Future[ChunkReport | None]] = {threads.submit(run_next)}
        ended = False
        while running:
            done, running = wait(running, return_when=FIRST_COMPLETED)
            reports = [future.result() for future in done]
            ended = ended or None in reports
            while not ended and len(running) < CHUNKS_AT_ONCE:
                running.add(threads.submit(run_next))
            yield from (report for report in reports if report is not None)


def _one_report(
    run: Run,
    source: ChunkSource,
    portion: Portion,
    ended: Callable[[Collection[str]], bool],
) -> ChunkReport:
    started, chunk = monotonic(), portion.chunk
    again: set[str] = set()
    try:
        outcomes = _passed(run, source.kind, portion)
        if source.will_try_again():
            again = {item.key for item in outcomes if item.status is Status.HELD}
    finally:
        is_last = ended(again)
    outcomes = [outcome for outcome in outcomes if outcome.key not in again]
    if is_last:
        outcomes += [Outcome(key, Status.HELD) for key in chunk.held]
        outcomes += [Outcome(key, Status.ABSENT) for key in chunk.absent]
    causes = frozenset(row.cause for row in portion.rows if row.cause)
    return ChunkReport(source.kind, outcomes, monotonic() - started, causes)


def _passed(run: Run, kind: QueueKind, portion: Portion) -> list[Outcome]:
    if not portion.rows:
        return []
    work = run.holding(portion.chunk.lease)
    if portion.begun is not None:
        finish = finish_sent if portion.waited else finish_chunk
        return finish(work, portion.begun)
    one_pass = sync_user_chunk if kind is QueueKind.USER else sync_team_chunk
    return one_pass(work, portion.rows)


def new_run_id(front: str) -> str:
    """An id for a run outside Dagster, as the journal shows it: `cli-...`."""
    return f"{front}-{uuid4()}"
