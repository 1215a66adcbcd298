"""What webhooks bring and cost: notifications taken, edits in the app, echoes. Real processes.

The listener is held to one core. For edits a whole demo runs, its simulator's index 30 s behind as
Intercom's is: first polling alone, then webhooks, which come 0.2 s after the edit.
"""

import os
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from statistics import median, quantiles

import psycopg

from intercom_assets.demo.runner import settle
from intercom_assets.demo.sample_app import seed
from intercom_assets.demo.sample_people import AWKWARD_TEAMS, AWKWARD_USERS
from intercom_assets.demo.world import World as DemoWorld
from intercom_assets.demo.world import listen
from intercom_assets.supervision.process_groups import wait_until
from intercom_assets_tests.inbound.processes import ListeningProcess, a_listening_process
from intercom_assets_tests.tools.benchmarks import live
from intercom_assets_tests.tools.benchmarks.figures import Figure
from intercom_assets_tests.tools.benchmarks.lab import Lab, World
from intercom_assets_tests.tools.benchmarks.simulated import NO_LIMIT, TOKEN, Asked, Simulated
from intercom_assets_tests.tools.benchmarks.webhook_posts import Answers, bodies, post_all

A_SECOND, FOR_S, BURST, FORGED = 200, 20, 10_000, 10_000
EDITS, BETWEEN_EDITS_S = 10, 2.0
INDEX_LAG_S = 30
OF_INTERCOM = "{name: intercom}"
ARRIVES_WITHIN_S, POLL_INTERVAL_S = 240.0, 0.05
READS = ("GET /contacts/{id}", "GET /companies/{id}")


def measure(lab: Lab, users: int) -> Iterator[Figure]:
    """Notifications about this many users, all in step."""
    with lab.world(users, **NO_LIMIT) as world:
        _sync_everybody(world)
        with a_listening_process(world.url) as process:
            os.sched_setaffinity(process.popen.pid, {min(os.sched_getaffinity(0))})
            yield from _taken(process, world)
            yield from _refused(process)


def _sync_everybody(world: World) -> None:
    env = {
        **os.environ,
        "APP_DATABASE_URL": world.url,
        "INTERCOM_BASE_URL": world.simulator.url,
        "INTERCOM_ACCESS_TOKEN": TOKEN,
        "INTERCOM_SYNC_ENABLED": "true",
        "INTERCOM_SYNC_CONFIG": str(world.mapping),
    }
    command = [sys.executable, "-m", "intercom_assets.cli.main", "sync", "--all"]
    subprocess.run(command, env=env, check=True, stdout=subprocess.DEVNULL)


def _taken(process: ListeningProcess, world: World) -> Iterator[Figure]:
    steady = bodies(world.simulator.url, A_SECOND * FOR_S, edited=True)
    answers = post_all(process.url, steady, A_SECOND)
    yield from _of_answers(f"{A_SECOND} a second", answers, len(steady), "under 50")
    burst = bodies(world.simulator.url, BURST, edited=True)
    before = _cpu_s(process)
    answers = post_all(process.url, burst, None)
    cpu = (_cpu_s(process) - before) / BURST
    yield from _of_answers(f"a burst of {BURST:,}", answers, len(burst), "")
    yield Figure(f"a burst of {BURST:,}: a second", BURST / answers.whole, "", f"{A_SECOND}")
    yield Figure(f"a burst of {BURST:,}: the listener's CPU for each", 1e3 * cpu, "ms", "under 5")
    with psycopg.connect(world.url) as connection:
        row = connection.execute("select count(*) from intercom_sync.notification").fetchone()
    lost = len(steady) + len(burst) - (int(row[0]) if row else 0)
    yield Figure("answered with 200 and not in our tables", lost, "", "0")


def _of_answers(what: str, answers: Answers, sent: int, target: str) -> Iterator[Figure]:
    yield Figure(f"{what}: not answered with 200", sent - answers.statuses[200], "", "0")
    yield Figure(f"{what}: median answer", 1e3 * median(answers.seconds), "ms", target)
    yield Figure(f"{what}: 99th percentile", 1e3 * quantiles(answers.seconds, n=100)[-1], "ms")


def _refused(process: ListeningProcess) -> Iterator[Figure]:
    """Signed with another secret: each body is read and hashed, and nothing else."""
    before = _resident_mb(process)
    began = time.monotonic()
    forged = [b'{"topic": "ping", "n": %d}' % n for n in range(FORGED)]
    answers = post_all(process.url, forged, None, secret=b"another")
    yield Figure("forged, refused a second", FORGED / (time.monotonic() - began))
    yield Figure("forged, not refused", FORGED - answers.statuses[401], "", "0")
    yield Figure("forged: memory grown", _resident_mb(process) - before, "MB", "under 5")


