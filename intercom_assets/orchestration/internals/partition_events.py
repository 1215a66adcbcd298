"""An event of one partition, as our steps say it, and its JSON in Dagster's event log.

Dagster takes over a millisecond to serialize an event. Of many that differ in their partition and
in the values of their metadata only, it serializes one with marks in their places, and the marks
are filled here. The format is Dagster's own: the first event of each shape is serialized by
Dagster too, and where the two differ, so are all others of that shape.
"""

import json
import re
import secrets
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TypeAlias

import dagster as dg

DagsterEvent: TypeAlias = dg.AssetMaterialization | dg.AssetObservation
Serialize: TypeAlias = Callable[["PartitionEvent"], str]
Shape: TypeAlias = tuple[dg.AssetKey, bool, tuple[tuple[str, type], ...]]

WORTH_A_TEMPLATE = 4
"""Events of one shape: making a template costs as much as serializing two."""


class Url(str):
    """A value of an event that Dagster shows as a link."""

    __slots__ = ()


Fact: TypeAlias = str | int | float
Facts: TypeAlias = Mapping[str, Fact]


@dataclass(frozen=True, slots=True)
class PartitionEvent:
    """A materialization, or an observation, of one asset's partition. `facts`: its metadata."""

    asset: dg.AssetKey
    partition: str
    facts: Facts
    is_observation: bool = False

    @property
    def sort(self) -> dg.DagsterEventType:
        if self.is_observation:
            return dg.DagsterEventType.ASSET_OBSERVATION
        return dg.DagsterEventType.ASSET_MATERIALIZATION

    @property
    def shape(self) -> Shape:
        """Events of one shape differ in values only."""
        return self.asset, self.is_observation, tuple((n, type(v)) for n, v in self.facts.items())

    def with_facts(self, facts: Facts) -> "PartitionEvent":
        return replace(self, facts={**self.facts, **facts})

    def as_dagster(self) -> DagsterEvent:
        kind = dg.AssetObservation if self.is_observation else dg.AssetMaterialization
        metadata = {
            name: dg.MetadataValue.url(fact) if isinstance(fact, Url) else fact
            for name, fact in self.facts.items()
        }
        return kind(self.asset, partition=self.partition, metadata=metadata)


def serialized(events: Sequence[PartitionEvent], serialize: Serialize) -> list[str]:
    """The events in Dagster's own JSON, in their order. `serialize`: as Dagster does it."""
    templates = {
        shape: _template(alike[0], serialize)
        for shape, alike in _by_shape(events).items()
        if len(alike) >= WORTH_A_TEMPLATE
    }
    texts = []
    for event in events:
        template = templates.get(event.shape)
        texts.append(serialize(event) if template is None else template.fill(event))
    return texts


def _by_shape(events: Sequence[PartitionEvent]) -> dict[Shape, list[PartitionEvent]]:
    found: dict[Shape, list[PartitionEvent]] = {}
    for event in events:
        found.setdefault(event.shape, []).append(event)
    return found


@dataclass(frozen=True, slots=True)
class _Template:
    """Text between the marks, and which value stands in the place of each: -1 is the partition."""

    texts: list[str]
    places: list[int]

    def fill(self, event: PartitionEvent) -> str:
        values = [*map(_inside_json, event.facts.values()), _inside_json(event.partition)]
        return self.texts[0] + "".join(
            [values[at] + text for at, text in zip(self.places, self.texts[1:], strict=True)]
        )


def _inside_json(value: Fact) -> str:
    """As it stands within JSON: a text without its quotes."""
    return json.dumps(value)[1:-1] if isinstance(value, str) else json.dumps(value)


def _template(event: PartitionEvent, serialize: Serialize) -> _Template | None:
    """None if Dagster writes this event otherwise than its template does."""
    marks = _marks()
    facts = {name: _marked(fact, next(marks)) for name, fact in event.facts.items()}
    marked = replace(event, partition=next(marks), facts=facts)
    found = {_inside_json(fact): at for at, fact in enumerate(facts.values())}
    found[marked.partition] = -1
    pattern = "|".join(map(re.escape, found))
    parts = re.split(f"({pattern})", serialize(marked))
    template = _Template(parts[::2], [found[mark] for mark in parts[1::2]])
    return template if template.fill(event) == serialize(event) else None


def _marks() -> Iterator[str]:
    """Fifteen digits each, that stand nowhere else."""
    while True:
        yield str(10**14 + secrets.randbelow(9 * 10**14))


def _marked(fact: Fact, mark: str) -> Fact:
    if isinstance(fact, str):
        return type(fact)(mark)
    return int(mark) if isinstance(fact, int) else float(f"{mark[:9]}.5")
