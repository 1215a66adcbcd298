"""Putting things right by hand: parked users tried again, a run taken back, a person erased.

What is printed of an undo and an erasure is `repair_telling.py`'s.
"""

import json
from getpass import getuser

import click

from intercom_assets.cli.failures import FAILED, CommandFailed
from intercom_assets.cli.output.recovery import (
    print_erased,
    print_receipt,
    print_steps,
    receipt_document,
    step_document,
)
from intercom_assets.cli.output.tables import a_console
from intercom_assets.domain.models import JournalEntry
from intercom_assets.domain.values import count_of
from intercom_assets.domain.vocabulary import Action, Cause, QueueKind
from intercom_assets.sync.context.services import Services
from intercom_assets.sync.engine.batch import new_run_id
from intercom_assets.sync.environment import opened, read_environment
from intercom_assets.sync.operator.erase import erase_user, is_known, receipt_of
from intercom_assets.sync.operator.undo.engine import find_run, plan_undo
from intercom_assets.sync.operator.undo.engine import undo as take_back
from intercom_assets.sync.operator.undo.steps import StepState, UndoStep


def retry(users: tuple[str, ...], teams: tuple[str, ...], everybody: bool, gone: bool) -> None:
    configuration = read_environment()
    if configuration.unmapped:
        raise CommandFailed(configuration.unmapped)
    with opened(configuration) as services:
        if gone:
            counts = {kind: services.store.gone.release(kind) for kind in QueueKind}
        else:
            named = {QueueKind.USER: users, QueueKind.TEAM: teams}
            counts = {
                kind: _retried(services, kind, None if everybody else part)
                for kind, part in named.items()
            }
    requeued = " and ".join(count_of(count, kind) for kind, count in counts.items() if count)
    click.echo(f"Back in the queue: {requeued or 'nobody'}.")
    missing = len(set(users)) + len(set(teams)) - sum(counts.values())
    if missing > 0:
        raise CommandFailed(
            f"{missing:,} of those named are not parked, nor is a field left out of them."
        )


def _retried(services: Services, kind: QueueKind, keys: tuple[str, ...] | None) -> int:
    if keys == ():
        return 0
    retried = services.store.queue.retry(kind, keys)
    why = "an operator said retry"
    entries = [JournalEntry(kind, key, Action.RETRIED, why=why) for key in retried]
    services.store.journal.add(new_run_id("retry"), entries)
    return len(retried)


def undo(ctx: click.Context, given: str, yes: bool, as_json: bool) -> None:
    configuration = read_environment()
    if yes and configuration.refusal:
        raise CommandFailed(configuration.refusal)
    with opened(configuration) as services:
        run_id = find_run(services.store, given)
        undo_run = new_run_id("undo")
        steps = (
            [step for part in take_back(services, undo_run, run_id) for step in part]
            if yes
            else plan_undo(services, run_id)
        )
    if as_json:
        click.echo(json.dumps([step_document(step) for step in steps], indent=2))
    else:
        print_steps(a_console(), run_id, steps, undo_run if yes else None)
    ctx.exit(FAILED if yes and any(_is_left(step) for step in steps) else 0)


def _is_left(step: UndoStep) -> bool:
    return step.state in (StepState.DUE, StepState.BUSY, StepState.FAILED)


def erase(
    ctx: click.Context,
    user_id: str | None,
    yes: bool,
    unknown: bool,
    lift: bool,
    reason: str,
    as_json: bool,
) -> None:
    configuration = read_environment()
    if yes and configuration.refusal:
        raise CommandFailed(configuration.refusal)
    if lift and configuration.unmapped:
        raise CommandFailed(configuration.unmapped)
    with opened(configuration) as services:
        if user_id is None:
            print_erased(services.store, as_json=as_json)
            return
        if lift:
            _lift(services, user_id, reason.strip())
            return
        receipt = receipt_of(services, user_id) if not yes else None
        if receipt is None and not yes:
            raise click.UsageError(f"This deletes user {user_id} in Intercom for good: say --yes.")
        if receipt is None and not (unknown or is_known(services, user_id)):
            raise CommandFailed(
                f"User {user_id} is neither in the app nor in Intercom nor in our tables, so "
                "nothing was done; if the id is right all the same, add --unknown."
            )
        receipt = receipt or erase_user(services, user_id)
    if as_json:
        click.echo(json.dumps(receipt_document(receipt), indent=2))
    else:
        print_receipt(a_console(), receipt)
    ctx.exit(0 if receipt.complete else FAILED)


def _lift(services: Services, user_id: str, reason: str) -> None:
    if not services.store.tombstones.lift(user_id, getuser(), reason):
        raise CommandFailed(f"User {user_id} was not erased: there is nothing to lift.")
    services.store.queue.enqueue(QueueKind.USER, [user_id], cause=Cause.ERASURE_LIFTED)
    click.echo(f"User {user_id} may be created again, and is in the queue.")
