"""A demo's world for `lone_change`, run as a program: up until its standard input ends.

    PYTHON lone_world.py USERS [LAUNCHER]

Run by the Python of whichever installation is measured, so it may use only what older ones have
too. Prints one line of JSON once everybody is synced: where the world is. LAUNCHER `default`
leaves Dagster's own run launcher in place. Must not: measure.
"""

import json
import sys
from dataclasses import asdict, fields, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import yaml

from intercom_assets.demo import world as demo_world
from intercom_assets.demo.runner import settle
from intercom_assets.demo.sample_app import seed
from intercom_assets.demo.sample_people import AWKWARD_TEAMS
from intercom_assets.demo.world import DemoOptions, World, running_world
from intercom_assets.launch.services import DAGSTER_YAML
from intercom_assets.supervision.interrupts import Interrupts
from intercom_assets.supervision.process_groups import wait_until

SYNCED_WITHIN_S = 300.0
AS_SHIPPED = "sensor_wait_seconds: 40"
"""The demo's own ticks are short, so that there is something to see."""


def main(users: int, launcher: str) -> None:
    demo_world.SETTINGS = f"\n{AS_SHIPPED}\n"
    with TemporaryDirectory() as beside:
        if launcher == "default":
            setattr(demo_world, "DAGSTER_YAML", _without_our_launcher(Path(beside)))  # noqa: B010
        _run(users)


def _run(users: int) -> None:
    with running_world(_options(), Interrupts(), _note) as world:
        seed(world.addresses.app_database, users, teams=len(AWKWARD_TEAMS) + 1)
        if not wait_until(lambda: _everybody_synced(world, users), SYNCED_WITHIN_S):
            raise RuntimeError("the first sync did not end")
        place = {"place": str(world.place)}
        sys.stdout.write(json.dumps(place | asdict(world.addresses)) + "\n")
        sys.stdout.flush()
        sys.stdin.read()


def _options() -> DemoOptions:
    """Without webhooks, which older installations know nothing of."""
    options = DemoOptions(schedules=False)
    knows_webhooks = "webhooks" in {field.name for field in fields(DemoOptions)}
    return replace(options, webhooks=False) if knows_webhooks else options


def _everybody_synced(world: World, users: int) -> bool:
    """All but a few of the awkward people, who are no contacts."""
    return len(world.sides.intercom.contacts()) >= 0.9 * users and settle(world.sides)


def _without_our_launcher(folder: Path) -> Path:
    settings: dict[str, Any] = yaml.safe_load(DAGSTER_YAML.read_text("utf-8"))
    settings.pop("run_launcher", None)
    file = folder / "dagster.yaml"
    file.write_text(yaml.safe_dump(settings, sort_keys=False))
    return file


def _note(sentence: str) -> None:
    sys.stderr.write(f"{sentence}\n")


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2] if len(sys.argv) > 2 else "")
