"""How much of Intercom's limit the client uses, how often it is refused, what a call costs in CPU.

    python -m intercom_assets_tests.tools.benchmarks.client --processes 2 --windows 6

The simulator runs as a process of its own on a loopback port (in one process the interpreter's
lock would be measured); each client process calls from many threads, half reads and half writes.
Whole windows are counted, by the simulator. A command, not a timed test: figures depend on the
machine, the last line says whether they are within what was asked for.
"""

import argparse
import multiprocessing
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import pairwise
from multiprocessing.connection import Connection

from intercom_assets.domain.models import ContactPatch
from intercom_assets.intercom.client import IntercomClient
from intercom_assets.intercom.pool import Pool
from intercom_assets_tests.tools.benchmarks.simulated import TOKEN, Simulated, simulating

CONTACTS = 64


@dataclass(frozen=True)
class Load:
    processes: int
    threads: int
    share: float
    limit: int
    latency_ms: int
    windows: int


@dataclass(frozen=True)
class Used:
    """Of one client process: requests, and seconds of CPU of the whole process."""

    calls: int
    cpu: float


def main(arguments: list[str] | None = None) -> int:
    load = _load(arguments)
    with _simulator(load) as simulator, _workers(load, simulator.url) as pipes:
        accepted, refused = _observe(load, simulator)
        used = _stop(pipes)
    return _report(load, accepted, refused, used)


def _load(arguments: list[str] | None) -> Load:
    parser = argparse.ArgumentParser("python -m intercom_assets_tests.tools.benchmarks.client")
    parser.add_argument("--processes", type=int, default=1)
    parser.add_argument("--threads", type=int, default=32)
    parser.add_argument("--share", type=float, default=1.0)
    parser.add_argument("--limit", type=int, default=1666, help="calls per window of 10 seconds")
    parser.add_argument("--latency-ms", type=int, default=150)
    parser.add_argument("--windows", type=int, default=4, help="whole windows to measure")
    return Load(**vars(parser.parse_args(arguments)))


# --- the simulator, in a process of its own -------------------------------------------------------


@contextmanager
def _simulator(load: Load) -> Iterator[Simulated]:
    with simulating(rate_limit_per_window=load.limit, latency_ms=load.latency_ms) as simulator:
        simulator.control("contacts", {"count": CONTACTS})
        yield simulator


def _observe(load: Load, simulator: Simulated) -> tuple[list[int], int]:
    """Accepted calls of each whole window, and refused ones of all of them."""
    counts = [_at_next_window(simulator) for _ in range(load.windows + 2)][1:]
    accepted = [(b[0] - a[0]) - (b[1] - a[1]) for a, b in pairwise(counts)]
    return accepted, counts[-1][1] - counts[0][1]


def _at_next_window(simulator: Simulated) -> tuple[int, int]:
    """Calls and 429s so far, at the moment when a window has just begun."""
    stats = simulator.next_window()
    return stats["calls"] - stats["window"]["used"], stats["rate_limited"]


# --- the clients ----------------------------------------------------------------------------------


@contextmanager
def _workers(load: Load, url: str) -> Iterator[list[Connection]]:
    context = multiprocessing.get_context("spawn")
    pipes, processes = [], []
    for _ in range(load.processes):
        ours, theirs = context.Pipe()
        process = context.Process(target=_work, args=(load, url, theirs))
        process.start()
        pipes.append(ours)
        processes.append(process)
    try:
        yield pipes
    finally:
        for process in processes:
            process.join(30)
            process.terminate()


def _stop(pipes: list[Connection]) -> list[Used]:
    for pipe in pipes:
        pipe.send("stop")
    return [pipe.recv() for pipe in pipes]


def _work(load: Load, url: str, pipe: Connection) -> None:
    client = IntercomClient(TOKEN, url, rate_share=load.share, connections=load.threads)
    ids = [contact.id for page in client.list_contacts() for contact in page.items]
    stopped = threading.Event()
    threading.Thread(target=_stop_when_told, args=(pipe, stopped), daemon=True).start()

    def keep_calling(thread: int) -> None:
        scoped, turn = client.with_deadline(lambda: None), thread
        while not stopped.is_set():
            turn += 1
            contact_id = ids[turn % len(ids)]
            if turn % 2:
                scoped.get_contact(contact_id)
            else:
                scoped.update_contact(contact_id, ContactPatch({"name": f"User {turn}"}))

    before = time.process_time()
    with Pool(load.threads) as pool:
        outcomes = pool.run(keep_calling, range(load.threads))
    cpu = time.process_time() - before
    for outcome in outcomes:
        if error := getattr(outcome, "error", None):
            raise error
    pipe.send(Used(sum(client.counters().calls.values()), cpu))


def _stop_when_told(pipe: Connection, stopped: threading.Event) -> None:
    pipe.recv()
    stopped.set()


# --- the figures ----------------------------------------------------------------------------------


def _report(load: Load, accepted: list[int], refused: int, used: list[Used]) -> int:
    share = sum(accepted) / len(accepted) / (load.limit * load.share)
    refusals = 1000 * refused / (sum(accepted) + refused)
    cpu = 1000 * sum(each.cpu for each in used) / sum(each.calls for each in used)
    most = 1.0 if load.processes == 1 else 5.0
    _say(f"{load}")
    _say(f"accepted per window     {accepted}")
    _say(f"of the limit x share    {share:.1%}   (at least 95 %)")
    _say(f"429 per 1,000 calls     {refusals:.2f}   (at most {most:.0f})")
    _say(f"own CPU per call        {cpu:.2f} ms   (under 0.80)")
    good = share >= 0.95 and refusals <= most and cpu < 0.8
    _say("within what was asked for" if good else "NOT within what was asked for")
    return 0 if good else 1


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")


if __name__ == "__main__":
    sys.exit(main())