def _cpu_s(process: ListeningProcess) -> float:
    with open(f"/proc/{process.popen.pid}/stat") as file:
        fields = file.read().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _resident_mb(process: ListeningProcess) -> float:
    with open(f"/proc/{process.popen.pid}/statm") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1e6


# --- edits, and echoes ----------------------------------------------------------------------------


def measure_edits(_: Lab, users: int) -> Iterator[Figure]:
    """Names are edited in Intercom, and looked for in the app."""
    with live.demo_world(webhooks=False, sensor_wait_seconds=40, fields=OF_INTERCOM) as world:
        seed(world.addresses.app_database, users, teams=len(AWKWARD_TEAMS) + 1)
        if not wait_until(lambda: _everybody_synced(world, users), ARRIVES_WITHIN_S):
            raise RuntimeError("the first sync did not end")
        simulated = Simulated(world.addresses.simulator)
        simulated.control("settings", {"index_delay_s": INDEX_LAG_S})
        polled = _edits(world, "polled", 0)
        listen(world)
        simulated.control("webhooks", {"fire_on_api_writes": True})
        told = _edits(world, "told", EDITS)
        echoes = _reads_for_echoes(world, simulated, users)
    yield from _of_edits("polling alone", polled)
    yield from _of_edits("with webhooks", told)
    yield Figure(
        "with webhooks against polling alone", median(told) / median(polled), "times", "at most 0.1"
    )
    yield Figure("reads for echoes of our own writes", echoes, "calls", "0")


def _everybody_synced(world: DemoWorld, users: int) -> bool:
    """All but a few of the awkward people, who are no contacts."""
    return len(world.sides.intercom.contacts()) >= 0.9 * users and settle(world.sides)


def _edits(world: DemoWorld, word: str, first: int) -> list[float]:
    """Seconds from each edit to the app."""
    chosen = [str(len(AWKWARD_USERS) + 1 + first + n) for n in range(EDITS)]
    began: dict[str, float] = {}
    ended: dict[str, float] = {}
    for user in chosen:
        contact = world.sides.intercom.contact(external_id=user)
        assert contact is not None
        world.sides.intercom.operate("edit_contact", contact=contact["id"], name=f"{word} {user}")
        began[user] = time.monotonic()
        while time.monotonic() < began[user] + BETWEEN_EDITS_S:
            _note(world, word, began, ended)
            time.sleep(POLL_INTERVAL_S)
    if not wait_until(
        lambda: _note(world, word, began, ended), ARRIVES_WITHIN_S, every=POLL_INTERVAL_S
    ):
        raise RuntimeError(f"{len(began) - len(ended)} edits did not reach the app")
    return [ended[user] - began[user] for user in chosen]


def _note(world: DemoWorld, word: str, began: dict[str, float], ended: dict[str, float]) -> bool:
    """Which have arrived; whether all of them have."""
    rows = world.sides.app.rows(
        "select id::text as id, name from users where name like %s", f"{word} %"
    )
    for row in rows:
        if row["id"] in began:
            ended.setdefault(row["id"], time.monotonic())
    return len(ended) == len(began)


def _reads_for_echoes(world: DemoWorld, simulated: Simulated, users: int) -> float:
    """Everybody changes in the app once; what is read by id then is for webhooks of our writes."""
    if not wait_until(lambda: settle(world.sides), ARRIVES_WITHIN_S):
        raise RuntimeError("the two sides did not settle")
    before = simulated.asked()
    world.sides.app.do("update users set sessions_this_month = sessions_this_month + 1")
    if not wait_until(lambda: _written(simulated, before) >= 0.9 * users, ARRIVES_WITHIN_S):
        raise RuntimeError("the changes did not reach Intercom")
    time.sleep(5.0)  # the webhooks of the last writes come after 0.2 s
    if not wait_until(lambda: settle(world.sides), ARRIVES_WITHIN_S):
        raise RuntimeError("the two sides did not settle")
    calls = simulated.asked().since(before).by_endpoint
    return float(sum(calls.get(name, 0) for name in READS))


def _written(simulated: Simulated, before: Asked) -> int:
    calls = simulated.asked().since(before).by_endpoint
    return sum(count for name, count in calls.items() if name.startswith("PUT"))


def _of_edits(what: str, seconds: Sequence[float]) -> Iterator[Figure]:
    yield Figure(f"{what}: edit to app, median", median(seconds), "s")
    yield Figure(f"{what}: edit to app, slowest", max(seconds), "s")
