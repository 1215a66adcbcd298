#!/usr/bin/env bash
# Version:   Python 3.11.7 on Linux, `multiprocessing.get_context("forkserver")`
# Behaviour: when the fork server is killed, every process that it started counts as dead in its parent:
#            `is_alive()` is False and `exitcode` 255 at once, and `join()` returns, while the process
#            works on.
# Guess:     `is_alive()` tells whether the process is alive, whoever forked it.
# Seen:      the child is alive for the system, and dead, with exit code 255, for its `Process`.
set -euo pipefail
work=$(mktemp -d); trap 'rm -rf "$work"' EXIT
cat > "$work/program.py" <<'PY'
import multiprocessing
import os
import signal
import time
from pathlib import Path


def work(go_on: str) -> None:
    while Path(go_on).exists():
        time.sleep(0.05)


if __name__ == "__main__":
    file = Path(__file__).with_name("go_on")
    file.touch()
    process = multiprocessing.get_context("forkserver").Process(target=work, args=[str(file)])
    process.start()
    server = int(Path(f"/proc/{process.pid}/stat").read_text().rpartition(")")[2].split()[1])
    os.kill(server, signal.SIGKILL)
    process.join(10)
    state = Path(f"/proc/{process.pid}/stat").read_text().rpartition(")")[2].split()[0]
    print(f"alive for its Process: {process.is_alive()}, exit code {process.exitcode};",
          f"alive for the system: {state not in 'ZX'}")
    file.unlink()
PY
seen=$(python3 "$work/program.py")
echo "$seen"
[[ $seen == "alive for its Process: False, exit code 255; alive for the system: True" ]] ||
    { echo "This has changed."; exit 1; }
