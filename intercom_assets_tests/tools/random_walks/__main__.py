"""Walks by command: many seeds, each in a database of its own; what breaks is shrunk and told."""

import argparse
import logging
import secrets
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from intercom_assets.demo.databases import Databases
from intercom_assets.supervision.postgres import EmbeddedPostgres
from intercom_assets_tests.places import roomy_place
from intercom_assets_tests.template import fill_template
from intercom_assets_tests.tools.random_walks.script import Walk, a_walk
from intercom_assets_tests.tools.random_walks.shrinking import shrunk
from intercom_assets_tests.tools.random_walks.walking import Broken, take


@dataclass(frozen=True)
class Worlds:
    """Takes walks, each in a copy of `template`."""

    databases: Databases
    template: str

    def what_breaks(self, walk: Walk) -> str | None:
        name = f"{self.databases.prefix}{secrets.token_hex(6)}"
        url = self.databases.copy(self.template, name)
        try:
            with tempfile.TemporaryDirectory() as folder:
                take(walk, url, Path(folder) / "mapping")
        except Broken as broken:
            return str(broken)
        finally:
            self.databases.drop(name)
        return None


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description="Random walks over both sides, judged.")
    parser.add_argument("--seeds", default="0-50", metavar="FIRST-LAST")
    parser.add_argument("--seconds", type=float, default=600.0, help="begin no walk after these")
    parser.add_argument("--shrink", type=float, default=60.0, help="seconds for each broken walk")
    parser.add_argument("--bulk", action="store_true", help="calls of many items in every walk")
    chosen = parser.parse_args(arguments)
    first, last = map(int, chosen.seeds.split("-"))
    logging.disable(logging.CRITICAL)  # scripted faults are warned of by the thousand
    end, walked, broken = time.monotonic() + chosen.seconds, 0, 0
    with _worlds() as worlds:
        for seed in range(first, last + 1):
            if time.monotonic() > end:
                break
            walked += 1
            broken += _broke(worlds, a_walk(seed, bulk=chosen.bulk or None), chosen.shrink)
    sys.stdout.write(f"{walked} walks, {broken} broken\n")
    return 1 if broken else 0


def _broke(worlds: Worlds, walk: Walk, seconds: float) -> bool:
    found = worlds.what_breaks(walk)
    if found is None:
        return False
    smallest = shrunk(walk, worlds.what_breaks, found, seconds)
    sys.stdout.write(f"--- {found}\n{smallest.told()}\n=> {worlds.what_breaks(smallest)}\n")
    sys.stdout.flush()
    return True


@contextmanager
def _worlds() -> Iterator[Worlds]:
    token = secrets.token_hex(4)
    server = EmbeddedPostgres(roomy_place() / f"intercom-assets-tests-{token}", durable=False)
    server.start()
    try:
        with Databases(server.url(), prefix=f"intercom_assets_test_{token}_") as databases:
            template = f"{databases.prefix}template"
            fill_template(databases.create(template))
            databases.freeze(template)
            yield Worlds(databases, template)
    finally:
        server.remove()


if __name__ == "__main__":
    raise SystemExit(main())
