"""The template of a process: started when it is first wanted, watched, replaced when out of date.

Nobody waits for one: while it loads, and whenever it fails, there is none, and why is said once.
Must not: know what is loaded, or what is forked from it (`processes.py`).
"""

import logging
import os
import pickle
import select
import signal
import socket
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing import spawn, util
from struct import error as StructError
from threading import Lock
from typing import TypeVar

from intercom_assets.supervision.warm import template as program
from intercom_assets.supervision.warm.template import (
    FORK,
    LENGTH,
    NUMBER,
    received,
    unfit_to_fork,
)

T = TypeVar("T")
ANSWERS_WITHIN_S = 5.0
"""A template only forks; one that does not answer in time is ended, and its child with it."""
LOADS_WITHIN_S = 300.0
TRIES_AGAIN_AFTER_S = 60.0
"""After one that failed while it loaded, unless what it is made of has changed meanwhile."""
PROGRAM = f"from {program.__name__} import main; main({{}})"
"""Not with `-m`: what runs is then the module itself, whose `inherited` its children read."""


class NoTemplate(Exception):
    """Half a sentence: why a process cannot be forked now."""


@dataclass(frozen=True, slots=True)
class Loading:
    """What a template calls to be ready: importable there by name. `state` is asked before each
    fork: a value that differs once the template is out of date."""

    load: Callable[..., object]
    arguments: Sequence[object]
    state: Callable[[], object]


class Template:
    """One template, from its start on. Not for two threads at once.

    `state`: of what it is made of.
    """

    def __init__(self, pid: int, channel: socket.socket, state: object) -> None:
        self.pid, self.state = pid, state
        self.was_ready = False
        self._channel, self._told_at = channel, 0.0
        channel.settimeout(ANSWERS_WITHIN_S)

    @classmethod
    def started(cls, state: object) -> "Template":
        """A new program."""
        ours, theirs = socket.socketpair()
        command = [sys.executable, *util._args_from_interpreter_flags()]  # type: ignore[attr-defined]
        with theirs:
            pid = util.spawnv_passfds(
                os.fsencode(sys.executable),
                [*command, "-c", PROGRAM.format(theirs.fileno())],
                [theirs.fileno()],
            )
        return cls(pid, ours, state)

    @classmethod
    def forked_from_here(cls, state: object) -> "Template | None":
        """A fork of this process, whose memory it shares; None if that must not be forked."""
        if not can_fork() or unfit_to_fork():
            return None
        ours, theirs = socket.socketpair()
        with theirs:
            return cls(program.forked_from_here(theirs, ours), ours, state)

    def load(self, loading: Loading) -> None:
        """Has it begin to load, the first time that it is asked to."""
        if self._told_at:
            return
        self._told_at = time.monotonic()
        preparation = spawn.get_preparation_data("template")
        del preparation["authkey"]  # each child gets it with its own
        message = pickle.dumps((preparation, pickle.dumps((loading.load, loading.arguments))))
        with suppress(OSError):  # it is gone, which is noticed when it is asked
            self._channel.sendall(LENGTH.pack(len(message)) + message)

    def is_ready(self) -> bool:
        """False while it loads. Raises `NoTemplate` if it will never be."""
        if self.was_ready:
            return True
        if not _readable(self._channel, 0):
            if time.monotonic() - self._told_at > LOADS_WITHIN_S:
                raise NoTemplate(f"nothing was loaded within {LOADS_WITHIN_S:.0f} s")
            return False
        try:
            unfit = received(self._channel).decode()
        except (OSError, EOFError):
            raise NoTemplate(
                "the process that had everything loaded ended while it loaded"
            ) from None
        if unfit:
            raise NoTemplate(f"the process that has everything loaded cannot be forked: {unfit}")
        self.was_ready = True
        return True

    def fork(self, descriptors: Sequence[int]) -> int:
        """The id of a child, which waits for its data. Raises `NoTemplate` if there is none."""
        try:
            socket.send_fds(self._channel, [FORK], descriptors)
            if not _readable(self._channel, ANSWERS_WITHIN_S):
                raise NoTemplate(
                    "the process that has everything loaded did not answer within "
                    f"{ANSWERS_WITHIN_S:.0f} s"
                )
            [child] = NUMBER.unpack(self._channel.recv(NUMBER.size, socket.MSG_WAITALL))
        except (OSError, StructError):
            raise NoTemplate("the process that had everything loaded ended") from None
        return int(child)

    def end(self) -> None:
        """Its children go on. One that stands still is ended all the same."""
        self._channel.close()
        with suppress(ProcessLookupError, ChildProcessError):
            os.kill(self.pid, signal.SIGKILL)
            os.waitpid(self.pid, 0)


class Templates:
    """The template of a process, replaced when it is out of date. For any thread."""

    def __init__(
        self, loading: Loading, log: logging.Logger, first: Template | None = None
    ) -> None:
        self._loading, self._log = loading, log
        self._lock = Lock()
        self._template = first
        self._failed: tuple[object, float] | None = None
        self._said: set[str] = set()

    @property
    def pid(self) -> int | None:
        """Of the present template."""
        return self._template.pid if self._template else None

    def use(self, work: Callable[[Template], T]) -> T | None:
        """What `work` makes of the template; None if there is none, or it failed."""
        with self._lock:
            try:
                template = self._ready()
                return None if template is None else work(template)
            except NoTemplate as error:
                self._say(str(error))
                self._replace_failed()
        return None

    def replace(self) -> None:
        """The next process begins a new one."""
        with self._lock:
            self._drop()

    def _ready(self) -> Template | None:
        if not can_fork():
            raise NoTemplate("processes are forked on Linux only")
        state = self._loading.state()
        if self._template is not None and self._template.state != state:
            self._drop()
        if self._template is None:
            self._start(state)
        if self._template is None:
            return None
        self._template.load(self._loading)
        return self._template if self._template.is_ready() else None

    def _start(self, state: object) -> None:
        if self._failed is not None:
            failed, at = self._failed
            if failed == state and time.monotonic() - at < TRIES_AGAIN_AFTER_S:
                return
        self._failed = None
        self._template = Template.started(state)
        self._template.load(self._loading)

    def _drop(self) -> None:
        if self._template is not None:
            self._template.end()
        self._template = None

    def _replace_failed(self) -> None:
        """At once if it had worked; one that never did would fail again."""
        if (failed := self._template) is not None:
            self._drop()
            if failed.was_ready:
                self._start(failed.state)
            else:
                self._failed = (failed.state, time.monotonic())

    def _say(self, reason: str) -> None:
        if reason not in self._said:
            self._said.add(reason)
            self._log.warning(
                "Runs start as new processes, which takes some seconds longer: %s.", reason
            )


def can_fork() -> bool:
    """On Linux. Elsewhere there is no fork, or libraries of the system do not survive one."""
    return sys.platform == "linux" and hasattr(os, "fork")


def _readable(channel: socket.socket, seconds: float) -> bool:
    ready, _, _ = select.select([channel], [], [], seconds)
    return bool(ready)
