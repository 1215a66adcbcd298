"""Process groups: whether one is empty, and how to make it so.

Belongs here: signals and waiting. A group is that of a process that was started as its leader; its
number is the leader's process id.
Must not: knowing what the processes are.
"""

import os
import signal
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

GRACE_SECONDS = 10.0
"""For what a process does when it is interrupted; Dagster's services take up to 5."""
GROUP_SECONDS = 3.0
"""For what a process leaves behind, such as Dagster's code servers."""


def end_group(group: int, leader_lives: Callable[[], bool]) -> None:
    """Interrupts the leader, gives it time to end the others, and then ends whatever is left."""
    if leader_lives():
        with suppress(ProcessLookupError):
            os.kill(group, signal.SIGINT)
        wait_until(lambda: not leader_lives(), GRACE_SECONDS, every=0.05)
    for sent in (signal.SIGTERM, signal.SIGKILL):
        if group_is_empty(group):
            break
        with suppress(ProcessLookupError):
            os.killpg(group, sent)
        wait_until(lambda: group_is_empty(group), GROUP_SECONDS, every=0.05)


def group_is_empty(group: int) -> bool:
    """Whether no process of `group` lives. A zombie that nobody reaps does not."""
    if Path("/proc/self/stat").exists():
        return not any(_lives_in(group, stat) for stat in Path("/proc").glob("[0-9]*/stat"))
    try:
        os.killpg(group, 0)
    except (ProcessLookupError, PermissionError):
        # macOS forbids to signal a group that has nothing but zombies.
        return True
    return False


def _lives_in(group: int, stat: Path) -> bool:
    try:
        state, _parent, its_group, *_rest = stat.read_text().rpartition(")")[2].split()
    except (OSError, ValueError):
        return False
    return int(its_group) == group and state not in "ZX"


def wait_until(condition: Callable[[], bool], seconds: float, every: float = 0.1) -> bool:
    """Whether `condition` came true within `seconds`."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(every)
    return True
