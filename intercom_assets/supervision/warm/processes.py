"""Processes of multiprocessing's that are forked from a template, or spawned where none is ready.

`WarmContext` is used like `multiprocessing.get_context("spawn")`, and what it starts is watched and
ended like any other process of multiprocessing's. Must not: know what is loaded, or when a template
is out of date (`templates.py`).
"""

import io
import os
from multiprocessing import context, popen_fork, popen_spawn_posix, reduction, spawn, util
from multiprocessing.connection import wait
from multiprocessing.process import BaseProcess
from typing import Any

from intercom_assets.supervision.warm import template as program
from intercom_assets.supervision.warm.template import NUMBER
from intercom_assets.supervision.warm.templates import NoTemplate, Template, Templates

LARGEST_DATA = 60_000
"""Bytes that a pipe takes at once, so that nobody waits for a reader."""
UNKNOWN_EXIT = 255
"""Of a child whose template was gone when it ended."""


class _Inherited:
    """A descriptor that a child gets: by its place among those that came with it."""

    def __init__(self, place: int) -> None:
        self._place = place

    def detach(self) -> int:
        return program.inherited[self._place]


class _Forked(popen_fork.Popen):
    """A started child of a template, in the place of one of multiprocessing's own kinds."""

    method = "spawn"
    DupFd = _Inherited

    def __init__(self, process: BaseProcess, template: Template) -> None:
        self._template, self._descriptors = template, list[int]()
        super().__init__(process)

    def duplicate_for_child(self, descriptor: int) -> int:
        self._descriptors.append(descriptor)
        return len(self._descriptors) - 1

    def _launch(self, process: BaseProcess) -> None:
        data = self._pickled(process)
        child_reads, we_write = os.pipe()
        we_read, child_writes = os.pipe()
        try:
            self.pid = self._template.fork([child_reads, child_writes, *self._descriptors])
            os.write(we_write, data)
        except BaseException:
            os.close(we_write)
            os.close(we_read)
            raise
        finally:
            os.close(child_reads)
            os.close(child_writes)
        self.sentinel = we_read
        self.finalizer = util.Finalize(self, _close, (we_write, we_read))

    def _pickled(self, process: BaseProcess) -> bytes:
        buffer = io.BytesIO()
        context.set_spawning_popen(self)  # type: ignore[arg-type]
        try:
            reduction.dump(spawn.get_preparation_data(process.name), buffer)
            reduction.dump(process, buffer)
        finally:
            context.set_spawning_popen(None)
        if buffer.tell() > LARGEST_DATA:
            raise NoTemplate("a process has more to be told than a pipe takes")
        return buffer.getvalue()

    def poll(self, flag: int = os.WNOHANG) -> int | None:
        if self.returncode is None and wait([self.sentinel], 0 if flag == os.WNOHANG else None):
            told = os.read(self.sentinel, NUMBER.size)
            [self.returncode] = NUMBER.unpack(told) if told else (UNKNOWN_EXIT,)
        return self.returncode


def _close(*descriptors: int) -> None:
    for descriptor in descriptors:
        os.close(descriptor)


class WarmProcess(context.SpawnProcess):
    """A process that takes the fork where there is one; in the child it knows of no template."""

    _templates: Templates

    @staticmethod
    def _Popen(process_obj: BaseProcess) -> popen_fork.Popen:  # type: ignore[override]
        assert isinstance(process_obj, WarmProcess)
        forked = process_obj._templates.use(lambda template: _Forked(process_obj, template))
        return forked or popen_spawn_posix.Popen(process_obj)

    def __getstate__(self) -> dict[str, object]:
        return {name: value for name, value in vars(self).items() if name != "_templates"}


class WarmContext(context.SpawnContext):
    """As `multiprocessing.get_context("spawn")`, but for how its processes begin."""

    def __init__(self, templates: Templates) -> None:
        super().__init__()
        self._templates = templates

    def Process(self, *arguments: Any, **named: Any) -> WarmProcess:  # type: ignore[override]
        process = WarmProcess(*arguments, **named)
        process._templates = self._templates
        return process
