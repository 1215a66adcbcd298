"""A code server forks its runs from a template, where the instance asks for it.

Dagster's code server starts each run as a new process of multiprocessing's, and watches, cancels
and buries it as such. Only where that process comes from is changed here, so everything else is as
with the default launcher. Where a name of Dagster's is gone, nothing is changed, and runs start as
new processes. Nothing happens in a process that is no code server.
"""

import inspect
import logging
import os
import sys
from collections.abc import Callable, Iterable
from contextlib import suppress
from functools import wraps
from importlib import import_module
from pathlib import Path
from typing import Any

import yaml

from intercom_assets.orchestration.internals.kept_connections import keep_connections
from intercom_assets.supervision.warm.freshness import state_of
from intercom_assets.supervision.warm.processes import WarmContext
from intercom_assets.supervision.warm.templates import Loading, Template, Templates

LAUNCHER = "WarmRunLauncher"
LOG = logging.getLogger("dagster.code_server")
_CODE = Path(__file__).parents[2]
_SERVER = "dagster._grpc.server"
_OURS = "_warm_templates"
IMPORTED_BY_RUNS = (
    "dagster._core.executor.in_process",
    "dagster._core.instance.factory",
    "dagster._core.secrets",
    "dagster._grpc.impl",
    "fsspec.implementations.local",
    "multiprocessing.queues",
    "multiprocessing.resource_tracker",
    "multiprocessing.synchronize",
    "psycopg2.extras",
    "upath.implementations.local",
)
"""What a run would import by itself, late: a third of its CPU until its first event."""


def serve_warm_runs(*folders: Path) -> None:
    """In a code server: from now on runs are forked, if their instance has our launcher.

    `folders`: what the definitions are made of besides the code. May be called again.
    """
    server = getattr(sys.modules.get(_SERVER), "DagsterApiServer", None)
    if server is None:
        return
    server._folders_of_ours = (_CODE, *folders)
    if not hasattr(server, _OURS) and hasattr(server, "StartRun"):
        setattr(server, _OURS, None)
        server._first_template = _first_template(server)
        server.StartRun = _forking(server.StartRun)
        server.ReloadCode = _replacing(server.ReloadCode)


def _first_template(server: Any) -> Template | None:
    """A fork of this code server, which has no thread yet, and shares its memory with it.

    None in a process that only knows what a code server is.
    """
    if not _will_ask_for_us() or not _is_being_made(server):
        return None
    _import(IMPORTED_BY_RUNS)
    return Template.forked_from_here(state_of(server._folders_of_ours))


def _is_being_made(server: Any) -> bool:
    """Whether this is called by a code server that loads its code."""
    frame = inspect.currentframe()
    while frame is not None:
        if frame.f_code is server.__init__.__code__:
            return True
        frame = frame.f_back
    return False


def _will_ask_for_us() -> bool:
    """By the settings of the instance here, which are seldom others than the daemon's."""
    home = os.environ.get("DAGSTER_HOME", "")
    try:
        settings = yaml.safe_load((Path(home) / "dagster.yaml").read_text("utf-8"))
        return bool(settings["run_launcher"]["class"] == LAUNCHER)
    except (OSError, ValueError, yaml.YAMLError, KeyError, TypeError):
        return False


def _forking(start: Callable[..., Any]) -> Callable[..., Any]:
    """`StartRun`: the server's own context of multiprocessing is exchanged before the first."""

    @wraps(start)
    def start_run(self: Any, request: Any, context: Any) -> Any:
        if getattr(self, _OURS) is None and hasattr(self, "_mp_ctx"):
            arguments = _arguments_of(request)
            if arguments is not None and _asks_for_us(arguments):
                templates = _templates(self, arguments)
                setattr(self, _OURS, templates)
                self._mp_ctx = WarmContext(templates)
        return start(self, request, context)

    return start_run


def _replacing(reload: Callable[..., Any]) -> Callable[..., Any]:
    """`ReloadCode`: whatever was loaded before it is out of date."""

    @wraps(reload)
    def reload_code(self: Any, request: Any, context: Any) -> Any:
        if (templates := getattr(self, _OURS)) is not None:
            templates.replace()
        return reload(self, request, context)

    return reload_code


def _arguments_of(request: Any) -> Any:
    """What the run is to be started with; None if this Dagster says it in another way."""
    try:
        types = import_module("dagster._grpc.types")
        read = import_module("dagster._serdes").deserialize_value
        return read(request.serialized_execute_run_args, types.ExecuteExternalJobArgs)
    except (ImportError, AttributeError):
        return None


def _asks_for_us(arguments: Any) -> bool:
    launcher = getattr(arguments.instance_ref, "run_launcher_data", None)
    return getattr(launcher, "class_name", None) == LAUNCHER


def _templates(server: Any, arguments: Any) -> Templates:
    origin = arguments.job_origin.repository_origin
    repository = server._loaded_repositories.reconstructables_by_name[origin.repository_name]
    modules = sorted(_modules_of(arguments.instance_ref))
    folders = server._folders_of_ours
    loading = Loading(load, (repository, modules), lambda: state_of(folders))
    return Templates(loading, LOG, server._first_template)


def _modules_of(instance_ref: Any) -> Iterable[str]:
    """What an instance is made of, as its settings name it."""
    for part in instance_ref:
        if (module := getattr(part, "module_name", None)) is not None:
            yield module
            yield from _modules_within(getattr(part, "config_dict", {}))


def _modules_within(settings: Any) -> Iterable[str]:
    if isinstance(settings, dict):
        for name, value in settings.items():
            if name in ("module_name", "module") and isinstance(value, str):
                yield value
            yield from _modules_within(value)


def _import(modules: Iterable[str]) -> None:
    for module in modules:
        with suppress(ImportError):
            import_module(module)


def load(repository: Any, modules: Iterable[str]) -> None:
    """In a template: the definitions of a code location, resolved, and what a run imports."""
    _import((*modules, *IMPORTED_BY_RUNS))
    keep_connections()
    definition = repository.get_definition()
    for job in definition.get_all_jobs():
        repository.get_reconstructable_job(job.name).get_definition()
