"""How a run stops when an operator can do something about it: with one sentence, nothing else.

Dagster shows the stack of whatever a step raises, except for an error that carries its own text
from another process. That error and `Failure` in one gives a red step, no retry, the sentence,
and no stack. The name is Dagster's own business, so a test pins it, and without it a plain
`Failure` is raised.
"""

from importlib import import_module
from typing import NoReturn

import dagster as dg

from intercom_assets.domain.errors import OperatorError


def _stop_class() -> type[dg.Failure]:
    try:
        told_elsewhere = import_module("dagster._core.errors").DagsterUserCodeProcessError
        error_info = import_module("dagster._utils.error").SerializableErrorInfo
    except (ImportError, AttributeError):
        return dg.Failure

    def tell(self: dg.Failure, description: str, allow_retries: bool = False) -> None:
        Exception.__init__(self, description)
        self.description, self.metadata, self.allow_retries = description, {}, allow_retries
        self.user_code_process_error_infos = [error_info(description, [], None)]  # type: ignore[attr-defined]

    return type("Stopped", (told_elsewhere, dg.Failure), {"__init__": tell})


Stopped = _stop_class()


def stop(sentence: str) -> NoReturn:
    """Ends the step, and with it the run, as failed."""
    raise Stopped(description=sentence, allow_retries=False) from None


def stop_for(error: OperatorError) -> NoReturn:
    """Ends the step with the error's sentence."""
    stop(error.sentence)
