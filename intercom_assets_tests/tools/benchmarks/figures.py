"""Measured figures, their medians and spread, and the Markdown table that shows them.

Belongs here: arithmetic and printing. Must not: measuring.
"""

import os
import platform
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from statistics import median

PACKAGES = ("dagster", "psycopg", "requests", "python-intercom", "drt-core")
HEAD = ("benchmark", "users", "what", "median", "spread", "target", "note")


@dataclass(frozen=True, slots=True)
class Figure:
    """One measured number. `target`: what was asked for; `note`: what the number leaves out."""

    what: str
    value: float
    unit: str = ""
    target: str = ""
    note: str = ""


@dataclass(frozen=True, slots=True)
class Row:
    """The same figure over all repeats of one benchmark at one size."""

    benchmark: str
    users: int
    figures: Sequence[Figure]

    def cells(self) -> tuple[str, ...]:
        first = self.figures[0]
        values = [figure.value for figure in self.figures]
        middle = f"{_number(median(values))} {first.unit}".rstrip()
        spread = f"{_number(min(values))} - {_number(max(values))}" if len(values) > 1 else ""
        of = (self.benchmark, f"{self.users:,}", first.what)
        return (*of, middle, spread, first.target, first.note)


def rows(benchmark: str, users: int, repeats: Sequence[Sequence[Figure]]) -> Iterator[Row]:
    """Figures of the same name become one row, in the order in which they first came."""
    by_name: dict[str, list[Figure]] = {}
    for figure in (figure for figures in repeats for figure in figures):
        by_name.setdefault(figure.what, []).append(figure)
    for figures in by_name.values():
        yield Row(benchmark, users, figures)


def table(measured: Iterable[Row]) -> str:
    lines = [HEAD, ("---",) * len(HEAD), *(row.cells() for row in measured)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def machine(postgres: str) -> str:
    """One line of what it was measured on. `postgres`: the server's version."""
    gigabytes = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    packages = ", ".join(f"{name} {_version(name)}" for name in PACKAGES)
    return (
        f"{_processor()}, {os.cpu_count()} cores, {gigabytes:.0f} GB; {platform.system()} "
        f"{platform.release()}; Python {platform.python_version()}, PostgreSQL {postgres}; "
        f"{packages}"
    )


def _number(value: float) -> str:
    if value == int(value):
        return f"{int(value):,}"
    return f"{value:,.3f}" if abs(value) < 1 else f"{value:,.2f}"


def _processor() -> str:
    """Its model, where the system says it."""
    listed = Path("/proc/cpuinfo")
    lines = listed.read_text().splitlines() if listed.exists() else []
    models = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return models[0] if models else platform.machine()


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "not installed"
