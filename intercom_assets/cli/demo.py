"""`demo`: the whole thing at work, on a world of its own that leaves nothing behind.

Belongs here: the three ways to run it, and their exit codes. Must not: starting processes
(`demo/world.py`), running and checking steps (`demo/runner.py`, `demo/scenario.py`), what is
printed (`cli/output/demo.py`).
"""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from threading import Event, Thread

import click

from intercom_assets.cli.failures import FAILED, CommandFailed
from intercom_assets.cli.output.demo import Narrator, all_held, print_addresses, print_scenario
from intercom_assets.demo.addresses import addresses_of
from intercom_assets.demo.runner import (
    STEP_TIMEOUT_S,
    StepResult,
    play_changes,
    play_everybody,
    play_quiet,
)
from intercom_assets.demo.sample_app import seed, wander
from intercom_assets.demo.world import DemoOptions, World, running_world
from intercom_assets.supervision.interrupts import Interrupts


def demo(
    ctx: click.Context,
    once: bool,
    stay: bool,
    data_dir: Path | None,
    database_url: str | None,
    letters: tuple[str, ...],
    patience: float | None,
) -> None:
    patience = STEP_TIMEOUT_S if patience is None else patience
    if letters and data_dir:
        ctx.exit(_play_on_a_running_one(letters, data_dir, patience))
    wishes = DemoOptions(data_dir, database_url, webserver=stay or not once, schedules=not once)
    ctx.exit(_played_once(wishes, stay, patience) if once else _left_running(wishes, patience))


def _play_on_a_running_one(letters: Sequence[str], data_dir: Path, patience: float) -> int:
    results = play_changes(addresses_of(data_dir).sides(), letters, patience)
    print_scenario(results)
    return 0 if all_held(results) else FAILED


def _played_once(wishes: DemoOptions, stay: bool, patience: float) -> int:
    """The whole story on a world of its own; 0 only if every expectation held."""
    results: list[StepResult] = []

    def play(world: World, narrator: Narrator) -> None:
        results.extend(_story(world, narrator, patience))
        print_scenario(results)
        if stay:
            print_addresses(world.addresses)
            _watch(world)

    if not _in_a_world(wishes, play) and not results:
        raise CommandFailed("Stopped before the story had ended; nothing is left running.")
    return 0 if all_held(results) else FAILED


def _left_running(wishes: DemoOptions, patience: float) -> int:
    """Until it is interrupted, which is how it is meant to end."""

    def play(world: World, narrator: Narrator) -> None:
        url = world.addresses.app_database
        play_everybody(world.sides, lambda: seed(url), patience)
        narrator("Everybody was synced")
        print_addresses(world.addresses)
        with _signs_of_life(url):
            _watch(world)

    _in_a_world(wishes, play)
    return 0


def _in_a_world(wishes: DemoOptions, play: Callable[[World, Narrator], None]) -> bool:
    """Whether it came to its end without being interrupted; either way everything is stopped."""
    interrupts, narrator = Interrupts(), Narrator()
    with interrupts.listening():
        try:
            with running_world(wishes, interrupts, narrator) as world:
                play(world, narrator)
        except KeyboardInterrupt:
            narrator("Everything is stopped")
            return False
    narrator("Everything is stopped")
    return True


def _story(world: World, narrator: Narrator, patience: float) -> list[StepResult]:
    sides = world.sides
    first = play_everybody(sides, lambda: seed(world.addresses.app_database), patience)
    narrator("Everybody was synced; now six things happen at once")
    changes = play_changes(sides, (), patience)
    narrator("Now nothing must happen for two ticks of every sensor")
    return [first, *changes, play_quiet(sides, patience)]


@contextmanager
def _signs_of_life(url: str) -> Iterator[None]:
    """Something small happens in the app every so often."""
    stop = Event()
    walk = Thread(target=wander, args=(url, stop), daemon=True)
    walk.start()
    try:
        yield
    finally:
        stop.set()
        walk.join()


def _watch(world: World) -> None:
    while True:
        world.processes.require_all()
        time.sleep(1)
