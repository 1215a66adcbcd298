"""The knobs: workspace, limits, lags, and a switch for each unconfirmed choice.

Changed at any moment by `POST /_simulator/settings` or by attribute. A knob that is unknown or of
the wrong type is refused in one sentence. Scripted faults are not knobs: see `faults`.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from typing import Any
from zoneinfo import ZoneInfo

from intercom_assets.simulator.choices import UNCONFIRMED, Choice, Option
from intercom_assets.simulator.choices_of_bulk import BULK
from intercom_assets.simulator.recorded import RECORDED
from intercom_assets.simulator.state import WORKSPACE_ID

CHOICES: Mapping[str, Choice] = {choice.name: choice for choice in (*UNCONFIRMED, *BULK, *RECORDED)}


def chosen() -> dict[str, Option]:
    return {choice.name: choice.chosen for choice in CHOICES.values()}


class BadSetting(ValueError):
    """A knob that does not exist, or a value that it cannot take."""


@dataclass(slots=True)
class Settings:
    """`rate_window_phase`: windows end at Unix seconds with this remainder by the window's length.
    `rate_reset_late_s`: how much later than that the Reset header says (recorded: 1 to 2 s).
    `updated_at_skew_s`: how far the stored `updated_at` runs ahead of the write's own answer.
    `bulk_item_limit`: items a bulk call; `bulk_job_delay_s`: from its acceptance to its being done;
    `bulk_lose_every`: every n-th item of bulk calls is not made, 0 for none.
    `exact_seconds`: timestamp search as of 2.17, whatever version is asked for.
    `bare_refusals`: whoever sends a value that is refused is not told which one.
    """

    token: str = "demo-token"
    workspace_id: str = WORKSPACE_ID
    time_zone: str = "UTC"
    default_version: str = "2.16"
    latency_ms: float = 0
    rate_limit_per_window: int = 1666
    rate_window_s: int = 10
    rate_window_phase: int = 0
    rate_reset_late_s: int = 2
    index_delay_s: float = 0
    updated_at_skew_s: int = 0
    bulk_item_limit: int = 100
    bulk_job_delay_s: float = 0
    bulk_lose_every: int = 0
    exact_seconds: bool = False
    bare_refusals: bool = False
    seed: int = 7
    choices: dict[str, Option] = field(default_factory=chosen)

    def choice(self, name: str) -> Any:
        return self.choices[name]

    def change(self, changes: Mapping[str, Any]) -> None:
        """All or nothing; raises BadSetting. Choices are named directly or under `choices`."""
        knobs = dict(changes)
        knobs.update(_mapping(knobs.pop("choices", {})))
        checked = {name: self._checked(name, value) for name, value in knobs.items()}
        for name, value in checked.items():
            if name in CHOICES:
                self.choices[name] = value
            else:
                setattr(self, name, value)

    def _checked(self, name: str, value: Any) -> Any:
        if name in CHOICES:
            return _checked_choice(CHOICES[name], value)
        if name not in KNOBS or name == "choices":
            known = ", ".join(sorted([*(KNOBS - {"choices"}), *CHOICES, "fail_next", "faults"]))
            raise BadSetting(f"there is no setting '{name}'; there are {known}")
        return _checked_knob(name, value, getattr(self, name))

    def document(self) -> dict[str, Any]:
        return {name: value for name, value in asdict(self).items() if name != "token"}


KNOBS = {knob.name for knob in fields(Settings)}
POSITIVE = {"rate_limit_per_window", "rate_window_s", "bulk_item_limit"}
FRACTIONAL = {"latency_ms", "index_delay_s", "bulk_job_delay_s"}


def _mapping(value: Any) -> Mapping[str, Any]:
    if not isinstance(value, dict):
        raise BadSetting("choices must be an object of switches")
    return value


def _checked_choice(choice: Choice, value: Any) -> Option:
    if type(value) is not type(choice.chosen) or (choice.options and value not in choice.options):
        allowed = ", ".join(map(repr, choice.options)) or type(choice.chosen).__name__
        raise BadSetting(f"{choice.name} is {value!r}; allowed: {allowed}")
    option: Option = value
    return option


def _checked_knob(name: str, value: Any, present: Any) -> Any:
    if name == "time_zone":
        return _checked_zone(value)
    if isinstance(present, bool) or isinstance(value, bool) or isinstance(present, str):
        right = type(value) is type(present)
    elif name in FRACTIONAL:
        right = isinstance(value, int | float) and value >= 0
    else:
        right = isinstance(value, int) and value >= (1 if name in POSITIVE else 0)
    if not right:
        raise BadSetting(f"{name} cannot be {value!r}")
    return value


def _checked_zone(value: Any) -> str:
    try:
        ZoneInfo(value)
    except Exception as unknown:
        raise BadSetting(f"time_zone {value!r} is not an IANA zone") from unknown
    return str(value)
