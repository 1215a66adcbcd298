"""A code location for `test_run_launcher.py`: jobs that say which process they run in.

Must not: anything of the sync, which needs a second to load.
"""

import os
import threading
import time
from pathlib import Path

import dagster as dg

from intercom_assets.orchestration.internals.warm_runs import serve_warm_runs

FOLDER = Path(os.environ["WARM_FOLDER"])
"""Where runs write; below it `mapping`, which the location is made of."""
PROMISED = (FOLDER / "mapping" / "promised").read_text()
"""As it was when this was loaded."""

if "WARM_WITHOUT_FORK" in os.environ:
    del os.fork
if "WARM_THREAD" in os.environ:
    threading.Thread(target=threading.Event().wait, daemon=True).start()


@dg.op
def says_where_it_runs(context: dg.OpExecutionContext) -> None:
    facts = [os.getpid(), os.getppid(), PROMISED, os.environ.get("WARM_COLOUR", "")]
    (FOLDER / context.run_id).write_text("\n".join(map(str, facts)))
    print("printed by the run")  # noqa: T201 - as a run's code may


@dg.op
def waits(context: dg.OpExecutionContext) -> None:
    (FOLDER / context.run_id).write_text(str(os.getpid()))
    while not (FOLDER / "go").exists():
        time.sleep(0.02)


@dg.job(executor_def=dg.in_process_executor)
def short() -> None:
    says_where_it_runs()


@dg.job(executor_def=dg.in_process_executor)
def long() -> None:
    waits()


serve_warm_runs(FOLDER / "mapping")
defs = dg.Definitions(jobs=[short, long])
