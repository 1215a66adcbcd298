"""What `check` says: one finding a line, good or bad, and what to do about it.

Belongs here: the words that findings are made of, and that a probe which fails is a finding too.
Must not: any probe (`check_app.py`, `check_intercom.py`, `preflight.py`), anything printed.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum

from intercom_assets.domain.errors import OperatorError, as_sentence
from intercom_assets.intercom.errors import Unauthorized, Unavailable
from intercom_assets.mapping.problems import MappingError
from intercom_assets.sync.environment import INTERCOM_ACCESS_TOKEN, ConfigurationError

EDIT = "Correct it; then run check again."
MOST_CLOCK_DIFFERENCE = 10.0
"""Seconds by which two clocks may differ before times that are compared come out wrong."""


class Severity(StrEnum):
    """BAD: the sync cannot work, or not as the mapping says. WARNING: it can, at a price."""

    OK = "ok"
    WARNING = "warning"
    BAD = "bad"


@dataclass(frozen=True, slots=True)
class Finding:
    """`sentence`: what was found. `to_do`: what mends it, where something needs mending."""

    part: str
    title: str
    verdict: Severity
    sentence: str
    to_do: str = ""


@dataclass(frozen=True, slots=True)
class CheckPart:
    """A group of findings, as the operator reads them."""

    name: str

    def ok(self, title: str, sentence: str) -> Finding:
        return Finding(self.name, title, Severity.OK, sentence)

    def warning(self, title: str, sentence: str, to_do: str) -> Finding:
        return Finding(self.name, title, Severity.WARNING, sentence, to_do)

    def bad(self, title: str, sentence: str, to_do: str) -> Finding:
        return Finding(self.name, title, Severity.BAD, sentence, to_do)

    def skipped(self, title: str, needs: str) -> Finding:
        return self.warning(title, f"Not checked: that needs {needs}.", "Fix what is red first.")

    def probe(
        self, title: str, work: Callable[[], Iterable[Finding]], to_do: str
    ) -> Iterator[Finding]:
        """The findings of `work`; if it fails, that it failed, and `to_do`. Raises nothing."""
        try:
            yield from work()
        except OperatorError as error:
            yield self.bad(title, as_sentence(str(error)), _to_do(error) or to_do)
        except Exception as error:
            # The text of an unknown error may hold what must not be shown.
            sentence = f"This part of check failed itself ({type(error).__name__})."
            yield self.bad(title, sentence, "Please report it: this is a fault of intercom-assets.")


def _to_do(error: Exception) -> str | None:
    """Where the error says more about what mends it than the probe that it ended."""
    if isinstance(error, MappingError):
        return EDIT
    if isinstance(error, ConfigurationError):
        return "Correct that variable; then run check again."
    if isinstance(error, Unauthorized):
        return f"Set {INTERCOM_ACCESS_TOKEN} to an access token of this workspace."
    if isinstance(error, Unavailable):
        return "Let this machine reach Intercom (INTERCOM_BASE_URL, proxy); then run check again."
    return None
