"""Users or teams of whom a field is left out since a call about an attribute fails.

All but one of them are settled without it; that one asks again, and frees the rest.
"""

from collections.abc import Mapping, Sequence
from typing import Protocol

from intercom_assets.domain.models import LeftOut
from intercom_assets.domain.vocabulary import AttributeModel
from intercom_assets.sync.context.failures import Problem, waits_for_attribute
from intercom_assets.sync.context.work import Work


class MayWait(Protocol):
    """A user's or a team's pass: whether it ends well so far, and what it leaves out."""

    @property
    def ends_well(self) -> bool: ...
    @property
    def fields_left_out(self) -> Mapping[str, LeftOut]: ...
    def put_off(self, problem: Problem) -> None: ...


def keep_one_waiting(work: Work, model: AttributeModel, passes: Sequence[MayWait]) -> None:
    failing = work.attributes.failing(model)
    if not failing:
        return
    for waiting in passes:
        if waiting.ends_well and failing & waiting.fields_left_out.keys():
            waiting.put_off(waits_for_attribute(waiting.fields_left_out, failing))
            return
