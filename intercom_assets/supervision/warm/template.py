"""The template: loads what it is told to, then forks one child for each request, until its parent
is gone.

A program of its own, or a fork of a process that has loaded most of it already and shares its
memory; reached by one socket that it inherits: nothing listens. It has one thread and no connection
when it forks, or says that it has and is not used. Must not: anything after its loading but wait,
fork and reap; its children outlive it.

    parent to template   length, pickled (preparation of multiprocessing's, what to call, with what)
    template to parent   length, a sentence: why it is unfit; empty if it is ready
    parent to template   one byte, with it the descriptors: data, status, and those of the process
    template to parent   the child's process id; then, over `status`, its exit code
"""

import gc
import logging
import os
import pickle
import select
import signal
import socket
import sys
import threading
import traceback
from collections.abc import Callable, Sequence
from contextlib import suppress
from multiprocessing import spawn
from pathlib import Path
from struct import Struct
from typing import Any, NoReturn

LENGTH = Struct("!I")
NUMBER = Struct("!q")
FORK = b"f"
MOST_DESCRIPTORS = 64
SHOWN_AS, CHILD_SHOWN_AS = "warm-template", "warm-run"
"""Names in `ps -o comm`: their command line may be that of whom they were forked from."""
_STANDARD = 2

inherited: list[int] = []
"""In a child: the descriptors that came with it, in the order in which they were asked for."""


def main(descriptor: int) -> None:
    """`descriptor`: of the socket to the parent."""
    channel = socket.socket(fileno=descriptor)
    _show_as(SHOWN_AS)
    try:
        _load(channel)
        unfit = unfit_to_fork(channel.fileno())
    except EOFError:
        return  # its parent is gone before it had anything to load
    except Exception as error:
        traceback.print_exc()
        unfit = f"{type(error).__name__} while it loaded"
    sentence = unfit.encode()
    gc.collect()
    gc.freeze()
    with suppress(BrokenPipeError):  # the parent is gone, or waits no longer
        channel.sendall(LENGTH.pack(len(sentence)) + sentence)
        if not unfit:
            _Forking(channel).until_the_parent_is_gone()


def forked_from_here(channel: socket.socket, parents: socket.socket) -> int:
    """The id of a template that is a fork of this process. In it, this never returns.

    What was being imported here is imported there anew, once it is told what to load.
    """
    gc.collect()
    gc.freeze()
    child = os.fork()
    if child:
        return child
    try:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        signal.signal(signal.SIGINT, signal.default_int_handler)
        parents.close()
        for name, module in list(sys.modules.items()):
            if getattr(getattr(module, "__spec__", None), "_initializing", False):
                del sys.modules[name]
        main(channel.detach())
    finally:
        os._exit(0)


def unfit_to_fork(channel: int | None = None) -> str:
    """What a child must not inherit, as half a sentence; empty if there is nothing of it."""
    threads, opened = threading.active_count(), []
    if (tasks := Path("/proc/self/task")).exists():
        threads = len(list(tasks.iterdir()))
        opened = [number for number in _descriptors() if _is_socket(number) and number != channel]
    if threads > 1:
        return f"{threads} threads run in it"
    return f"{len(opened)} connections are open in it" if opened else ""


def received(channel: socket.socket) -> bytes:
    """A message with its length before it. Raises `EOFError` once the other side is gone."""
    [length] = LENGTH.unpack(_exactly(channel, LENGTH.size))
    return _exactly(channel, length)


def _exactly(channel: socket.socket, size: int) -> bytes:
    parts = bytearray()
    while len(parts) < size:
        part = channel.recv(size - len(parts))
        if not part:
            raise EOFError("the other side is gone")
        parts += part
    return bytes(parts)


def _load(channel: socket.socket) -> None:
    load, arguments = _unpickled(received(channel))
    load(*arguments)


def _unpickled(message: bytes) -> tuple[Callable[..., object], Sequence[object]]:
    """What is to be called can be found only where the parent's modules are found."""
    preparation, called = pickle.loads(message)
    spawn.prepare(preparation)
    load, arguments = pickle.loads(called)
    return load, arguments


def _show_as(name: str) -> None:
    with suppress(OSError):
        Path("/proc/self/comm").write_text(name)


def _descriptors() -> list[int]:
    return [int(entry.name) for entry in Path("/proc/self/fd").iterdir()]


def _is_socket(number: int) -> bool:
    if number <= _STANDARD:
        return False
    try:
        return os.readlink(f"/proc/self/fd/{number}").startswith("socket:")
    except OSError:
        return False


class _Forking:
    """`statuses`: child -> where its exit code is wanted. A child holds its own too, so that its
    parent sees it end also where the template is gone; those of others it closes."""

    def __init__(self, channel: socket.socket) -> None:
        self._channel = channel
        self._statuses: dict[int, int] = {}
        self._woken, self._wakes = os.pipe()
        os.set_blocking(self._woken, False)
        os.set_blocking(self._wakes, False)
        signal.set_wakeup_fd(self._wakes)
        self._handlers: dict[int, Any] = {
            signal.SIGCHLD: signal.signal(signal.SIGCHLD, lambda *_: None),
            signal.SIGINT: signal.signal(signal.SIGINT, signal.SIG_IGN),
        }

    def until_the_parent_is_gone(self) -> None:
        while True:
            ready, _, _ = select.select([self._channel.fileno(), self._woken], [], [])
            if self._woken in ready:
                os.read(self._woken, 65_536)
                self._reap()
            if self._channel.fileno() in ready:
                try:
                    asked, descriptors, _, _ = socket.recv_fds(
                        self._channel, len(FORK), MOST_DESCRIPTORS
                    )
                    if asked != FORK:
                        return
                    self._fork(descriptors)
                except (BrokenPipeError, ConnectionResetError):
                    return

    def _fork(self, descriptors: list[int]) -> None:
        data, status, *others = descriptors
        child = os.fork()
        if child == 0:
            self._become(data, status, others)
        self._statuses[child] = status
        for number in (data, *others):
            os.close(number)
        self._channel.sendall(NUMBER.pack(child))

    def _become(self, data: int, status: int, others: list[int]) -> NoReturn:
        """The child: a process of multiprocessing's, once its data comes. Never returns."""
        code = 1
        try:
            self._leave_the_template()
            os.set_inheritable(status, False)
            inherited[:] = others
            code = spawn._main(data, os.dup(data))
        except EOFError:
            code = 0  # it was not wanted any more
        except BaseException:
            traceback.print_exc()
        finally:
            logging.shutdown()
            with suppress(OSError, ValueError):
                sys.stdout.flush()
                sys.stderr.flush()
            os._exit(code)

    def _leave_the_template(self) -> None:
        signal.set_wakeup_fd(-1)
        for number, handler in self._handlers.items():
            signal.signal(number, handler)
        self._channel.close()
        for number in (self._woken, self._wakes, *self._statuses.values()):
            os.close(number)
        _show_as(CHILD_SHOWN_AS)

    def _reap(self) -> None:
        while self._statuses:
            child, ended = os.waitpid(-1, os.WNOHANG)
            if child == 0:
                return
            status = self._statuses.pop(child)
            with suppress(BrokenPipeError):
                os.write(status, NUMBER.pack(os.waitstatus_to_exitcode(ended)))
            os.close(status)
